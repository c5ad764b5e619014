"""What a class makes with an argument is the net of that setting, and holds its numbers."""

from __future__ import annotations

import inspect
from contextlib import suppress
from itertools import product

import keras
import numpy as np
import pytest
import torch

import netspec
from netspec.runtime.code import execute

# by name: the text, and the arguments of its class with values for each
NETS = {
    "half": ("net a(width=16) { input x [8, 8, 3]; conv(width // 2, 3x3) -> conv(width, 1x1) }", {"width": [2, 7, 33]}),
    "nearest": ("net a(width=64) { input x [6, 6, 3]; conv(8 * round(width / 8), 3x3) }", {"width": [5, 60, 61, 13]}),
    "rounded quotients": (
        "net a(width=48) { input x [6, 6, 3]; half = width / 2; conv(round(max(width / 8, 2)), 1x1)\n"
        "  conv(round(sum([n / 8 for n in [width, 2*width]])), 1x1) -> conv(round(half / 3) + 4, 1x1) }",
        {"width": [7, 20, 50]},
    ),
    "functions": (
        "block scaled(width) { input x [n]; x * exp(-width) + log(width) * sin(width) - cos(width) }\n"
        "net r(width=4) { input x [6]; scaled(width) -> scaled(3) -> dense(round(exp(log(width)))) -> scaled(width) }",
        {"width": [3, 7]},
    ),
    "limits": (
        "net a(width=64) { input x [6, 6, 3]; conv(max(width, 32), 1x1) -> conv(min(width, 48), 1x1) }",
        {"width": [1, 31, 33, 47, 49, 100]},
    ),
    "choice": (
        "net a(width=64) { input x [6, 6, 3]; conv(width if width > 32 else 2*width, 1x1) -> conv(3, 1x1) }",
        {"width": [31, 32, 33, 5]},
    ),
    "powers": (
        "net a(width=8) { input x [6, 6, 3]; for j in 0..3 { conv(width * 2**j // 2, 1x1) } }",
        {"width": [2, 3, 9, 14]},
    ),
    "size in a block": (
        "block attend(heads) { input x [t, n]; size = n // heads; dense(heads * size) -> dense(n) }\n"
        "net a(units=64, heads=8) { input x [5] int(100); embedding(100, units) -> attend(heads) }",
        {"units": [32, 67, 9], "heads": [1, 3, 5]},
    ),
    "shape": ("net a(units=64) { input x [5, units]; dense(2*units) -> dense(units) }", {"units": [3, 10]}),
    "two widths": (
        "block u(width) { input x [h, w, c]; conv(width, 3x3, padding=same) -> relu }\n"
        "net a(width=8) { input x [6, 6, 3]; u(width) -> u(2*width) -> u(8) }",
        {"width": [4, 5, 16]},
    ),
    "squeeze": (
        "block squeeze(r) { input x [h, w, c]\n"
        "  s = x -> global_avgpool -> dense(c // r, activation=relu) -> dense(c, activation=sigmoid)\n"
        "  x * reshape(s, 1, 1, c) }\n"
        "net a(width=64) { input x [6, 6, 3]; conv(width, 3x3) -> squeeze(16) -> squeeze(4) }",
        {"width": [16, 40, 129]},
    ),
    "multiplier": (
        "net a(width=1) { input x [6, 6, 3]; wide = [floor(n * width) for n in [8, 12, 20]]\n"
        "  conv(wide[0], 3x3) -> conv(wide[1], 1x1, bias=false) -> conv(wide[2], 1x1) -> flatten -> dense(4) }",
        {"width": [0.5, 0.3, 1.4, 2, 3]},
    ),
    "a list goes round": (
        "net a(width=4) { input x [6, 6, 3]; for (n, k) in [(width, 1), (2*width + 1, 3)] { conv(n, (k, k)) } }",
        {"width": [2, 9]},
    ),
    "constants in equations": (
        "cell smooth(rate=0.5) { input x [n]; state m [n]; next m = rate * m + (1 - rate) * x; output next m }\n"
        "net a(units=4) { input x [5, 3]; dense(units) -> scan(smooth(0.25)) -> scan_twice }\n"
        "block scan_twice { input x [n]; dense(2*n) }",
        {"units": [2, 7]},
    ),
    "branches": (
        "net a(width=20) { input x [6, 6, 3]\n"
        "  if width * width > 300 { conv(width, 1x1) -> conv(2*width, 1x1) } else { conv(width, 3x3) } }",
        {"width": [17, 18, 5, 40]},
    ),
    "branches that hang together": (
        "net a(k=3) { input x [6, 6, 4]; if k in [1, 3, 6] { conv(4, 3x3, padding=same) }\n"
        "  if k % 2 == 0 { relu }\n"
        "  conv(5, 1x1) }",
        {"k": [1, 2, 5, 6]},
    ),
    "turns that may be none": (
        "block deep(width) { input x [h, w, c]\n"
        "  x -> { repeat width // 4 { conv(width, 3x3, padding=1) } } -> conv(width, 1x1) }\n"
        "net a(width=16) { input x [6, 6, 3]; deep(width) -> deep(2*width) }",
        {"width": [1, 3, 4, 9]},
    ),
    "values that change places": (
        "block cell(n) { input a [c]; input b [d]; dense(a, n) + dense(b, n) }\n"
        "net a(n=4, m=5) { input x [4]; before, last = x, dense(x, 6)\n"
        "  repeat n { before, last = last, cell(last, before, 6) }\n"
        "  before, last = last, cell(last, before, 8)\n"
        "  repeat m - 1 { before, last = last, cell(last, before, 8) }\n"
        "  last -> relu -> dense(7) }",
        {"n": [1, 2, 5], "m": [1, 2, 3]},
    ),
    "a limit between sizes that groups divide": (
        "net a(width=12) { input x [6, 6, 3]; for j in 0..3 { conv(width // (j + 1), 1x1) -> groupnorm(2) }\n"
        "  conv(min(width, 10), 1x1) }",
        {"width": [8, 24]},
    ),
    "turns": (
        "net a(n=3, width=4) { input x [6, 6, 2]; repeat n { concat(identity, conv(width, 3x3, padding=same)) }\n"
        "  conv(5, 1x1) }",
        {"n": [1, 2, 5], "width": [1, 6]},
    ),
}
CASES = [(name, argument, value) for name, (_, all) in NETS.items() for argument, some in all.items() for value in some]


