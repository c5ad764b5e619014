"""A spec held against models that netspec did not write: they agree, or the first layer that differs is named."""

from __future__ import annotations

import pytest
from checking import check

from netspec.base import stopping
from netspec.cli import main
from netspec.verify.against import ModelFailed, hold_against
from netspec.verify.pool import WorkerPool
from netspec.verify.verify import Options
from netspec.weights.rename import Renaming, Rule
from netspec.weights.table import WeightsError

DIGITS = """
net digits {
  input x [28, 28, 1]
  conv(6, 5x5, padding=2) as conv1 -> batchnorm as bn1 -> relu -> maxpool(2x2)
  conv(16, 5x5) as conv2 -> relu -> maxpool(2x2)
  flatten
  dense(120) as fc1 -> relu -> dense(10) as fc2
}
"""
TWO = """
net two {
  input x [L, 3]; input y [5]
  z = x -> conv(8, 3, padding=1) as conv -> relu
  output z -> mean(axis=0) -> add(identity, y -> dense(8) as mix) -> dense(2) as head, z
}
"""


@pytest.fixture(scope="module")
def pool():
    with WorkerPool() as made:
        yield made


def held(pool, text, model, *legs, rename=(), **options):
    renaming = Renaming(tuple(Rule(k, *pair) for k, pair in enumerate(rename)))
    return hold_against(check(text), model, pool, Options(legs, **options), renaming)


def test_a_class_agrees_with_both_frameworks(pool):
    found = held(pool, DIGITS, "foreign_models:Digits", "torch", "keras")
    assert found.ok, found.problems
    assert {(leg, "reference") for leg in ("torch", "keras", "model")} == found.outputs.keys()
    assert 0 < found.worst < 1e-5


def test_the_first_layer_that_differs(pool):
    found = held(pool, DIGITS, "foreign_models:blurred", "torch")
    assert found.problems[-1].startswith("`bn1` (batchnorm) is the first layer that differs from the model, by ")
    assert [line.path for line in found.lines] == ["conv1", "bn1"]
    assert found.lines[0].error < 1e-6 < 1e-2 < found.lines[1].error


def test_other_names_take_a_table(pool):
    with pytest.raises(WeightsError, match="body"):
        held(pool, DIGITS, "foreign_models:OtherNames")
    assert held(pool, DIGITS, "foreign_models:OtherNames", rename=[("body.*", "*")]).ok


def test_several_inputs_and_outputs_with_channels_first(pool):
    found = held(pool, TWO, "foreign_models:TwoHeads", "torch")
    assert found.ok, found.problems
    fewer = held(pool, TWO.replace(" as head, z", " as head"), "foreign_models:TwoHeads")
    assert fewer.problems == ("the model gives 2 outputs, the net 1",)
    shorter = held(pool, TWO.replace("as head, z", "as head, z[1:]"), "foreign_models:TwoHeads")
    assert "the model gives [3, 8, " in shorter.problems[0]


@pytest.mark.parametrize("batch", ["open", "fixed"])
def test_an_exported_program(pool, batch, tmp_path):
    import torch
    from foreign_models import Digits

    torch.manual_seed(1)
    axes = {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},)} if batch == "open" else {}
    program = torch.export.export(Digits().eval(), (torch.zeros(2, 1, 28, 28),), **axes)
    torch.export.save(program, tmp_path / "digits.pt2")
    found = held(pool, DIGITS, str(tmp_path / "digits.pt2"), "torch")
    assert found.ok, found.problems
    other = held(pool, DIGITS.replace("batchnorm", "batchnorm(epsilon=0.1)"), str(tmp_path / "digits.pt2"))
    assert "`bn1` (batchnorm) is the first layer that differs" in other.problems[-1]


def test_an_onnx_file(pool, tmp_path, capsys):
    import torch
    from foreign_models import Digits

    torch.manual_seed(1)
    spec, path, folded = (tmp_path / name for name in ("digits.net", "digits.onnx", "folded.onnx"))
    spec.write_text(DIGITS)
    for target, optimised in ((path, False), (folded, True)):
        words = {"dynamo": True, "optimize": optimised, "dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},)}
        torch.onnx.export(Digits().eval(), (torch.zeros(2, 1, 28, 28),), target, verbose=False, **words)
    found = held(pool, DIGITS, str(path), "torch")
    assert found.ok, found.problems
    assert main(["verify", str(spec), "--against", str(folded), "--target", "torch", "-q"]) == 1
    told = capsys.readouterr().err
    assert "`bn1.running_mean` [6] is missing" in told
    assert "optimize=False" in told


def test_a_keras_model(pool, tmp_path):
    from netspec.runtime.keras_model import import_keras

    keras = import_keras()
    x = keras.Input((28, 28, 1))
    y = keras.layers.BatchNormalization(epsilon=1e-5)(keras.layers.Conv2D(6, 5, padding="same")(x))
    y = keras.layers.MaxPooling2D()(keras.layers.ReLU()(y))
    y = keras.layers.MaxPooling2D()(keras.layers.Conv2D(16, 5, activation="relu")(y))
    y = keras.layers.Dense(120, activation="relu")(keras.layers.Flatten()(y))
    keras.Model(x, keras.layers.Dense(10)(y)).save(tmp_path / "digits.keras")
    found = held(pool, DIGITS, str(tmp_path / "digits.keras"), "torch")
    assert found.ok, found.problems
    wider = DIGITS.replace("batchnorm", "batchnorm(epsilon=0.1)")
    assert not held(pool, wider, str(tmp_path / "digits.keras")).ok


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("nothing.pt2", "no such file"),
        ("digits", "give .pt2, .keras, .onnx or package.module:Class"),
        ("foreign_models:Nothing", "cannot be imported"),
        ("no_such_module:Net", "cannot be imported"),
        ("foreign_models:needs", "name a function that makes it"),
        ("foreign_models:number", "gives int, which is no model"),
    ],
)
def test_what_is_no_model(pool, model, told):
    before = list(stopping._open)
    with pytest.raises(ModelFailed, match=told):
        held(pool, DIGITS, model)
    assert stopping._open == before


def test_damaged_files(pool, tmp_path):
    for name in ("a.pt2", "a.keras", "a.onnx"):
        path = tmp_path / name
        path.write_bytes(b"nothing of that kind")
        with pytest.raises(ModelFailed, match=r"it is no|cannot load"):
            held(pool, DIGITS, str(path))


def test_weights_of_another_size_are_all_told(pool):
    with pytest.raises(WeightsError) as caught:
        held(pool, DIGITS.replace("dense(120)", "dense(84)"), "foreign_models:Digits")
    assert any("fc1.weight" in problem for problem in caught.value.problems)


def test_a_table_goes_with_a_model(tmp_path, capsys):
    path = tmp_path / "digits.net"
    path.write_text(DIGITS)
    assert main(["verify", str(path), "--rename", "table.txt"]) == 2
    assert "--rename goes with --against" in capsys.readouterr().err
