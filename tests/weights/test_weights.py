"""Files of weights: round trips to the bit, foreign names, and what is refused."""

from __future__ import annotations

import builtins
import json
import os
import pickle
import re
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import harness  # first: it chooses the Keras backend
import keras
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import netspec
from netspec.cli import main
from netspec.files import ReadError, WriteError
from netspec.layers import LAYERS
from netspec.runtime import keras_model
from netspec.runtime.code import MissingFramework
from netspec.weights.convert import FormError, likely_names, read_weights, write_weights
from netspec.weights.match import partners
from netspec.weights.rename import renaming
from netspec.weights.samples import random_weights
from netspec.weights.table import WeightsError, misfits
from netspec.weights.words import agree, users

ROOT = Path(__file__).parents[2]
SMALL = """
net small(rate=0.5) {
  input x [9, 7, 4]
  layer again = conv(4, 3x3, padding=same, bias=false)
  again -> batchnorm -> relu -> again
  separable_conv(6, 3x3)
  conv_transpose(5, 3x3, stride=2)
  dropout(rate)
  maxpool(2) -> flatten -> dense(7) -> layernorm
  dense(3)
}
"""
SEQUENCE = """
net sequence {
  input word [12] int(20)
  embedding(20, 8) as e
  multihead_attention(2) + e
  dropout(0.1) -> layernorm -> conv(6, 3) -> global_avgpool -> dense(2)
}
"""
NETS = {"small": SMALL, "sequence": SEQUENCE}
FILES = ["x.safetensors", "x.pt", "x.pth", "x.weights.h5", "x.keras"]


@pytest.fixture
def small():
    return netspec.parse(SMALL)


def weights_of(net, seed=0, dtype=np.float32):
    made = random_weights(net.checked, np.random.default_rng(seed))
    return {path: array.astype(dtype) for path, array in made.items()}


def same(one, other):
    assert list(one) == list(other)
    for path in one:
        assert one[path].dtype == other[path].dtype, path
        assert one[path].tobytes() == other[path].tobytes(), path


# --- round trips --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", NETS)
def test_round_trips_are_exact(tmp_path, name, file, dtype):
    net = netspec.parse(NETS[name])
    weights = weights_of(net, dtype=dtype)
    net.save_weights(tmp_path / file, weights)
    same(net.load_weights(tmp_path / file), weights)


@pytest.mark.parametrize("style", ["functional", "sequential", "subclass"])
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_styles_have_files_of_their_own(tmp_path, style, suffix):
    net = netspec.load(ROOT / "specs/lenet5.net")
    weights = weights_of(net)
    net.save_weights(tmp_path / f"x{suffix}", weights, style=style)
    same(net.load_weights(tmp_path / f"x{suffix}", style=style), weights)


def test_frameworks_load_what_is_written(tmp_path, small):
    """The files are those of the frameworks: their own readers take them, and the models compute the same."""
    weights = weights_of(small)
    small.save_weights(tmp_path / "x.pt", weights)
    small.save_weights(tmp_path / "x.weights.h5", weights)
    small.save_weights(tmp_path / "x.keras", weights)
    small.save_weights(tmp_path / "torch.safetensors", weights, form="torch")
    module, model = small.torch().eval(), small.keras()
    module.load_state_dict(torch.load(tmp_path / "x.pt", weights_only=True))
    model.load_weights(tmp_path / "x.weights.h5")
    x = np.random.default_rng(1).standard_normal((2, 9, 7, 4), np.float32)
    with torch.no_grad():
        y = module(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).numpy()
    wanted = small.reference(weights)(x=x)
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(model(x)), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(keras.saving.load_model(tmp_path / "x.keras")(x)), wanted, 1e-4, 1e-5)
    module.load_state_dict({n: torch.from_numpy(a) for n, a in load_file(tmp_path / "torch.safetensors").items()})


def test_a_trained_model_is_read(tmp_path, small):
    """A model file holds an optimizer as well, and the state of dropout's random numbers."""
    model = small.keras()
    model.compile("adam", "mse")
    model.fit(np.ones((2, 9, 7, 4)), np.ones((2, 3)), verbose=0)
    model.save(tmp_path / "x.keras")
    found = small.load_weights(tmp_path / "x.keras")
    assert found["dense2.kernel"].tobytes() == model.layers[-1].kernel.numpy().tobytes()


def test_the_canonical_file_has_paths_and_axes_of_the_language(tmp_path, small):
    weights = weights_of(small)
    small.save_weights(tmp_path / "x.safetensors", weights)
    held = load_file(tmp_path / "x.safetensors")
    assert held["again.kernel"].shape == (3, 3, 4, 4)
    assert held.keys() == small.weights().keys()


STACKS = """
net stacks {
  input x [T, 3]
  repeat 2 { stack(2, gru(3, return=sequence)) }
  stack(2, bidirectional(rnn(2, return=sequence))) as stack
  scan(deep) -> stack(2, lstm(4, return=sequence))
}

cell deep {
  state h [4]
  next h = dense(h, 4) + dense(4)
  output next h
}
"""


