"""Operations beside the MACs, held against the same thing written out in simple steps, and against counts by hand.

A simple step does one operation for each number that it gives, or that it takes where it makes fewer of them.
"""

from __future__ import annotations

import pytest
from checking import check

from netspec.base.dims import substitute, symbol

CELLS = """
block part(n) { dense(n) -> relu -> dropout(0.1) -> dense(2) -> tanh }
cell plain(n) { input x; state h [n]; next h = concat(x, h) -> dense(n) -> tanh; output next h }
cell long(n) {
  input x
  state h [n]
  state c [n]
  f = sigmoid(dense(concat(x, h), n))
  i = sigmoid(dense(concat(x, h), n))
  o = sigmoid(dense(concat(x, h), n))
  g = tanh(dense(concat(x, h), n))
  next c = f * c + i * g
  next h = o * tanh(next c)
  output next h
}
cell gated(n) {
  input x
  state h [n]
  z = sigmoid(dense(concat(x, h), n))
  r = sigmoid(dense(concat(x, h), n))
  g = tanh(dense(concat(x, r * h), n))
  next h = (1 - z) * g + z * h
  output next h
}
"""


def ops(steps, inputs="input x [T, 5]"):
    net = check(f"{CELLS}net n {{\n {inputs}\n {steps}\n}}\n")
    assert net.ok, [d.message for d in net.diagnostics]
    return net.totals.other_ops


@pytest.mark.parametrize(
    ("layer", "cell", "each"), [("rnn(3)", "plain(3)", 1), ("lstm(3)", "long(3)", 9), ("gru(3)", "gated(3)", 8)]
)
@pytest.mark.parametrize("length", [7, "T"])
def test_recurrent_layers_and_the_cells_that_they_are(layer, cell, each, length):
    inputs = f"input x [{length}, 5]"
    one = ops(layer, inputs)
    assert substitute(one, {"T": 7}) == 7 * each * 3
    assert one == ops(f"scan({cell})", inputs)
    assert ops(f"bidirectional({layer})", inputs) == 2 * one == ops(f"bidirectional(scan({cell}))", inputs)
    assert ops(f"stack(4, {layer})", inputs) == 4 * one
    assert ops(f"stack(4, bidirectional({layer}))", inputs) == 8 * one
    assert ops(f"{layer.replace(')', ', reverse=true)')}", inputs) == one


@pytest.mark.parametrize(("merge", "each"), [("concat", 0), ("none", 0), ("add", 1), ("mul", 1), ("average", 2)])
@pytest.mark.parametrize(("layer", "cell"), [("rnn(3", "plain(3)"), ("lstm(3", "long(3)"), ("gru(3", "gated(3)")])
def test_what_merges_both_directions_is_counted_as_a_join_is(layer, cell, merge, each):
    """A last output is merged once, a sequence at each of seven steps, and so is what a layer of a stack hands on."""
    inputs = "input x [7, 5]"
    plain = 2 * ops(f"{layer})", inputs)
    for returned, steps in (("last", 1), ("sequence", 7), ("(sequence, last)", 8), ("(last, state)", 1)):
        several = merge == "none" or "(" in returned
        names = ", ".join("abcdefgh"[: ops_outputs(merge, returned, layer)]) + " = " if several else ""
        text = f"bidirectional({layer}, return={returned}), merge={merge})"
        scanned = f"bidirectional(scan({cell}, return={returned}), merge={merge})"
        finish = "; output a" if several else ""
        assert ops(names + text + finish, inputs) == plain + each * 3 * steps
        assert ops(names + scanned + finish, inputs) == plain + each * 3 * steps
    if merge != "none":
        deep = ops(f"stack(4, bidirectional({layer}), merge={merge}))", inputs)
        assert deep == 4 * plain + each * 3 * (3 * 7 + 1)


def ops_outputs(merge, returned, layer):
    """How many values come out."""
    state = 2 * (2 if "lstm" in layer else 1)
    words = returned.strip("()").split(", ")
    return sum(state if word == "state" else 2 if merge == "none" else 1 for word in words)


def test_a_recurrence_on_images():
    """Nine for each filter of each cell of the grid at each step, as in an LSTM on vectors."""
    assert ops("conv_lstm(6, 3x3, padding=same)", "input x [7, 4, 5, 2]") == 9 * 6 * 4 * 5 * 7


