"""Rows of the report: a line for every instance of a net, with its path, its figures and its receptive field."""

from __future__ import annotations

from ..base.bounds import TooLarge
from ..base.record import TYPE_CHECKING, Record
from ..ir.paths import path_of
from ..ir.types import BlockCall, CostRow, Region, Step
from .cost import times
from .receptive_field import field_after, field_of_input

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..base.dims import Dim
    from ..ir.types import Figures, Item, Net, Tensor
    from .cost import Costs
    from .receptive_field import Field, Reach

    # the last two fields of a row
    Recurring = tuple[Dim, Dim] | tuple[None, None]


class _Around(Record):
    """Where items stand: before their paths, how deep, and what inputs see by the numbers of values. `home` is the
    prefix of the body that they belong to. `frozen` and `again` say that they are held still, or counted before.
    """

    prefix: str
    depth: int
    fields: dict[int, Field | None]
    home: str
    frozen: bool = False
    again: bool = False


class RowWalk:
    """One pass over all instances of a net. It is made when somebody asks, since a net may have millions of them."""

    def __init__(self, net: Net, costs: Costs) -> None:
        self._net, self._costs = net, costs
        self._rows: list[CostRow] = []
        self._walked: tuple[CostRow, ...] | None = None
        # what each value of the net itself sees
        self._fields: dict[int, Field | None] = {}
        # by the fields of what comes in, and what is seen of it; values that were found keep these alive
        self._known: dict[Any, tuple[Field | None, Any]] = {}
        # how many times what is within the cells and `each_step`s around is done, and how many of these are cells
        self._times: Dim = 1
        self._cells = 0

    def rows(self) -> tuple[CostRow, ...]:
        """All rows, a group before what is in it; of a net whose sums are too large those before that."""
        if self._walked is None:
            try:
                self.walk()
            except TooLarge:  # which was told when the sums were worked out
                return tuple(self._rows)
        return self._walked or ()

    def walk(self) -> None:
        """Make the rows. Raises TooLarge where symbolic sums are."""
        for port in self._net.body.inputs:
            self._fields[port.value.number] = field_of_input(max(len(port.value.shape) - 1, 0))
        try:
            self._items(self._net.body.items, _Around("", 0, self._fields, ""))
        finally:
            self._walked = tuple(self._rows)

    def field(self, value: Tensor) -> Field | None:
        """What a value of the net itself sees; None for the whole input."""
        self.rows()
        return self._fields.get(value.number)

    def _items(self, items: Sequence[Item], at: _Around) -> None:
        for item in items:
            if isinstance(item, Step):
                self._step(item, at)
            elif isinstance(item, BlockCall):
                self._call(item, at)
            elif item.name:
                self._scope(item, at)
            else:
                self._each(item.times, False, item.items, at)

    def _step(self, step: Step, at: _Around) -> None:
        known = self._costs.layer(step)
        field = self._field(step, known.reach, at.fields)
        for output in step.outputs:
            at.fields[output.number] = field
        if not step.given and step.hands_on:
            return  # nothing is done there, and nobody asked to see it
        figures = self._costs.step(step, at.frozen, at.again)
        recurring = self._recurring(known.length, known.step_macs if known.length else figures.macs)
        self._rows.append(
            CostRow(
                path_of(step, at.prefix, at.home),
                step.name,
                step.layer.kind,
                at.depth,
                step.span,
                step,
                step.output,
                times(figures, self._times),
                None if field is None else field.sizes,
                True,
                at.again or self._costs.is_later(step),
                *recurring,
            )
        )

    def _field(self, step: Step, reach: Reach, fields: dict[int, Field | None]) -> Field | None:
        """What a step sees; what is the same for every sample sees nothing."""
        if reach is None:
            return None
        before = [fields.get(t.number) for t in step.layer.flowing(step.inputs) if t.batched]
        key = (reach, *map(id, before))
        if key not in self._known:
            self._known[key] = field_after(before, reach), before
        return self._known[key][0]

    def _recurring(self, length: Dim, macs: Dim) -> Recurring:
        """The steps in all of what goes over sequences of a length, 0 for something else, and the MACs of one."""
        if not length and not self._cells:
            return None, None
        return self._times * (length or 1), macs

    def _call(self, call: BlockCall, at: _Around) -> None:
        path, cost = path_of(call, at.prefix, at.home), self._costs.call(call, at.frozen, at.again)
        frozen, again = at.frozen or call.frozen, at.again or self._costs.is_later(call)
        named = path, call.name, call.body.name, at.depth
        self._group(named, call, call.outputs[0], cost.figures, again, self._recurring(cost.length, cost.once.macs))
        inner = {p.value.number: at.fields.get(t.number) for p, t in zip(call.body.inputs, call.inputs)}
        within = f"{path}."
        inside = _Around(within, at.depth + 1, inner, within, frozen, again)
        self._items(call.body.begins, inside)
        self._each(cost.length or 1, cost.length != 0, call.body.items, inside)
        for outer, result in zip(call.outputs, call.body.outputs):
            at.fields[outer.number] = inner.get(result.value.number)

    def _scope(self, region: Region, at: _Around) -> None:
        path, figures = at.prefix + region.name, self._costs.region(region, at.frozen, at.again)
        named = path, region.name, region.kind, at.depth
        self._group(named, region, last_output(region), figures, at.again, self._recurring(0, figures.macs))
        self._each(region.times, False, region.items, at.replace(prefix=f"{path}.", depth=at.depth + 1))

    def _each(self, steps: Dim, is_cell: bool, items: Sequence[Item], at: _Around) -> None:
        """Rows for what is done at all steps of a sequence, in a cell or by itself."""
        before = self._times, self._cells
        self._times, self._cells = self._times * steps, self._cells + is_cell
        self._items(items, at)
        self._times, self._cells = before

    def _group(
        self,
        named: tuple[str, str, str, int],
        node: BlockCall | Region,
        output: Tensor | None,
        figures: Figures,
        again: bool,
        recurring: Recurring,
    ) -> None:
        """The row of a group; `named` are its path, name, kind and depth."""
        done = times(figures, self._times)
        self._rows.append(CostRow(*named, node.span, node, output, done, None, False, again, *recurring))


def last_output(region: Region) -> Tensor | None:
    """The value that the last item of a region gives."""
    for item in reversed(region.items):
        if isinstance(item, Step):
            return item.output
        if isinstance(item, BlockCall):
            return item.outputs[0]
        found = last_output(item)
        if found is not None:
            return found
    return None
