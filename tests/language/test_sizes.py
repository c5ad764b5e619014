"""Sizes that are not known: exact in the figures, bound by `--set`, and any size for the code that is generated."""

from __future__ import annotations

import json
import math

import pytest
import twins
from checking import check

from netspec import api
from netspec.base.diagnostics import SpecError
from netspec.base.dims import DimExpr
from netspec.cli import main

FULLY = """
net fully(classes=5) {
  input image [H, W, 3]
  conv(8, 3x3, stride=2, padding=same, activation=relu)
  batchnorm -> conv(12, 5x5, padding=2) -> maxpool(3x3, stride=2, padding=1) as deep
  deep * (deep -> global_avgpool -> dense(12, activation=sigmoid))
  conv_transpose(6, 4x4, stride=2, padding=1) -> avgpool(2x2, stride=2, rounding=ceil)
  conv(classes, 1x1) -> upsample(4)
  expect params == 3*3*3*8 + 8 + 16 + 5*5*8*12 + 12 + 12*12 + 12 + 4*4*12*6 + 6 + 6*5 + 5
}
"""
SERIES = """
net series(units=6) {
  input x [T, 5]
  conv(8, 3, stride=2, padding=causal, activation=relu)
  bidirectional(lstm(units, return=sequence)) as read
  positional_encoding -> multihead_attention(2) -> layernorm
  add(identity, read)
  maxpool(2) -> gru(4, return=sequence, recurrent_dropout=0.1)
  output steps = dense(3)
  output whole = steps -> mean(axis=0) -> dense(2)
}
"""
BOTH = """
net both {
  input frames [T, H, 6]
  conv(4, 3x3, padding=same) -> pad(((1, 0), (0, 2))) -> crop(1)
  mean(axis=1) -> rnn(5)
}
"""
NETS = {"fully": FULLY, "series": SERIES, "both": BOTH}
SIZES = {
    "fully": ({"H": 17, "W": 12}, {"H": 32, "W": 9}),
    "series": ({"T": 13}, {"T": 6}),
    "both": ({"T": 7, "H": 5}, {"T": 4, "H": 10}),
}
FIGURES = ("params", "trainable", "statistics", "macs", "other_ops", "activations")


@pytest.fixture(params=NETS)
def name(request):
    return request.param


def worked_out(value, sizes):
    """A size or figure of the report, with sizes put into its expression."""
    if isinstance(value, tuple):
        return tuple(worked_out(part, sizes) for part in value)
    return eval(str(value), {"ceil": math.ceil, "floor": math.floor, "max": max, "min": min, **sizes})


def figures(text, **sizes):
    """What the report says: of each layer its shape and numbers, of the whole its totals."""
    net = api.parse(text, **sizes)
    report = net.report()
    layers = {line.path: (line.output_shape, *(getattr(line, f) for f in FIGURES)) for line in report.layers}
    totals = {f: getattr(report.totals, f) for f in (*FIGURES, "activation_bytes", "param_bytes")}
    return {**layers, **totals, **{f"output {v.name}": v.shape for v in net.outputs}}


def test_exact_in_the_figures(name):
    """What the report says in symbols is what it says of each size."""
    told = figures(NETS[name])
    assert any(isinstance(value, DimExpr) for value in told.values())
    for sizes in (*SIZES[name], dict.fromkeys(SIZES[name][0], 41)):
        assert {what: worked_out(value, sizes) for what, value in told.items()} == figures(NETS[name], **sizes), sizes


def test_expressions_that_are_read():
    """Figures as a person would write them."""
    net = api.parse("net n { input image [H, W, 3]; conv(8, 3x3, stride=2, padding=same) -> maxpool(2x2) }")
    assert [str(size) for size in net.outputs[0].shape] == ["floor((H + 1)/4)", "floor((W + 1)/4)", "8"]
    assert str(net.report().totals.macs) == "216*ceil(H/2)*ceil(W/2)"


def test_set_in_the_figures(tmp_path, capsys):
    file = tmp_path / "fully.net"
    file.write_text(FULLY)
    assert main(["check", str(file), "--set", "H=512", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["inputs"][0]["shape"] == [512, "W", 3]
    assert found["layers"][0]["output_shape"] == [256, "ceil(W/2)", 8]
    assert found["layers"][0]["macs"] == "55296*ceil(W/2)"
    assert main(["check", str(file), "--set", "H=512", "--set", "W=384", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["layers"][0]["macs"] == 3 * 3 * 3 * 8 * 256 * 192
    assert all(isinstance(value, int) for value in found["totals"].values())


def test_set_in_the_code(tmp_path, capsys):
    """Keras declares the sizes of its inputs; a PyTorch module takes what comes."""
    file = tmp_path / "fully.net"
    file.write_text(FULLY)
    codes = {}
    for words in ((), ("--set", "H=512"), ("--set", "H=512", "--set", "W=384")):
        for target in ("keras", "torch"):
            assert main(["build", str(file), "--to", target, *words]) == 0
            codes[target, words] = capsys.readouterr().out
        sizes = {0: "None, None", 2: "512, None", 4: "512, 384"}[len(words)]
        assert f"keras.Input(({sizes}, 3)" in codes["keras", words]


@pytest.mark.parametrize("style", ["functional", pytest.param("subclass", marks=pytest.mark.sweep)])
def test_code_takes_any_size(name, style):
    """One model of each framework is run at two sizes."""
    net = check(NETS[name])
    assert set(net.net.symbols) == SIZES[name][0].keys()
    twins.compare(net, sizes=SIZES[name], style=style)


def test_code_of_a_size_that_is_set():
    twins.compare(check(FULLY, H=17, W=12))


def test_a_size_that_must_be_known():
    """The fault says which size it is, and what to do."""
    with pytest.raises(SpecError) as caught:
        api.parse("net n { input image [H, 8, 3]; conv(4, 3x3) -> flatten; dense(10) }")
    (fault,) = caught.value.diagnostics
    assert fault.code == "unknown-size"
    assert "H" in fault.message
    assert fault.help
    assert api.parse("net n { input image [H, 8, 3]; conv(4, 3x3) -> flatten; dense(10) }", H=8)