@pytest.mark.parametrize("form", ["netspec", "torch"])
def test_earlier_names_are_read(tmp_path, form):
    """Stacks without a name of their own were numbered as `stacked1`, ..."""
    net = netspec.parse(STACKS.replace("scan(deep) ->", "scan(deep, return=sequence) ->"))
    weights = weights_of(net)
    net.save_weights(tmp_path / "now.safetensors", weights, form)
    held = load_file(tmp_path / "now.safetensors")
    before = {re.sub(r"\bstack([123])\.", lambda m: f"stacked{m[1]}.", name): array for name, array in held.items()}
    assert {name.split(".")[0] for name in held} == {"stack", "stack1", "stack2", "stack3", "deep"}
    assert {name.split(".")[0] for name in before} == {"stack", "stacked1", "stacked2", "stacked3", "deep"}
    save_file(before, tmp_path / "before.safetensors")
    same(net.load_weights(tmp_path / "before.safetensors", form), net.load_weights(tmp_path / "now.safetensors", form))


def test_half_precision(tmp_path, small):
    """bfloat16 becomes the float32 of the same value; float16 stays."""
    module = small.torch()
    wanted = {n: t.bfloat16().float() for n, t in module.state_dict().items()}
    torch.save({n: t.bfloat16() for n, t in module.state_dict().items()}, tmp_path / "x.pt")
    found = small.load_weights(tmp_path / "x.pt")
    assert found["dense2.bias"].tobytes() == wanted["dense2.bias"].numpy().tobytes()
    from safetensors.torch import save_file as save_tensors

    save_tensors({n: t.bfloat16() for n, t in module.state_dict().items() if t.ndim}, tmp_path / "x.safetensors")
    same(small.load_weights(tmp_path / "x.safetensors", "torch"), found)
    halves = weights_of(small, dtype=np.float16)
    small.save_weights(tmp_path / "half.pt", halves)
    same(small.load_weights(tmp_path / "half.pt"), halves)


def test_the_most_precise_number_counts(tmp_path, small):
    weights = weights_of(small)
    weights["dense2.bias"] = weights["dense2.bias"].astype(np.float64) / 3
    small.save_weights(tmp_path / "x.pt", weights)
    found = small.load_weights(tmp_path / "x.pt")
    assert all((found[path] == array).all() for path, array in weights.items())


# --- foreign names ------------------------------------------------------------------------------------------------


def common_resnet50():
    """The names and shapes of the ResNet-50 checkpoints that are about for PyTorch."""

    def norm(name, n):
        shapes = {f"{name}.{part}": (n,) for part in ("weight", "bias", "running_mean", "running_var")}
        return {**shapes, f"{name}.num_batches_tracked": ()}

    found = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    before = 64
    for stage, (count, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], 1):
        for k in range(count):
            at = f"layer{stage}.{k}"
            for conv, shape in enumerate([(width, before, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)], 1):
                found |= {f"{at}.conv{conv}.weight": shape, **norm(f"{at}.bn{conv}", shape[0])}
            if k == 0:
                found |= {f"{at}.downsample.0.weight": (4 * width, before, 1, 1)}
                found |= norm(f"{at}.downsample.1", 4 * width)
            before = 4 * width
    return found | {"fc.weight": (1000, 2048), "fc.bias": (1000,)}


def test_the_common_resnet50_fits_as_it_is(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        name: torch.from_numpy(np.asarray(rng.random(shape, np.float32))) if shape else torch.tensor(3)
        for name, shape in common_resnet50().items()
    }
    assert len(arrays) == 320
    torch.save(arrays, tmp_path / "resnet50.pth")
    net = netspec.load(ROOT / "specs/resnet50.net")
    found = net.load_weights(tmp_path / "resnet50.pth")
    assert (
        found["layer3.4.conv2.kernel"].tobytes()
        == np.ascontiguousarray(arrays["layer3.4.conv2.weight"].numpy().transpose(2, 3, 1, 0)).tobytes()
    )
    assert sum(a.size for a in found.values()) == 25_557_032 + 53_120


def test_wrapped_and_renamed(tmp_path, small, capsys):
    weights = weights_of(small)
    module = small.torch(weights)
    state = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    state["module.fc.weight"] = state.pop("module.dense2.weight")
    state["module.extra.weight"] = torch.zeros(3)
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "x.pt")
    table = tmp_path / "table"
    lines = ["# ours", "module.fc.weight = dense2.weight", "module.extra.* =   # not here", "module.* = *", "old = new"]
    table.write_text("\n".join(lines))
    spec = tmp_path / "small.net"
    spec.write_text(SMALL)
    out = tmp_path / "out.safetensors"
    assert main(["weights", "convert", str(spec), str(tmp_path / "x.pt"), "-o", str(out), "--rename", str(table)]) == 0
    assert "line 5 of the table: no array is called `old`" in capsys.readouterr().err
    same(small.load_weights(out), weights)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"dense2.weight": "dense2.bias"}, "`dense2.weight` and `dense2.bias` would both be `dense2.bias`"),
        ({"dense2.weight": "head.weight"}, "`dense2.weight` [3, 7] is missing"),
        ({"dense2.weight": "head.weight"}, "`head.weight` [3, 7] is not a weight of net small"),
        ({"*.bias": ""}, "`dense1.bias` [7] is missing"),
    ],
)
def test_names_that_do_not_fit(tmp_path, small, rules, problem):
    small.save_weights(tmp_path / "x.pt", weights_of(small))
    with pytest.raises(WeightsError) as caught:
        small.load_weights(tmp_path / "x.pt", rename=rules)
    assert problem in [p.partition(" (did")[0] for p in caught.value.problems]