@pytest.mark.parametrize(("name", "argument", "value"), CASES)
def test_torch(name, argument, value):
    text = NETS[name][0]
    made = execute(netspec.parse(text).to_torch(), "a")(**{argument: value}).eval()
    net = netspec.parse(text, **{argument: value})
    wanted = net.torch().eval()
    state = made.state_dict()
    assert [tuple(v.shape) for v in state.values()] == [tuple(v.shape) for v in wanted.state_dict().values()]
    wanted.load_state_dict(dict(zip(wanted.state_dict(), state.values())))
    x = _input(net)
    x = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if x.ndim > 3 else x)
    with torch.no_grad():
        torch.testing.assert_close(made(x), wanted(x), rtol=0, atol=0)


@pytest.mark.parametrize("style", ["functional", "subclass"])
@pytest.mark.parametrize(("name", "argument", "value"), CASES)
def test_keras(name, argument, value, style):
    text = NETS[name][0]
    make = execute(netspec.parse(text).to_keras(style), "a")
    if argument not in inspect.signature(make).parameters:
        pytest.skip("the class takes what comes in as it is")
    net = netspec.parse(text, **{argument: value})
    made, wanted = make(**{argument: value}), execute(net.to_keras(style), "a")()
    x = _input(net)
    made(x), wanted(x)
    assert [w.shape for w in made.get_weights()] == [w.shape for w in wanted.get_weights()]
    wanted.set_weights(made.get_weights())
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(made(x)), keras.ops.convert_to_numpy(wanted(x)))


def _input(net):
    rng = np.random.default_rng(7)
    (value,) = net.inputs
    if value.dtype == "int64":
        return rng.integers(0, 100, (2, *value.shape))
    return rng.normal(size=(2, *value.shape)).astype("float32")


def count(module):
    """The numbers that a PyTorch module learns."""
    return sum(p.numel() for p in module.parameters())


# --- what a text says -----------------------------------------------------------------------------------------------


def _torch(text):
    return netspec.parse(text).to_torch()


def test_what_happens_to_be_equal_is_not_said():
    """16 is h * w and the channels, and the padding is kernel - stride: one is not said by the other."""
    text = _torch(
        "block look { input x [h, w, c]; y = x -> reshape(h*w, c) -> dense(c) -> reshape(h, w, c); x + y }\n"
        "block slide(kernel, stride) { input x [h, w, c]; conv(c, (kernel, kernel), stride=stride, padding=1) }\n"
        "net a { input x [4, 4, 16]; look() -> conv(20, 1x1) -> look()\n"
        "  slide(2, 1) -> slide(3, 2) }"
    )
    assert "kernel - stride" not in text
    assert "padding=1" in text
    assert "Look(16)" in text
    assert "Look(20)" in text


def test_conditions_that_are_constant_are_decided():
    text = _torch("block b(n, more=true) { input x; dense(n if more else 2*n) }\nnet a { input x [3]; b(4) -> b(5) }")
    assert "if True" not in text
    assert "nn.Linear(in_features, n)" in text


def test_names_of_numbers_stay():
    text = _torch(NETS["size in a block"][0])
    assert "size = in_channels // heads" in text
    assert "nn.Linear(in_channels, heads * size)" in text


def test_arguments_without_code_are_refused():
    make = execute(
        _torch("net a(depth=10) { input x [8, 8, 3]; if depth > 5 { conv(depth, 1x1) } else { dense(depth) } }"), "a"
    )
    make(depth=6)
    with pytest.raises(ValueError, match="A is written for depth > 5"):
        make(depth=5)


