"""The report as a table: for the terminal, for Markdown, and as CSV."""

from __future__ import annotations

from ..dims import show
from ..expect import figure
from ..record import TYPE_CHECKING, Record
from ..render import clean, paint, width
from .report import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..ir import Outcome
    from .report import Line, Report

# a figure that depends on symbols can be long; the whole of it is in the JSON form
_LONGEST = 36


class Column(Record):
    """One column: its heading, how a row fills it, and which side it is set to."""

    title: str
    fill: Callable[[Line], Any]
    right: bool = True


COLUMNS = {
    "name": Column("layer", lambda r: r.name, False),
    "path": Column("path", lambda r: r.path, False),
    "type": Column("kind", lambda r: r.type, False),
    "line": Column("line", lambda r: r.line),
    "output_shape": Column("output", lambda r: r.output_shape, False),
    "params": Column("parameters", lambda r: r.params),
    "weights": Column("weights", lambda r: r.weights),
    "biases": Column("biases", lambda r: r.biases),
    "trainable": Column("trainable", lambda r: r.trainable),
    "statistics": Column("statistics", lambda r: r.statistics),
    "macs": Column("MACs", lambda r: r.macs),
    "other_ops": Column("other ops", lambda r: r.other_ops),
    "activations": Column("activations", lambda r: r.activations),
    "receptive_field": Column("sees", lambda r: r.receptive_field, False),
}
USUAL = ("name", "type", "output_shape", "params", "macs")
_COUNTS = frozenset(("params", "weights", "biases", "trainable", "statistics"))


class Signs(Record):
    """The signs that a table is drawn with."""

    rule: str
    branch: str
    last: str
    pipe: str
    good: str
    bad: str


_FULL = Signs("─", "├─ ", "└─ ", "│  ", "✓", "✗")
_ASCII = Signs("-", "|- ", "`- ", "|  ", "ok", "FAILED")


