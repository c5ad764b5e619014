"""`each_step`: a layer, block or net on each step of a sequence."""

from __future__ import annotations

import numpy as np
import pytest
from checking import check
from twins import compare

from netspec.ir.paths import weight_table
from netspec.reference import Reference
from netspec.weights import samples

FRAMES = """
block look(filters) {
  conv(filters, 3x3) -> batchnorm -> relu
  global_avgpool
}
"""
WORDS = "block read { input w [L] int(20); embedding(20, 4, mask=true) -> lstm(3) }\n"
BOTH = "block both { input x [F]; a = x -> dense(3); b = x -> dense(2); output a, b }\n"
LEAK = "cell leak(units) {\n state h [units]\n next h = tanh(dense(units) + h)\n output next h\n}\n"
NETS = {
    "a layer": ("net n { input x [4, 6, 6, 2]; each_step(conv(3, 3x3)) -> each_step(flatten) -> dense(2) }", [{}]),
    "a block": (
        FRAMES
        + "net n { input x [T, H, 6, 2]; each_step(look(3)) -> lstm(4, return=sequence) -> each_step(dense(2)) }",
        [{"T": 4, "H": 5}, {"T": 1, "H": 7}],
    ),
    "whole numbers and masks": (
        WORDS + "net n { input x [T, L] int(20); each_step(read) -> gru(3) }",
        [{"T": 3, "L": 5}, {"T": 4, "L": 2}],
    ),
    "several outputs": (BOTH + "net n { input x [5, 3]; a, b = x -> each_step(both); output a, b }", [{}]),
    "the same weights twice": (
        "net n { input x [5, 3]; layer half = dense(3); h = each_step(half, x); add(h -> last, x -> first -> half) }",
        [{}],
    ),
    "a sequence of sequences": (
        LEAK + "net n { input x [3, 4, 2]; each_step(scan(leak(3), return=sequence)) -> each_step(scan(leak(2))) }",
        [{}],
    ),
    "braces": (
        "net n { input x [4, 6, 6, 2]; each_step({ conv(3, 3x3) -> relu; global_avgpool })\n"
        "each_step(step={ dense(2) }) }",
        [{}],
    ),
    "in a loop": ("net n { input x [5, 3]; repeat 2 { each_step(dense(3)) -> relu } }", [{}]),
    "in itself": (
        "block inner { each_step(conv(2, 3x3, stride=2)) }\n"
        "net n { input x [2, 3, 6, 6, 2]; each_step(inner) -> flatten -> dense(1) }",
        [{}],
    ),
}


@pytest.mark.parametrize("style", ["functional", pytest.param("subclass", marks=pytest.mark.sweep)])
@pytest.mark.parametrize("name", NETS)
def test_all_forms_agree(name, style):
    text, sizes = NETS[name]
    compare(check(text), sizes=sizes, style=style)


def test_braces_are_a_block_without_a_name():
    text = "net n {{ input x [T, 6, 5, 2]; each_step({0}) as seen; lstm(3) }}"
    inner = "{ conv(3, 3x3) as k -> relu; y = k -> conv(3, 1x1); concat(identity, y) -> global_avgpool }"
    one, other = check(text.format(inner)), check(f"block b {inner}\n" + text.format("b"))
    assert one.ok
    assert other.ok
    assert one.totals == other.totals
    assert [row.path for row in one.layers if row.figures.params] == ["seen.k", "seen.2", "lstm"]


def test_it_is_the_layer_on_each_step():
    net = check(FRAMES + "net n { input x [4, 6, 5, 2]; each_step(look(3)) }")
    alone = check(FRAMES + "net n { input x [6, 5, 2]; look(3) }")
    assert weight_table(net).keys() == weight_table(alone).keys()
    rng = np.random.default_rng(1)
    weights = samples.random_weights(net, rng)
    x = rng.standard_normal((2, 4, 6, 5, 2))
    wanted = np.stack([Reference(alone, weights)(x[:, t]) for t in range(4)], 1)
    np.testing.assert_allclose(Reference(net, weights)(x), wanted)


def test_weights_count_once_and_steps_each_time():
    net = check(FRAMES + "net n { input x [T, 6, 6, 2]; each_step(look(3)) as seen; dense(2) }")
    alone = check(FRAMES + "net n { input x [6, 6, 2]; look(3) }")
    assert net.totals.params == alone.totals.params + 8
    assert str(net.totals.macs) == f"{alone.totals.macs + 6}*T"
    assert net.net.body.output.shape[1:] == (2,)
    assert "seen.conv.kernel" in weight_table(net)


def test_it_holds_weights_still():
    net = check("net n { input x [4, 3]; each_step(dense(5), frozen=true); each_step(dense(2)) }")
    assert (net.totals.params, net.totals.trainable) == (32, 12)
    compare(net)


def test_a_net_may_end_at_what_it_gives():
    net = check(
        "net base { input x [4, 6, 6, 2]; each_step(conv(3, 3x3)) -> relu -> flatten -> dense(2) }\n"
        "net n { input x [4, 6, 6, 2]; base(upto=conv) }",
    )
    assert net.net.body.output.shape == (4, 4, 4, 3)


def test_a_mask_goes_on():
    text = "net n { input x [T] int(9); embedding(9, 4, mask=true) -> each_step(dense(3)) -> lstm(2) }"
    net = check(text)
    assert not net.diagnostics
    compare(net, sizes=[{"T": 5}])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("net n { input x [4]; each_step(dense(3)) }", "no-time-axis"),
        ("net n { input x [4, 3]; each_step(3) }", "not-a-step"),
        ("net n { input x [4, 3]; each_step }", "not-a-step"),
        ("net n { input x [4, 3]; each_step(dense(3), 4) }", "unknown-argument"),
        ("net n { input x [4, 3]; input h [2]; x -> each_step(concat(h)) }", "unknown-argument"),
        ("net n { input x [4, 3]; input h [2]; x -> each_step(concat(identity, h)) }", "unknown-argument"),
        ("net n { input x [4, 5, 3]; each_step(lstm(3, stateful=true, batch=2)) }", "wrong-value"),
        ("net n { input x [4, 3]; layer e = each_step(dense(3)); e }", "not-a-step"),
        ("net n { input x [4, 3]; each_step(dnse(3)) }", "unknown-name"),
        ("net n { input x [4, 3]; each_step(conv(3, 5x5)) }", "wrong-rank"),
        ("net n { input x [4, 3]; bidirectional(each_step(dense(3))) }", "wrong-value"),
        ("net n { input x [4, 3]; each_step(one) }\nblock one { input x [F]; weight w [F]; output w }", "not-a-step"),
    ],
)
def test_what_cannot_be(text, code):
    assert [d.code for d in check(text).diagnostics if d.severity == "error"] == [code]