# a block whose class takes a way through its text that no instance of the program takes
_WAYS = {
    "each word with other channels": (
        "block op(what, filters) { input x [h, w, c]\n"
        "  if what == pool { maxpool(3x3, stride=1, padding=same) }\n"
        "  else if what == wide { conv(filters, 3x3, padding=same) }\n"
        "  else if c != filters { relu -> conv(filters, 1x1) } }\n"
        "net a { input x [8, 8, 4]; op(wide, 6) -> op(pool, 6) -> op(none, 6) -> op(wide, 5) -> op(none, 5) }",
        [("none", 6, 7), ("none", 6, 6), ("wide", 3, 7)],
    ),
    "equal numbers": (
        "block op(what, filters) { input x [h, w, c]\n"
        "  y = x -> conv(max(filters, 12), 3x3, padding=same) -> conv(filters, 1x1)\n"
        "  if c == filters { s = x -> conv(filters, 1x1) } else { s = 0 * y }\n"
        "  y + s }\n"
        "net a { input x [8, 8, 3]; op(none, 16) -> op(none, 32) }",
        [("none", 7, 7), ("none", 13, 14)],
    ),
    "equal numbers beside a multiple of 8": (
        "block op(what, filters) { input x [h, w, c]\n"
        "  y = x -> conv((filters + 7) // 8 * 8, 1x1)\n"
        "  if c == filters { s = x -> conv(y.channels, 1x1) } else { s = 0 * y }\n"
        "  y + s }\n"
        "net a { input x [8, 8, 3]; op(none, 12) -> op(none, 24) }",
        [("none", 3, 3), ("none", 13, 13), ("none", 8, 3)],
    ),
    "maps beside vectors": (
        "block op(what, filters) { input x\n"
        "  if x.channels == 3 { relu } else if x.channels < 5 { batchnorm -> relu } else { relu } }\n"
        "net a { input x [8, 8, 5]; op(none, 1) -> conv(1, 1x1) -> op(none, 1) -> flatten -> op(none, 1) }",
        [("none", 1, 2), ("none", 1, 3), ("none", 1, 4), ("none", 1, 6)],
    ),
    "no turn where a part of a number counts them": (
        "block op(what, filters) { input x [h, w, c]\n"
        "  y = x -> conv(filters + 4, 1, groups=2) -> relu\n"
        "  z = y -> { repeat filters // 4 { conv(filters, 3x3, padding=1) } }\n"
        "  z -> conv(filters, 1x1) }\n"
        "net a { input x [8, 8, 4]; op(none, 12) -> op(none, 12) -> op(none, 24) }",
        [("none", 2, 4), ("none", 6, 2)],
    ),
    "groups beside a multiple of 8": (
        "block op(what, filters) { input x [h, w, c]\n"
        "  conv(filters, 3x3, padding=same, groups=2) -> conv((filters + 7) // 8 * 8, 1x1) }\n"
        "net a { input x [8, 8, 16]; op(none, 16) -> op(none, 32) -> op(none, 16) }",
        [("none", 6, 4), ("none", 12, 8)],
    ),
}


@pytest.mark.parametrize(
    ("text", "what", "filters", "channels"), [(t, *given) for t, many in _WAYS.values() for given in many]
)
def test_ways_that_no_instance_takes(text, what, filters, channels):
    """The class is the block with these arguments."""
    alone = f"net b {{ input x [8, 8, {channels}]; op({what}, {filters}) }}"
    wanted = netspec.parse(text.partition("\nnet")[0] + "\n" + alone).torch()
    space = {}
    exec(_torch(text), space)
    given = {"what": None if what == "none" else what, "filters": filters, "in_channels": channels}
    taken = inspect.signature(space["Op"]).parameters
    made = space["Op"](**{name: value for name, value in given.items() if name in taken})
    assert count(made) == count(wanted)


def test_a_size_behind_a_branch_is_said_with_its_condition():
    twice, ends = "if window == 2 { concat(x, x) } else { x }", "conv(6, 3x3, padding=same)"
    text = f"block down(window=3) {{ input x [h, w, c]; {twice}; maxpool(window, padding=same, stride=1); {ends} }}\n"
    net = netspec.parse(f"{text}net r {{ input image [9, 9, 4]; down(3) -> conv(4, 3x3) -> down(2) }}")
    assert "nn.Conv2d(8 if window == 2 else 4, 6, 3, padding=1)" in net.to_torch()


def test_numbers_of_its_own_bind_a_class_to_the_program():
    """The reach of an initialiser hangs on a size, and the class is told it as it is."""
    text = "block b(w) { input x [n]; weight p [n]; x * p -> dense(w) }\nnet a { input x [6]; b(4) -> b(8) }"
    space = {}
    exec(_torch(text), space)
    make = space["B"]
    told = inspect.signature(make).parameters
    assert len(told) > 2
    with pytest.raises(ValueError, match="B is written for"):
        make(*(5 for _ in told))


