"""The Python face: what a program gets, and what it must catch."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import netspec
from netspec.api import check
from netspec.base.bounds import MOST_GUESSES
from netspec.base.source import Source
from netspec.cli import main

TINY = """
net tiny(classes=10, inner=relu) {
  input image [28, 28, 1]
  conv(8, 5x5, activation=inner)
  maxpool(2x2)
  flatten -> dense(classes)
}
"""
SYMBOLIC = "net s { input a [T, 14]; input b [T] int(50); output p = a -> dense(3), q = b -> embedding(50, 4) }"


def test_inputs_and_outputs():
    net = netspec.parse(SYMBOLIC)
    assert [(v.name, tuple(map(str, v.shape)), v.dtype) for v in net.inputs] == [
        ("a", ("T", "14"), "float32"),
        ("b", ("T",), "int64"),
    ]
    assert [(v.name, v.shape[1]) for v in net.outputs] == [("p", 3), ("q", 4)]
    assert netspec.parse(SYMBOLIC, T=20).inputs[0].shape == (20, 14)
    assert repr(netspec.parse(TINY)) == "<net tiny: [28, 28, 1] -> [10], 11738 parameters>"


def test_load(tmp_path):
    file = tmp_path / "tiny.net"
    file.write_text(TINY + "net last { input x [4]; dense(2) }")
    assert netspec.load(file).name == "last"
    assert netspec.load(str(file), net="tiny", classes=3).outputs[0].shape == (3,)
    with pytest.raises(netspec.ReadError, match=r"no file .*tin\.net; did you mean .*tiny\.net"):
        netspec.load(tmp_path / "tin.net")
    with pytest.raises(netspec.UnknownNet, match="did you mean `tiny`"):
        netspec.load(file, net="tinny")


def test_a_wrong_spec_raises_all_its_diagnostics():
    with pytest.raises(netspec.SpecError, match="unknown-name") as caught:
        netspec.parse("net t {\n  input x [4]\n  dens(3)\n  dense(3, biass=true)\n}", name="mine")
    found = caught.value.diagnostics
    assert found[0].code == "unknown-name"
    assert found[0].primary.span.source.name == "mine"
    assert found[0].primary.span.line == 3


def test_the_text_of_an_error_is_what_the_terminal_shows(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.net").write_text("net t {\n  input x [4]\n  dens(3)\n  dense(3, biass=true)\n}\n")
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load("mine.net")
    assert main(["check", "mine.net", "-q"]) == 1
    assert str(caught.value) + "\n" == capsys.readouterr().err
    assert " --> mine.net:3:3\n  |\n3 |   dens(3)\n  |   ^^^^\n  |\n  = help: did you mean `dense`?" in str(
        caught.value
    )
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert str(netspec.SpecError([])) == "the spec is wrong"


def test_settings_are_python_values():
    net = netspec.parse(TINY, classes=3, inner="tanh")
    assert net.outputs[0].shape == (3,)
    assert "tanh" in net.to_torch()
    for odd in ({"clases": 3}, {"classes": "many"}, {"classes": object()}, {"classes": [3]}):
        with pytest.raises(netspec.SettingError):
            netspec.parse(TINY, **odd)


def test_the_report():
    report = netspec.parse(TINY).report(batch=4, dtype="float64")
    assert report.totals.params == 11_738
    assert report.totals.activation_bytes == 4 * 8 * 5_770
    assert [(row.path, row.params) for row in report.layers] == [
        ("conv", 208),
        ("maxpool", 0),
        ("flatten", 0),
        ("dense", 11_530),
    ]
    assert str(report).startswith("tiny  <text>\n")
    with pytest.raises(ValueError, match="there is no type int4"):
        netspec.parse(TINY).report(dtype="int4")


def test_the_frame():
    frame = netspec.parse(TINY).report().to_frame()
    assert list(frame["path"]) == ["conv", "maxpool", "flatten", "dense"]
    assert frame["params"].sum() == 11_738


def test_the_diagram():
    diagram = netspec.parse(TINY).diagram(depth=1)
    assert diagram.source.startswith('digraph "tiny" {')


def test_models_are_built():
    net = netspec.parse(TINY)
    assert sum(p.numel() for p in net.torch().parameters()) == 11_738
    assert net.keras().count_params() == 11_738
    assert "import keras" in net.to_keras()


def test_the_face_hands_names_on():
    assert set(netspec.__all__) <= set(dir(netspec))
    assert all(getattr(netspec, name) for name in netspec.__all__)
    assert isinstance(netspec.__version__, str)
    with pytest.raises(AttributeError, match="no attribute 'parse_file'"):
        netspec.parse_file  # noqa: B018


def test_it_is_typed():
    assert (Path(netspec.__file__).parent / "py.typed").exists()


def test_names_are_offered_as_long_as_that_takes_no_time() -> None:
    """Each unknown name is held against all names there are: past a number of them none is offered."""
    many = 400
    bound = "".join(f"  name{k} = x\n" for k in range(many))
    unknown = "".join(f"  nmae{k}\n" for k in range(many))
    text = f"net n {{\n  input x [4]\n{bound}{unknown}}}\n"
    helps = ["did you mean" in d.help for d in check(Source("t.net", text)).diagnostics if d.code == "unknown-name"]
    assert len(helps) == many
    assert helps == sorted(helps, reverse=True)
    assert 50 <= sum(helps) <= MOST_GUESSES // many
