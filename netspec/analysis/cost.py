"""Infer: weights, cost and receptive fields of every instance, in rows beside the net.

MACs are multiply-accumulates of convolutions and matrix products at batch 1; all else is `other_ops`. `activations`
sums the outputs of the layers that compute something new.
"""

from __future__ import annotations

from ..base.bounds import TooLarge
from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING, Record
from ..ir.paths import path_of
from ..ir.types import BlockCall, CheckedNet, CostRow, Figures, Region, Step
from .critical_path import sequential_depth
from .expectations import check_expectations, check_settings
from .receptive_field import field_after, field_of_input

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.dims import Dim
    from ..ir.types import Instance, Item, Net, Outcome, Tensor
    from .receptive_field import Field, Reach

    # the last two fields of a Row
    Recurring = tuple[Dim, Dim] | tuple[None, None]


class LayerCost(Record):
    """What is worked out once for a layer: of what it goes over with a state, the length and the MACs of one step."""

    figures: Figures
    reach: Reach
    length: Dim
    step_macs: Dim


_NOTHING = Figures()


def infer(net: Net, faults: Collector) -> CheckedNet:
    """All figures of a net, and its expectations held against them. Faults: `expectation-failed` and what the
    conditions themselves get wrong."""
    walk = _CostWalk()
    fields: dict[int, Field | None] = {}
    for port in net.body.inputs:
        fields[port.value.number] = field_of_input(max(len(port.value.shape) - 1, 0))
    totals, depth = _NOTHING, _NOTHING.macs
    outcomes: tuple[Outcome, ...] = ()
    try:
        totals = walk.items(net.body.items, _Around("", 0, fields, ""))
        depth = sequential_depth(net)
        outcomes = _outcomes(net, totals, depth, fields, faults)
    except TooLarge as error:
        _too_large(net, str(error), faults)
    return CheckedNet(net, tuple(r for r in walk.rows if r is not None), totals, depth, outcomes, faults.all)


def _outcomes(
    net: Net, totals: Figures, depth: Dim, fields: dict[int, Field | None], faults: Collector
) -> tuple[Outcome, ...]:
    """What became of the expectations; of a net that went wrong only those on its parameters are looked at."""
    if net.whole:
        return check_expectations(net, totals, depth, fields, faults)
    check_settings(net, faults)
    return ()


def _too_large(net: Net, message: str, faults: Collector) -> None:
    """Report that the sums over a net are too large, unless elaboration has run into a limit already."""
    if faults.has("too-large"):
        return
    help = "give its symbolic sizes a value with `--set`"
    place = Label(net.body.definition.name.span, "its figures are sums over all layers")
    faults.add(Diagnostic("too-large", message, place, (), help))


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