def test_lists_that_a_condition_chooses_are_those_of_the_guard():
    turns = "for (a, b) in windows { relu -> conv(n, (a, b), stride=(stride, stride if b > 1 else 1), padding=same) }"
    text = f"block narrow(n, windows, stride=1) {{ input x [h, w, c]; {turns} }}\n"
    text += "block op(op, n, stride=1) { input x [h, w, c]; narrow(n, [3x3] if op == three else [1x7, 7x1], stride) }\n"
    net = netspec.parse(f"{text}net g {{ input x [9, 9, 4]; op(three, 4, 2) -> op(seven, 4) -> op(seven, 8) }}")
    model = execute(net.to_torch(), "G")()
    assert model(torch.zeros(2, 4, 9, 9)).shape == (2, 8, 5, 5)


def test_sizes_that_the_text_gives_are_no_arguments_beside_it():
    """A state of `units` numbers has no size that could be another; nor has an input that is declared so."""
    cell = (
        "cell step(units) { input x [n]; state h [units]; next h = tanh(dense(concat(x, h), units)); output next h }\n"
    )
    block = "block twice(units) { input x [2*units]; dense(units) }\n"
    steps = "scan(step(4)) -> twice(2) -> twice(1) -> reshape(1, 1) -> scan(step(3))"
    text = f"{cell}{block}net a {{ input x [5, 3]; {steps} }}"
    space = {}
    exec(_torch(text), space)
    assert list(inspect.signature(space["Twice"]).parameters) == ["units"]
    assert list(inspect.signature(space["Step"]).parameters) == ["x_features", "units"]
    assert space["Step"](x_features=3, units=6).dense.weight.shape == (6, 9)
    assert space["Twice"](units=6).dense.weight.shape == (6, 12)


def test_rounding_to_a_multiple_is_seen_where_few_sizes_are_taken():
    """All sizes near 16 that the layers take are multiples of 8, which rounding gives back as they are."""
    text = (
        "block part(width) { input x [h, w, c]; conv(width, 1x1, groups=2) -> conv(8 * round(width / 8), 1x1) }\n"
        "net a(width=16) { input x [8, 8, 3]; conv(ceil(width / 3), 1x1) -> groupnorm(2)\n"
        "  conv(floor(width * 0.75), 1x1) -> part(width) -> part(2*width) -> part(4*width) }"
    )
    make = execute(_torch(text), "a")
    if "width" in inspect.signature(make).parameters:
        assert count(make(width=6)) == netspec.parse(text, width=6).report().totals.params


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("net a(n=2, f=4) { input x [3]; repeat n { dense(f) }; dense(9) }", "n", "A is written for n >= 1"),
        (
            "net a(n=2) { input x [3]; for j in 0..n { dense(5) }; batchnorm -> dense(9) }",
            "n",
            "A is written for n >= 1",
        ),
        ("net a(n=2) { input x [3]; dense(5); repeat n { dense(5) -> relu }; dense(9) }", "n", ""),
        (
            "block vg(n, f) { repeat n { dense(f) } }\n"
            "net a(n=1, f=4) { input x [3]; vg(n, f) -> vg(n + 1, 2*f) -> vg(3, 4*f) }",
            "n",
            "A is written for n >= 1",
        ),
    ],
)
def test_no_turn_is_refused_where_more_would_have_to_be_said(text, name, told):
    """What stands behind a loop takes other channels where there is no turn, unless a turn keeps them."""
    make = execute(_torch(text), "a")
    wanted = netspec.parse(text, **{name: 0}).report().totals.params
    if told:
        with pytest.raises(ValueError, match=told):
            make(**{name: 0})
    else:
        assert count(make(**{name: 0})) == wanted


def test_one_of_two_values_is_taken_where_its_condition_holds():
    """The classes have the one that their instances take, and say for which arguments that is."""
    text = (
        "block twice(width) { input x [n]\n"
        "  s = x if n == 2 * width else (x -> dense(2 * width))\n"
        "  (x -> dense(width) -> dense(2 * width)) + s }\n"
        "net a { input x [6]; dense(16) -> twice(8) -> twice(16) -> twice(16) }"
    )
    space = {}
    exec(_torch(text), space)
    for name, right, wrong in (("Twice", 12, 13), ("Twice2", 13, 12)):
        alone = f"net b {{ input x [{right}]; twice(6) }}"
        wanted = netspec.parse(f"{text.partition('net a')[0]}{alone}").report().totals.params
        assert count(space[name](in_features=right, width=6)) == wanted
        with pytest.raises(ValueError, match="is written for in_features"):
            space[name](in_features=wrong, width=6)


