"""`netspec import` on files: what is read, what is refused and why, and that a hostile file does no harm."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile

import pytest

from netspec import files
from netspec.cli import main

MODEL = {
    "class_name": "Sequential",
    "config": {
        "name": "tiny",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 6], "name": "x"}},
            {"class_name": "Dense", "config": {"name": "first", "units": 4, "activation": "relu"}},
            {"class_name": "Dense", "config": {"name": "second", "units": 2}},
        ],
    },
}
TEXT = "net tiny {\n  input x [6]\n\n  dense(4, activation=relu) as first -> dense(2) as second\n}\n"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        status = main(["import", *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def put(name, said):
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    if name.endswith(".keras"):
        with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", data)
    else:
        with open(name, "wb") as file:
            file.write(data)
    return name


@pytest.mark.parametrize("name", ["tiny.json", "tiny.keras"])
def test_a_model_is_read(run, name, tmp_path):
    assert run(put(name, MODEL)) == (0, TEXT, "")
    status, out, err = run(name, "-o", "tiny.net")
    assert (status, out, err) == (0, "", "netspec: wrote tiny.net\n")
    assert (tmp_path / "tiny.net").read_text() == TEXT


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("a.json", b"{", "holds no JSON"),
        ("a.json", b"[" * 100_000, "holds no JSON"),
        ("a.json", [], "a model of the class list"),
        ("a.json", {"class_name": "Mine", "config": {}}, "a model of the class Mine"),
        ("a.json", {"class_name": "Functional", "config": {}}, "no Keras model"),
        ("a.json", {"class_name": "Sequential", "config": {"layers": []}}, "no Keras model"),
        ("a.keras", b"{}", "a model of the class None"),
        ("a.net", b"", "a spec already"),
        ("a.pt", b"", "torch.export.save"),
        ("a.h5", b"", "save the model as .keras"),
        ("a.onnx", b"", "does not say what it holds"),
    ],
)
def test_what_is_no_model_is_refused(run, name, said, told):
    status, out, err = run(put(name, said))
    assert (status, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


def test_other_refusals(run):
    assert "there is no file lost.json" in run("lost.json")[2]
    assert "is a class in code" in run("package.module:Class")[2]
    with zipfile.ZipFile("empty.keras", "w") as archive:
        archive.writestr("other.txt", "x")
    assert "no config.json in it" in run("empty.keras")[2]
    put("torn.json", MODEL)
    with open("torn.keras", "wb") as file:
        file.write(b"PK\x03\x04 and no more")
    assert "no whole Keras file" in run("torn.keras")[2]


def test_what_unpacks_to_too_much_is_refused(run, monkeypatch):
    monkeypatch.setattr("netspec.importing.keras_file.LARGEST", 10_000)
    put("bomb.keras", b" " * 1_000_000)
    assert "larger than" in run("bomb.keras")[2]
    assert files.LARGEST > 10_000


def test_models_that_hold_themselves_end(run):
    deep = MODEL["config"]["layers"][1]
    for number in range(30):
        given = {"class_name": "InputLayer", "config": {"batch_shape": [None, 6], "name": "x"}}
        deep = {"class_name": "Sequential", "config": {"name": f"m{number}", "layers": [given, deep]}}
    status, _, err = run(put("deep.json", deep))
    assert status == 2
    assert "more than 20 deep" in err


def test_a_value_that_nothing_gives_is_told(run):
    layer = {"class_name": "Dense", "name": "d", "config": {"name": "d", "units": 2}, "inbound_nodes": [[["d", 0, 0]]]}
    given = {"class_name": "InputLayer", "name": "x", "config": {"batch_shape": [None, 6], "name": "x"}}
    config = {"name": "ring", "layers": [given, layer], "input_layers": [["x", 0, 0]], "output_layers": [["d", 0, 0]]}
    status, _, err = run(put("ring.json", {"class_name": "Functional", "config": config}))
    assert status == 2
    assert "which is none" in err


def test_damaged_configurations_never_crash(run):
    """Any part of the model replaced by something else: a spec, a fault or a refusal, and never a bug of ours."""
    rng = random.Random(7)
    odd = (None, -1, 0, 10**30, 1.5, "", "linear", [], {}, [None], {"class_name": "x"}, "a\nb", True)
    for number in range(300):
        said = json.loads(json.dumps(MODEL))
        place = said["config"] if rng.random() < 0.2 else rng.choice(said["config"]["layers"])
        while rng.random() < 0.7 and isinstance(place.get("config"), dict):
            place = place["config"]
        place[rng.choice(list(place))] = rng.choice(odd)
        status, _, err = run(put(f"{number}.json", said))
        assert status in (0, 1, 2), (said, err)
        assert "bug in netspec" not in err, (said, err)


def test_reading_loads_no_framework(tmp_path):
    name = put(str(tmp_path / "tiny.keras"), MODEL)
    code = f"import sys; from netspec.cli import main; main(['import', {name!r}, '-q']); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"keras", "tensorflow", "torch", "numpy", "h5py"} & set(found)