class _CostWalk:
    """One pass over the tree; what a layer weighs, costs and sees is worked out once, however often it stands there."""

    def __init__(self) -> None:
        self.rows: list[CostRow | None] = []  # None holds the place of a group whose sum is not known yet
        # by layer, and whether there is a batch: elaboration makes one for each kind, arguments and input shapes, and
        # these settle the rest
        self._known: dict[tuple[int, bool], LayerCost] = {}
        # by the fields of what comes in, and what is seen of it; values that were found keep these alive
        self._fields: dict[Any, tuple[Field | None, Any]] = {}
        self._seen: set[tuple[str, Instance]] = set()
        # how many times what is within the cells and `each_step`s around is done, and how many of these are cells
        self._times: Dim = 1
        self._cells = 0

    def items(self, items: Sequence[Item], at: _Around) -> Figures:
        """Rows for items, and the sum of their figures where all is done once."""
        found = []
        for item in items:
            if isinstance(item, Step):
                found.append(self._step(item, at))
            elif isinstance(item, BlockCall):
                found.append(self._call(item, at))
            elif item.name:
                found.append(self._scope(item, at))
            else:
                found.append(self._inside(item, at))
        return total(found)

    def _step(self, step: Step, at: _Around) -> Figures:
        key = id(step.layer), step.output.batched
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = known_of(step)
        figures = known.figures
        again = at.again or self._used_before(step.shared, at.home)
        if again:
            figures = figures.replace(params=0, weights=0, biases=0, trainable=0, statistics=0)
        elif at.frozen or step.frozen:
            figures = figures.replace(trainable=0)
        field = self._field(step, known.reach, at.fields)
        for output in step.outputs:
            at.fields[output.number] = field
        if not step.given and step.hands_on:
            return figures  # nothing is done there, and nobody asked to see it
        path = path_of(step, at.prefix, at.home)
        sizes = None if field is None else field.sizes
        place = path, step.name, step.layer.kind, at.depth, step.span, step, step.output
        recurring = self._recurring(known.length, known.step_macs if known.length else figures.macs)
        self.rows.append(CostRow(*place, times(figures, self._times), sizes, True, again, *recurring))
        return figures

    def _field(self, step: Step, reach: Reach, fields: dict[int, Field | None]) -> Field | None:
        """What a step sees; what is the same for every sample sees nothing."""
        before = [fields.get(t.number) for t in step.layer.flowing(step.inputs) if t.batched]
        key = (reach, *map(id, before))
        if key not in self._fields:
            self._fields[key] = field_after(before, reach), before
        return self._fields[key][0]

    def _recurring(self, length: Dim, macs: Dim) -> Recurring:
        """The steps in all of what goes over sequences of a length, 0 for something else, and the MACs of one."""
        if not length and not self._cells:
            return None, None
        return self._times * (length or 1), macs

    def _call(self, call: BlockCall, at: _Around) -> Figures:
        path = path_of(call, at.prefix, at.home)
        again = at.again or self._used_before(call.shared, at.home)
        inner = {p.value.number: at.fields.get(t.number) for p, t in zip(call.body.inputs, call.inputs)}
        place, within = self._hold(), f"{path}."
        inside = _Around(within, at.depth + 1, inner, within, at.frozen or call.frozen, again)
        figures = self.items(call.body.begins, inside)
        length = call.inputs[0].shape[0] if call.over_time else 0
        once = self._each(length or 1, length != 0, call.body.items, inside)
        figures = figures + times(once, length or 1)
        for outer, result in zip(call.outputs, call.body.outputs):
            at.fields[outer.number] = inner.get(result.value.number)
        named = path, call.name, call.body.name, at.depth
        self._group(place, named, call, call.outputs[0], figures, again, self._recurring(length, once.macs))
        return figures

    def _scope(self, region: Region, at: _Around) -> Figures:
        path = at.prefix + region.name
        place = self._hold()
        figures = self._inside(region, at.replace(prefix=f"{path}.", depth=at.depth + 1))
        named = path, region.name, region.kind, at.depth
        recurring = self._recurring(0, figures.macs)
        self._group(place, named, region, last_output(region), figures, at.again, recurring)
        return figures

    def _inside(self, region: Region, at: _Around) -> Figures:
        """The figures of what is in a region, which may be done at each step of a sequence."""
        return times(self._each(region.times, False, region.items, at), region.times)

    def _each(self, steps: Dim, is_cell: bool, items: Sequence[Item], at: _Around) -> Figures:
        """The figures of one step of what is done at all steps of a sequence, in a cell or by itself."""
        before = self._times, self._cells
        self._times, self._cells = self._times * steps, self._cells + is_cell
        figures = self.items(items, at)
        self._times, self._cells = before
        return figures

    def _hold(self) -> int:
        """Keep the place of a group's row, which comes before the rows that it sums."""
        self.rows.append(None)
        return len(self.rows) - 1

    def _group(
        self,
        place: int,
        named: tuple[str, str, str, int],
        node: Item,
        output: Tensor | None,
        figures: Figures,
        again: bool,
        recurring: Recurring,
    ) -> None:
        """The row of a group in its place; `named` are its path, name, kind and depth."""
        done = times(figures, self._times)
        self.rows[place] = CostRow(*named, node.span, node, output, done, None, False, again, *recurring)

    def _used_before(self, shared: Instance | None, home: str) -> bool:
        if shared is None:
            return False
        key = (home, shared)
        if key in self._seen:
            return True
        self._seen.add(key)
        return False


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


def known_of(step: Step) -> LayerCost:
    """What is known of one use of a layer."""
    layer, shapes = step.layer, step.shapes
    return LayerCost(figures_of(step), reach_of(step), layer.time_steps(*shapes), layer.step_macs(shapes))


def figures_of(step: Step) -> Figures:
    """What one use of a layer weighs and costs."""
    shapes, layer = tuple(t.shape for t in step.inputs), step.layer
    sums = {"weight": 0, "bias": 0, "statistic": 0}
    for weight in layer.weights(*shapes):
        sums[weight.role] = weight.size + sums[weight.role]  # type: ignore[assignment]  # sizes may be symbolic
    params = sums["weight"] + sums["bias"]
    shape = step.output.shape
    activations = sum(t.size for t in step.outputs) if layer.computes and not step.hands_on else 0
    return Figures(
        params,
        sums["weight"],
        sums["bias"],
        params,
        sums["statistic"],
        layer.macs(shapes, shape),
        layer.other_ops(shapes, shape),
        activations,
        0 if step.output.batched else activations,
    )


def total(figures: Sequence[Figures]) -> Figures:
    """The sum of figures: column by column, since a record for each part of it would cost more than the rest."""
    if len(figures) < 2:
        return figures[0] if figures else _NOTHING
    return Figures(*map(sum, zip(*[part.__dict__.values() for part in figures])))


def times(figures: Figures, steps: Dim) -> Figures:
    """What is done for each step of a sequence; what it weighs stays as it is."""
    if steps == 1:
        return figures
    return figures.replace(
        macs=figures.macs * steps,
        other_ops=figures.other_ops * steps,
        activations=figures.activations * steps,
        alike=figures.alike * steps,
    )


def reach_of(step: Step) -> Reach:
    """What one output of a step sees of its inputs; None also where it has other axes than they have."""
    if not step.output.batched:
        return None
    shape, layer = step.inputs[0].shape, step.layer
    reach = layer.reach(shape) if len(step.output.shape) == len(shape) else None
    return None if reach is None else tuple(zip(*reach, layer.finer(shape)))