def test_a_branch_that_one_instance_takes_says_channels_too():
    """In the other branches all have others; the one that takes it is called with 3."""
    text = (
        "block c(f) { input a [h, w, ca]; input b [h2, w2, cb]\n"
        "  if h != h2 { a = a -> conv(f, 1x1, stride=2, padding=same) } else if ca != f { a = a -> conv(f, 1x1) }\n"
        "  b = b -> conv(f, 3x3, padding=same); concat(a, b) }\n"
        "net pn { input x [16, 16, 3]; q = x -> conv(4, 1x1); p = c(x, q, 4); q = p -> maxpool(2x2)\n"
        "  r = c(p, q, 8); c(r, r -> maxpool(2x2), 4) }"
    )
    space = {}
    exec(_torch(text), space)
    made = space["C"](a_channels=5, b_channels=4, f=6, has_conv=False)
    alone = "net b { input x [9, 9, 5]; input y [9, 9, 4]; c(x, y, 6) }"
    wanted = netspec.parse(f"{text.partition('net pn')[0]}{alone}").report().totals.params
    assert count(made) == wanted
    assert made(torch.zeros(2, 5, 9, 9), torch.zeros(2, 4, 9, 9)).shape == (2, 12, 9, 9)


# --- layers that are made once ----------------------------------------------------------------------------------------

_SHARED = {
    "a loop of no turn": (
        "net a(n=2) { input x [7]; layer f = dense(7); y = x -> dense(3) -> dense(7); repeat n { y = y -> f }; y }",
        {"n": [1, 3]},
    ),
    "both branches": (
        "net a(n=2) { input x [7]; layer f = dense(7); y = x -> dense(3) -> dense(7)\n"
        "  if n > 2 { y = y -> f } else { y = y -> relu -> f }; y }",
        {"n": [1, 2, 3, 5]},
    ),
    "a branch, and what stands behind": (
        "net a(n=2) { input x [7]; layer f = dense(7); y = x -> dense(7)\n  if n > 2 { y = y -> f -> relu }; y -> f }",
        {"n": [1, 2, 3, 5]},
    ),
    "a branch within a branch": (
        "net a(n=2) { input x [7]; layer f = dense(7); y = x -> dense(7)\n"
        "  if n > 2 { if n > 4 { y = y -> f -> relu }; y = y -> f } else { y = y -> tanh }; y -> dense(2) }",
        {"n": [1, 2, 3, 4, 5, 6]},
    ),
    "a block in both branches": (
        "block g { input x [n]; dense(n) -> tanh }\n"
        "net a(n=2) { input x [7]; layer f = g(); y = x -> dense(7)\n"
        "  if n > 2 { y = y -> f -> f } else { y = y -> f }; y -> dense(2) }",
        {"n": [1, 2, 3, 5]},
    ),
}


@pytest.mark.parametrize("form", ["torch", "functional", "subclass"])
@pytest.mark.parametrize(
    ("text", "argument", "value"), [(t, n, v) for t, given in _SHARED.values() for n, vs in given.items() for v in vs]
)
def test_what_is_made_once_is_there_wherever_it_is_used(text, argument, value, form):
    """Arrays as in the net of that setting, and an output."""
    net = netspec.parse(text, **{argument: value})
    x = np.random.default_rng(3).normal(size=(2, 7)).astype("float32")
    if form == "torch":
        made = execute(_torch(text), "a")(**{argument: value})
        assert made(torch.from_numpy(x)).shape == (2, *net.outputs[0].shape)
        found = count(made)
    else:
        made = execute(netspec.parse(text).to_keras(form), "a")(**{argument: value})
        assert made(x).shape == (2, *net.outputs[0].shape)
        found = made.count_params()
    assert found == net.report().totals.params


def test_what_no_turn_uses_is_refused():
    make = execute(_torch(_SHARED["a loop of no turn"][0]), "a")
    with pytest.raises(ValueError, match="A is written for n >= 1"):
        make(n=0)


# --- quotients that have to be whole ----------------------------------------------------------------------------------

_UNEVEN = (
    "block attend(heads) { input x [t, n]; multihead_attention(heads) -> layernorm }\n"
    "net a(units=24) { input x [5, units]; a, b, c = x -> split(parts=3); concat(a * b, c) -> attend(4) -> dense(6) }"
)


@pytest.mark.parametrize("form", ["torch", "functional", "subclass"])
@pytest.mark.parametrize("units", [13, 30, 31, 36, 42])
def test_uneven_parts_are_refused(units, form):
    """Of 31 numbers `chunk` makes three parts of 11, 11 and 9, and heads of `31 // 4` leave some out."""
    text = _UNEVEN
    code = _torch(text) if form == "torch" else netspec.parse(text).to_keras(form)
    make = execute(code, "a")
    x = np.zeros((2, 5, units), "float32")
    told = inspect.signature(make).parameters

    def run():
        made = make(**({"units": units} if "units" in told else {}))
        return made(torch.from_numpy(x) if form == "torch" else x), made

    try:
        wanted = netspec.parse(text, units=units).report().totals.params
    except netspec.SpecError:
        with pytest.raises(Exception, match=r"(?i)written for|evenly|divisible"):  # ours or the framework's
            run()
        return
    made = run()[1]
    found = count(made) if form == "torch" else made.count_params()
    assert found == wanted


