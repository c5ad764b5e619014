"""The report and the diagnostics as JSON: figures whole, symbolic ones as text, lines and columns from 1."""

from __future__ import annotations

from math import isfinite

from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING
from .report import place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..base.diagnostics import Diagnostic
    from ..ir.types import Outcome, OutputPort, Port
    from .figures import ReportData, ReportLine

SCHEMA = 1
_LAYER = (
    "name",
    "path",
    "type",
    "line",
    "output_shape",
    "params",
    "weights",
    "biases",
    "trainable",
    "statistics",
    "macs",
    "other_ops",
    "activations",
    "receptive_field",
)
# of a recurrent layer, and of what a cell is made of
_RECURRENT = ("steps", "macs_per_step")


def document(file: str, report: ReportData | None, diagnostics: Sequence[Diagnostic], ok: bool) -> dict[str, Any]:
    """One net, or a file in which there is none."""
    return {
        "schema": SCHEMA,
        "file": file,
        "net": None if report is None else report.name,
        **(_EMPTY if report is None else _figures(report)),
        "diagnostics": [finding(d) for d in diagnostics],
        "ok": ok,
    }


_EMPTY: dict[str, Any] = {
    "inputs": [],
    "outputs": [],
    "layers": [],
    "totals": None,
    "recurrence": [],
    "expectations": [],
}


def _figures(report: ReportData) -> dict[str, Any]:
    count = report.count
    return {
        "inputs": [_value(p) for p in report.inputs],
        "outputs": [_value(r) for r in report.outputs],
        "layers": [_layer(row, report.file) for row in report.layers],
        "totals": {name: plain(value) for name, value in report.totals.__dict__.items()},
        "recurrence": [{name: plain(value) for name, value in r.__dict__.items()} for r in report.recurrence],
        "batch": report.batch,
        "dtype": report.dtype,
        **({} if count is None else {"target": {"framework": count.framework, "params": plain(count.params)}}),
        "expectations": [_expectation(o) for o in report.expectations],
    }


def _value(port: Port | OutputPort) -> dict[str, Any]:
    return {"name": port.name, "shape": plain(port.value.shape), "dtype": port.value.dtype}


def _layer(row: ReportLine, file: str) -> dict[str, Any]:
    """A layer; with the file that its line is in, where that is another."""
    elsewhere = {} if row.file == file else {"file": row.file}
    names = _LAYER if row.steps is None else _LAYER + _RECURRENT
    return {**{name: plain(getattr(row, name)) for name in names}, **elsewhere}


def _expectation(outcome: Outcome) -> dict[str, Any]:
    return {
        "text": outcome.text,
        "ok": outcome.ok,
        "actual": plain(outcome.actual),
        "line": outcome.span.line,
    }


def finding(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic with its places."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **place(diagnostic.primary.span),
        "label": diagnostic.primary.text,
        "hint": diagnostic.help,
        "notes": list(diagnostic.notes),
        "related": [{"message": other.text, **place(other.span)} for other in diagnostic.others],
    }


def plain(value: Any) -> Any:
    """A value of the language as JSON has it."""
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    if isinstance(value, DimExpr):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # JSON has no infinity
    return str(value) if isinstance(value, str) else value


def dumps(value: Any) -> str:
    """The text, in ASCII so that it is the same on every terminal; without a line end after it.

    Two `#` stand in texts only; written as a code they begin no command of a service that reads logs.
    """
    import json

    return json.dumps(value, indent=2).replace("##", "\\u0023#")
