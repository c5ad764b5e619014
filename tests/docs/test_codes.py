"""The registry of diagnostics: complete, and true."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import netspec
from netspec import api
from netspec.base.source import Source
from netspec.codes import CODES
from netspec.weights.doubts import refuse_doubts

PACKAGE = Path(netspec.__file__).parent
# where diagnostics are made; the command line and the registry make none, and the tables hold the grammar
SOURCES = [
    path
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] not in ("cli", "codes.py", "__init__.py") and path.name != "tables.py"
]
MAKERS = {"Diagnostic", "fault", "Violation", "Fault"}
# a code may also be picked on a line of its own; outside of these rooms words with hyphens are other things
CHOSEN = re.compile(r"[a-z]+(-[a-z]+)+$")
ROOMS = {"elaborate", "layers", "syntax", "resolve", "analysis", "api.py"}
FRAMEWORKS = ("torch", "keras")


def words(node):
    """The texts that an expression can be."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp():
            return words(node.body) | words(node.orelse)
        case ast.JoinedStr(values=[ast.Constant(value="not-in-"), _]):
            return {f"not-in-{framework}" for framework in FRAMEWORKS}
    return set()


def codes_used():
    """Every text that is handed on as a code, or looks like one."""
    found = {}
    for path in SOURCES:
        inside = path.relative_to(PACKAGE).parts[0] in ROOMS
        for node in ast.walk(ast.parse(path.read_text())):
            texts = set()
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                texts = words(node.args[0]) if name in MAKERS else set()
            elif inside and isinstance(node, ast.Constant) and CHOSEN.match(str(node.value)):
                texts = {node.value}
            found.update(dict.fromkeys(texts, path.name))
    return found


def codes_of(text, folder, build=""):
    """The codes that a spec meets, in a check and, where that is clean, in a build."""
    file = folder / "example.net"
    file.write_text(text)
    verdict = api.check(Source("example.net", text, str(file)))
    if not verdict.ok or not build:
        return [d.code for d in verdict.diagnostics]
    network = api.Network(verdict.checked)
    try:
        if build == "weights":
            refuse_doubts(verdict.checked)
            return []
        network.to_torch() if build == "torch" else network.to_keras(build if build != "keras" else "functional")
    except netspec.SpecError as error:
        return [d.code for d in error.diagnostics]
    return []


def test_every_code_in_use_is_registered():
    used = codes_used()
    assert len(used) > 20
    assert not {code: place for code, place in used.items() if code not in CODES}


def test_every_registered_code_is_in_use():
    assert not CODES.keys() - codes_used().keys()


@pytest.mark.parametrize("name", CODES)
def test_the_words(name):
    code = CODES[name]
    assert 10 < len(code.title) < 90
    assert not code.title.endswith(".")
    assert 2 <= len(re.findall(r"[.](?:\s|$)", code.text)) <= 5, "two to four sentences"


@pytest.mark.parametrize("name", CODES)
def test_the_wrong_example_shows_it_and_nothing_else(name, tmp_path):
    code = CODES[name]
    assert set(codes_of(code.wrong, tmp_path, code.build)) == {name}


@pytest.mark.parametrize("name", CODES)
def test_the_right_example_is_clean(name, tmp_path):
    code = CODES[name]
    assert codes_of(code.right, tmp_path, code.build) == []