def test_numbers_that_few_values_tell_apart_are_tried_with_0():
    """Of `k` only 0, 1 and 2 go: for 1 the convolution takes 2 channels, else 4, which `2 * k` is for 2 as well."""
    text = (
        "net a(k=1, width=4) { input x [10, 7, 4]; y = x[::2, 1::2, :] -> conv(width, 1x1) -> conv(2, k + 1)\n"
        "  if k in [1, 3, 6] { x -> conv(2, 3x3) } else { x -> relu }\n"
        "  conv(2, 1x1, activation=tanh) -> global_avgpool; concat(identity, y -> flatten) }"
    )
    make = execute(_torch(text), "a")
    for k in (0, 1, 2):
        if "k" in inspect.signature(make).parameters:
            assert count(make(k=k)) == netspec.parse(text, k=k).report().totals.params


def test_values_of_another_rank_take_the_same_branches():
    """A class for maps and sequences whose instances part at a branch would lead maps where only sequences go."""
    text = (
        "block unit(width) { input x; shift(-0.5)\n"
        "  if width % 2 == 0 { y = x[..., none]; batchnorm(y) - y } else { relu } }\n"
        "net a { input x [11, 12, 1]; y = x -> unit(3) -> reshape(66, 2) -> unit(2); y -> flatten -> dense(3) }"
    )
    space = {}
    exec(_torch(text), space)
    assert "width" not in inspect.signature(space["Unit"]).parameters
    assert space["A"]()(torch.zeros(2, 1, 11, 12)).shape == (2, 3)
    assert {"Unit", "Unit2"} <= space.keys()


@pytest.mark.parametrize("form", ["torch", "functional"])
def test_both_sides_of_every_limit_are_seen(form):
    """Few widths divide as two groups ask for, so that none above 12, the third number of the text, comes by itself."""
    text = (
        "net a(width=12, classes=5) { input x [8, 8, width]\n"
        "  for w in [width, 2*width, min(width, 10)] { conv(w, 3x3, padding=1) -> relu }\n"
        "  repeat 2 { conv(ceil(width / 3), 3, padding=same) -> groupnorm(2) }\n"
        "  conv(width // 2, 3, padding=same) -> batchnorm -> relu\n"
        "  repeat 2 { conv(max(width, 12), 3, padding=same) -> groupnorm(2) }\n"
        "  global_avgpool -> dense(classes) }"
    )
    make = execute(_torch(text) if form == "torch" else netspec.parse(text).to_keras(form), "a")
    for width in (6, 11, 12, 16, 24):
        made, totals = make(width=width), netspec.parse(text, width=width).report().totals
        if form == "torch":
            assert count(made) == totals.params
        else:
            assert made.count_params() == totals.params + totals.statistics


# --- what a text decides by -------------------------------------------------------------------------------------------

# by the text: values for each argument that a class may have, all combinations
_DECIDED = {
    "net a(width=8, inner=4*width) { input x [7]; dense(inner) -> dense(width) }": {"width": [3, 16]},
    "net a(width=8, inner=min(width, 64)) { input x [7]; dense(inner) -> dense(width) }": {"width": [3, 100]},
    "net a(width=8) { input x [7]; for w in [v for v in [width, 2*width, 4*width] if v < 100] { dense(w) }\n"
    "  dense(2) }": {"width": [3, 30, 60]},
    "net a(n=2, m=2) { input x [7]\n"
    "  if n > 2 { if m > 2 { relu } } else { if m > 1 { dense(7) } }; dense(2) }": {"n": [1, 2, 3], "m": [1, 2, 3]},
    "net a(n=2, m=2) { input x [7]; if n > 2 { if m > 2 { relu } }; if m > 1 { dense(7) }; dense(2) }": {
        "n": [1, 3],
        "m": [1, 2, 3],
    },
    "net a(n=3, m=2) { input x [7]; if n > 2 { relu } else { if n > 1 { tanh } }\n"
    "  if m > 1 { dense(7) -> relu }; dense(2) }": {"n": [1, 2, 3], "m": [1, 2]},
    "net a(u=4, m=3) { input x [5]; layer e = dense(u)\n"
    "  if m > 1 { e(x) -> relu } else { e(x) }; dense(2) }": {"u": [2, 4, 5], "m": [1, 3]},
    "net a(width=8) { input x [7]; big = width > 100; if big { dense(2*width) }; dense(width) }": {"width": [3, 101]},
    "net a(width=8) { input x [7]; dense(width, bias=width < 100) }": {"width": [3, 101]},
    "net a(width=8) { input x [7]; for i in 0..width // 60 { dense(9) }; dense(width) }": {"width": [3, 64]},
    "const limit = 100\nnet a(width=8) { input x [7]; if width > limit { dense(2*width) }; dense(width) }": {
        "width": [3, 101]
    },
    "net a(width=8) { input x [7]; ws = [width, 16, 40]; dense(max(ws)) -> dense(min(ws)) }": {"width": [3, 64]},
    "net a(n=1) { input x [12, 3]; m = 5\n"
    "  separable_conv(max(m, n), kernel=max(n, m), stride=2); flatten -> dense(4) }": {"n": [3, 7, 12]},
    "block part(w) { input x [h, w2, c]; conv(w, 1, groups=2) -> conv(w if w > 9 else 6, 1x1) }\n"
    "net a(width=12) { input x [9, 9, width]; part(8 * round(width / 8)) -> global_avgpool -> dense(5) }": {
        "width": [6, 8, 10, 24]
    },
    "block enc(w) { dense(w) -> relu }\n"
    "net a(w=4) { input p [8]; layer e = enc(w); e(p) + e(p * 2) }": {"w": [3, 9]},
    "block unit(w) { input x; if x.rank == 3 { conv(w, 3x3, padding=same) } else { dense(w) } }\n"
    "net a(w=6) { input x [4, 4, 3]; unit(w) -> unit(2*w) -> flatten -> unit(w) }": {"w": [3, 14, 32]},
}  # fmt: skip


