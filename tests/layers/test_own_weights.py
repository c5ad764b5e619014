"""Weights of one's own: attention written out is the attention that is built in, and what begins as it was asked to."""

from __future__ import annotations

import numpy as np
import pytest
import twins
from checking import DATA, check, keras_code, row

from netspec import api
from netspec.diagram.dot import dot
from netspec.reference import Reference
from netspec.weights.samples import random_inputs, random_weights

SCALED = """
net built_in { input q [T, 6]; input v [S, 6]; input k [S, 6]; attention(q, v, k, scale=auto) }
net written { input q [T, 6]; input v [S, 6]; input k [S, 6]; softmax(q @ transpose(k) / sqrt(6)) @ v }
"""
HEADS = """
block heads(h) {
  input x [t, n]
  size = n // h
  weight query [n, h, size]
  weight key [n, h, size]
  weight value [n, h, size]
  weight output [h, size, n]
  weight query_bias [h, size] init=zeros
  weight key_bias [h, size] init=zeros
  weight value_bias [h, size] init=zeros
  weight output_bias [n] init=zeros
  q = (einsum("tn,nhk->thk", x, query) + query_bias) -> transpose(0, 1)
  k = (einsum("tn,nhk->thk", x, key) + key_bias) -> transpose(0, 1)
  v = (einsum("tn,nhk->thk", x, value) + value_bias) -> transpose(0, 1)
  y = softmax(q @ transpose(k) / sqrt(size)) @ v
  output y = einsum("htk,hkn->tn", y, output) + output_bias
}
net built_in { input x [T, 6]; multihead_attention(2) as heads }
net written { input x [T, 6]; heads(2) }
"""


@pytest.mark.parametrize("text", [SCALED, HEADS], ids=["scaled", "heads"])
def test_attention_written_out_is_the_layer(text):
    built_in, written = (check(text, net=name) for name in ("built_in", "written"))
    assert written.totals.params == built_in.totals.params
    sizes = {"T": 5, "S": 7}
    rng = np.random.default_rng(1)
    weights = random_weights(built_in, rng)
    inputs = random_inputs(built_in, rng, 3, sizes)
    wanted = Reference(built_in, weights).listed(*inputs)
    assert np.abs(Reference(written, weights).listed(*inputs)[0] - wanted[0]).max() < 1e-12
    for style in ("functional", "subclass"):
        for model, target in twins.models(written, inputs, style):
            model.load(target.spelling.put(weights))
            assert np.abs(model(inputs)[0] - wanted[0]).max() < 1e-5


def test_weights_in_classes():
    """What twins compare for functions, for classes."""
    text = (DATA / "nets" / "weights.net").read_text(encoding="utf-8")
    for name in ("nested", "growing", "sequences"):
        net = check(text, net=name)
        twins.compare(net, sizes=({"T": 6},) if net.net.symbols else ({},), style="subclass")


def test_paths_and_report():
    net = check(HEADS, net="written")
    assert row(net, "heads.query").figures.params == 36
    assert row(net, "heads.query").kind == "weight"
    assert set(api.parse(HEADS).weights()) == {f"heads.{n}" for n in (
        "query", "key", "value", "output", "query_bias", "key_bias", "value_bias", "output_bias",
    )}  # fmt: skip


def test_picture():
    """A weight is a box that nothing leads into."""
    text = dot(check("net n { input x [4]; weight gain [4] init=ones; x * gain }"))
    assert "<B>weight</B> 4, init ones" in text
    assert '"gain" -> "mul"' in text
    assert '-> "gain"' not in text


@pytest.mark.parametrize("file", ["x.safetensors", "x.pt", "x.weights.h5", "x.keras"])
def test_files_hold_them(tmp_path, file):
    net = api.parse("block b { input x [c]; weight g [c] init=ones; x * g }\nnet n { input x [4]; repeat 2 { b } }")
    weights = random_weights(net.checked, np.random.default_rng(2))
    assert set(weights) == {"b1.g", "b2.g"}
    net.save_weights(tmp_path / file, weights)
    found = net.load_weights(tmp_path / file)
    assert all((found[path] == array).all() for path, array in weights.items())


def test_no_sequential():
    from netspec.base.diagnostics import SpecError

    with pytest.raises(SpecError) as error:
        keras_code(check("net n { input x [4]; weight w [4]; x * w }"), "sequential")
    assert [d.code for d in error.value.diagnostics] == ["no-such-style"]


# --- how they begin ---------------------------------------------------------------------------------------------------

# mean, standard deviation, least and largest number of an array [200, 300], or of a vector of 60_000
BEGINNINGS = {
    "zeros": (0, 0, 0),
    "ones": (1, 0, 1),
    "0.25": (0.25, 0, 0.25),
    "normal(0.02)": (0, 0.02, None),
    "truncated_normal(0.1)": (0, 0.088, 0.2),
    "uniform(0.3)": (0, 0.3 / 3**0.5, 0.3),
    "glorot_uniform": (0, (2 / 500) ** 0.5, (6 / 500) ** 0.5),
    "glorot_normal": (0, (2 / 500) ** 0.5, None),
    "he_uniform": (0, (2 / 200) ** 0.5, (6 / 200) ** 0.5),
    "he_normal": (0, (2 / 200) ** 0.5, None),
    "lecun_uniform": (0, (1 / 200) ** 0.5, (3 / 200) ** 0.5),
    "lecun_normal": (0, (1 / 200) ** 0.5, None),
    "orthogonal": (0, (1 / 300) ** 0.5, None),
}


@pytest.mark.parametrize("init", BEGINNINGS)
def test_both_frameworks_begin_alike(init):
    net = api.parse(f"net n {{ input x [200]; weight w [200, 300] init={init}; x @ w }}")
    mean, std, most = BEGINNINGS[init]
    for array in (net.torch().w.detach().numpy(), net.keras().weights[0].numpy()):
        assert abs(array.mean() - mean) < 0.002
        assert array.std() == pytest.approx(std, rel=0.02)
        if most is not None:
            assert most * 0.98 <= array.max() <= most * 1.0001
        if init == "orthogonal":
            assert np.abs(array @ array.T - np.eye(200)).max() < 1e-4


@pytest.mark.parametrize(("shape", "taken", "given"), [("60_000", 60_000, 60_000), ("3, 50, 400", 150, 1200)])
@pytest.mark.parametrize("word", ["glorot", "he", "lecun"])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_other_shapes_have_the_same_fans(shape, taken, given, word, kind):
    net = api.parse(f"net n {{ input x [1]; weight w [{shape}] init={word}_{kind}; x + sum(w) }}")
    variance = {"glorot": 2 / (taken + given), "he": 2 / taken, "lecun": 1 / taken}[word]
    for array in (net.torch().w.detach().numpy(), net.keras().weights[0].numpy()):
        assert array.std() == pytest.approx(variance**0.5, rel=0.03)
