"""One class takes and gives each value in one layout, wherever it is used, and says which."""

from __future__ import annotations

import re

import pytest
import twins
from checking import check, torch_code

from netspec.runtime.code import run

SIDES = "conv(4, 3x3, padding=1) -> {0} -> conv(4, 3x3, padding=1)"
WITHIN = "reshape(30, 4) -> dense(4) -> reshape(6, 5, 4) -> {0} -> reshape(30, 4) -> dense(4) -> reshape(6, 5, 4)"
BLOCKS = {
    "looks": "block looks { input x [h, w, c]; y = x -> reshape(h*w, c) -> dense(c) -> reshape(h, w, c); x + y }",
    "plain": "block plain { input x [h, w, c]; x * 2 -> relu }",
    "turned": "block turned(flat) { input x [h, w, c]; if flat { layernorm -> relu } else { conv(c, 1x1) -> relu } }",
    "two": "block two { input x [h, w, c]; sum = x + 1; output a = sum -> relu; output b = sum -> layernorm }",
    "held": "block held { input x [h, w, c]; add(identity, plain()) }\nblock plain { input x [h, w, c]; tanh }",
}
CALLS = {"turned": ("turned(false)", "turned(true)"), "two": ("two() -> first_of",) * 2}
FIRST_OF = "block first_of { input a [h, w, c]; input b [h, w, c]; a * b }"


def net_of(word):
    one, other = CALLS.get(word, (word, word))
    if word == "two":
        lines = [
            "conv(4, 3x3, padding=1) as begun; a, b = begun -> two; first_of(a, b) -> conv(4, 3x3, padding=1) as met",
            "met -> reshape(30, 4) -> dense(4) -> reshape(6, 5, 4) as flat; c, d = flat -> two; c * d",
        ]
    else:
        lines = [SIDES.format(one), WITHIN.format(other), SIDES.format(other), WITHIN.format(one)]
    return check(f"{BLOCKS[word]}\n{FIRST_OF}\nnet n {{ input image [6, 5, 3]\n" + "\n".join(lines) + "\n}\n")


@pytest.mark.parametrize("word", BLOCKS)
def test_one_class_has_one_layout(word):
    import torch

    net = net_of(word)
    assert net.ok, [d.message for d in net.diagnostics]
    text = torch_code(net)
    model = run(text, net.name).eval()
    seen = {}

    def note(module, values, result):
        given = result if isinstance(result, tuple) else (result,)
        shapes = [tuple(value.shape[1:]) for value in (*values, *given)]
        seen.setdefault(type(module).__name__, set()).add(tuple(shapes))

    blocks = re.findall(r"^class (\w+)\(nn.Module\)", text, re.MULTILINE)
    for module in model.modules():
        if type(module).__name__ in blocks:
            module.register_forward_hook(note)
    model(torch.zeros(2, 3, 6, 5))
    for name, shapes in seen.items():
        assert len(shapes) == 1, f"{name}: {shapes}"
        said = re.search(rf"class {name}\(.*?Takes (.*?)\.\s*\"\"\"", text, re.DOTALL)[1]
        assert len(re.findall("N, C, H, W|N, H, W, C", said)) == len(next(iter(shapes)))
        for shape, axes in zip(next(iter(shapes)), re.findall("N, C, H, W|N, H, W, C", said)):
            assert (shape[0] in (3, 4)) == (axes == "N, C, H, W")


@pytest.mark.parametrize("word", BLOCKS)
def test_numbers(word):
    net = net_of(word)
    for style in ("functional", "subclass"):
        twins.compare(net, batches=(2, 1), style=style)
