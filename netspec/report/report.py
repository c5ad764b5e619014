"""The report of a net as values: what every form of `netspec check` shows, and `Network.report()` returns.

Figures are for one sample, but for activations and their bytes, which are for a batch. Bytes are of the parameters and
of the activations, each number as wide as the type asked for.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.paths import weight_table
from ..ir.types import Region
from .figures import Count, RecurrentCost, ReportData, ReportLine, Totals

if TYPE_CHECKING:
    from typing import Any

    from ..base.dims import Dim
    from ..base.source import Span
    from ..ir.types import CheckedNet, CostRow, Port

BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


class Report(ReportData):
    """Everything that is shown of a net, with its forms."""

    def to_frame(self) -> Any:
        """The layers as a pandas table."""
        import pandas

        columns = [c for c in ReportLine._fields if c not in ("depth", "is_layer", "again")]
        return pandas.DataFrame([[getattr(row, c) for c in columns] for row in self.layers], columns=columns)

    def __str__(self) -> str:
        from .tables import table

        return table(self)


def report(net: CheckedNet, batch: int = 1, dtype: str = "float32", target: str | None = None) -> Report:
    """The report of a net. `target` names the framework whose own count is wanted too."""
    if dtype not in BYTES:
        raise ValueError(f"there is no type {dtype}: {', '.join(BYTES)}")
    body, totals = net.net.body, _totals(net, batch, BYTES[dtype])
    return Report(
        net.name,
        net.net.design.source.name,
        body.doc,
        (*map(_input, body.inputs), *(_line(row, batch) for row in net.rows)),
        totals,
        body.inputs,
        body.outputs,
        net.outcomes,
        batch,
        dtype,
        net.net.whole,
        None if target is None else COUNTS[target](net, totals),
        _recurrence(net.rows),
    )


def _recurrence(rows: tuple[CostRow, ...]) -> tuple[RecurrentCost, ...]:
    """The sums for each length, in the order of the spec. What is within a cell is part of the cell's own figures."""
    found: dict[Dim, Dim] = {}
    within: int | None = None  # the depth of the cell that we are in
    for row in rows:
        if within is not None and row.depth > within:
            continue
        within = None
        if row.steps is not None and row.step_macs is not None:
            found[row.steps] = found.get(row.steps, 0) + row.step_macs
            within = row.depth
    return tuple(RecurrentCost(steps, macs) for steps, macs in found.items())


def _totals(net: CheckedNet, batch: int, width: int) -> Totals:
    sums = net.totals
    activations = sums.of_batch(batch)
    return Totals(
        params=sums.params,
        trainable=sums.trainable,
        non_trainable=sums.params - sums.trainable,
        statistics=sums.statistics,
        macs=sums.macs,
        other_ops=sums.other_ops,
        activations=activations,
        sequential_depth=net.sequential_depth,
        param_bytes=sums.params * width,
        activation_bytes=activations * width,
    )


def _input(port: Port) -> ReportLine:
    place, shape = port.value.span, port.value.shape
    name, nothing = port.name, (0,) * 8
    return ReportLine(name, name, "input", place.source.name, place.line, shape, *nothing, None, 0, False)


def _line(row: CostRow, batch: int) -> ReportLine:
    own = row.figures
    return ReportLine(
        row.name,
        row.path,
        "group" if isinstance(row.node, Region) else row.kind,
        row.span.source.name,
        row.span.line,
        None if row.output is None else row.output.shape,
        own.params,
        own.weights,
        own.biases,
        own.trainable,
        own.statistics,
        own.macs,
        own.other_ops,
        own.of_batch(batch),
        row.field,
        row.depth,
        row.is_layer,
        row.again,
        row.steps,
        row.step_macs,
    )


def _torch_count(net: CheckedNet, totals: Totals) -> Count:
    twice = [weight.size for weight in weight_table(net).values() if weight.torch.plus]
    if twice:
        note = "with the second biases of recurrent layers, which stay at zero"
        return Count("PyTorch", totals.params + sum(twice), note)
    note = "as here" if not totals.statistics else "as here: it keeps the statistics as buffers"
    return Count("PyTorch", totals.params, note)


def _keras_count(net: CheckedNet, totals: Totals) -> Count:
    note = "as here" if not totals.statistics else "its total takes the statistics in, as non-trainable"
    return Count("Keras", totals.params + totals.statistics, note)


COUNTS = {"torch": _torch_count, "keras": _keras_count}


def place(span: Span) -> dict[str, Any]:
    """Where a span is; the end column is the one behind its last character."""
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(max(span.end, span.start))
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }
