"""Windows at random: every padding, stride, dilation and rounding, in both frameworks and in the reference.

The examples of the layers show each form once; the arithmetic of sizes and the choice of each framework's words are
tried here on many combinations, with known sizes and with symbols.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from harness import (
    build,
    close,
    keras_model,
    keras_run,
    load_keras,
    load_torch,
    random_numbers,
    random_weights,
    settled,
    symbolic,
    torch_built,
    torch_run,
)

from netspec.base.dims import substitute, symbol
from netspec.layers import LAYERS
from netspec.layers.arguments import Unsupported, Violation, Word
from netspec.layers.base import At, bind
from netspec.layers.padding import window_count

CONVS = ("conv", "depthwise_conv", "separable_conv", "conv_transpose")
POOLS = ("maxpool", "avgpool", "lppool")


def axes(rng, rank, low, high):
    return rng.randint(low, high) if rng.random() < 0.5 else tuple(rng.randint(low, high) for _ in range(rank))


def padding(rng, kind, rank, most):
    words = ["valid", "same"] + (["causal"] if rank == 1 and kind != "conv_transpose" else [])
    form = rng.randrange(4)
    if form == 0:
        return Word(rng.choice(words))
    if form == 1:
        return rng.randint(0, most)
    if form == 2:
        return tuple(rng.randint(0, most) for _ in range(rank))
    return tuple((rng.randint(0, most), rng.randint(0, most)) for _ in range(rank))


def conv_arguments(rng, kind, rank):
    given = {
        "kernel": axes(rng, rank, 1, 4),
        "stride": axes(rng, rank, 1, 3) if rng.random() < 0.6 else 1,
        "dilation": axes(rng, rank, 1, 3) if rng.random() < 0.3 else 1,
        "padding": padding(rng, kind, rank, 3),
        "bias": rng.random() < 0.8,
    }
    if kind != "depthwise_conv":
        given["filters"] = 4
    if kind in ("depthwise_conv", "separable_conv"):
        given["multiplier"] = rng.choice([1, 2])
    else:
        given["groups"] = rng.choice([1, 1, 1, 2])
    if kind == "conv_transpose":
        given["output_padding"] = rng.choice([0, 0, axes(rng, rank, 0, 2)])
    return given


def pool_arguments(rng, kind, rank):
    given = {
        "kernel": axes(rng, rank, 1, 4),
        "stride": rng.choice([None, axes(rng, rank, 1, 3)]),
        "padding": padding(rng, kind, rank, 2),
        "rounding": Word(rng.choice(["floor", "ceil"])),
    }
    if kind == "avgpool":
        given["count_padding"] = rng.random() < 0.5
    if kind == "lppool":
        given["p"] = rng.choice([1, 1.5, 2, 3])
    return given


def random_layer(seed, kind):
    """A layer and a shape that suits it."""
    rng = random.Random(f"{kind} {seed}")
    while True:
        rank = rng.choice([1, 2, 2, 3])
        arguments = conv_arguments if kind in CONVS else pool_arguments
        x = (*(rng.randint(1, 8 if rank < 3 else 5) for _ in range(rank)), rng.choice([2, 4]))
        try:
            layer = bind(LAYERS[kind], arguments(rng, kind, rank))
            return layer, x, layer.shape(x)
        except Violation:
            continue


def check(layer, x, y, seed):
    rng = np.random.default_rng(seed)
    weights = layer.weights(x)
    arrays = random_weights(rng, weights)
    xs = random_numbers(rng, (x,), 2)
    expected = layer.reference(xs, arrays)
    assert expected.shape[1:] == y
    unknown, values = symbolic((x,))
    later = layer.shape(*unknown)
    assert settled(later, values) == y
    for inputs, output in (((x,), y), (unknown, later)):
        for prefer in ("call", "make"):
            built = torch_built(layer, At(inputs, output, True), prefer)
            load_torch(built, weights, arrays)
            close(torch_run(built, xs, True), expected)
        try:
            model, built = keras_model(layer, At(inputs, output))
        except Unsupported:
            continue
        load_keras(built, weights, arrays)
        close(keras_run(model, xs), expected)


@pytest.mark.parametrize("kind", [*CONVS, *POOLS])
def test_few(kind):
    for seed in range(12):
        check(*random_layer(seed, kind), seed)


@pytest.mark.sweep
@pytest.mark.parametrize("kind", [*CONVS, *POOLS])
def test_many(kind):
    for seed in range(12, 400):
        check(*random_layer(seed, kind), seed)


def test_counts_by_hand():
    """The closed form against counting windows one by one, for known sizes and for a symbol."""
    n = symbol("n")
    for size, span, stride in ((s, k, t) for s in range(1, 9) for k in range(1, 6) for t in range(1, 5)):
        for pair in ((a, b) for a in range(span) for b in range(span)):
            total = sum(pair) + size
            starts = range(0, total + stride, stride)
            fits = sum(start + span <= total for start in starts)
            hangs = sum(
                start + span <= total or start < size + pair[0] for start in starts if start < total - span + stride
            )
            if fits == 0:
                continue
            for ceil, expected in ((False, fits), (True, hangs)):
                assert window_count(size, span, stride, pair, ceil) == expected
                assert substitute(window_count(n, span, stride, pair, ceil), {"n": size}) == expected


FAULTS = [
    ("conv(8, 7x7)", (4, 4, 3), "window-too-large", "kernel", r"\(4 - 7 \+ 2\*0\)/1 \+ 1 = -2"),
    ("conv(8, 7x7, stride=2)", (4, 4, 3), "window-too-large", "kernel", r"floor\(\(4 - 7 \+ 2\*0\)/2\) \+ 1 = -1"),
    ("conv(8, 3x3x3)", (8, 8, 3), "wrong-rank", "kernel", "3 numbers, but the input has 2 spatial axes"),
    ("conv(8, 3)", (784,), "wrong-rank", "", "1 to 3 spatial axes"),
    ("conv(8, 3, groups=3)", (8, 8, 4), "group-mismatch", "groups", "4 channels of the input"),
    ("conv(8, 3, groups=3)", (8, 8, 3), "group-mismatch", "filters", "8 filters"),
    ("conv(8, 3, padding=Same)", (8, 8, 3), "wrong-value", "padding", "not Same"),
    ("conv(8, 3, padding=-1)", (8, 8, 3), "wrong-value", "padding", "not -1"),
    ("conv(8, 3, padding=causal)", (8, 8, 3), "wrong-rank", "padding", "a sequence"),
    ("conv(8, 3, padding=(1, 2, 3))", (8, 8, 3), "wrong-rank", "padding", "3 amounts"),
    ("maxpool(2, padding=3)", (8, 8, 3), "wrong-value", "padding", "3 >= 2"),
    ("maxpool(2, rounding=up)", (8, 8, 3), "wrong-value", "rounding", "floor or ceil"),
    ("lppool(0.5, 2)", (8, 8, 3), "wrong-value", "p", "at least 1"),
    ("conv_transpose(8, 3, padding=causal)", (8, 3), "wrong-value", "padding", "not causal"),
    ("conv_transpose(8, 3, padding=9)", (4, 4, 3), "window-too-large", "padding", r"\(4 - 1\)\*1 \+ 3 - 9 - 9 = -12"),
    ("conv_transpose(8, 3, stride=2, output_padding=1)", (4, 3), "wrong-value", "output_padding", "numbers"),
    ("conv_transpose(8, 3, padding=1, output_padding=1)", (4, 3), "wrong-value", "output_padding", r"1 >= max\(1, 1\)"),
    ("pad(1, mode=reflect, value=3)", (4, 4, 3), "wrong-value", "value", "mode=zeros"),
    ("pad(4, mode=reflect)", (4, 4, 3), "wrong-value", "amount", "4 cells of 4"),
    ("crop(2)", (4, 4, 3), "window-too-large", "amount", "4 - 2 - 2 = 0"),
    ("space_to_depth(3)", (6, 4, 3), "shape-mismatch", "block", r"4 = 1\*3 \+ 1"),
    ("depth_to_space(2)", (6, 4, 6), "shape-mismatch", "block", r"6 = 1\*4 \+ 2"),
    ("channel_shuffle(2)", (6, 4, 3), "shape-mismatch", "groups", r"3 = 1\*2 \+ 1"),
    ("upsample(2, mode=bilinear)", (6, 3), "wrong-rank", "mode", "two spatial axes"),
]


@pytest.mark.parametrize(("code", "x", "expected", "argument", "message"), FAULTS)
def test_faults(code, x, expected, argument, message):
    with pytest.raises(Violation, match=message) as caught:
        build(code).shape(x)
    assert (caught.value.code, caught.value.argument) == (expected, argument)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_unknown_channels_are_refused(framework):
    layer, x = build("conv(8, 3)"), (8, 8, symbol("C"))
    assert sum(w.size for w in layer.weights(x)) == 72 * symbol("C") + 8
    with pytest.raises(Unsupported, match="number of channels"):
        getattr(layer, framework)(At((x,), layer.shape(x), framework == "torch"))


@pytest.mark.parametrize("kernel", range(1, 7))
@pytest.mark.parametrize("stride", range(1, 5))
def test_transposed_words_are_those_of_keras(kernel, stride):
    """`same` and `valid` are handed to Keras as they are, so its own crop decides which cells are kept."""
    for word in ("same", "valid"):
        layer, x = build(f"conv_transpose(2, {kernel}, stride={stride}, padding={word})"), (3, 2)
        (step,) = layer.keras(At((x,), layer.shape(x))).steps
        assert dict(step.make.kwargs).get("padding", "valid") == word
        check(layer, x, layer.shape(x), kernel)