def test_shapes_that_do_not_fit(tmp_path, small):
    weights = weights_of(small)
    weights["dense2.bias"] = np.zeros(4, np.float32)
    with pytest.raises(WeightsError, match=r"`dense2.bias` is \[4\], but should be \[3\]"):
        small.save_weights(tmp_path / "x.safetensors", weights)
    save_file(weights, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=r"`dense2.bias` is \[4\], but should be \[3\]"):
        small.load_weights(tmp_path / "x.safetensors")
    save_file({**weights_of(small), "dense2.bias": np.zeros(3, np.int32)}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=r"`dense2\.bias` is int32"):
        small.load_weights(tmp_path / "x.safetensors")


def test_a_table_of_nearest_matches_leads_home(tmp_path):
    """Names of quite another kind, guessed from shapes, last words and order; the table is taken as it is printed."""
    net = netspec.load(ROOT / "specs/resnet18.net")
    weights = weights_of(net)
    state = net.torch(weights).state_dict()
    words = {"weight": "w", "bias": "b", "running_mean": "mean", "running_var": "var"}
    foreign = {
        f"features.{k}.{words[name.rpartition('.')[2]]}": tensor
        for k, (name, tensor) in enumerate(state.items())
        if not name.endswith("num_batches_tracked")
    }
    torch.save(foreign | {"unrelated": torch.zeros(5, 5)}, tmp_path / "x.pt")
    guessed = likely_names(net.checked, str(tmp_path / "x.pt")).names
    assert guessed["unrelated"] == ""
    found = read_weights(net.checked, str(tmp_path / "x.pt"), renaming=renaming(guessed)).weights
    convolutions = [path for path in weights if path.endswith("kernel")]
    assert len(convolutions) == 21
    assert all(found[path].tobytes() == weights[path].tobytes() for path in convolutions)


def test_match_on_the_command_line(tmp_path, small, capsys):
    state = small.torch().state_dict()
    torch.save({f"net.{name}": tensor for name, tensor in state.items()}, tmp_path / "x.pt")
    spec = tmp_path / "small.net"
    spec.write_text(SMALL)
    assert main(["weights", "match", str(spec), str(tmp_path / "x.pt"), "-o", str(tmp_path / "table")]) == 0
    command = ["weights", "convert", str(spec), str(tmp_path / "x.pt"), "-o", str(tmp_path / "y.pt")]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 3  # what `match` wrote, that it does not fit, and why
    assert "the line `net.* = *` in a table" in said
    assert (tmp_path / "table").read_text().split("\n", 1)[1] == "net.* = *\n"
    assert main([*command, "--rename", str(tmp_path / "table")]) == 0
    again = torch.load(tmp_path / "y.pt", weights_only=True)
    assert all(torch.equal(again[name], tensor) for name, tensor in state.items())


def test_layers_of_other_names_are_told(tmp_path):
    """Keras numbers the layers of a class; two of the same shape that changed places can be seen by their names."""
    net = netspec.parse("net n { input x [4]\n dense(4)\n dense(4) }")
    net.save_weights(tmp_path / "x.weights.h5", weights_of(net))
    assert not read_weights(net.checked, str(tmp_path / "x.weights.h5")).notes
    with h5py.File(tmp_path / "x.weights.h5", "a") as file:
        for group, name in (("dense", "second"), ("dense_1", "first")):
            file[f"layers/{group}/vars"].attrs["name"] = name
    (note,) = read_weights(net.checked, str(tmp_path / "x.weights.h5")).notes
    assert "`second` for `dense`, `first` for `dense_1`" in note


@pytest.mark.parametrize("line", ["one two", "= two", "a.* = b", "a = b.*"])
def test_a_wrong_table(tmp_path, small, line, capsys):
    small.save_weights(tmp_path / "x.pt", weights_of(small))
    spec, table = tmp_path / "small.net", tmp_path / "table"
    spec.write_text(SMALL)
    table.write_text(f"\n{line}\n")
    words = [str(spec), str(tmp_path / "x.pt"), "-o", str(tmp_path / "y.pt"), "--rename", str(table)]
    assert main(["weights", "convert", *words]) == 2
    assert f"{table}:2: " in capsys.readouterr().err


# --- whose names ----------------------------------------------------------------------------------------------------

MIXED = """
net mixed {
  input x [6, 6, 4]
  conv(4, 3x3, padding=same) as a
  batchnorm as bn
  groupnorm(2) as gn
  prelu
  flatten
  dense(4) as b
  dense(4) as c
}
"""
# words that contradict one another, in names that a net and a file may have
OPPOSED = [
    ("bn.variance", "bn.weight"),
    ("bn.beta", "bn.running_var"),
    ("bn.gamma", "bn.bias"),
    ("bn.mean", "bn.running_var"),
    ("lstm.recurrent_kernel", "lstm.weight_ih_l0"),
    ("a.kernel", "x.moving_mean"),
]


@pytest.fixture
def mixed():
    return netspec.parse(MIXED)


def convert(tmp_path, text, weights, *words):
    """`netspec weights convert` to a canonical file: the exit status."""
    spec = tmp_path / "spec.net"
    spec.write_text(text)
    return main(
        ["weights", "convert", str(spec), str(tmp_path / weights), "-o", str(tmp_path / "o.safetensors"), *words]
    )


