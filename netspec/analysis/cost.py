"""Cost: what the layers, blocks and loops of a net weigh and compute, each worked out once however often it is used.

MACs are multiply-accumulates of convolutions and matrix products at batch 1; all else is `other_ops`. `activations`
sums the outputs of the layers that compute something new.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..ir.types import BlockCall, Figures, Step, applied

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..base.dims import Dim
    from ..ir.types import Body, Instance, Item, Region
    from .receptive_field import Reach


class LayerCost(Record):
    """What is worked out once for a layer: of what it goes over with a state, the length and the MACs of one step."""

    figures: Figures
    reach: Reach
    length: Dim
    step_macs: Dim


class CallCost(Record):
    """The figures of a call, and of one step where it runs a cell over a sequence of a length (0: it runs none)."""

    figures: Figures
    once: Figures
    length: Dim


_NOTHING = Figures()


class Costs:
    """The figures of items. `frozen` says that they are held still, `again` that their weights were counted before.

    Bodies are shared by calls that agree in arguments and shapes, so a net costs as much work as its bodies are long.
    """

    def __init__(self) -> None:
        # by layer, and whether there is a batch: elaboration makes one for each kind, arguments and input shapes, and
        # these settle the rest
        self._layers: dict[tuple[int, bool], LayerCost] = {}
        # of regions, and of bodies what is done first and what at each step
        self._regions: dict[tuple[int, bool, bool], Figures] = {}
        self._bodies: dict[tuple[int, bool, bool], tuple[Figures, Figures]] = {}
        # the steps and calls of shared things that are not their first use in a body
        self._later: set[int] = set()

    def body(self, body: Body, frozen: bool = False, again: bool = False) -> tuple[Figures, Figures]:
        """The figures of what a body does once, and of what it does at each step: all, where it is no cell."""
        key = id(body), frozen, again
        known = self._bodies.get(key)
        if known is None:
            self._later.update(_later_uses(body))
            first, each = (self.items(items, frozen, again) for items in (body.begins, body.items))
            known = self._bodies[key] = first, each
        return known

    def items(self, items: Iterable[Item], frozen: bool, again: bool) -> Figures:
        """The sum of the figures of items where all is done once."""
        found = []
        for item in items:
            if isinstance(item, Step):
                found.append(self.step(item, frozen, again))
            elif isinstance(item, BlockCall):
                found.append(self.call(item, frozen, again).figures)
            else:
                found.append(self.region(item, frozen, again))
        return total(found)

    def layer(self, step: Step) -> LayerCost:
        """What is known of the layer of a step."""
        key = id(step.layer), step.output.batched
        known = self._layers.get(key)
        if known is None:
            known = self._layers[key] = known_of(step)
        return known

    def step(self, step: Step, frozen: bool, again: bool) -> Figures:
        """The figures of one layer at its place."""
        figures = self.layer(step).figures
        if again or id(step) in self._later:
            return figures.replace(params=0, weights=0, biases=0, trainable=0, statistics=0)
        return figures.replace(trainable=0) if frozen or step.frozen else figures

    def call(self, call: BlockCall, frozen: bool, again: bool) -> CallCost:
        """The figures of a block at its place."""
        first, once = self.body(call.body, frozen or call.frozen, again or id(call) in self._later)
        length = call.inputs[0].shape[0] if call.over_time else 0
        return CallCost(_sum(first, times(once, length or 1)), once, length)

    def region(self, region: Region, frozen: bool, again: bool) -> Figures:
        """The figures of what is in a region, which may be done at each step of a sequence."""
        key = id(region), frozen, again
        known = self._regions.get(key)
        if known is None:
            known = self._regions[key] = times(self.items(region.items, frozen, again), region.times)
        return known

    def is_later(self, item: Step | BlockCall) -> bool:
        """True if the weights of a shared layer or block were counted at an earlier use in the same body."""
        return id(item) in self._later


def _later_uses(body: Body) -> Iterable[int]:
    seen: set[Instance] = set()
    for item in applied((*body.begins, *body.items)):
        if item.shared is not None:
            if item.shared in seen:
                yield id(item)
            seen.add(item.shared)


def _sum(first: Figures, rest: Figures) -> Figures:
    return rest if first is _NOTHING else first + rest


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
