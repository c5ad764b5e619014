"""How long is generated PyTorch, beside what people have written by hand for the same network?

`python -m bench.lines` shows both, and exits with status 1 where ours is more than half as long again. `python -m
bench.lines FILE NAME...` counts the classes and functions of these names in a file.

A line counts if it holds code: blank lines, comments, docstrings and imports do not, nor do decorators. Of a file
written by hand the definitions that the one network needs are counted, and not what loads trained weights, offers
other members of a family or chooses among them (handwritten.csv names them). Such code often does more than ours, as
initialising weights in a way of its own, and sometimes less, as taking sizes from a table.
"""

from __future__ import annotations

import ast
import csv
import io
import sys
import tokenize
from pathlib import Path

from netspec.api import check
from netspec.base.record import TYPE_CHECKING, Record
from netspec.codegen.pipeline import emit
from netspec.files import ZOO, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HANDWRITTEN = Path(__file__).with_name("handwritten.csv")
MOST = 1.5
_EMPTY = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


class Handwritten(Record):
    """A network that somebody wrote: the spec it is one of, where it stands, what of the file counts, and the lines."""

    spec: str
    file: str
    version: str
    names: str
    lines: str


def handwritten() -> list[Handwritten]:
    with HANDWRITTEN.open(encoding="utf-8", newline="") as file:
        return [Handwritten(*line) for line in list(csv.reader(file))[1:]]


def counted(text: str, names: Sequence[str] = ()) -> int:
    """The lines of code in a text, or in the definitions of these names in it. Raises KeyError for a missing one."""
    tree = ast.parse(text)
    kept: set[int] = set()
    if names:
        found = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
        for name in names:
            kept.update(range(found[name].lineno, (found[name].end_lineno or 0) + 1))
    lines = _code(text) - set(_told(tree))
    return len(lines & kept if names else lines)


def _code(text: str) -> set[int]:
    """The numbers of the lines that hold more than a comment."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _EMPTY:
            found.update(range(token.start[0], token.end[0] + 1))
    return found


def _told(tree: ast.Module) -> Iterator[int]:
    """The lines of docstrings, imports and decorators."""
    for node in ast.walk(tree):
        parts: list[ast.expr | ast.stmt] = []
        if isinstance(node, ast.Import | ast.ImportFrom):
            parts.append(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.append(node)
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            parts += node.decorator_list
        for part in parts:
            yield from range(part.lineno, (part.end_lineno or 0) + 1)


def generated(name: str) -> int:
    """The lines of the PyTorch code of a spec."""
    net = check(read_source(ZOO + name)).checked
    assert net is not None
    return counted(emit(net, "torch"))


def main(words: Sequence[str]) -> int:
    if words:
        print(counted(Path(words[0]).read_text(encoding="utf-8"), words[1:]))
        return 0
    longest = 0.0
    for other in handwritten():
        ours = generated(other.spec)
        longest = max(longest, ours / int(other.lines))
        share = ours / int(other.lines)
        print(f"{other.spec:<22}{ours:>5}{other.lines:>6}{share:>6.2f}  {other.file} {other.version}: {other.names}")
    return 1 if longest > MOST else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
