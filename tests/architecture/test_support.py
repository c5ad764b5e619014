"""What generated code carries along: each file can be imported, and defines what it is called for."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import netspec

ROOT = Path(netspec.__file__).parent
FILES = sorted(
    path.relative_to(ROOT / "support").with_suffix("").as_posix()
    for path in (ROOT / "support").glob("*/*.py")
    if path.stem != "__init__"
)


def helpers():
    """The helpers that are files, by these: the name that each is called for."""
    found = {}
    for path in [*(ROOT / "layers").glob("*.py"), *(ROOT / "codegen").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Helper":
                words = {word.arg: word.value for word in node.keywords}
                if "file" in words:
                    found[words["file"].value] = node.args[0].value
    return found


def test_each_file_is_one_helper():
    assert sorted(helpers()) == FILES


@pytest.mark.parametrize("file", FILES)
def test_a_file_can_be_imported(file):
    module = importlib.import_module(f"netspec.support.{file.replace('/', '.')}")
    assert hasattr(module, helpers()[file])