ALIKE = [
    ("dense(4, activation=relu)", "dense(4) -> relu"),
    ("conv(4, 3, activation=tanh)", "conv(4, 3) -> tanh"),
    ("conv_transpose(4, 3, stride=2, activation=tanh)", "conv_transpose(4, 3, stride=2) -> tanh"),
    ("depthwise_conv(3, activation=relu)", "depthwise_conv(3) -> relu"),
    ("separable_conv(7, 3, activation=relu)", "separable_conv(7, 3) -> relu"),
    ("bilinear(x, x, 3, activation=relu)", "bilinear(x, x, 3) -> relu"),
    ("maxout(4, 3)", "maximum(dense(4), dense(4), dense(4))"),
    ("average(x, relu(x), tanh(x))", "(x + relu(x) + tanh(x)) / 3"),
    ("add(x, x, x, x)", "x + x + x + x"),
    ("mul(x, x, x)", "x * x * x"),
    ("global_avgpool", "mean(axis=0)"),
    ("global_maxpool(keepdims=true)", "max(axis=0, keepdims=true)"),
    ("attention(x, dense(5))", "softmax(x @ transpose(dense(x, 5))) @ dense(x, 5)"),
    (
        "additive_attention(x, x, units=4)",
        "q = dense(x, 4, bias=false); k = dense(x, 4); weight v [4, 1]\n"
        " s = tanh(q[:, none, :] + k[none, :, :]) @ v; softmax(reshape(s, 8, 8)) @ x",
    ),
    ("each_step(tanh)", "tanh"),
    ("each_step(part(4))", "dense(4) -> relu -> dense(2) -> tanh"),
    ("adaptive_avgpool(1)", "global_avgpool"),
    ("{ relu } as part", "relu"),
    ("repeat 3 { relu }", "relu -> relu -> relu"),
    ("where(x > 0, x, relu(x))", "maximum(tanh(x), x, x)"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_one_step_and_what_it_is_made_of(one, other):
    assert ops(one, "input x [8, 5]") == ops(other, "input x [8, 5]") > 0


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ("relu", 8 * 6 * 5),
        ("batchnorm", 8 * 6 * 5),
        ("layernorm", 8 * 6 * 5),
        ("softmax", 8 * 6 * 5),
        # each window, on padding too
        ("maxpool(2x3)", 4 * 2 * 5 * 6),
        ("avgpool(3x3, stride=1, padding=same)", 8 * 6 * 5 * 9),
        ("lppool(2, 2x2)", 4 * 3 * 5 * 4),
        ("adaptive_avgpool(2x2)", 8 * 6 * 5),
        ("global_avgpool", 8 * 6 * 5),
        ("sum(axis=-1)", 8 * 6 * 5),
        ("norm(axis=-1)", 8 * 6 * 5),
        ("argmax", 8 * 6 * 5),
        ("add(x, x, x)", 2 * 8 * 6 * 5),
        ("average(x, x, x)", 3 * 8 * 6 * 5),
        ("weight w [5]; x * w", 8 * 6 * 5),
        ("weight w [5]; x * (w + w)", 8 * 6 * 5 + 5),
        ("upsample(2)", 16 * 12 * 5),
        # each head's scores of 48 places for 48
        ("reshape(48, 5) -> dense(6) -> multihead_attention(heads=3)", 3 * 48 * 48),
        # what multiplies and adds, or only moves numbers
        *((free, 0) for free in ("conv(4, 3x3)", "flatten -> dense(4)", "flatten", "x[1:]", "permute(1, 0, 2)")),
        *((free, 0) for free in ("concat(x, x)", "pad(1)", "crop(1)", "dropout(0.5)", "roll(1)")),
        *((free, 0) for free in ("identity", "space_to_depth(2)", "transpose", "reverse(0)", "last", "stack(x, x)")),
        ('einsum("hwc,dc->hwd", x, k)', 0),
    ],
)
def test_counts_by_hand(steps, count):
    inputs = "input x [8, 6, 5]" + ("; weight k [4, 5]" if "einsum" in steps else "")
    assert ops(steps, inputs) == count


def test_what_is_done_at_each_step_is_counted_for_each():
    t = symbol("T")
    assert ops("each_step(part(4))") == (4 + 2) * t
    inner = ops("each_step(gru(4))", "input x [T, S, 5]")
    assert inner == 8 * 4 * symbol("S") * t