@pytest.mark.parametrize("prefix", ["", "model.backbone."])
def test_names_of_pytorch_are_not_taken_for_ours(tmp_path, mixed, capsys, prefix):
    """The usual `.safetensors` of PyTorch is refused in one line; told whose it is, it is read."""
    weights = weights_of(mixed)
    mixed.save_weights(tmp_path / "bare.safetensors", weights, form="torch")
    held = {f"{prefix}{name}": array for name, array in load_file(tmp_path / "bare.safetensors").items()}
    save_file(held | {f"{prefix}bn.num_batches_tracked": np.array(3)}, tmp_path / "x.safetensors")
    assert convert(tmp_path, MIXED, "x.safetensors") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert "its names are those of PyTorch; `--from torch`" in said
    assert main(["weights", "match", str(tmp_path / "spec.net"), str(tmp_path / "x.safetensors")]) == 1
    assert "`--from torch`" in capsys.readouterr().err
    same(mixed.load_weights(tmp_path / "x.safetensors", "torch", rename={f"{prefix}*": "*"}), weights)


def test_names_of_ours_are_not_taken_for_those_of_pytorch(tmp_path, mixed):
    mixed.save_weights(tmp_path / "x.safetensors", weights_of(mixed))
    with pytest.raises(WeightsError, match="its names are those of netspec; `--from netspec`"):
        mixed.load_weights(tmp_path / "x.safetensors", "torch")


@pytest.mark.parametrize("told", [[], ["--from", "netspec"]])
def test_no_table_takes_a_kernel_of_pytorch_for_ours(tmp_path, capsys, told):
    """Its axes stand otherwise, and a square one fits as it is: renaming would give wrong numbers in silence."""
    text = "net s { input x [4]\n dense(4, activation=relu) as a\n dense(4) as b }"
    net = netspec.parse(text)
    state = {name: tensor.numpy() for name, tensor in net.torch().state_dict().items()}
    for k, names in enumerate([{}, {"a": "enc.first", "b": "enc.second"}]):
        foreign = {f"{names.get(n[0], n[0])}{n[1:]}": array for n, array in state.items()}
        save_file(foreign, tmp_path / f"{k}.safetensors")
        rules = [f"{f} = {n.replace('weight', 'kernel')}" for f, n in zip(foreign, state)]
        (tmp_path / "table").write_text("\n".join(rules))
        assert convert(tmp_path, text, f"{k}.safetensors", "--rename", str(tmp_path / "table"), *told) == 1
        assert "names of PyTorch" in (said := capsys.readouterr().err) or "those of PyTorch" in said
        assert "`--from torch`" in said
    assert not (tmp_path / "o.safetensors").exists()
    found = net.load_weights(tmp_path / "1.safetensors", "torch", rename={"enc.first.*": "a.*", "enc.second.*": "b.*"})
    assert found["a.kernel"].tobytes() == np.ascontiguousarray(state["a.weight"].T).tobytes()


def test_the_other_way_round(tmp_path):
    """A state_dict with names of netspec or Keras: its kernels are not PyTorch's either; a scale is the same in all."""
    net = netspec.parse("net s { input x [4]\n dense(4) as a\n layernorm as n }")
    held = {name: torch.from_numpy(array) for name, array in weights_of(net).items()}
    torch.save(held, tmp_path / "x.pt")
    rules = {"a.kernel": "a.weight", "n.gamma": "n.weight", "n.beta": "n.bias"}
    with pytest.raises(WeightsError, match=r"`a.kernel` for `a.weight`: names of netspec and Keras"):
        net.load_weights(tmp_path / "x.pt", rename=rules)
    torch.save({**held, "a.weight": held.pop("a.kernel").T.contiguous()}, tmp_path / "x.pt")
    torch.save({n: t for n, t in torch.load(tmp_path / "x.pt").items() if n != "a.kernel"}, tmp_path / "x.pt")
    same(net.load_weights(tmp_path / "x.pt", rename=rules), weights_of(net))


def test_an_order_of_axes_that_nothing_tells_is_asked_for(tmp_path, mixed):
    weights = weights_of(mixed)
    save_file({f"p{k}.w": array for k, array in enumerate(weights.values())}, tmp_path / "x.safetensors")
    rules = {f"p{k}.w": path for k, path in enumerate(weights)}
    with pytest.raises(WeightsError, match=r"nothing tells in whose order .* `--from netspec` or `--from torch` does"):
        mixed.load_weights(tmp_path / "x.safetensors", rename=rules)
    same(mixed.load_weights(tmp_path / "x.safetensors", "netspec", rename=rules), weights)


@pytest.mark.parametrize("word", ["w", "weight", "kernel"])
@pytest.mark.parametrize("form", ["netspec", "torch"])
def test_guesses_never_contradict(tmp_path, mixed, form, word):
    """All arrays of one shape in an order that misleads: no pair whose words are of different things, and none whose
    axes stand otherwise."""
    mixed.save_weights(tmp_path / "x.safetensors", weights_of(mixed), form=form)
    held = load_file(tmp_path / "x.safetensors")
    order = sorted(held, reverse=True)
    ends = {"kernel": word, "weight": word}
    foreign = {f"m{k}.{ends.get(n.rpartition('.')[2], n.rpartition('.')[2])}": held[n] for k, n in enumerate(order)}
    save_file(foreign, tmp_path / "x.safetensors")
    found = likely_names(mixed.checked, str(tmp_path / "x.safetensors"), form).names
    pairs = {name: ours for name, ours in found.items() if ours}
    assert pairs
    assert not [pair for pair in pairs.items() if not agree(*pair)]
    kernels = {ours for ours in pairs.values() if ours.rpartition(".")[0] in ("a", "b", "c") and "bias" not in ours}
    strange = {"netspec": "weight", "torch": "kernel"}[form]
    assert len(kernels) == (0 if word == strange else 3)