def number(value: Any) -> str:
    """A figure or shape for a cell."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else show(value) if isinstance(value, tuple) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _cell(row: Line, name: str) -> str:
    """What a row says in a column of figures or words."""
    value = COLUMNS[name].fill(row)
    if name in _COUNTS and row.again:
        return "shared" if name == "params" else ""
    if row.type == "input" and name not in ("name", "path", "type", "line", "output_shape"):
        return ""
    text = str(value) if name == "line" else number(value)
    return text if name == "output_shape" else _short(text)


def amount(value: Any) -> str:
    """A number of bytes for people."""
    if not isinstance(value, int):
        return f"{_short(str(value))} bytes"
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value} bytes"


# --- the terminal ------------------------------------------------------------------------------------------------


def table(
    report: Report,
    columns: Sequence[str] = USUAL,
    depth: int | None = None,
    colour: bool = False,
    ascii: bool = False,
) -> str:
    """The report for a terminal, without a line end after it."""
    signs = _ASCII if ascii else _FULL
    rows = list(visible(report.rows, depth))
    trunks = _trunks(rows, signs)
    cells = [[(trunk if c == "name" else "") + _cell(r, c) for c in columns] for trunk, r in zip(trunks, rows)]
    heads = [COLUMNS[c].title for c in columns]
    sizes = [max(map(width, column)) for column in zip(heads, *cells)]
    rule = paint(signs.rule * (sum(sizes) + 2 * (len(sizes) - 1)), "dim", colour)
    lines = [*_head(report, colour), paint(_line(heads, columns, sizes), "strong", colour), rule]
    lines += [_line(cell, columns, sizes) for cell in cells]
    lines += [rule, *_sums(report)]
    lines += [_expectation(o, signs, colour) for o in report.expectations]
    return "\n".join(lines)


def _head(report: Report, colour: bool) -> list[str]:
    lines = [f"{paint(report.name, 'strong', colour)}  {clean(report.file)}"]
    return lines + [paint(clean(line), "dim", colour) for line in report.doc.split("\n") if line]


def _line(cells: Sequence[str], columns: Sequence[str], sizes: Sequence[int]) -> str:
    parts = []
    for text, name, size in zip(cells, columns, sizes):
        pad = " " * (size - width(text))
        parts.append(pad + text if COLUMNS[name].right else text + pad)
    return "  ".join(parts).rstrip()


def _trunks(rows: Sequence[Line], signs: Signs) -> list[str]:
    """What stands before each name, so that the rows read as a tree."""
    trunks: list[str] = []
    more: list[bool] = []  # for each depth, is there a later row of the same parent?
    for row in reversed(rows):
        depth = row.depth
        del more[depth + 1 :]
        more += [False] * (depth + 1 - len(more))
        branch = (signs.branch if more[depth] else signs.last) if depth else ""
        trunks.append("".join(signs.pipe if m else "   " for m in more[1:depth]) + branch)
        more[depth] = True
    return trunks[::-1]


def _sums(report: Report) -> list[str]:
    """The totals, each on a line, with what they come to in bytes."""
    totals, kind = report.totals, f"as {report.dtype}"
    batch = f" at batch {report.batch}" if report.batch != 1 else ""
    found = [("parameters", totals.params, f"{amount(totals.param_bytes)} {kind}")]
    if totals.non_trainable != 0:
        found += [("  trainable", totals.trainable, ""), ("  frozen", totals.non_trainable, "")]
    if totals.statistics != 0:
        found.append(("statistics", totals.statistics, "running means and variances, not counted as parameters"))
    found += [
        ("MACs", totals.macs, ""),
        ("other ops", totals.other_ops, ""),
        ("activations", totals.activations, f"{amount(totals.activation_bytes)} {kind}{batch}"),
    ]
    if report.count is not None:
        found.append((f"{report.count.framework} counts", report.count.params, report.count.note))
    texts = [(title, number(value), note) for title, value, note in found]
    left, right = max(len(t) for t, _, _ in texts), max(len(v) for _, v, _ in texts if len(v) <= _LONGEST)
    sums = [f"{title:<{left}}  {value:>{right}}  {note}".rstrip() for title, value, note in texts]
    return sums if report.whole else ["up to the fault:", *sums]


def _expectation(outcome: Outcome, signs: Signs, colour: bool) -> str:
    sign = paint(signs.good, "good", colour) if outcome.ok else paint(signs.bad, "bad", colour)
    actual = "" if outcome.ok else f": it is {figure(outcome.actual)}"
    return f"{sign} {clean(' '.join(outcome.text.split()))}{actual}"


# --- Markdown ----------------------------------------------------------------------------------------------------


def markdown(report: Report, columns: Sequence[str] = USUAL, depth: int | None = None) -> str:
    """The report as GitHub shows it, without a line end after it."""
    rows = [[_escape(_cell(row, c)) for c in columns] for row in _named(report, columns, depth)]
    heads = [COLUMNS[c].title for c in columns]
    sides = ["---:" if COLUMNS[c].right else "---" for c in columns]
    doc = " ".join(report.doc.split())
    lines = [f"### {_escape(report.name)}", "", *([_escape(doc), ""] if doc else [])]
    lines += [f"| {' | '.join(cells)} |" for cells in (heads, sides, *rows)]
    lines.append("")
    lines += [f"- {_escape(' '.join(line.split()))}" for line in _sums(report)]
    lines += [f"- [{'x' if o.ok else ' '}] `{clean(' '.join(o.text.split()))}`" for o in report.expectations]
    return "\n".join(lines)


def _named(report: Report, columns: Sequence[str], depth: int | None) -> list[Line]:
    """Rows whose names are their paths, since there is no tree to show where they belong."""
    return [row.replace(name=row.path) for row in visible(report.rows, depth)]


def _escape(text: str) -> str:
    for sign in "\\|*_<>[]`":
        text = text.replace(sign, "\\" + sign)
    return clean(text)


# --- CSV ---------------------------------------------------------------------------------------------------------

PLAIN = tuple(c for c in COLUMNS if c != "name")


def csv(
    reports: Sequence[Report], columns: Sequence[str] = PLAIN, depth: int | None = None, several: bool = False
) -> str:
    """The layers of all reports as one CSV text; `several` nets are told apart by the two first columns."""
    import csv as writing
    import io

    text = io.StringIO()
    out = writing.writer(text, lineterminator="\n")
    out.writerow([*(("file", "net") if several else ()), *columns])
    for report in reports:
        for row in _leaves(report, depth):
            out.writerow([*((report.file, report.name) if several else ()), *(_field(row, c) for c in columns)])
    return text.getvalue().rstrip("\n")


def _leaves(report: Report, depth: int | None) -> list[Line]:
    """Layers, and the blocks that `depth` leaves closed, so that a column adds up to the total."""
    rows = visible(report.rows, depth)
    return [r for r in rows if r.is_layer or (r.type != "input" and r.depth == depth)]


def _field(row: Line, name: str) -> Any:
    value = COLUMNS[name].fill(row)
    return show(value) if isinstance(value, tuple) else value
