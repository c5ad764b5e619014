"""Classes and functions of blocks, and nets, at arguments that no call of the program has: the same arrays and, on
the same weights, the same numbers as the spec, or a refusal."""

from __future__ import annotations

import inspect
from contextlib import suppress

import keras
import numpy as np
import pytest
import torch

import netspec
from netspec.api import check
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.elaborate.net import elaborate
from netspec.runtime.code import execute

_FLAGS = (
    "block b(p=true, q=true) { input x [n]; if p { dense(n) }; if q { relu } }\n"
    "net a { input x [3]; b(true, false) -> b(false, true) -> b(false, false) }"
)
_WORDS = (
    "block b(norm, act) { input x [h, w, c]; if norm == batch { conv(c, 1x1) }; if act == yes { tanh } }\n"
    "net a { input x [8, 6, 3]; b(batch, no) -> b(other, yes) -> b(other, no) }"
)
_SPLIT = (
    "block b(ln=true, pool=false) { input x [h, w, c]\n"
    "  y = x; if ln { y = y -> layernorm }; if pool { maxpool(y, 2x2) } else { tanh(y) } }\n"
    "net a { input x [8, 6, 3]; b() -> b(false) -> b(true, true) }"
)
_LAYOUT = (
    "block b(w) { input x [h, v, c]; if w < 2 { conv(c, 1x1, bias=false) -> layernorm } else { relu } }\n"
    "net a { input x [8, 6, 3]; b(8) -> b(4) }"
)
_RESIDUAL = (
    "block b(width) { input x [h, w, c]; y = x -> conv(width, 1x1) -> layernorm\n"
    "  if c == width { x + y } else { y + (x -> conv(width, 1x1)) } }\n"
    "net a { input x [8, 6, 3]; conv(8, 1x1) -> b(8) -> conv(16, 1x1) -> b(16) }"
)
_SEVEN = (
    "block b(w) { input x [n]; layernorm; if n == w { dense(w) -> tanh } }\n"
    "net a { input x [3]; b(4) -> b(5) -> dense(4) }"
)
_UNTOLD = (
    "block b(w) { input x [h, v, c]; layernorm; if c == w { y = identity -> conv(w, 1x1) } else { y = identity }\n"
    "  concat(identity, y) }\n"
    "net a { input x [6, 7, 3]; b(4) -> b(5) }"
)
_LISTS = (
    "block b(ws, last=true) { for i in 0..len(ws) { dense(ws[i]); if last or i < len(ws) - 1 { tanh } } }\n"
    "net a { input x [6]; b([4, 5]) -> b([2, 3], false) }"
)
_LISTS_IN_A_BRANCH = (
    "block b(ws, last=true) { if last { { for w in ws { dense(w) } } }; tanh }\n"
    "net a { input x [6]; b([4, 5]) -> b([2, 3]) -> b([3, 3], false) }"
)
_RATES = (
    "block b(rates, f) { concat([conv(identity, f, 3x3, dilation=d, padding=same) for d in rates]) -> conv(f, 1x1) }\n"
    "net a { input x [9, 8, 3]; b([1, 2], 4) -> b([2, 3], 6) }"
)
_EXPAND = (
    "block b(out, expand) { input x [n]; y = x; if expand > 1 { y = y -> dense(n * expand) }\n"
    "  y = y -> tanh -> dense(out); if n == out { x + y } else { y } }\n"
    "net a { input x [5]; b(8, 1) -> b(8, 4) -> b(16, 6) }"
)
_ROOTS = (
    "block b(size) { input x [t, n]; y = x -> dense(size); y / sqrt(size) -> relu }\n"
    "net a { input x [10, 24]; b(8) -> dense(9) -> b(16) }"
)
_EQUAL = (
    "block b(width) { input x [h, w, c]; y = x -> conv(width, 1x1)\n"
    "  if c == width { s = x -> conv(width, 1x1) } else { s = 0 * y }\n  y + s }\n"
    "net a { input x [8, 6, 3]; conv(8, 1x1) -> b(8) -> conv(8, 1x1) -> b(16) }"
)
_CHANNELS = (
    "block b(width) { input x [h, w, c]; conv(c, 1x1) -> tanh -> conv(min(width, 10), 1x1) }\n"
    "net a { input x [8, 6, 3]; conv(8, 1x1) -> b(8) -> conv(8, 1x1) -> b(16) }"
)
# by the text: the shape of what comes in, and the arguments
_BLOCKS = {
    _FLAGS: ((3,), ["true, true", "false, true", "true, false"]),
    _WORDS: ((8, 6, 3), ["batch, yes", "other, yes"]),
    _SPLIT: ((8, 6, 3), ["false, true", "true, false", "true, true", "false, false"]),
    _LAYOUT: ((8, 6, 3), ["1", "2", "5"]),
    _RESIDUAL: ((8, 6, 5), ["5", "3"]),
    _SEVEN: ((3,), ["3", "7"]),
    _UNTOLD: ((6, 7, 4), ["4"]),
    _EQUAL: ((8, 6, 5), ["5", "8"]),
    _CHANNELS: ((8, 6, 5), ["5", "20"]),
    _LISTS: ((6,), ["[4, 5, 7]", "[2]", "[7, 3]", "[7, 3], false"]),
    _LISTS_IN_A_BRANCH: ((6,), ["[4, 5, 7]", "[2]", "[7, 3]", "[7], false"]),
    _RATES: ((9, 8, 5), ["[1, 3], 2", "[1, 2, 3], 4"]),
    _EXPAND: ((5,), ["5, 1", "5, 0", "8, 1", "8, 3"]),
    _ROOTS: ((10, 7), ["2", "3", "12"]),
}
# those that the class cannot be made for: the text leaves no other way
_REFUSED = {
    (_UNTOLD, "4"),
    (_LISTS, "[4, 5, 7]"),
    (_LISTS, "[2]"),
    (_LISTS_IN_A_BRANCH, "[4, 5, 7]"),
    (_LISTS_IN_A_BRANCH, "[2]"),
    (_RATES, "[1, 2, 3], 4"),
}


