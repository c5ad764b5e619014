"""The report as a table: for the terminal, for Markdown, and as CSV."""

from __future__ import annotations

import re

from ..analysis.expectations import figure
from ..base.dims import show
from ..base.record import TYPE_CHECKING, Record
from ..base.render import clean, inert, inert_part, paint, width
from .figures import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..ir.types import Outcome
    from .figures import ReportData, ReportLine

# a figure that depends on symbols can be long; the whole of it is in the JSON form
_LONGEST = 36


class Column(Record):
    """The column of a field of `ReportLine`: its heading, what it holds, and which side it is set to.

    Of a shared layer's further uses a `count` is left out, since it is counted at the first.
    """

    title: str
    holds: str = "figure"
    right: bool = True


COLUMNS = {
    "name": Column("layer", "word", False),
    "path": Column("path", "word", False),
    "type": Column("kind", "word", False),
    "line": Column("line", "word"),
    "output_shape": Column("output", "shape", False),
    "params": Column("parameters", "count"),
    "weights": Column("weights", "count"),
    "biases": Column("biases", "count"),
    "trainable": Column("trainable", "count"),
    "statistics": Column("statistics", "count"),
    "macs": Column("MACs"),
    "other_ops": Column("other ops"),
    "activations": Column("activations"),
    "receptive_field": Column("sees", right=False),
    "steps": Column("steps"),
    "macs_per_step": Column("MACs a step"),
}
USUAL = ("name", "type", "output_shape", "params", "macs")


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


def _cells(rows: Sequence[ReportLine], name: str) -> list[str]:
    """A column as texts."""
    holds = COLUMNS[name].holds
    if holds == "word":
        return [clean(str(getattr(row, name))) for row in rows]
    write = number if holds == "shape" else _figure
    known: dict[Any, str] = {}  # a net of many layers has few different figures
    texts = []
    for row in rows:
        value = getattr(row, name)
        text = known.get(value)
        if text is None:
            text = known[value] = write(value)
        if row.type == "input" and holds != "shape":
            text = ""
        elif row.again and holds == "count":
            text = "shared" if name == "params" else ""
        texts.append(text)
    return texts


def _figure(value: Any) -> str:
    return _short(number(value))


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
    report: ReportData,
    columns: Sequence[str] = USUAL,
    depth: int | None = None,
    colour: bool = False,
    ascii: bool = False,
) -> str:
    """The report for a terminal, without a line end after it."""
    signs = _ASCII if ascii else _FULL
    rows = list(visible(report.rows, depth))
    texts = [_cells(rows, c) for c in columns]
    if "name" in columns:
        place = columns.index("name")
        texts[place] = [trunk + name for trunk, name in zip(_trunks(rows, signs), texts[place])]
    laid = [_laid(COLUMNS[c], cells) for c, cells in zip(columns, texts)]
    head, *body = ("  ".join(cells).rstrip() for cells in zip(*laid))
    rule = paint(signs.rule * (sum(width(cells[0]) for cells in laid) + 2 * (len(laid) - 1)), "dim", colour)
    lines = [*_head(report, colour), paint(head, "strong", colour), rule, *body, rule, *_sums(report)]
    return "\n".join(lines + [_expectation(o, signs, colour) for o in report.expectations])


def _laid(column: Column, cells: Sequence[str]) -> list[str]:
    """A column with its heading, all as wide as the widest."""
    size = max(map(width, [column.title, *cells]))
    side = str.rjust if column.right else str.ljust
    return [side(text, size - width(text) + len(text)) for text in (column.title, *cells)]


def _head(report: ReportData, colour: bool) -> list[str]:
    lines = [f"{paint(report.name, 'strong', colour)}  {clean(report.file)}"]
    return lines + [paint(clean(line), "dim", colour) for line in report.doc.split("\n") if line]


def _trunks(rows: Sequence[ReportLine], signs: Signs) -> list[str]:
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


