"""How weights begin: what both frameworks draw is held against the definition that the layers give."""

from __future__ import annotations

import ast

import keras
import numpy as np
import pytest
import torch
import twins
from checking import check

from netspec import api
from netspec.base.diagnostics import SpecError
from netspec.ir.paths import weight_table
from netspec.layers.initialisers import SCALED, WORDS, bound_of, fans_of, spread_of
from netspec.weights.samples import random_inputs

# layers whose kernels are large enough to tell distributions apart, with the language's defaults
DEFAULTS = {
    "dense": "input x [40]; dense(60) -> maxout(30, pieces=2) -> dense(50, bias=false)",
    "conv": """input x [9, 9, 16]; conv(32, 3x3) -> conv(32, 3x3, groups=4, bias=false) -> depthwise_conv(3x3)
      depthwise_conv(3x3, multiplier=4) -> separable_conv(64, 1x1, multiplier=2) -> conv_transpose(24, 3x3)""",
    "volume": "input x [5, 5, 5, 8]; depthwise_conv(3, multiplier=4) -> separable_conv(32, 3) -> conv_transpose(8, 2)",
    "table": "input x [20] int(90); embedding(90, 30) -> positional_encoding(learned=true, length=60)",
    "recurrent": """input x [T, 24]; lstm(16, return=sequence) -> gru(20, return=sequence) -> rnn(24, return=sequence)
      stack(2, lstm(16, return=sequence)) -> bidirectional(lstm(16, recurrent_dropout=0.1, return=sequence))
      bidirectional(gru(12, reset_after=false))""",
    "attention": """input x [7, 48]; multihead_attention(4) as seen; multihead_attention(seen, x, heads=4, key_size=16)
      additive_attention(identity, x, units=40) as asked; bilinear(asked, x, 9)""",
    "other": "input x [6, 6, 40]; batchnorm -> prelu -> conv(20, 3x3) -> layernorm -> rmsnorm",
}
WORDED = [w for w in WORDS if w != "orthogonal"]
STYLES = ("torch", "functional", "subclass")


def begun(text, styles=STYLES[1:]):
    """The weights with which models begin, by framework (and style) and path, in the language's order."""
    net = check(f"net n {{ {text} }}")
    inputs = random_inputs(net, np.random.default_rng(0), 2, {"T": 5})
    torch.manual_seed(1)
    keras.utils.set_random_seed(1)
    found = {}
    for style in styles:
        (module, spelt), (model, other) = twins.models(net, inputs, style)
        found[style] = other.spelling.take({n: np.array(v) for n, v in model.variables.items()})
    found["torch"] = spelt.spelling.take({n: tensor.detach().numpy() for n, tensor in module.tensors.items()})
    return weight_table(net), found


def defined(weight):
    """What is expected of an array: its exact values, or else spread, and bound if there is one."""
    if weight.init is None:
        return np.ones(weight.sizes) if "var" in weight.name else np.zeros(weight.sizes), None, None
    name, value = weight.init.name, weight.init.value
    if name in ("zeros", "ones", "constant"):
        return np.full(weight.sizes, {"zeros": 0.0, "ones": 1.0}.get(name, value)), None, None
    if name == "forget_ones":
        return np.repeat([0.0, 1.0, 0.0, 0.0], weight.sizes[0] // 4), None, None
    if name == "uniform":
        return None, value / 3**0.5, value
    if name == "normal":
        return None, value, None
    if name == "truncated_normal":
        return None, 0.8796 * value, 2 * value
    uniform = name.endswith("uniform")
    return None, spread_of(weight.init, fans_of(weight)), bound_of(weight.init, fans_of(weight)) if uniform else None


def drawn_from(weight, array):
    """Is an array what its definition says? Five standard errors are allowed."""
    if weight.init is not None and weight.init.name == "orthogonal":
        matrix = array.reshape(-1, array.shape[-1])
        small = matrix @ matrix.T if len(matrix) < len(matrix.T) else matrix.T @ matrix
        return np.allclose(small, np.eye(len(small)), atol=1e-5)
    values, spread, bound = defined(weight)
    if values is not None:
        return np.allclose(array, values, rtol=1e-6)
    allowed = 5 / array.size**0.5
    right = abs(array.mean()) < allowed * spread and abs(array.std() / spread - 1) < allowed
    if bound is None:
        return right
    full = weight.init.name != "truncated_normal"  # which seldom comes near to where it is cut off
    return right and bound * (1 - 20 / array.size) * full < abs(array).max() < bound * 1.0001


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name):
    hold(DEFAULTS[name])