@pytest.mark.parametrize("form", ["torch", "functional", "subclass"])
@pytest.mark.parametrize("text", _DECIDED)
def test_arguments_make_the_net_of_their_setting_or_are_refused(text, form):
    """Same shapes of arrays and, with the same weights, same numbers."""
    code = _torch(text) if form == "torch" else netspec.parse(text).to_keras(form)
    make = execute(code, "a")
    told = [name for name in _DECIDED[text] if name in inspect.signature(make).parameters]
    for values in product(*(_DECIDED[text][name] for name in told)):
        made, chosen = None, dict(zip(told, values))
        net = netspec.parse(text, **chosen)
        with suppress(ValueError):
            made = make(**chosen)
        if made is None:
            continue
        x = np.random.default_rng(5).normal(size=(3, *net.inputs[0].shape)).astype("float32")
        if form == "torch":
            wanted = net.torch().eval()
            wanted.load_state_dict(dict(zip(wanted.state_dict(), made.eval().state_dict().values())))
            x = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if "Takes N, C" in make.__doc__ else x)
            found, right = made(x), wanted(x)
            torch.testing.assert_close(found, right, rtol=0, atol=0)
        else:
            wanted = execute(net.to_keras(form), "a")()
            made(x), wanted(x)
            wanted.set_weights(made.get_weights())
            np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(model(x)) for model in (made, wanted)))


def test_what_is_decided_by_a_part_of_a_number_is_seen():
    """`max(c // 4, 2)` is 2 for all numbers near those of the program."""
    text = (
        "block unit(width) { input x [h, w, c]; inner = width if width > 9 else 6\n"
        "  y = x -> conv(inner if inner > 9 else 6, 1) -> groupnorm(2)\n"
        "  y -> global_avgpool -> dense(max(y.channels // 4, 2)) -> dense(y.channels)\n"
        "  y * (identity -> reshape(1, 1, y.channels)) -> conv(width // 2, 1x1) -> relu }\n"
        "net a { input x [9, 9, 8]; unit(8) -> unit(8) -> conv(6, 1x1) -> unit(4) -> unit(8) -> unit(6) }"
    )
    space = {}
    exec(_torch(text), space)
    for width in (6, 12, 16, 40):
        alone = f"{text.partition('net a')[0]}net b {{ input x [9, 9, 5]; unit({width}) }}"
        made = space["Unit"](in_channels=5, width=width)
        assert count(made) == netspec.parse(alone).report().totals.params


def test_arguments_that_are_there_stay_there():
    """What was mended by leaving an argument out, where it could be had, would be no mending."""
    for text, values in _DECIDED.items():
        if not any(part in text for part in ("big", "limit", "// 60", "inner", "for w", "max(m", "part(8")):
            make = execute(_torch(text), "a")
            assert values.keys() <= inspect.signature(make).parameters.keys(), text


def test_ranks_of_values_are_known():
    """So that a condition on the channels beside is said, and no flag stands for it."""
    text = (
        "block cell { input x; out = x * 2\n"
        "  if out.rank == 3 and x.rank == 3 and out.channels >= 5 { relu } else { conv(4, 1x1) }\n"
        "  concat(identity, out) }\n"
        "net a { input x [8, 8, 3]; cell -> cell -> cell }"
    )
    space = {}
    exec(_torch(text), space)
    assert list(inspect.signature(space["Cell"]).parameters) == ["in_channels"]
    assert [p.shape for p in space["Cell"](6).parameters()] == []
    assert space["Cell"](4).conv.weight.shape == (4, 4, 1, 1)


