"""Weights under the names of each spelling, and files that say so or not; no framework is loaded."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from checking import check

from netspec.files import ReadError, specs_below
from netspec.ir.paths import weight_table
from netspec.weights import forms
from netspec.weights.archives import READABLE, _dtype, _numbers, opened, suffix_of
from netspec.weights.convert import likely_names
from netspec.weights.forms import FORMS
from netspec.weights.samples import random_inputs, random_weights, sizes_that_fit
from netspec.weights.table import WeightsError, check_weights, regularization
from netspec.weights.targets import TARGETS
from netspec.weights.whose import ReadPlan, check_names, crossed, may_be
from netspec.weights.words import agree, last_word, sense, users

NET = """
net n {
  input x [6, 6, 2]
  conv(4, 3x3, padding=same) as c -> batchnorm as norm
  flatten -> dense(4) as d
}
"""
SEQUENCE = "net s { input x [T, 4]; lstm(3) as r -> dense(2) as out }"


def torch_shapes(text):
    return TARGETS["torch"](check(text)).spelling.shapes


def test_shapes_of_pytorch():
    assert torch_shapes(NET) == {
        "c.weight": (4, 2, 3, 3),
        "c.bias": (4,),
        "norm.weight": (4,),
        "norm.bias": (4,),
        "norm.running_mean": (4,),
        "norm.running_var": (4,),
        "d.weight": (4, 144),
        "d.bias": (4,),
    }
    assert torch_shapes(SEQUENCE) == {
        "r.weight_ih_l0": (12, 4),
        "r.weight_hh_l0": (12, 3),
        "r.bias_ih_l0": (12,),
        "r.bias_hh_l0": (12,),  # PyTorch's second bias, which is held at 0
        "out.weight": (2, 3),
        "out.bias": (2,),
    }


def test_shapes_of_keras():
    """The functional style keeps its layers in no attributes, so that a name begins with the number of a call."""
    shapes = TARGETS["keras"](check(SEQUENCE)).spelling.shapes
    assert shapes == {
        "0.cell.kernel": (4, 12),
        "0.cell.recurrent_kernel": (3, 12),
        "0.cell.bias": (12,),
        "1.kernel": (3, 2),
        "1.bias": (2,),
    }


@pytest.mark.parametrize("text", [NET, SEQUENCE, "net m { input x [T, 6]; multihead_attention(2) as a }"])
@pytest.mark.parametrize("framework", TARGETS)
def test_weights_come_back(text, framework):
    net = check(text)
    spelling = TARGETS[framework](net).spelling
    weights = random_weights(net, np.random.default_rng(0))
    arrays = spelling.put(weights)
    assert {name: a.shape for name, a in arrays.items()} == spelling.shapes
    back = spelling.take(arrays)
    assert back.keys() == weights.keys()
    assert all((back[path] == weights[path]).all() for path in weights)
    held = {h.key: h for h in spelling.held if h.weight.role != "statistic"}
    gradients = spelling.gradients({name: arrays[name] for name in held})
    assert gradients.keys() == {h.path for h in spelling.held if h.weight.role != "statistic"}
    assert all((gradients[path] == weights[path]).all() for path in gradients)


def test_arrays_that_do_not_fit():
    net = check(NET)
    spelling = TARGETS["torch"](net).spelling
    arrays = spelling.put(random_weights(net, np.random.default_rng(0)))
    wrong = {**arrays, "c.bias": np.zeros(5), "odd": np.zeros(3)}
    del wrong["d.bias"]
    with pytest.raises(WeightsError) as error:
        spelling.take(wrong)
    text = str(error.value)
    assert all(name in text for name in ("c.bias", "odd", "d.bias"))
    weights = random_weights(net, np.random.default_rng(0))
    with pytest.raises(WeightsError):
        check_weights(net, {path: a for path, a in weights.items() if path != "d.bias"})
    check_weights(net, weights)


def test_what_weights_add_to_the_loss():
    text = """net n { input x [3]
      dense(2, l1=0.5, l2=0.25) as a
      dense(2, l2=0.1, frozen=true) as held
      dense(2) as plain }"""
    net = check(text)
    weights = {path: np.full(w.sizes, -2.0) for path, w in weight_table(net).items()}
    assert regularization(net, weights) == pytest.approx(6 * (0.5 * 2 + 0.25 * 4))


# --- sizes and numbers at random -------------------------------------------------------------------------------------


def test_sizes_that_fit():
    assert sizes_that_fit(check(NET)) == [{}]
    found = sizes_that_fit(check("net n { input a [S, 4]; input b [T, 4]; concat(a, b, axis=0) -> lstm(2) }"))
    assert len(found) == 2
    assert all(len(set(sizes.values())) == 2 for sizes in found)
    assert found[0]["S"] != found[1]["S"]
    assert sizes_that_fit(check("net n { input a [S, 4]; lstm(2) }"), 1) == [{"S": 5}]
    with pytest.raises(ValueError, match="no sizes were found that fit T; give some with --set"):
        sizes_that_fit(check("net n { input a [T, 4]; conv(4, 2000) }"))


def test_sizes_of_which_the_first_is_the_larger():
    net = check("net n { input a [S, 4]; input b [T, 4]; output a[T:] -> lstm(2), b -> lstm(2) }")
    assert all(sizes["S"] > sizes["T"] for sizes in sizes_that_fit(net))


@pytest.mark.parametrize("text", ["conv(6, 5)", "reshape(-1, 8)", "maxpool(7) -> conv(3, 2)"])
def test_sizes_are_several(text):
    found = sizes_that_fit(check(f"net n {{ input a [S, 4]; {text} }}"), 6)
    assert len({sizes["S"] for sizes in found}) == 6


@pytest.mark.parametrize(
    ("text", "path", "incoming"),
    [
        ("input x [300]; dense(200) as a", "a.kernel", 300),
        ("input x [9, 9, 30]; conv(200, 3x3) as a", "a.kernel", 3 * 3 * 30),
        ("input x [9, 9, 30]; conv(60, 3x3, groups=3) as a", "a.kernel", 3 * 3 * 10),
        ("input x [9, 9, 300]; depthwise_conv(5x5) as a", "a.kernel", 5 * 5),
        ("input x [9, 300]; lstm(80) as a", "a.kernel", 300),
        ("input x [9, 300]; lstm(80) as a", "a.recurrent_kernel", 80),
    ],
)
def test_random_kernels_keep_the_scale(text, path, incoming):
    """The variance is 2 / n for n numbers that come in, and the mean is 0: He et al. (2015)."""
    kernel = random_weights(check(f"net n {{ {text} }}"), np.random.default_rng(0))[path]
    assert kernel.var() == pytest.approx(2 / incoming, rel=0.06)
    assert abs(kernel.mean()) < 0.05 * kernel.std()


def test_random_inputs_are_of_their_types():
    net = check("net n { input a [5]; input b [T] int(7); input c [T] bool; output a, b -> embedding(7, 2), c }")
    a, b, c = random_inputs(net, np.random.default_rng(0), 50, {"T": 9})
    assert (a.shape, a.dtype) == ((50, 5), np.float32)
    assert (b.shape, b.dtype) == ((50, 9), np.int32)
    assert (c.shape, c.dtype) == ((50, 9), np.bool_)
    assert set(b.reshape(-1)) == set(range(7))
    assert set(c.reshape(-1)) == {False, True}


# --- whose names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "word", "who"),
    [
        ("layer1.0.conv.weight", "weight", {"torch"}),
        ("r.weight_ih_l0", "weight_ih", {"torch"}),
        ("r.bias_hh_l1_reverse", "bias_hh", {"torch"}),
        ("dense/kernel:0", "kernel", {"netspec", "keras"}),
        ("norm.moving_mean", "moving_mean", {"keras"}),
        ("norm.mean", "mean", {"netspec"}),
        ("a.bias", "bias", {"netspec", "torch", "keras"}),
        ("my_own_gamma", "my_own_gamma", {"netspec", "keras"}),
        ("a.thing", "thing", set()),
    ],
)
def test_whose_word_it_is(name, word, who):
    assert last_word(name) == word
    assert users(name) == who


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a.kernel", "b.weight", True),
        ("a.bias", "b.weight", False),
        ("a.gamma", "b.weight", True),
        ("a.gamma", "b.beta", False),
        ("a.thing", "b.beta", True),
        ("a.mean", "b.running_var", False),
    ],
)
def test_names_that_may_be_of_one_array(one, other, same):
    assert agree(one, other) is same
    assert agree(other, one) is same


def test_what_an_array_does():
    assert [sense("a.weight", rank) for rank in (1, 2, 4)] == ["scale", "kernel", "kernel"]
    assert (sense("a.beta", 1), sense("a.thing", 2)) == ("shift", "")


def reading(form, told=True):
    return ReadPlan(form, "functional", ("netspec", "torch"), told)


def test_an_array_in_another_order_is_not_taken_for_ours():
    """Keras and netspec keep a kernel the other way round; what is not turned can have any name."""
    net = check(NET)
    torch, own = FORMS["torch"](net, ""), FORMS["netspec"](net, "")
    assert may_be(reading("torch"), torch, "c.weight", "other.weight")
    assert not may_be(reading("torch"), torch, "c.weight", "other.kernel")
    assert may_be(reading("torch"), torch, "norm.weight", "other.gamma")
    assert not may_be(reading("torch"), torch, "c.weight", "other.bias")
    assert may_be(reading("netspec"), own, "c.kernel", "other.kernel")
    assert crossed(reading("torch"), torch, {"c.weight": "x.weight", "d.weight": "d.weight"}) == []
    (problem,) = crossed(reading("torch"), torch, {"c.weight": "x.kernel", "norm.bias": "x.beta"})
    assert "x.kernel" in problem
    assert "x.beta" not in problem


def named(form, shapes, given, told=True):
    """What is said of a file with these arrays by our names."""
    net = check(NET)
    with pytest.raises(WeightsError) as error:
        check_names(net, reading(form, told), FORMS[form](net, ""), {n: n for n in given}, shapes, [])
    return error.value


def test_names_of_another_spelling():
    net = check(NET)
    torch, own = FORMS["torch"](net, ""), FORMS["netspec"](net, "")
    check_names(net, reading("torch"), torch, {n: n for n in torch.shapes}, torch.shapes, [])
    assert "those of netspec; `--from netspec`" in str(named("torch", own.shapes, own.shapes))
    assert "those of PyTorch; `--from torch`" in str(named("netspec", torch.shapes, torch.shapes))
    foreign = {f"x{k}.kernel": (k, 2) for k in range(4)}
    assert "its names end as those of netspec" in str(named("torch", foreign, foreign, told=False))
    said = named("torch", foreign, foreign)
    assert said.hints[0] == "its names end as those of netspec, but it is read as a file of PyTorch"


def test_names_behind_a_prefix():
    shapes = {f"module.{name}": shape for name, shape in torch_shapes(NET).items()}
    assert "the line `module.* = *` in a table for --rename sees to that" in str(named("torch", shapes, shapes))


def test_names_are_guessed_without_counters(tmp_path):
    """What PyTorch counts stands beside the weights, and is no name of any."""
    safetensors = pytest.importorskip("safetensors.numpy")
    text, path = NET.replace("dense(4)", "dense(5)"), tmp_path / "x.safetensors"
    net = check(text)
    arrays = {f"module.{name}": np.zeros(shape, np.float32) for name, shape in torch_shapes(text).items()}
    safetensors.save_file(arrays | {"module.norm.num_batches_tracked": np.zeros((), np.int64)}, path)
    assert likely_names(net, str(path), "torch").names == {"module.*": "*"}
    odd = {name.replace("module.", "net_"): array for name, array in arrays.items()}
    safetensors.save_file(odd | {"norm.num_batches_tracked": np.zeros((), np.int64)}, path)
    assert likely_names(net, str(path), "torch").names == {name: name.removeprefix("net_") for name in odd}


def test_what_keras_keeps_beside_weights(monkeypatch):
    """The state of random numbers, and what the optimizer has."""
    net = check("net n { input x [4]; dense(3) as d -> dropout(0.5) }")
    (kernel, bias) = TARGETS["keras"](net).spelling.shapes
    stored = {"layers/dense/vars/0": kernel, "layers/dense/vars/1": bias, "layers/dropout/seed/vars/0": ""}
    model = SimpleNamespace(stored=lambda: (stored, {"layers/dense": "dense"}))
    monkeypatch.setattr(forms, "model_of", lambda net, target: model)
    form = FORMS["keras"](net, "functional")
    assert form.shapes == {"layers/dense/vars/0": (4, 3), "layers/dense/vars/1": (3,)}
    assert [name for name in (*stored, "optimizer/vars/0", "layers/odd/vars/0") if form.beside(name)] == [
        "layers/dropout/seed/vars/0",
        "optimizer/vars/0",
    ]
    taken = form.take({"layers/dense/vars/0": np.ones((4, 3)), "layers/dense/vars/1": np.zeros(3)})
    assert {name: array.shape for name, array in taken.items()} == {"d.kernel": (4, 3), "d.bias": (3,)}


# --- archives --------------------------------------------------------------------------------------------------------


def test_types_of_numbers_in_a_file(tmp_path):
    """Also bfloat16, which NumPy does not have: a number is the upper half of a float32."""
    path = tmp_path / "x.safetensors"
    kinds = {"F16": "float16", "F32": "float32", "F64": "float64", "I8": "int8", "U16": "uint16", "I64": "int64"}
    sizes = {"F16": 2, "F32": 4, "F64": 8, "I8": 1, "U16": 2, "I64": 8, "BF16": 2, "BOOL": 1}
    head, data = {"__metadata__": {"made": "by hand"}}, b""
    for kind, size in sizes.items():
        block = np.array([0x3F80, 0xC020], "<u2").tobytes() if kind == "BF16" else bytes(2 * size)
        head[kind] = {"dtype": kind, "shape": [2], "data_offsets": [len(data), len(data) + len(block)]}
        data += block
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    with opened(str(path)) as archive:
        assert archive.dtypes == {**kinds, "BF16": "bfloat16", "BOOL": "bool"} | {"U16": "uint16"}
        assert set(archive.shapes.values()) == {(2,)}
        assert list(archive.read("BF16")) == [1.0, -2.5]
        assert archive.read("F32").dtype == np.float32
        assert {kind for kind in archive.dtypes.values() if kind in READABLE} == set(READABLE)


def test_numbers_of_an_hdf5_file():
    """Numbers in the order of bytes of this machine; bfloat16 is written as bytes, each the upper half of a float32."""
    halves = np.array([0x3F80, 0xC020], "<u2")
    for held in (np.array([1.0, -2.5], ">f4"), halves.view("V2")):
        found = _numbers({(): held}, "x", "x.h5")
        assert found.dtype == np.dtype("=f4")
        assert list(found) == [1.0, -2.5]


@pytest.mark.parametrize(
    ("numbers", "told", "kind"),
    [
        (np.zeros(2, "f4"), {}, "float32"),
        (np.zeros(2, ">f8"), {}, "float64"),
        (np.zeros(2, "V2"), {"dtype": "bfloat16"}, "bfloat16"),
        (np.zeros(2, "V2"), {}, "void16"),
        (np.zeros(2, "V4"), {"dtype": "bfloat16"}, "void32"),
        (np.zeros(2, "i2"), {"dtype": "bfloat16"}, "int16"),
        (np.array(["a"], "O"), {}, "text"),
        (np.array([b"a"]), {}, "text"),
    ],
)
def test_types_of_numbers_in_an_hdf5_file(numbers, told, kind):
    assert _dtype(SimpleNamespace(shape=numbers.shape, dtype=numbers.dtype, attrs=told)) == kind


def test_an_hdf5_file_may_hold_nothing_at_a_name():
    assert _dtype(SimpleNamespace(shape=None)) == "empty"


@pytest.mark.parametrize("data", [b"", b"\x00" * 7, b"\xff" * 40, b"\x02\x00\x00\x00\x00\x00\x00\x00{}x"])
def test_what_is_no_archive(tmp_path, data):
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"x\.safetensors"), opened(str(path)):
        pass


def test_suffixes():
    assert suffix_of("a/b.PTH") == ".pth"
    assert suffix_of("a.weights.h5") == ".weights.h5"
    with pytest.raises(ReadError, match="does not say what it holds"):
        suffix_of("weights")


# --- folders ---------------------------------------------------------------------------------------------------------


def test_specs_in_folders(tmp_path):
    names = ["b.net", "a.net", ".hidden.net", "c.txt", "in/d.net", "in/deep/e.net", ".git/f.net", "net", "x.net.bak"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = [path.removeprefix(f"{tmp_path}/") for path in specs_below(str(tmp_path))]
    assert found == ["a.net", "b.net", "in/d.net", "in/deep/e.net"]
    (tmp_path / "none").mkdir()
    with pytest.raises(ReadError, match=r"there is no \.net file in"):
        specs_below(str(tmp_path / "none"))