# each kind of layer on an input of its own
KINDS = {
    "dense": ("[40]", "dense(60, init={})"),
    "maxout": ("[40]", "maxout(30, init={})"),
    "conv": ("[9, 9, 16]", "conv(32, 3, groups=2, init={})"),
    "depthwise": ("[9, 9, 16]", "depthwise_conv(3, init={})"),
    "multiplied": ("[9, 9, 16]", "depthwise_conv(3, multiplier=4, init={})"),
    "separable": ("[9, 9, 16]", "separable_conv(32, 3, init={})"),
    "transposed": ("[5, 5, 16]", "conv_transpose(40, 3, init={})"),
    "embedding": ("[7] int(80)", "embedding(80, 12, init={})"),
    "lstm": ("[5, 24]", "lstm(16, init={})"),
    "gru": ("[5, 24]", "bidirectional(gru(16, init={}, dropout=0.1))"),
    "heads": ("[7, 48]", "multihead_attention(4, init={})"),
    "causal": ("[7, 48]", "multihead_attention(4, causal=true, init={})"),
    "sum": ("[7, 40]", "additive_attention(identity, {1}, units=40, init={0})"),
    "bilinear": ("[40]", "bilinear(identity, {1}, 9, init={0})"),
}


def net_of(choose):
    """Layers of every kind with the words that `choose` gives for its number; one with its default stands between."""
    inputs, outputs = [], []
    for place, (kind, (shape, code)) in enumerate(KINDS.items()):
        inputs.append(f"input on_{kind} {shape}")
        for number, word in enumerate(choose(place)):
            said = code.format(f"{word}(0.3)" if word in SCALED else word, f"on_{kind}")
            outputs.append(f"output {kind}{number} = on_{kind} -> {said}")
        usual = code.format("usual", f"on_{kind}").replace(", init=usual", "")
        outputs.append(f"output {kind}_usual = on_{kind} -> {usual}")
    return "\n".join([*inputs, *outputs])


def hold(text, style="functional"):
    """All weights of a net begin as they are defined."""
    table, found = begun(text, (style,))
    for path, weight in table.items():
        for where, arrays in found.items():
            assert drawn_from(weight, arrays[path]), f"{path} in {where}: {weight.init}, std {arrays[path].std()}"


def test_words():
    """Each word on some kinds of layers, each kind with some words."""
    hold(net_of(lambda place: [WORDED[(2 * place) % len(WORDED)], WORDED[(2 * place + 7) % len(WORDED)]]))


@pytest.mark.sweep
@pytest.mark.parametrize("style", STYLES[1:])
def test_every_word_on_every_kind(style):
    hold(net_of(lambda _: WORDED), style)


def test_one_word_for_all():
    """Where all layers of a class begin alike, the function for the class says it."""
    text = """input x [9, 9, 16]; conv(32, 3, init=he_normal) -> conv(32, 3, init=he_normal, bias=false) -> flatten
      dense(20, init=truncated_normal(0.1)) -> dense(30, init=truncated_normal(0.1))"""
    hold(text)
    code = api.parse(f"net n {{ {text} }}").to_torch()
    assert "initialized" not in code
    assert "fills" not in code
    assert 'nn.init.kaiming_normal_(module.weight, nonlinearity="relu")' in code
    assert "nn.init.trunc_normal_(module.weight, std=0.1, a=-0.2, b=0.2)" in code


def test_parameters():
    """A spread that a block is told is an argument of its class."""
    text = """
    block unit(std) { dense(50, init=normal(std)) -> dense(40) }
    net n { input x [40]; unit(0.1) -> unit(0.2) -> unit(0.3) }
    """
    code = api.parse(text).to_torch()
    assert code.count("class ") == 2
    assert "initialized(nn.Linear(40, 50), partial(nn.init.normal_, std=std))" in code


def test_functions_are_in_range():
    """What is written is Python that uses only what it imports."""
    ast.parse(api.parse(f"net n {{ {net_of(lambda place: WORDED[place : place + 1])} }}").to_torch())


def test_words_that_are_refused():
    for text in ("init=glorot", "init=same", 'init="zeros"', "init=true", "init=normal(0)", "init=uniform(-1)"):
        with pytest.raises(SpecError) as caught:
            api.parse(f"net n {{ input x [2]; dense(1, {text}) }}")
        assert caught.value.diagnostics[0].code in ("wrong-value", "wrong-arity"), text
