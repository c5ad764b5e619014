"""The README and the pages under docs/: their specs check, their wrong specs are wrong as they say, and what they show
of the command line is what it prints (`--update-golden` writes it anew). `file=NAME` behind `net` or `net-error`
gives a spec to the commands below it."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

import netspec
from bench.runtimes.page import page
from netspec import api
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.cli import COMMANDS, main
from netspec.syntax import tables, tree
from netspec.syntax.lexer import lex
from netspec.syntax.parser import parse

ROOT = Path(__file__).parents[2]
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


# --- what is said beside the blocks ---------------------------------------------------------------------------------

PROSE = [p for p in PAGES if "adr" not in p.parts]
COMMAND = re.compile(r"(?:`|^\$ |^|&& )(netspec [a-z][^`\n&]*)", re.MULTILINE)


def commands():
    """All commands that a page names, in text and in blocks."""
    return [
        pytest.param(c, id=f"{p.name}: {c[:60]}") for p in PROSE for c in dict.fromkeys(COMMAND.findall(p.read_text()))
    ]


@pytest.mark.parametrize("page", SHOWN, ids=lambda p: p.name)
def test_every_shown_command_is_run(page):
    """A prompt stands at the start of a block without a language, where the test above runs it."""
    run = [m for m in BLOCK.finditer(page.read_text()) if not m[1] and m[2].startswith("$ netspec ")]
    assert len(run) == len(re.findall(r"^\s*\$ ", page.read_text(), re.MULTILINE))


@pytest.mark.parametrize("command", commands())
def test_named_commands_and_options_exist(command, capsys):
    words = command.replace("|", " ").split()[1:]
    if words[0] not in COMMANDS:
        pytest.fail(f"there is no command {words[0]}")
    called = words[:2] if words[0] == "weights" and len(words) > 1 else words[:1]
    assert main([*called, "--help"]) == 0
    told = capsys.readouterr().out
    for option in (w for w in words if re.match(r"--?[a-z]", w)):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", told), (
            f"{option} is no option of {' '.join(called)}"
        )
    for choice in re.findall(r"--(?:to|format|target|style|direction) ([a-z|]+|LR|TB)(?= |$)", command):
        assert set(choice.split("|")) <= set(re.findall(r"[\w]+", told))


def test_the_picture_of_the_readme_is_what_its_command_draws(tmp_path, monkeypatch):
    pytest.importorskip("pygraphviz")
    text = (ROOT / "README.md").read_text()
    shown = ROOT / re.search(r"!\[[^]]*\]\((\S+\.svg)\)", text)[1]
    command = re.search(r"`netspec (draw [^`]*)` made the picture above", text)[1].split()
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    assert main(command) == 0
    drawn = Path(command[command.index("-o") + 1])
    assert drawn.name == shown.name

    def said(path):
        svg = path.read_text()
        wide, high = map(float, re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', svg).groups())
        return wide > high, re.findall(r"<title>(.*?)</title>", svg), re.findall(r">([^<>\n]+)</text>", svg)

    assert said(drawn) == said(shown)


def test_the_readme_tells_the_size_and_the_extras():
    text = (ROOT / "README.md").read_text()
    parts = [p for folder in ("netspec", "specs", "grammars") for p in (ROOT / folder).rglob("*.*") if p.is_file()]
    size = sum(p.stat().st_size for p in parts if "__pycache__" not in p.parts)
    least = int(re.search(r"netspec itself is under (\d+) MB", text)[1])
    assert least / 2 * 1e6 < size + 1e6 < least * 1e6  # lark is the other megabyte
    extras = set(
        re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text().partition("[project.scripts]")[0], re.M)
    )
    named = {name for found in re.findall(r'"\.\[([\w,]+)\]"', text) for name in found.split(",")}
    assert {"draw", "torch", "keras", "test"} <= named <= extras


LAYOUTS = {"[8, 9, 3]": "nchw", "[7, 8, 9, 3]": "nchw", "[8, 3]": "nlc", "[3]": "nf"}


@pytest.mark.parametrize("shape", LAYOUTS)
def test_the_readme_tells_the_layouts(shape):
    """The PyTorch form of a net takes images and volumes channels first, sequences and vectors as they are written."""
    torch = pytest.importorskip("torch")
    sizes = [int(n) for n in shape.strip("[]").split(",")]
    step = "conv(4, 3)" if len(sizes) > 1 else "dense(4)"
    net = netspec.parse(f"net n {{ input x {shape}; {step} }}")
    first = LAYOUTS[shape] == "nchw"
    given = [2, sizes[-1], *sizes[:-1]] if first else [2, *sizes]
    found = list(net.torch()(torch.zeros(given)).shape)
    assert (found[1] if first else found[-1]) == 4
    words = {"nchw": "channels first (N, C, H, W)", "nlc": "sequences as N, T, F", "nf": "vectors as\nN, F"}
    assert words[LAYOUTS[shape]] in (ROOT / "README.md").read_text()


def test_the_spec_of_the_readme_is_the_file_that_it_names():
    text = (ROOT / "README.md").read_text()
    name = re.search(r"drawn from this file, `(\S+)`", text)[1]
    assert BLOCK.search(text)[2] == (ROOT / name).read_text()


@pytest.mark.parametrize("page", [p for p in PROSE if blocks(p, "python")], ids=lambda p: p.name)
def test_figures_in_python_are_right(page, monkeypatch):
    """A number in the comment behind an expression is what it gives."""
    monkeypatch.chdir(ROOT)
    for block in blocks(page, "python"):
        names, checked = {}, 0
        for line in block[2].splitlines():
            code, _, comment = line.partition("  # ")
            if comment.replace("_", "").isdigit():
                assert eval(code, names) == int(comment)
                checked += 1
            elif re.match(r"(import|from) netspec|\w+ = netspec\.", code):
                exec(code, names)
    assert checked or page.name != "README.md"


def test_the_page_of_runtimes_is_made_from_its_table():
    with (ROOT / "bench/runtimes/table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (ROOT / "docs/runtimes.md").read_text() == page(rows)


FINDINGS = {p.stem: p.read_text() for p in sorted((ROOT / "findings").glob("*.sh")) if p.stem != "common"}


def test_the_table_of_findings_has_a_row_for_each_script():
    names = re.findall(r"^\| `(\w+)` \|", (ROOT / "findings/README.md").read_text(), re.MULTILINE)
    assert sorted(names) == sorted(FINDINGS)


@pytest.mark.parametrize("script", FINDINGS.values(), ids=FINDINGS)
def test_findings_pin_what_they_install_and_tell_a_version(script):
    """Each package has a version, and the text above says which one was seen."""
    told = "".join(line for line in script.splitlines(keepends=True) if line.startswith("# "))
    packages = [p for line in re.findall(r"^install (.*?)(?:  #|$)", script, re.MULTILINE) for p in line.split()]
    assert packages
    assert all(re.fullmatch(r"[\w-]+==\d+(\.\d+)+", p) for p in packages)
    assert any(package.partition("==")[2] in told for package in packages)