def _sums(report: ReportData) -> list[str]:
    """The totals, each on a line, with what they come to in bytes."""
    totals, kind = report.totals, f"as {report.dtype}"
    batch = f" at batch {report.batch}" if report.batch != 1 else ""
    found = [("parameters", totals.params, f"{amount(totals.param_bytes)} {kind}")]
    if totals.non_trainable != 0:
        found += [("  trainable", totals.trainable, ""), ("  frozen", totals.non_trainable, "")]
    if totals.statistics != 0:
        found.append(("statistics", totals.statistics, "running means and variances, not counted as parameters"))
    found.append(("MACs", totals.macs, ""))
    found += [("  each step", r.macs_per_step, f"of {number(r.steps)} in recurrent layers") for r in report.recurrence]
    found += [
        ("other ops", totals.other_ops, ""),
        ("activations", totals.activations, f"{amount(totals.activation_bytes)} {kind}{batch}"),
    ]
    if totals.sequential_depth != 0:
        found.append(("sequential depth", totals.sequential_depth, "recurrent steps, one after the other"))
    if report.count is not None:
        found.append((f"{report.count.framework} counts", report.count.params, report.count.note))
    texts = [(title, number(value), note) for title, value, note in found]
    left, right = max(len(t) for t, _, _ in texts), max([0, *(len(v) for _, v, _ in texts if len(v) <= _LONGEST)])
    sums = [f"{title:<{left}}  {value:>{right}}  {note}".rstrip() for title, value, note in texts]
    return sums if report.whole else ["up to the fault:", *sums]


def _expectation(outcome: Outcome, signs: Signs, colour: bool) -> str:
    sign = paint(signs.good, "good", colour) if outcome.ok else paint(signs.bad, "bad", colour)
    actual = "" if outcome.ok else f": it is {figure(outcome.actual)}"
    return f"{sign} {clean(' '.join(outcome.text.split()))}{actual}"


# --- Markdown ----------------------------------------------------------------------------------------------------


def markdown(report: ReportData, columns: Sequence[str] = USUAL, depth: int | None = None) -> str:
    """The report as GitHub shows it, without a line end after it."""
    named = [row.replace(name=row.path) for row in visible(report.rows, depth)]  # there is no tree to tell them apart
    rows = zip(*([_escape(text) for text in _cells(named, c)] for c in columns))
    heads = [COLUMNS[c].title for c in columns]
    sides = ["---:" if COLUMNS[c].right else "---" for c in columns]
    doc = " ".join(report.doc.split())
    lines = [f"### {_escape(report.name)}", "", *([_paragraph(doc), ""] if doc else [])]
    lines += [f"| {' | '.join(cells)} |" for cells in (heads, sides, *rows)]
    lines.append("")
    lines += [f"- {_escape(' '.join(line.split()))}" for line in _sums(report)]
    lines += [f"- [{'x' if o.ok else ' '}] {_code(clean(' '.join(o.text.split())))}" for o in report.expectations]
    return "\n".join(lines)


_SIGNS = r"[\\|*_<>\[\]`&~$]"
# what makes a heading, a list or a rule of a line that begins with it
_BLOCK = r"^(\d+(?=[.)])|(?=[#+=:-]))"


def _escape(text: str) -> str:
    """Text that stays text in a line of Markdown."""
    return clean(re.sub(_SIGNS, r"\\\g<0>", text))


def _paragraph(text: str) -> str:
    """A paragraph that is no heading, list or rule, however it begins."""
    return re.sub(_BLOCK, r"\g<1>\\", _escape(text))


def _code(text: str) -> str:
    """Code within a line; its fence is longer than any in it."""
    text = inert_part(text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


# --- CSV ---------------------------------------------------------------------------------------------------------

# what begins a formula in one spreadsheet or another
_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are wide
PLAIN = tuple(c for c in COLUMNS if c != "name")


def csv(
    reports: Sequence[ReportData], columns: Sequence[str] = PLAIN, depth: int | None = None, several: bool = False
) -> str:
    """The layers of all reports as one CSV text; `several` nets are told apart by the two first columns."""
    import csv as writing
    import io

    text = io.StringIO()
    out = writing.writer(text, lineterminator="\n")
    out.writerow([*(("file", "net") if several else ()), *columns])
    for report in reports:
        for row in _leaves(report, depth):
            out.writerow([*((_word(report.file), report.name) if several else ()), *(_field(row, c) for c in columns)])
    return text.getvalue().rstrip("\n")


def _leaves(report: ReportData, depth: int | None) -> list[ReportLine]:
    """Layers, and the blocks that `depth` leaves closed, so that a column adds up to the total."""
    rows = visible(report.rows, depth)
    return [r for r in rows if r.is_layer or (r.type != "input" and r.depth == depth)]


def _field(row: ReportLine, name: str) -> Any:
    value = getattr(row, name)
    return show(value) if isinstance(value, tuple) else _word(value) if isinstance(value, str) else value


def _word(text: str) -> str:
    """A name or path that a spreadsheet takes for text, not for a formula; a `'` before it is how people write that."""
    text = inert(clean(text))
    return f"'{text}" if text.startswith(_FORMULAS) else text
