"""Receptive fields, held against what moves an output when a line of the input is changed."""

from __future__ import annotations

import random

import numpy as np
import pytest
from checking import check, row

from netspec.reference import Reference
from netspec.weights import samples


def measured(net, path=None):
    """For each spatial axis the most cells of the input that a cell of the output hangs on, from first to last."""
    rng = np.random.default_rng(1)
    reference = Reference(net, samples.random_weights(net, rng))
    (port,) = net.net.body.inputs
    shape = port.value.shape
    x = rng.standard_normal((1, *shape))
    at_rest = reference.listed(x)[0]
    return tuple(max(_spans(reference, x, at_rest, axis)) for axis in range(len(shape) - 1))


def _spans(reference, x, at_rest, axis):
    """For each place of the output along an axis, how far apart the cells are that it hangs on."""
    count = x.shape[axis + 1]
    changed = np.repeat(x, count, 0)
    for place in range(count):  # far above all else, so that a maximum heeds it
        changed[(place, *(slice(None),) * axis, place)] += 1000 * np.random.default_rng(place).random()
    moved = abs(reference.listed(changed)[0] - at_rest) > 1e-6
    others = tuple(k for k in range(1, moved.ndim) if k != axis + 1)
    for seen in moved.any(others).T:
        cells = np.flatnonzero(seen)
        if len(cells):
            yield 1 + cells[-1] - cells[0]


def field(text):
    net = check(text)
    assert net.ok, [d.message for d in net.diagnostics]
    last = [r for r in net.layers if r.output.number == net.net.body.output.number]
    return net, last[-1].field