@pytest.mark.parametrize("form", ["netspec", "torch"])
def test_what_contradicts_is_left_over(tmp_path, form):
    """Where nothing else has the shape, no pair is better than a wrong one."""
    net = netspec.parse("net n { input x [4]\n layernorm }")
    save_file(
        {f"m.{word}": np.ones(4, np.float32) for word in ("running_mean", "variance")}, tmp_path / "x.safetensors"
    )
    assert not any(likely_names(net.checked, str(tmp_path / "x.safetensors"), form).names.values())


def test_a_word_of_all_spellings_says_nothing(tmp_path):
    """The biases of a GRU: `bias` is a word of PyTorch's, but not for an array whose gates it orders in its own way."""
    net = netspec.parse("net n { input x [5, 4]\n gru(4) as g }")
    foreign = {path: f"x{k}.{path[2:]}" for k, path in enumerate(net.weights())}
    save_file({foreign[path]: array for path, array in weights_of(net).items()}, tmp_path / "x.safetensors")
    assert set(likely_names(net.checked, str(tmp_path / "x.safetensors"), "torch").names.values()) == {""}
    swapped = {"g.bias": "g.recurrent_bias", "g.recurrent_bias": "g.bias"}
    with pytest.raises(WeightsError, match="nothing tells"):
        net.load_weights(
            tmp_path / "x.safetensors", rename={name: swapped.get(path, path) for path, name in foreign.items()}
        )


@pytest.mark.parametrize(("ours", "foreign"), OPPOSED)
def test_nothing_opposed_is_proposed(ours, foreign):
    (first, second) = misfits({ours: (4,)}, {foreign: (4,)}, "net n")
    assert "did you mean" not in first + second
    assert not partners({ours: (4,)}, {foreign: (4,)}, agree)


def test_words_are_those_of_the_layers():
    """The list of words against the layers: each array of each has agreeing words in all spellings, and known ones."""
    for cls in LAYERS.values():
        for example in [] if cls.calls else cls.examples:
            for weight in harness.build(example.code).weights(*harness.shapes_of(example)):
                names = {"netspec": weight.name, "torch": weight.torch.name, "keras": weight.keras.name}
                assert all(form in users(name) for form, name in names.items() if name), (cls.kind, names)
                assert all(agree(a, b) for a in names.values() for b in names.values()), (cls.kind, names)


def test_a_prefix_is_one_line(tmp_path, small, capsys):
    module = small.torch()
    torch.save({f"module.{name}": tensor for name, tensor in module.state_dict().items()}, tmp_path / "x.pt")
    assert convert(tmp_path, SMALL, "x.pt") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert "`module.* = *`" in said
    state = module.state_dict()
    state["extra.weight"] = torch.zeros(3)
    torch.save(state, tmp_path / "x.pt")
    nested = "net outer { input x [9, 7, 4]\n small as net }\n"
    assert convert(tmp_path, SMALL.replace("net small(rate=0.5)", "block small(rate=0.5)") + nested, "x.pt") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 3
    assert "`* = net.*`" in said
    assert "`net.extra.weight` [3] is not a weight" in said


def test_another_style_is_named(tmp_path, capsys):
    net = netspec.parse("net n { input x [4]\n dense(4) -> dense(3) }")
    net.save_weights(tmp_path / "x.weights.h5", weights_of(net), style="subclass")
    with pytest.raises(WeightsError, match="those of the style subclass; `--style subclass`"):
        net.load_weights(tmp_path / "x.weights.h5")


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "dtype"])
def test_a_table_is_proposed_where_one_would_help(tmp_path, small, capsys, change):
    weights = weights_of(small)
    last = weights.pop("dense2.bias")
    changed = {"missing": {}, "extra": {"dense2.bias": last, "b": last}}
    changed |= {"shape": {"dense2.bias": last[:2]}, "dtype": {"dense2.bias": last.astype(np.int32)}}
    save_file({**weights, **changed[change]}, tmp_path / "x.safetensors")
    assert convert(tmp_path, SMALL, "x.safetensors") == 1
    assert "weights match" not in capsys.readouterr().err
    save_file({**weights, "b": last}, tmp_path / "x.safetensors")
    assert convert(tmp_path, SMALL, "x.safetensors") == 1
    assert "weights match" in capsys.readouterr().err


def test_a_table_that_swaps_things_is_told(tmp_path, small, capsys):
    small.save_weights(tmp_path / "x.pt", weights_of(small))
    (tmp_path / "table").write_text("layernorm.bias = layernorm.weight\nlayernorm.weight = layernorm.bias\n")
    assert convert(tmp_path, SMALL, "x.pt", "--rename", str(tmp_path / "table")) == 0
    assert "different things: `layernorm.weight` for `layernorm.bias` and 1 more" in capsys.readouterr().err


def test_sizes_that_are_not_known(tmp_path, capsys):
    save_file({"w": np.ones((2, 3), np.float32)}, tmp_path / "x.safetensors")
    text = "net n { input x [T, 3]\n weight w [T, 3]\n x + w }"
    assert convert(tmp_path, text, "x.safetensors") == 1
    assert "the shape of a weight hangs on T; `--set` gives it a size" in capsys.readouterr().err
    assert convert(tmp_path, text, "x.safetensors", "--set", "T=2") == 0