def _numbers(form, made, wanted, x):
    """What two models give on the weights of the first."""
    if form == "torch":
        wanted.load_state_dict(dict(zip(wanted.state_dict(), made.state_dict().values(), strict=True)))
        return made.eval()(x), wanted.eval()(x)
    # Keras makes some layers when it first sees a value, so that the order is not the same: those of one shape stay
    by_shape = {}
    for array in made.get_weights():
        by_shape.setdefault(array.shape, []).append(array)
    wanted.set_weights([by_shape[array.shape].pop(0) for array in wanted.get_weights()])
    assert not any(by_shape.values())
    return made(x), wanted(x)


def _array(y):
    return y.detach().numpy() if isinstance(y, torch.Tensor) else keras.ops.convert_to_numpy(y)


@pytest.mark.parametrize("form", ["torch", "functional", "subclass"])
@pytest.mark.parametrize(("text", "given"), [(text, given) for text, (_, many) in _BLOCKS.items() for given in many])
def test_blocks(text, given, form):
    shape = _BLOCKS[text][0]
    net = netspec.parse(
        f"{text.partition('net a')[0]}net alone {{ input x [{', '.join(map(str, shape))}]; b({given}) }}"
    )
    x = np.random.default_rng(1).normal(size=(3, *shape)).astype("float32")
    space = {}
    exec(netspec.parse(text).to_torch() if form == "torch" else netspec.parse(text).to_keras(form), space)
    make = space["b" if form == "functional" else "B"]
    words = [parameter.split("=")[0] for parameter in text.partition("(")[2].partition(")")[0].split(", ")]
    values = eval(f"({given},)", {}, {"true": True, "false": False, **{w: w for w in ("batch", "other", "yes", "no")}})
    if form == "torch" and text in (_SPLIT, _EQUAL, _CHANNELS):
        return  # a class for each way, without arguments; a class for maps of 8 channels
    arguments = {name: value for name, value in zip(words, values) if name in inspect.signature(make).parameters}
    told = {"in_channels": shape[-1], "in_features": shape[-1]}
    arguments |= {name: size for name, size in told.items() if name in inspect.signature(make).parameters}
    made = None
    with suppress(ValueError):
        if form == "torch":
            made = make(**arguments)
        else:
            port = keras.Input(shape)
            made = keras.Model(port, make(port, **arguments) if form == "functional" else make(**arguments)(port))
    if made is None:
        assert (text, given) in _REFUSED
        return
    first = form == "torch" and len(shape) == 3
    wanted = net.torch() if form == "torch" else net.keras(form)
    x = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if first else x) if form == "torch" else x
    found, right = _numbers(form, made, wanted, x)
    np.testing.assert_allclose(_array(found), _array(right), atol=1e-6)


