"""The language as pages: each `net` block of `tests/language/*.md` is a test, named by the headings above it.

What a line gives is said at its end: `# shape: [28, 28, 8]` of the last value there (in a block that is used
several times `[8, 4] | [4, 4]`, in the order of the uses), `# params: 80` and `# macs: 62_720` of all that the line
makes, added up. `# error: [code] some words` and `# warning: [code] some words` mark what is told of the line, and
nothing else may be told.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netspec import api
from netspec.base.dims import show
from netspec.base.source import Source

FOLDER = Path(__file__).parents[1] / "language"
MARK = re.compile(r"#\s*(shape|params|macs|error|warning):\s*(.*?)\s*(?=$|#)")
TOLD = re.compile(r"\[([a-z-]+)\]\s*(.*)")


def blocks():
    for page in sorted(FOLDER.glob("*.md")):
        headings: dict[int, str] = {}
        lines = page.read_text(encoding="utf-8").split("\n")
        begin = None
        for number, line in enumerate(lines):
            if begin is not None:
                if line == "```":
                    yield pytest.param("\n".join(lines[begin:number]) + "\n", id=" / ".join(headings.values()))
                    begin = None
            elif line == "```net":
                begin = number + 1
            elif line.startswith("#"):
                level = len(line) - len(line.lstrip("#"))
                headings = {n: text for n, text in headings.items() if n < level} | {level: line.lstrip("# ")}


def marks(text):
    """What is said of each line: its number, what, and the words."""
    for number, line in enumerate(text.split("\n"), 1):
        yield from ((number, kind, said) for kind, said in MARK.findall(line))


def rows_of(net, number):
    """What a line makes: layers and calls that stand there, not what is within the calls."""
    rows = [row for row in net.rows if row.span.line == number and row.span.source is net.net.design.source]
    least = min((row.depth for row in rows), default=0)
    return [row for row in rows if row.depth == least]


def shapes_of(net, number):
    """The last value of the line at each place where it is used."""
    last = {row.path.removesuffix(row.name): row.output.shape for row in rows_of(net, number)}
    return " | ".join(map(show, last.values()))


@pytest.mark.parametrize("text", blocks())
def test_the_language(text):
    verdict = api.check(Source("page.net", text))
    told = [(d.primary.span.line, d.severity, d.code, d.message) for d in verdict.diagnostics]
    wanted = [
        (number, kind, *TOLD.match(said).groups()) for number, kind, said in marks(text) if kind in ("error", "warning")
    ]
    assert sorted(t[:3] for t in told) == sorted(w[:3] for w in wanted)
    for number, kind, code, words in wanted:
        assert any(t[:3] == (number, kind, code) and words in t[3] for t in told), (words, told)
    for number, kind, said in marks(text):
        if kind == "shape":
            assert shapes_of(verdict.checked, number) == said, f"line {number}"
        elif kind in ("params", "macs"):
            found = sum(getattr(row.figures, kind) for row in rows_of(verdict.checked, number))
            assert found == int(said), f"line {number}: {kind}"


def test_pages_say_much():
    """A mark with a slip in it is no comment."""
    for block in blocks():
        comments = re.findall(r"#\s*(\w+):", block.values[0])
        assert set(comments) <= {"shape", "params", "macs", "error", "warning"}
        assert comments, block.id
