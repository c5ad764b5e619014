"""The cases: each `x.net` is one, and what stands beside it is what must come of it.

A fault is marked on its line, `conv(8, 7x7)  # error: [window-too-large]`, a warning likewise; a case without marks
must be clean.
`x.table`, `x.dot`, `x.diag`, `x.torch.py` and `x.keras.py` are compared whole, and so is `x.export.py`, PyTorch code in
that style. To ask for one, make an empty file and run `pytest tests/golden --update-golden`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from checking import check_all, keras_code, torch_code

from netspec.base.render import render
from netspec.base.source import Source
from netspec.codes import CODES
from netspec.report.report import report
from netspec.report.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Golden

    from netspec.ir.types import CheckedNet

ROOT = Path(__file__).parents[1] / "cases"
CASES = sorted(ROOT.rglob("*.net"))
_MARK = re.compile(r"#\s*(error|warning):((?:\s*\[[a-z-]+\])+)\s*$")


def _source(case: Path) -> Source:
    return Source(case.name, case.read_text(encoding="utf-8"), str(case))


def _marks(text: str) -> list[tuple[int, str, str]]:
    """The faults that the marks of a text announce: line, severity and code."""
    return [
        (number, severity, code)
        for number, line in enumerate(text.split("\n"), 1)
        for severity, mark in _MARK.findall(line)
        for code in re.findall(r"[a-z-]+", mark)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda c: str(c.relative_to(ROOT)))
def test_faults_are_where_they_are_marked(case: Path) -> None:
    source = _source(case)
    # what is wrong with an imported file is marked there
    found = [(d.primary.span.line, d.severity, d.code) for d in check_all(source)[1] if d.primary.span.source is source]
    assert sorted(found) == sorted(_marks(source.text))


def test_every_code_has_a_case() -> None:
    """Those of a check; what a framework refuses is tested with the emitters."""
    marked = {code for case in CASES for _, _, code in _marks(_source(case).text)}
    alone = {"no-net"}  # there is no line to mark
    assert {name for name, code in CODES.items() if not code.build} - marked == alone


# --- goldens -----------------------------------------------------------------------------------------------------


def _tables(source: Source) -> str:
    return "\n\n".join(table(report(net)) for net in _nets(source)) + "\n"


def _diagnostics(source: Source) -> str:
    return "\n\n".join(render(d) for d in check_all(source)[1]) + "\n"


def _dot(source: Source) -> str:
    from netspec.diagram.dot import dot

    return dot(_nets(source)[-1])


def _torch(source: Source) -> str:

    return torch_code(_nets(source)[-1])


def _exported(source: Source) -> str:

    return torch_code(_nets(source)[-1], "export")


def _keras(source: Source) -> str:

    return keras_code(_nets(source)[-1])


def _nets(source: Source) -> list[CheckedNet]:
    return [v.checked for v in check_all(source)[0] if v.checked is not None]


_WRITERS: dict[str, Callable[[Source], str]] = {
    ".table": _tables,
    ".diag": _diagnostics,
    ".dot": _dot,
    ".torch.py": _torch,
    ".export.py": _exported,
    ".keras.py": _keras,
}


def _suffix(path: Path) -> str:
    return next((s for s in _WRITERS if path.name.endswith(s)), path.suffix)


GOLDENS = sorted(p for p in ROOT.rglob("*") if p.is_file() and p.suffix != ".net" and "__pycache__" not in p.parts)


@pytest.mark.parametrize("path", GOLDENS, ids=lambda p: str(p.relative_to(ROOT)))
def test_golden(path: Path, golden: Golden) -> None:
    suffix = _suffix(path)
    assert suffix in _WRITERS, f"{path.name} is no golden; there are {', '.join(_WRITERS)}"
    case = path.with_name(path.name.removesuffix(suffix) + ".net")
    assert case.exists(), f"{path.name} belongs to no case"
    golden.check(path, _WRITERS[suffix](_source(case)))