def test_a_body_at_fault_is_so_wherever_it_is_found():
    """Elaborations that share what they know report an error once, and none of them is whole."""
    text = "block b(w) { x = identity; x + (x -> dense(w)) }\nnet a(w=4, z=1) { input x [4]; b(w) -> dense(z) }"
    net = check(Source("a.net", text)).checked.net
    for settings in ({"w": 3}, {"w": 3, "z": 2}, {"w": 3, "z": 5}):
        assert not elaborate(net.design, net.body.definition, settings, Collector(), net.cache).whole
    assert elaborate(net.design, net.body.definition, {"z": 5}, Collector(), net.cache).whole


_NETS = {
    "net a(k=1, w=8) { input x [7]; repeat k { dense(5) }; if w != 8 { layernorm }; tanh }": [
        {"k": 0, "w": 1},
        {"k": 2, "w": 1},
    ],
    "net a(hidden=8) { input x [2]; if hidden > 0 { dense(hidden) -> tanh }; dense(1) }": [
        {"hidden": 0},
        {"hidden": 3},
    ],
    "net a(p=1, width=4) { input x [8, 8, 2]; pad(p) -> conv(width, 3x3) -> crop(p) }": [
        {"p": 0},
        {"p": 2, "width": 3},
    ],
    "net a(out=3, w=4) { input x [6]; dense(w); if out > 1 { dense(out) } else { dense(1) } }": [
        {"out": 1},
        {"out": 1, "w": 7},
        {"out": 5, "w": 7},
    ],
    "net a(p=8, q=7, r=4, n=2) { input x [6]; dense(p) -> dense(q) -> dense(r)\n"
    "  if n > 2 { dense(n) } else { dense(1) } }": [
        {"r": 5},
        {"r": 5, "n": 3},
        {"q": 4, "n": 1},
    ],
    "net a(k=2, w=6) { input x [8]; dense(5); if k == 17 { dense(w) -> relu -> dense(5) }; dense(w) }": [
        {"k": 17, "w": 4},
        {"k": 0, "w": 1},
    ],
    "net a(m=1, u=12) { input x [7]; concat(identity, dense(u)); if u != 12 { dense(5) }\n"
    "  if m == 3 { relu } else { tanh } }": [{"m": 2, "u": 13}, {"m": 3, "u": 9}, {"m": 3}],
    "block b(w) { input x [h, v, c]; if w < 2 { conv(c, 1x1) -> layernorm } else { relu } }\n"
    "net a(w=4) { input x [8, 6, 3]; b(2*w) -> b(w) }": [{"w": 1}, {"w": 2}],
}


@pytest.mark.parametrize("form", ["torch", "functional", "subclass"])
@pytest.mark.parametrize(("text", "given"), [(text, given) for text, many in _NETS.items() for given in many])
def test_nets(text, given, form):
    net = netspec.parse(text, **given)
    make = execute(netspec.parse(text).to_torch() if form == "torch" else netspec.parse(text).to_keras(form), "a")
    assert given.keys() <= inspect.signature(make).parameters.keys()
    try:
        made = make(**given)
    except ValueError:
        assert given in ({"p": 0}, {"k": 0, "w": 1})  # `x[p:-p]` in PyTorch; what is behind no turn
        return
    x = np.random.default_rng(1).normal(size=(3, *net.inputs[0].shape)).astype("float32")
    if form == "torch":
        x = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if x.ndim == 4 else x)
        wanted = net.torch()
    else:
        made(x)
        wanted = net.keras(form)
    found, right = _numbers(form, made, wanted, x)
    np.testing.assert_allclose(_array(found), _array(right), atol=1e-6)