BRANCHES = {
    "windows that lie across one another": (
        "concat(conv(4, 1x7, padding=same), conv(4, 7x1, padding=same))\n conv(4, 3x3, padding=same)",
        (9, 9),
    ),
    "sums": ("add(conv(2, 5x1, padding=same), conv(2, 1x3, padding=same), identity)", (5, 3)),
    "operators": ("(x -> conv(2, 3x1, padding=same)) * (x -> conv(2, 1x5, padding=same)) + 1", (3, 5)),
    "a residual behind strides": (
        "conv(3, 3x3, stride=2, padding=1) as low\n add(conv(3, 3x3, padding=1), low) -> conv(3, 1x3, padding=same)",
        (7, 11),
    ),
    "an inception of pools": (
        "concat(conv(2, 1x1), maxpool(3x5, stride=1, padding=same), conv(2, 1x1) -> conv(2, 5x3, padding=same))\n"
        " avgpool(2) -> conv(2, 2x1)",
        (8, 6),
    ),
    "another resolution": (
        "skip = x -> conv(2, 3x3, padding=1)\n avgpool(4) -> conv(2, 3x1, padding=same) -> upsample(4)\n"
        " add(identity, skip) -> conv(2, 3x3, padding=1)",
        (16, 8),
    ),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_a_join_sees_the_most_of_each_axis(name):
    steps, told = BRANCHES[name]
    net, found = field(f"net n {{ input x [32, 32, 2]\n {steps} }}")
    assert found == told
    assert measured(net) == told


STEPS = {
    "conv(2, 3, dilation=4)": 9,
    "conv(2, 3, dilation=2, padding=2) -> conv(2, 3, dilation=3, padding=3) -> maxpool(2)": 12,
    "separable_conv(2, 3, stride=2) -> depthwise_conv(5)": 11,
    "conv_transpose(2, 3, stride=2)": 2,
    "conv_transpose(2, 5, stride=2, padding=same) -> conv(2, 3)": 4,
    "conv_transpose(2, 3, stride=2, dilation=2)": 3,
    "conv_transpose(2, 2, stride=2) -> conv(2, 3, padding=same) -> conv(2, 3, padding=same)": 3,
    "conv_transpose(2, 2, stride=3) -> conv(2, 3)": 2,
    "upsample(4) -> conv(2, 3) -> conv(2, 3) -> conv(2, 3) -> conv(2, 3)": 3,
    "upsample(2) -> conv(2, 3) -> maxpool(3, stride=2)": 3,
    "maxpool(2) -> upsample(2) -> conv(2, 2)": 4,
    "avgpool(3) -> upsample(2) -> conv(2, 3, dilation=2)": 9,
    "adaptive_avgpool(3)": 8,
    "adaptive_maxpool(18) -> conv(2, 3)": 5,
    "adaptive_avgpool(48) -> conv(2, 3)": 2,
    "x[1::2] -> conv(2, 3)": 5,
    "x[:, 0:1] -> crop(2) -> conv(2, 3) -> relu -> dense(3)": 3,
    "lppool(2, 3) -> space_to_depth(2) -> conv(2, 3)": 18,
    "conv(8, 3) -> depth_to_space(2) -> conv(2, 4)": 5,
    "local_response_norm(3) -> softmax -> rmsnorm -> glu": 1,
}


@pytest.mark.parametrize("steps", STEPS)
def test_what_goes_along_one_axis(steps):
    net, found = field(f"net n {{ input x [24, 2]\n {steps} }}")
    assert found == (STEPS[steps],)
    assert measured(net) == found


@pytest.mark.parametrize("factor", ["2x3", "4x5"])
def test_bilinear_cells_lie_between_others(factor):
    """An odd factor lets one of them lie on the middle of a cell, so that three see no more than two."""
    net, found = field(f"net n {{ input x [9, 9, 2]\n upsample({factor}, mode=bilinear) -> conv(2, 2x2) }}")
    assert found == (3, 2)
    assert measured(net) == found


# --- at random -------------------------------------------------------------------------------------------------------

# what lies about the same cell wherever it is written, so that the values that meet do so, too
CENTRED = (
    "conv(2, 3, padding=same)",
    "conv(2, 5, padding=same)",
    "conv(2, 3, dilation=2, padding=2)",
    "avgpool(3, stride=1, padding=same)",
    "conv(2, 1)",
    "maxpool(2) -> conv(2, 1) -> upsample(2)",
    "maxpool(2) -> conv(2, 3, padding=same) -> upsample(2)",
)
ANY = (
    *CENTRED,
    "conv(2, 3, stride=2, padding=1)",
    "conv(2, 4, stride=2, padding=1)",
    "maxpool(2)",
    "maxpool(3, stride=2)",
    "conv_transpose(2, 4, stride=2)",
    "conv_transpose(2, 3, stride=2)",
    "conv_transpose(2, 5, stride=3)",
    "upsample(2)",
    "upsample(3)",
    "conv(2, 2)",
    "conv(2, 3, dilation=3, padding=3)",
)


def some_net(seed):
    """Steps on a sequence, with branches that meet somewhere on the way, and the net where they fit."""
    rng = random.Random(seed)
    parts = [rng.choice(ANY) for _ in range(rng.randrange(1, 4))]
    branches = [" -> ".join(rng.choices(CENTRED, k=rng.randrange(1, 3))) for _ in range(rng.randrange(1, 3))]
    parts.insert(rng.randrange(len(parts) + 1), f"add(identity, {', '.join(branches)})")
    steps = " -> ".join(parts)
    net = check(f"net n {{ input x [48, 2]\n conv(2, 1) -> {steps} }}")
    return steps, net if net.ok else None


@pytest.mark.parametrize("seed", range(80))
def test_steps_at_random(seed):
    """Never less than what is seen. It may be more where a grid becomes finer: that windows of two layers begin at the
    same cells is not looked at."""
    steps, net = some_net(seed)
    if net is None:
        return
    (told,) = list(net.layers)[-1].field
    (seen,) = measured(net)
    assert told >= seen, steps
    if "upsample" not in steps and "transpose" not in steps:
        assert told == seen, steps


def test_most_nets_at_random_fit():
    found = [some_net(seed) for seed in range(80)]
    assert sum(net is not None for _, net in found) > 60
    plain = [steps for steps, net in found if net is not None and "upsample" not in steps and "transpose" not in steps]
    assert len(plain) > 10


def test_the_row_and_the_expectation_say_the_same():
    text = """net n {
      input x [64, 64, 3]
      concat(conv(4, 1x7, padding=same), conv(4, 7x1, padding=same)) as both
      conv(4, 3x3, stride=2) as after
      expect receptive_field(both) == 7
      expect receptive_field(after) == 9
    }"""
    net = check(text)
    assert net.ok, [d.message for d in net.diagnostics]
    assert row(net, "after").field == (9, 9)