def test_one_of_several_sizes_is_said_where_others_are_not_known():
    """A class is not told the `t` of `reshape(t, heads, width // heads)`."""
    text = (
        "block part(width, heads) { input x [t, c]\n"
        "  x -> dense(width) -> reshape(t, heads, width // heads) -> permute(1, 0, 2) -> softmax -> permute(1, 0, 2)\n"
        "  reshape(t, width) }\n"
        "net a { input x [6, 8]; part(12, 2) -> part(24, 4) -> dense(3) }"
    )
    space = {}
    exec(_torch(text), space)
    rng = np.random.default_rng(3)
    for width, heads in ((30, 5), (12, 1), (16, 8)):
        net = netspec.parse(f"{text.partition('net a')[0]}net b {{ input x [6, 8]; part({width}, {heads}) }}")
        weights = {path: rng.normal(size=weight.sizes) for path, weight in net.weights().items()}
        made, wanted = space["Part"](in_channels=8, width=width, heads=heads), net.torch(weights)
        made.load_state_dict(dict(zip(made.state_dict(), wanted.state_dict().values())))
        x = torch.from_numpy(rng.normal(size=(3, 6, 8)).astype("float32"))
        torch.testing.assert_close(made(x), wanted(x), rtol=0, atol=0)


def test_what_maps_of_one_size_alone_have_is_no_argument():
    """With 6 channels and n = 3 the block has as many where the branches meet as with 4 channels and n = 2."""
    text = (
        "block part(n) { if n % 2 == 0 { a, b = split(identity, [2, -1], axis=-1); concat(identity, b) }\n"
        "  { repeat n // 2 { conv(n, 5, padding=same) }; conv(10, 3, padding=same) } }\n"
        "net r { input x [8, 4]; part(2) -> conv(16, 1) -> part(1) }"
    )
    space = {}
    exec(_torch(text), space)
    assert not inspect.signature(space["Part"]).parameters
    assert space["Part"]().conv1.weight.shape == (2, 6, 5)


@pytest.mark.parametrize("form", ["functional", "subclass"])
def test_code_that_asks_for_sizes_takes_the_branches_of_any(form):
    """All calls of the program have more channels than the conditions ask for, one of them within a branch."""
    text = (
        "block part(n) { input x [h, w, c]\n"
        "  if n > 1 { sin } else { if c > 3 { conv(2, 3, padding=same) }; conv(5, 1x1) }\n"
        "  if c > 2 { conv(3, 1x1) } }\n"
        "net r { input x [8, 8, 4]; part(2) -> conv(4, 1) -> part(1) -> conv(4, 1) -> part(3) }"
    )
    space = {}
    exec(netspec.parse(text).to_keras(form), space)
    for channels, n in product((2, 3, 4), (1, 2)):
        wanted = netspec.parse(f"{text.partition('net r')[0]}net b {{ input x [8, 8, {channels}]; part({n}) }}")
        x = keras.Input((8, 8, channels))
        made = keras.Model(x, space["part"](x, n) if form == "functional" else space["Part"](n)(x))
        assert made.count_params() == wanted.report().totals.params


@pytest.mark.parametrize("rounded", ["ceil", "floor", "round"])
def test_rounding_up_is_no_rounding_to_the_nearest(rounded):
    """Two groups take even numbers only, and of these and the multiples of 8 most are rounded alike."""
    text = (
        f"block part(w) {{ input x [h, w2, c]; conv(w, 1, groups=2) -> conv(8 * {rounded}(w / 8), 1x1) }}\n"
        "net a { input x [8, 8, 4]; part(16) -> part(32) -> part(16) }"
    )
    space = {}
    exec(_torch(text), space)
    for width in (10, 12, 14, 18, 22, 30):
        alone = f"{text.partition('net a')[0]}net b {{ input x [8, 8, 4]; part({width}) }}"
        made = space["Part"](in_channels=4, w=width)
        assert count(made) == netspec.parse(alone).report().totals.params


def test_parameters_that_the_text_never_speaks_of_are_no_arguments():
    text = "net a(width=16, depth=3, scale=16) { input x [7]; repeat depth { dense(width) }; dense(2) }"
    make = execute(_torch(text), "a")
    assert list(inspect.signature(make).parameters) == ["width", "depth"]


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("form", ["torch", "functional", "subclass"])
def test_what_a_branch_makes_stays_beside_values_that_change_places(form, n):
    """The last line of a branch, `x = relu(x)`, went where two other values were exchanged behind it."""
    text = (
        "net a(n=1) { input x [6]; dense(5); p = identity -> dense(3); q = identity -> dense(3); identity * 2 - 1\n"
        "  if n in [1, 3, 5] { p, q = q, p } else { relu }\n  output result = identity, p, q }"
    )
    net = netspec.parse(text, n=n)
    rng = np.random.default_rng(1)
    weights = {path: rng.normal(size=weight.sizes) for path, weight in net.weights().items()}
    x = np.random.default_rng(2).normal(size=(4, 6))
    wanted = net.reference(weights).listed(x=x)
    if form == "torch":
        found = [y.detach().numpy() for y in net.torch(weights)(torch.from_numpy(x.astype("float32")))]
    else:
        found = [keras.ops.convert_to_numpy(y) for y in net.keras(form, weights=weights)(x.astype("float32"))]
    for one, other in zip(found, wanted):
        np.testing.assert_allclose(one, other, atol=1e-5)
