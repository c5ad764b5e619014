"""The library `std/`: every block against a count made by hand, in both frameworks, and in its page of the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netspec.api import check
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.resolve import imports
from netspec.syntax import tree
from netspec.syntax.parser import parse

PAGE = Path(__file__).parents[2] / "docs" / "std.md"


def norm(*channels):
    """A scale and a shift for each channel."""
    return sum(2 * c for c in channels)


# file, the call, the input, what comes out, parameters by hand
USES = [
    ("conv", "conv_norm(8)", "[7, 6, 3]", "[7, 6, 8]", 3 * 3 * 3 * 8 + norm(8)),
    ("conv", "conv_norm_act(8)", "[7, 6, 3]", "[7, 6, 8]", 3 * 3 * 3 * 8 + norm(8)),
    ("conv", "conv_norm_act(6, 1x7, groups=3, activation=gelu)", "[7, 6, 3]", "[7, 6, 6]", 7 * 6 + norm(6)),
    ("conv", "norm_act_conv(8, stride=2)", "[7, 6, 3]", "[4, 3, 8]", norm(3) + 3 * 3 * 3 * 8),
    ("plain", "stage(2, 8)", "[8, 8, 3]", "[4, 4, 8]", 9 * 3 * 8 + 8 + 9 * 8 * 8 + 8),
    ("residual", "basic(4)", "[6, 6, 4]", "[6, 6, 4]", 2 * 9 * 4 * 4 + norm(4, 4)),
    ("residual", "basic(8, 2)", "[6, 6, 4]", "[3, 3, 8]", 9 * 4 * 8 + 9 * 8 * 8 + 4 * 8 + norm(8, 8, 8)),
    ("residual", "bottleneck(2)", "[6, 6, 8]", "[6, 6, 8]", 8 * 2 + 9 * 2 * 2 + 2 * 8 + norm(2, 2, 8)),
    ("residual", "bottleneck(4, 2)", "[6, 6, 8]", "[3, 3, 16]", 8 * 4 + 9 * 16 + 4 * 16 + 8 * 16 + norm(4, 4, 16, 16)),
    ("residual", "bottleneck(4, 2, first)", "[6, 6, 16]", "[3, 3, 16]", 64 + 144 + 64 + 256 + norm(4, 4, 16, 16)),
    (
        "residual",
        "bottleneck(4, inner=8, groups=4)",
        "[6, 6, 16]",
        "[6, 6, 16]",
        128 + 9 * 2 * 8 + 128 + norm(8, 8, 16),
    ),
    ("residual", "preactivation_basic(4)", "[6, 6, 4]", "[6, 6, 4]", norm(4, 4) + 2 * 9 * 4 * 4),
    ("residual", "preactivation_basic(8, 2)", "[6, 6, 4]", "[3, 3, 8]", norm(4, 8) + 9 * 4 * 8 + 9 * 64 + 4 * 8),
    ("residual", "preactivation_bottleneck(2)", "[6, 6, 8]", "[6, 6, 8]", norm(8, 2, 2) + 16 + 36 + 16),
    ("residual", "preactivation_bottleneck(4, 2)", "[6, 6, 8]", "[3, 3, 16]", norm(8, 4, 4) + 32 + 144 + 64 + 128),
    ("squeeze", "squeeze_excite(4)", "[5, 6, 8]", "[5, 6, 8]", 8 * 2 + 2 + 2 * 8 + 8),
    ("squeeze", "squeeze_excite(2, gate=hard_sigmoid)", "[9, 8]", "[9, 8]", 8 * 4 + 4 + 4 * 8 + 8),
    (
        "inception",
        "inception(4, 3, 5, 2, 3, 2)",
        "[7, 7, 6]",
        "[7, 7, 14]",
        (6 * 4 + 4) + (6 * 3 + 3 + 9 * 3 * 5 + 5) + (6 * 2 + 2 + 25 * 2 * 3 + 3) + (6 * 2 + 2),
    ),
    ("inception", "unit(5, 3x3)", "[6, 6, 4]", "[6, 6, 5]", 9 * 4 * 5 + norm(5)),
    (
        # the first such module of Inception-v3 has 192 channels and a projection to 32: 255,904 parameters
        "inception",
        "inception_35(32)",
        "[5, 5, 192]",
        "[5, 5, 256]",
        192 * (64 + 48 + 64 + 32) + 25 * 48 * 64 + 9 * 64 * 96 + 9 * 96 * 96 + norm(64, 48, 64, 64, 96, 96, 32),
    ),
    (
        "inception",
        "inception_17(4, n=6)",
        "[9, 9, 8]",
        "[9, 9, 24]",
        8 * 6 + (8 * 4 + 7 * 16 + 7 * 24) + (8 * 4 + 3 * 7 * 16 + 7 * 24) + 8 * 6 + norm(6, 4, 4, 6, 4, 4, 4, 4, 6, 6),
    ),
    (
        "inception",
        "inception_8(n1=3, n3=4, reduce=5, project=2)",
        "[4, 4, 8]",
        "[4, 4, 21]",
        8 * 3 + (8 * 4 + 2 * 3 * 16) + (8 * 5 + 9 * 20 + 2 * 3 * 16) + 8 * 2 + norm(3, 4, 4, 4, 5, 4, 4, 4, 2),
    ),
    ("inception", "cross(4)", "[5, 5, 3]", "[5, 5, 8]", 2 * 3 * 3 * 4 + norm(4, 4)),
    (
        "inception",
        "inception_stem(scale=false)",
        "[75, 75, 3]",
        "[7, 7, 192]",
        9 * (3 * 32 + 32 * 32 + 32 * 64) + 64 * 80 + 9 * 80 * 192 + (32 + 32 + 64 + 80 + 192),
    ),
    ("residual", "basic(8, 2, zeros)", "[6, 6, 4]", "[3, 3, 8]", 9 * 4 * 8 + 9 * 8 * 8 + norm(8, 8)),
    ("residual", "basic(4, shortcut=projections)", "[6, 6, 4]", "[6, 6, 4]", 2 * 9 * 4 * 4 + 4 * 4 + norm(4, 4, 4)),
    ("dense", "dense_layer(3)", "[5, 5, 4]", "[5, 5, 7]", norm(4) + 4 * 12 + norm(12) + 9 * 12 * 3),
    ("dense", "dense_block(2, 2)", "[5, 5, 4]", "[5, 5, 8]", norm(4, 8, 6, 8) + 4 * 8 + 6 * 8 + 2 * 9 * 8 * 2),
    ("dense", "transition", "[6, 6, 4]", "[3, 3, 2]", norm(4) + 4 * 2),
    ("nasnet", "separable_twice(6, 3, 2)", "[7, 7, 4]", "[4, 4, 6]", 36 + 24 + norm(6) + 54 + 36 + norm(6)),
    (
        "nasnet",
        "narrow_cross(8, 2)",
        "[9, 9, 4]",
        "[5, 5, 8]",
        4 * 2 + 2 * 7 * 2 * 2 + 2 * 8 + norm(2, 2, 2, 8),
    ),
    ("nasnet", "narrow(8, 2)", "[9, 9, 4]", "[5, 5, 8]", 4 * 2 + 9 * 2 * 2 + 2 * 8 + norm(2, 2, 8)),
    ("nasnet", "halve(5)", "[7, 7, 4]", "[4, 4, 5]", 4 * 2 + 4 * 3 + norm(5)),
    ("nasnet", "operation(max2, 6, 2)", "[7, 7, 4]", "[4, 4, 6]", 4 * 6 + norm(6)),
    ("nasnet", "operation(avg3, 4, 2, zeros=true)", "[7, 8, 4]", "[4, 4, 4]", 0),
    ("nasnet", "operation(avg3, 4)", "[7, 7, 4]", "[7, 7, 4]", 0),
    ("nasnet", "operation(none, 4)", "[7, 7, 4]", "[7, 7, 4]", 0),
    ("nasnet", "operation(none, 4, 2)", "[7, 7, 4]", "[4, 4, 4]", 4 * 4 + norm(4)),
    ("nasnet", "operation(one, 4)", "[7, 7, 4]", "[7, 7, 4]", 4 * 4 + norm(4)),
    ("nasnet", "operation(three, 8)", "[7, 7, 4]", "[7, 7, 8]", 4 * 2 + 9 * 4 + 2 * 8 + norm(2, 2, 8)),
    ("nasnet", "cell(x, x, ([(0, max3, 1, none)], [1, 2]), 6)", "[5, 5, 4]", "[5, 5, 12]", 2 * (4 * 6 + norm(6))),
    (
        # value 0 has the size from before the stride, so that it is halved to be joined
        "nasnet",
        "cell(x, x, ([(0, max3, 1, avg3)], [0, 2]), 6, 2)",
        "[5, 5, 4]",
        "[3, 3, 12]",
        2 * (4 * 6 + norm(6)) + 6 * 6 + norm(6),
    ),
    (
        # stem; the two first cells; one on 8x8, a reduction and one on 4x4, a reduction and one on 2x2
        "nasnet",
        "tower(([(0, max3, 1, none)], [1, 2]), ([(0, max3, 1, avg3)], [0, 2]), 8, 1, 2)",
        "[65, 65, 3]",
        "[2, 2, 64]",
        (54 + norm(2))
        + (2 * 2 + 2 * 2 + norm(2, 2))
        + (4 * 4 + 2 * 4 + 4 * 4 + norm(4, 4, 4))
        + (8 * 8 + 4 * 8 + norm(8, 8))
        + (16 * 16 + 8 * 16 + 16 * 16 + norm(16, 16, 16))
        + (32 * 16 + 16 * 16 + norm(16, 16))
        + (32 * 32 + 32 * 32 + norm(32, 32))
        + (64 * 32 + 32 * 32 + norm(32, 32)),
    ),
    ("nasnet", "auxiliary(7, 0.5)", "[9, 9, 4]", "[7]", 4 * 64 + 4 * 64 * 384 + norm(64, 384) + 385 * 7),
    ("separable", "depthwise_separable(8)", "[6, 6, 4]", "[6, 6, 8]", 9 * 4 + norm(4) + 4 * 8 + norm(8)),
    ("separable", "depthwise_separable(8, 5x5, 2, activation=relu6)", "[6, 6, 4]", "[3, 3, 8]", 100 + 8 + 32 + 16),
    ("separable", "separable_norm(8)", "[6, 6, 4]", "[6, 6, 8]", 9 * 4 + 4 * 8 + norm(8)),
    ("separable", "inverted_residual(4)", "[6, 6, 4]", "[6, 6, 4]", 4 * 24 + 9 * 24 + 24 * 4 + norm(24, 24, 4)),
    ("separable", "inverted_residual(8, 2, 1)", "[6, 6, 4]", "[3, 3, 8]", 9 * 4 + 4 * 8 + norm(4, 8)),
    ("transformer", "feed_forward", "[5, 4]", "[5, 4]", 4 * 16 + 16 + 16 * 4 + 4),
    ("transformer", "feed_forward(6, gelu_tanh, 0.1)", "[5, 4]", "[5, 4]", 4 * 6 + 6 + 6 * 4 + 4),
    ("transformer", "encoder_layer(2, 6, relu)", "[5, 4]", "[5, 4]", 4 * (16 + 4) + 58 + norm(4, 4)),
    ("transformer", "encoder_layer(2, 6, norm=before, causal=true)", "[5, 4]", "[5, 4]", 80 + 58 + norm(4, 4)),
    ("transformer", "encoder_layer(2, 6, drop=0.1, epsilon=0.1)", "[5, 4]", "[5, 4]", 80 + 58 + norm(4, 4)),
    ("transformer", "decoder_layer(x, heads=2, hidden=6)", "[5, 4]", "[5, 4]", 2 * 80 + 58 + norm(4, 4, 4)),
    ("transformer", "decoder_layer(x, heads=1, norm=before)", "[5, 4]", "[5, 4]", 160 + 148 + norm(4, 4, 4)),
    ("transformer", "class_token", "[5, 4]", "[6, 4]", 4),
    ("transformer", "class_token(ones)", "[5, 4]", "[6, 4]", 4),
    ("transformer", "learned_positions(7)", "[5, 4]", "[5, 4]", 28),
    ("transformer", "wave_positions", "[5, 4]", "[5, 4]", 0),
    ("transformer", "attention_pooling(2)", "[5, 4]", "[4]", 4 + 80),
]


def spec(file, call, shape):
    return f'import "std/{file}.net" as s\nnet used {{\n  input x {shape}\n  s.{call} as y\n}}\n'


def checked(file, call, shape):
    verdict = check(Source("used.net", spec(file, call, shape)))
    assert verdict.ok, [(d.code, d.message) for d in verdict.diagnostics]
    return verdict.checked


@pytest.mark.parametrize(("file", "call", "shape", "gives", "params"), USES)
def test_counts(file, call, shape, gives, params):
    net = checked(file, call, shape)
    assert str(list(net.net.body.outputs[0].value.shape)) == gives
    assert net.totals.params == params


def test_what_does_not_fit_is_said_in_the_library():
    verdict = check(Source("used.net", spec("conv", "conv_norm(8, groups=3)", "[7, 6, 6]")))
    (found,) = verdict.diagnostics
    assert (found.code, found.primary.span.source.name) == ("group-mismatch", "std/conv.net")
    assert found.notes == ("in block conv_norm, line 4 of used.net",)


@pytest.mark.parametrize(("file", "call", "shape"), [u[:3] for u in USES])
def test_both_frameworks_agree(file, call, shape):
    from twins import compare

    compare(checked(file, call, shape), batches=(2,))


def library():
    """Each block of the library with its file."""
    for name in imports.library():
        text = (Path(imports.LIBRARY_FOLDER) / name).read_text(encoding="utf-8")
        faults = Collector()
        for node in parse(Source(name, text), faults).definitions:
            if isinstance(node, tree.Definition):
                yield pytest.param(name.removesuffix(".net"), node, id=f"{name}:{node.name.text}")
        assert not faults.all


@pytest.mark.parametrize(("file", "block"), library())
def test_every_block_is_documented_and_used_here(file, block):
    name = block.name.text
    assert block.word == "block"
    assert block.doc
    assert max(map(len, block.doc.split("\n"))) <= 115, "it becomes a docstring"
    assert any((file, name) == (f, re.split(r"\W", call)[0]) for f, call, *_ in USES)
    page = PAGE.read_text(encoding="utf-8").split(f"## `std/{file}.net`")[1].split("\n## ")[0]
    shown = re.search(rf"`{name}\((.*?)\)`", page)
    assert shown, f"docs/std.md does not have {name}"
    declared = [p.span.text.replace(" ", "") for p in block.parameters]
    told = [p for p in re.split(r",\s*", shown[1]) if p]
    assert told == (declared if "..." not in told else [*declared[: len(told) - 1], "..."])
