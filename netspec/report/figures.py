"""What every form of `netspec check` shows of a net, as values."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..base.dims import Dim, Shape
    from ..ir.types import Outcome, OutputPort, Port


class Totals(Record):
    """The figures of a whole net."""

    params: Dim
    trainable: Dim
    non_trainable: Dim
    statistics: Dim
    macs: Dim
    other_ops: Dim
    activations: Dim
    sequential_depth: Dim
    param_bytes: Dim
    activation_bytes: Dim


class ReportLine(Record):
    """One line of the report: an input, a layer, or a block or named group with the sum of what is in it.

    `file` and `line` are where it is written: in the spec, or in what it imports. `again` marks a further use of a
    shared layer, whose parameters are counted at the first. `steps` says how many elements of sequences a recurrent
    layer or a part of a cell goes over, and `macs_per_step` is its share of `macs` for one of them, through all its
    layers and directions; both are None where nothing recurs.
    """

    name: str
    path: str
    type: str
    file: str
    line: int
    output_shape: Shape | None
    params: Dim
    weights: Dim
    biases: Dim
    trainable: Dim
    statistics: Dim
    macs: Dim
    other_ops: Dim
    activations: Dim
    receptive_field: tuple[Dim, ...] | None
    depth: int = 0
    is_layer: bool = True
    again: bool = False
    steps: Dim | None = None
    macs_per_step: Dim | None = None


class RecurrentCost(Record):
    """What is recurrent over sequences of one length, taken together."""

    steps: Dim
    macs_per_step: Dim


class Count(Record):
    """How a framework counts the parameters of the model that is built for it."""

    framework: str
    params: Dim
    note: str


class ReportData(Record):
    """Everything that is shown of a net.

    `rows` are inputs, layers and blocks as a tree laid flat; `layers` are the layers alone. `recurrence` has what a
    step costs, for each length of sequences.
    """

    name: str
    file: str
    doc: str
    rows: tuple[ReportLine, ...]
    totals: Totals
    inputs: tuple[Port, ...]
    outputs: tuple[OutputPort, ...]
    expectations: tuple[Outcome, ...]
    batch: int
    dtype: str
    whole: bool
    count: Count | None
    recurrence: tuple[RecurrentCost, ...] = ()

    @property
    def layers(self) -> tuple[ReportLine, ...]:
        return tuple(row for row in self.rows if row.is_layer)


def visible(rows: tuple[ReportLine, ...], depth: int | None) -> Iterator[ReportLine]:
    """The rows that are seen where `depth` levels of blocks are opened: all for None."""
    return (row for row in rows if depth is None or row.depth <= depth)
