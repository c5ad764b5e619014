"""The README and the pages under docs/: their specs check, their wrong specs are wrong as they say, and what they show
of the command line is what it prints (`--update-golden` writes it anew). `file=NAME` behind `net` or `net-error`
gives a spec to the commands below it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from netspec import api
from netspec.cli import main
from netspec.diagnostics import Collector
from netspec.source import Source
from netspec.syntax import tables, tree
from netspec.syntax.lexer import lex
from netspec.syntax.parser import parse

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, word):
    return [m for m in BLOCK.finditer(page.read_text()) if m[1].split()[:1] == [word]]


def named(page, match):
    line = page.read_text()[: match.start()].count("\n") + 1
    return f"{page.relative_to(ROOT)}:{line}"


NETS = [pytest.param(m[2], id=named(p, m)) for p in PAGES for m in blocks(p, "net")]
WRONG = [
    pytest.param(m[2], [w for w in m[1].split()[1:] if "=" not in w], id=named(p, m))
    for p in PAGES
    for m in blocks(p, "net-error")
]
SHOWN = [p for p in PAGES if "\n```\n$ netspec" in p.read_text()]


def codes(text):
    return [d.code for d in api.check(Source("doc.net", text)).diagnostics]


@pytest.mark.parametrize("text", NETS)
def test_specs_check(text):
    found = codes(text if re.search(r"^net ", text, re.MULTILINE) else text + "\nnet unused { input x [3]; relu }\n")
    assert not found


def test_the_language_page_has_every_construct():
    """Every kind of node, and every sign and word of the grammar, stands in an example."""
    kinds, signs = set(), set()
    for match in blocks(ROOT / "docs" / "language.md", "net"):
        source = Source("language.md", match[2])
        spec = parse(source, Collector())
        nodes = [node for definition in spec.definitions for node in tree.walk(definition)]
        kinds |= {type(node) for node in nodes}
        signs |= {sign for n in nodes if isinstance(n, tree.Chain) for sign in n.operators}
        signs |= {n.operator for n in nodes if isinstance(n, tree.Unary)}
        signs |= {word for _, start, end in lex(match[2]) for word in [match[2][start:end].strip()]}
    broken = {tree.Broken, tree.Unbindable}
    known = {v for v in vars(tree).values() if isinstance(v, type) and issubclass(v, tree.Node)} - {tree.Node}
    assert {kind.__name__ for kind in known - broken - kinds} == set()
    wanted = {
        *tables.WORDS,
        *["+", "-", "*", "/", "//", "%", "**", "@", "==", "!=", "<", "<=", ">", ">=", "..", "...", ":", ";"],
        "not in",
    }
    assert wanted - signs == set()


@pytest.mark.parametrize(("text", "wanted"), WRONG)
def test_wrong_specs_are_wrong_as_they_say(text, wanted):
    assert codes(text) == wanted


@pytest.mark.parametrize("page", SHOWN, ids=lambda p: p.name)
def test_the_command_line_prints_what_a_page_shows(page, capsys, monkeypatch, tmp_path, request):
    for folder in ("specs", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    text = page.read_text()
    found = text
    for match in BLOCK.finditer(text):
        file = re.search(r"file=(\S+)", match[1])
        if file is not None or match[1].startswith("net-error"):
            Path(file[1] if file is not None else "wrong.net").write_text(match[2])
        command, _, _ = match[2].partition("\n")
        if match[1] or not command.startswith("$ netspec "):
            continue
        assert main(command.removeprefix("$ netspec ").split()) in (0, 1), capsys.readouterr().err
        printed = capsys.readouterr()
        found = found.replace(match[0], f"```\n{command}\n{printed.out}{printed.err}```")
    if request.config.getoption("--update-golden"):
        page.write_text(found)
    assert found == page.read_text()