def test_a_rule_that_another_hides_is_told(tmp_path, small, capsys):
    small.save_weights(tmp_path / "x.pt", weights_of(small))
    (tmp_path / "table").write_text("dense* = dense*\ndense2.* = dense2.*\nlayernorm.* = layernorm.*\n")
    assert convert(tmp_path, SMALL, "x.pt", "--rename", str(tmp_path / "table")) == 0
    said = capsys.readouterr().err
    assert "line 2 of the table: line 1 takes `dense2.weight` first" in said
    assert "line 3" not in said


# --- damaged and hostile files ------------------------------------------------------------------------------------


class Attack:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


class Shell:
    """A pickle that would call the shell."""

    def __reduce__(self):
        return os.system, ("exit",)


def refused(net, path, *words):
    with pytest.raises(ReadError) as caught:
        net.load_weights(path)
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_code_in_a_pickle_is_not_run(tmp_path, small):
    trace = tmp_path / "trace"
    torch.save({"dense2.weight": Attack(trace)}, tmp_path / "x.pt")
    refused(small, tmp_path / "x.pt", "is refused", "could run code")
    (tmp_path / "y.pt").write_bytes(pickle.dumps(Attack(trace)))
    refused(small, tmp_path / "y.pt")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "z.pt")
    refused(small, tmp_path / "z.pt", "save `model.state_dict()`")
    assert not trace.exists()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("keep", [0, 1, 7, 100, 0.5, 0.99])
def test_truncated_files(tmp_path, small, file, keep):
    small.save_weights(tmp_path / file, weights_of(small))
    data = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    refused(small, tmp_path / file)


@pytest.mark.parametrize("file", FILES)
def test_other_things_under_the_name(tmp_path, small, file):
    for data in (b"hello\n" * 50, (2**60).to_bytes(8, "little") + b"{}", os.urandom(1000)):
        (tmp_path / file).write_bytes(data)
        refused(small, tmp_path / file)
    (tmp_path / file).unlink()
    (tmp_path / file).mkdir()
    refused(small, tmp_path / file, "folder")


