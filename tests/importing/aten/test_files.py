"""Files that are damaged, hostile or something else: refused with what is wrong, and nothing in them is executed."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest

pytest.importorskip("torch")
import torch
from exporting import imported
from torch import nn

from netspec.files import ReadError
from netspec.importing.aten.reading import read_pt2


@pytest.fixture
def saved(tmp_path):
    imported(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), [torch.randn(2, 3, 8, 8)], tmp_path)
    return tmp_path / "model.pt2"


def rewritten(path, change):
    """The file with its members changed by a function of name and bytes; None leaves one out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    other = path.with_name("other.pt2")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            found = change(name, data)
            if found is not None:
                archive.writestr(name, found)
    return str(other)


def in_program(change):
    def changed(name, data):
        if not name.endswith("model.json"):
            return data
        program = json.loads(data)
        change(program)
        return json.dumps(program)

    return changed


def test_no_framework_is_loaded(saved):
    code = f"import sys; from netspec.importing.aten.reading import read_pt2; read_pt2({str(saved)!r}); "
    code += "assert not {'torch', 'numpy', 'pickle'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_samples_are_not_opened(saved):
    path = rewritten(saved, lambda name, data: b"no pickle" if "sample_inputs" in name else data)
    assert [step.kind for step in read_pt2(path).steps] == ["conv", "relu"]


DAMAGED = {
    "no program": (lambda name, data: None if name.endswith("model.json") else data, "there is no models/model.json"),
    "no JSON": (lambda name, data: b"{" if name.endswith("model.json") else data, "is no whole file"),
    "a list": (lambda name, data: b"[]" if name.endswith("model.json") else data, "is no table"),
    "deep": (lambda name, data: b"[" * 200_000 if name.endswith("model.json") else data, "nested past all use"),
    "bomb": (lambda name, data: b" " * 50_000_000 if name.endswith("model.json") else data, "unpacks to 50,000,000"),
    "schema": (in_program(lambda p: p.update(schema_version={"major": 3})), "has schema 3"),
    "no graph": (in_program(lambda p: p.pop("graph_module")), "is damaged"),
    "odd nodes": (in_program(lambda p: p["graph_module"]["graph"].update(nodes=[7])), "is damaged"),
    "odd result": (in_program(lambda p: p["graph_module"]["graph"]["nodes"][0].update(outputs=[{}])), "is damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_refused(saved, name):
    change, words = DAMAGED[name]
    with pytest.raises(ReadError, match=words):
        read_pt2(rewritten(saved, change))


def test_cut_off(saved):
    saved.write_bytes(saved.read_bytes()[:-200])
    with pytest.raises(ReadError, match="its end is missing"):
        read_pt2(str(saved))
    saved.write_bytes(saved.read_bytes()[:500])
    with pytest.raises(ReadError, match="is no whole file"):
        read_pt2(str(saved))