def test_lies_in_a_header(tmp_path, small):
    """A table of contents that promises more than the file holds."""
    head = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    (tmp_path / "x.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + b"\0" * 64)
    refused(small, tmp_path / "x.safetensors")


def test_hdf5_of_elsewhere(tmp_path, small):
    """Arrays in other files are not read, links are not followed, and a huge array is refused by its shape."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 400)
    with h5py.File(tmp_path / "x.weights.h5", "w") as file:
        file.create_dataset("layers/dense/vars/0", (100,), "<f4", external=[(str(secret), 0, 400)])
    refused(small, tmp_path / "x.weights.h5", "kept in another file")
    with h5py.File(tmp_path / "y.weights.h5", "w") as file:
        file["layers"] = h5py.ExternalLink(str(tmp_path / "x.weights.h5"), "/layers")
        file.create_dataset("huge", (2**40,), "<f4", chunks=(2**20,))
    with pytest.raises(WeightsError) as caught:
        small.load_weights(tmp_path / "y.weights.h5")
    assert any("`huge`" in p for p in caught.value.problems)
    assert any("vars/0` [3, 3, 4, 4] is missing" in p for p in caught.value.problems)


def test_keras_files_that_are_none(tmp_path, small):
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as file:
        file.writestr("config.json", "{}")
    refused(small, tmp_path / "x.keras", "there is no model.weights.h5 in it")
    with zipfile.ZipFile(tmp_path / "y.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model.weights.h5", b"\0" * 50_000_000)
    refused(small, tmp_path / "y.keras", "unpacks to more than")


@pytest.mark.parametrize(
    ("held", "word"),
    [
        ([1, 2], "no state_dict"),
        ({}, "no state_dict"),
        ({"a": 1}, "is no tensor"),
        (torch.ones(3), "no state_dict"),
    ],
)
def test_checkpoints_that_are_none(tmp_path, small, held, word):
    torch.save(held, tmp_path / "x.pt")
    refused(small, tmp_path / "x.pt", word)


ONE = "net n { input x [4]\n dense(3, bias=false) as a }"


@pytest.fixture
def one():
    return netspec.parse(ONE)


def unreadable(net, path, kind):
    """A tensor that cannot be read is refused by name and type; one that is left out is not looked at."""
    with pytest.raises(WeightsError) as caught:
        net.load_weights(path, "torch")
    assert f"`a.weight` is {kind}" in caught.value.problems[-1]


@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_no_weights(tmp_path, one, recwarn):
    whole = torch.ones(3, 4)
    tensors = {
        "qint8": torch.quantize_per_tensor(whole, 0.1, 0, torch.qint8),
        "float32 of a meta tensor": whole.to("meta"),
        "float32 of a nested tensor": torch.nested.nested_tensor([torch.ones(3), torch.ones(2)]),
        "float8_e4m3fn": whole.to(torch.float8_e4m3fn),
        "complex64": whole.to(torch.complex64).conj(),
        "int64": whole.long(),
        "bool": whole.bool(),
    }
    for kind, tensor in tensors.items():
        torch.save({"a.weight": tensor}, tmp_path / "x.pt")
        recwarn.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            if "nested" in kind:  # it has no shape, either
                with pytest.raises(WeightsError, match=f"`a.weight` is {kind}"):
                    one.load_weights(tmp_path / "x.pt")
            else:
                unreadable(one, tmp_path / "x.pt", kind)
        assert not [w for w in recwarn if w.category is UserWarning]
        torch.save({"a.weight": whole, "odd": tensor}, tmp_path / "x.pt")
        assert one.load_weights(tmp_path / "x.pt", rename={"odd": ""})["a.kernel"].sum() == 12


def test_unusual_tensors_that_are_weights(tmp_path, one):
    whole = torch.arange(12.0).reshape(3, 4)
    negative = torch.complex(whole, -whole).conj().imag
    assert negative.is_neg()
    tensors = [whole.to_sparse(), whole.to_sparse_csr(), whole.bfloat16().to_sparse(), whole.T.contiguous().T, negative]
    for tensor in tensors:
        torch.save({"a.weight": tensor}, tmp_path / "x.pt")
        np.testing.assert_array_equal(one.load_weights(tmp_path / "x.pt")["a.kernel"], whole.numpy().T)


def test_tensors_far_larger_than_their_file(tmp_path, one):
    """Their shapes are judged before anything is made of them: these would take 70 terabytes."""
    for tensor in (
        torch.zeros(1, dtype=torch.bfloat16).expand(2**44),
        torch.sparse_coo_tensor(torch.tensor([[0], [0]]), torch.ones(1), (2**22, 2**22), check_invariants=True),
    ):
        torch.save({"a.weight": tensor}, tmp_path / "x.pt")
        with pytest.raises(WeightsError, match=r"but should be \[3, 4\]"):
            one.load_weights(tmp_path / "x.pt")


def test_a_sparse_tensor_that_lies(tmp_path, one):
    """A number at a place outside of its array would be written anywhere."""
    tensor = torch.sparse_coo_tensor(torch.tensor([[0], [0]]), torch.ones(1), (3, 4), check_invariants=False)
    tensor._indices()[0, 0] = 10**6
    torch.save({"a.weight": tensor}, tmp_path / "x.pt")
    refused(one, tmp_path / "x.pt")


def test_safetensors_of_other_kinds(tmp_path, one):
    from safetensors.torch import save_file as save_tensors

    whole = torch.arange(12.0).reshape(3, 4)
    save_tensors({"a.weight": whole.bfloat16()}, tmp_path / "x.safetensors", {"dtype": "BF16"})
    np.testing.assert_array_equal(one.load_weights(tmp_path / "x.safetensors", "torch")["a.kernel"], whole.numpy().T)
    for dtype, kind in [(torch.float8_e4m3fn, "F8_E4M3"), (torch.complex64, "complex64"), (torch.uint8, "uint8")]:
        save_tensors({"a.weight": whole.to(dtype)}, tmp_path / "x.safetensors", {"format": "pt"})
        unreadable(one, tmp_path / "x.safetensors", kind)


def test_hdf5_of_other_kinds(tmp_path, one):
    name, whole = "layers/dense/vars/0", np.arange(12, dtype=np.float32).reshape(4, 3)

    def given(data, **attributes):
        with h5py.File(tmp_path / "x.weights.h5", "w") as file:
            file[name] = data
            file[name].attrs.update(attributes)
        return one.load_weights(tmp_path / "x.weights.h5")["a.kernel"]

    halves = (whole.view(np.uint32) >> 16).astype(np.uint16)
    for data, about in [(whole.astype(">f4"), {}), (halves.view("V2"), {"dtype": "bfloat16"})]:
        found = given(data, **about)
        assert found.dtype == np.dtype("float32")
        np.testing.assert_array_equal(found, whole)
    for data, kind in [
        (whole.astype(np.complex64), "complex64"),
        (np.full((4, 3), b"a"), "text"),
        (whole.astype(np.int16), "int16"),
        (halves.view("V2"), "void16"),
        (h5py.Empty("f4"), "empty"),
    ]:
        with pytest.raises(WeightsError) as caught:
            given(data)
        assert caught.value.problems[0].startswith(f"`{name}` is {kind}; weights are read from")


def test_why_a_file_of_pytorch_is_refused(tmp_path, one, recwarn):
    """By what is in it: code that it calls for, TorchScript, another pickle, damage; and without a warning."""
    path, attack = tmp_path / "x.pt", {"a.weight": Shell()}
    for old in (False, True):
        torch.save(attack, path, _use_new_zipfile_serialization=not old)
        refused(one, path, "is refused: it holds more than tensors (`posix.system`), and could run code")
        torch.save(torch.nn.Linear(4, 3), path, _use_new_zipfile_serialization=not old)
        refused(one, path, "(`torch.nn.modules.linear.Linear`)", "save `model.state_dict()` instead of the model")
        torch.save(one.torch().state_dict(), path, pickle_protocol=4, _use_new_zipfile_serialization=not old)
        refused(one, path, "holds what PyTorch does not load as tensors", "a plain `torch.save`")
        path.write_bytes(path.read_bytes()[:200])
        refused(one, path, "is no whole file of PyTorch")
    path.write_bytes(pickle.dumps({"a.weight": [1.0]}, protocol=2))
    refused(one, path, "holds what PyTorch does not load as tensors")
    path.write_bytes(b"\0" * 5000)
    refused(one, path, "is no whole file of PyTorch")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x/constants.pkl", b"")
        file.writestr("x/data.pkl", b"")
        file.writestr("x/code/__torch__.py", b"")
    refused(one, path, "TorchScript archive, which holds code")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("notes", b"")
    refused(one, path, "is no whole file of PyTorch")
    assert not [w for w in recwarn if w.category is UserWarning]


def test_files_that_unpack_to_far_more(tmp_path, one):
    with zipfile.ZipFile(tmp_path / "x.pt", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x/data/0", b"\0" * 50_000_000)
    refused(one, tmp_path / "x.pt", "unpacks to more than")


@pytest.mark.parametrize("file", FILES)
def test_devices_have_no_end(tmp_path, one, file):
    os.symlink("/dev/zero", tmp_path / file)
    refused(one, tmp_path / file, "is a pipe or a device")


def test_wrappers_in_wrappers(tmp_path, one):
    state = one.torch().state_dict()
    torch.save({"model": {"state_dict": state, "epoch": 3}}, tmp_path / "x.pt")
    assert one.load_weights(tmp_path / "x.pt")["a.kernel"].shape == (4, 3)
    endless = {}
    endless["model"] = endless
    torch.save(endless, tmp_path / "x.pt")
    refused(one, tmp_path / "x.pt", "is no state_dict")


# --- outputs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_conversion_leaves_the_old_file(tmp_path, small, monkeypatch, file, failure):
    weights = weights_of(small)
    small.save_weights(tmp_path / file, weights)
    old = (tmp_path / file).read_bytes()

    def fail(*_args, **_kwargs):
        raise failure

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt if failure is KeyboardInterrupt else WriteError):
        small.save_weights(tmp_path / file, weights_of(small, seed=1))
    assert (tmp_path / file).read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == [file]


def test_forms_that_a_file_cannot_have(tmp_path, small):
    weights = weights_of(small)
    for file, form in (("x.pt", "netspec"), ("x.keras", "torch"), ("x.safetensors", "keras"), ("x.pth", "keras")):
        with pytest.raises(FormError, match="cannot hold weights as"):
            write_weights(small.checked, weights, str(tmp_path / file), form)
    with pytest.raises(ReadError, match="does not say what it holds"):
        write_weights(small.checked, weights, str(tmp_path / "x.npz"))
    with pytest.raises(WriteError, match="there is no folder"):
        small.save_weights(tmp_path / "none" / "x.safetensors", weights)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("module", "file", "words"),
    [
        ("safetensors", "x.safetensors", "netspec-lang[weights]"),
        ("torch", "x.pt", "PyTorch is not installed; `pip install netspec-lang[torch]`"),
        ("h5py", "x.weights.h5", "h5py is not installed; `pip install netspec-lang[keras]`"),
        ("h5py", "x.keras", "h5py is not installed; `pip install netspec-lang[keras]`"),
    ],
)
def test_a_missing_library_names_its_extra(tmp_path, small, monkeypatch, capsys, module, file, words):
    small.save_weights(tmp_path / file, weights_of(small))
    spec = tmp_path / "small.net"
    spec.write_text(SMALL)
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["weights", "convert", str(spec), str(tmp_path / file), "-o", str(tmp_path / "y.pt")]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("file", ["x.weights.h5", "x.keras"])
def test_a_missing_library_names_its_extra_before_writing(tmp_path, one, monkeypatch, file):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingFramework, match=r"^h5py is not installed; `pip install netspec-lang\[keras\]`"):
        one.save_weights(tmp_path / file, weights_of(one))
    assert not (tmp_path / file).exists()


def test_misuse(tmp_path, capsys):
    spec = tmp_path / "small.net"
    spec.write_text(SMALL)
    assert main(["weights"]) == 2
    assert main(["weights", "--help"]) == 0
    assert main(["weights", "conver"]) == 2
    assert "did you mean `convert`?" in capsys.readouterr().err
    assert main(["weights", "convert", str(spec), str(tmp_path / "x.pt")]) == 2
    assert "-o/--output" in capsys.readouterr().err
    assert main(["weights", "convert", str(spec), str(tmp_path / "x.pt"), "-o", str(tmp_path / "y.pt")]) == 2
    assert "there is no file" in capsys.readouterr().err
    spec.write_text("net n { input x [3]\n dense(x) }")
    assert main(["weights", "convert", str(spec), "x.pt", "-o", "y.pt"]) == 1


@pytest.mark.parametrize("file", FILES)
def test_all_files_may_be_read_by_others(tmp_path, small, file):
    """As any new file, whatever the library that writes it thinks; a file that was there keeps what it had."""
    usual = tmp_path / "usual"
    usual.touch()
    small.save_weights(tmp_path / file, weights_of(small))
    assert (tmp_path / file).stat().st_mode == usual.stat().st_mode
    (tmp_path / file).chmod(0o640)
    small.save_weights(tmp_path / file, weights_of(small))
    assert (tmp_path / file).stat().st_mode & 0o777 == 0o640


def test_libraries_greet_nobody(monkeypatch, capfd):
    """TensorFlow writes to standard error while it is imported, below Python; afterwards that is open again."""
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "keras")
        with keras_model._hushed():
            os.write(2, b"hello\n")
        with pytest.raises(ImportError), keras_model._hushed():
            raise ImportError
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


@pytest.mark.parametrize(
    ("module", "name"),
    [("tensorflow.python", "TensorFlow"), ("keras", "Keras"), ("absl.logging", "absl"), (None, "Keras")],
)
def test_a_missing_part_of_keras_is_named(monkeypatch, module, name):
    real = builtins.__import__

    def without(wanted, *args, **kwargs):
        if wanted == "keras":
            raise ImportError(name=module)
        return real(wanted, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingFramework, match=rf"^{name} is not installed"):
        keras_model.import_keras()
