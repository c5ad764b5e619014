"""The order in which PyTorch code of the usual kind holds numbers, followed from what reads axes as others to weights.

A map that is flattened with its channels first gives the rows of a dense layer behind it another order than the
language's; a vector that is read as a map with its channels first, the columns of one before it. Orders are followed
through everything that takes numbers in any order. Where something looks at the order, or one weight would need two,
the usual code does not do what the spec says: there the code of netspec moves the axes first, and nothing tells where
weights of other people's code belong.
"""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record
from ...ir.types import BlockCall, Step, applied
from .axis_order import WeightOrder
from .instances import Instances
from .layouts import channels_first, meetings, plain, usual_layouts
from .relations import Conflict, OrderSolver, Regrouping, Relations, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from ...base.source import Span
    from ...ir.types import Body
    from .instances import LayerUse
    from .relations import Key

    # the sequences of axes before and after
    Sides: TypeAlias = "tuple[tuple[int, ...], tuple[int, ...]]"


class Doubt(Record):
    """A step in which an order begins that cannot be followed, with the place and the reason."""

    step: Step
    where: Span
    why: str


class UsualOrders(Record):
    """What is known of the orders in one net.

    `steps` are the steps that are to be done in the usual order, with the sequences of axes in which PyTorch code has
    what goes in and comes out; `moved` those that are not, and why. `weights` are by path, `doubts` where weights hang
    on an order that cannot be followed. `crossing` are the definitions with values in another order at their borders.
    """

    steps: Mapping[Key, Sides] = {}
    moved: Mapping[Key, tuple[Span, str]] = {}
    weights: Mapping[str, WeightOrder] = {}
    doubts: tuple[Doubt, ...] = ()
    crossing: frozenset[Span] = frozenset()


NONE = UsualOrders()


def usual_orders(body: Body, before: Mapping[Key, tuple[Span, str]] = {}) -> UsualOrders:
    """Follow the orders through a net, from its body. `before` are steps that are moved, whatever is found here."""
    if not _may_turn(body, set()):
        return NONE
    net = Instances(body)
    relations = Relations(net, usual_layouts(net))
    steps, moved = _asked(relations)
    moved |= {key: why for key, why in before.items() if key in steps}
    while True:
        solver = OrderSolver(relations, moved)
        try:
            solver.run()
            break
        except Conflict as found:
            fresh = [key for key in found.keys if key not in moved]
            if not fresh:
                raise  # the language's own order, which is all that is left, holds everywhere
            moved = moved | dict.fromkeys(fresh, (found.where, found.why))
    turned = {key: sides for key, sides in steps.items() if key not in moved}
    norms = {use.path: axes for use, axes in relations.norms() if key_of(use.step) in turned and axes is not None}
    doubts = _doubts(relations, moved)
    spans = {key[0] for key in moved if key in steps}
    return UsualOrders(turned, moved, _weights(relations, solver, norms), doubts, _crossing(relations, solver, spans))


def _may_turn(body: Body, seen: set[int]) -> bool:
    """Is there anything in which an order could begin?"""
    seen.add(id(body))
    for item in (*applied(body.held), *body.starts):
        if isinstance(item, BlockCall):
            found = id(item.body) not in seen and _may_turn(item.body, seen)
        else:
            found = _begins(item)
        if found:
            return True
    return False


def _begins(step: Step) -> bool:
    """May an order begin in a step?"""
    layer = step.layer
    if not step.inputs:
        return len(step.output.shape) > 1 and bool(step.weights)
    if not layer.follows or not (layer.regroups or layer.computes):
        return False
    return max(len(step.inputs[0].shape), len(step.output.shape)) > 1


def _asked(relations: Relations) -> tuple[dict[Key, Sides], dict[Key, tuple[Span, str]]]:
    """The steps that turn something, and those of them that cannot, as nothing tells how or uses differ in it."""
    steps: dict[Key, Sides] = {}
    moved: dict[Key, tuple[Span, str]] = {}
    for use, sides in _turning(relations):
        key = key_of(use.step)
        if sides is None or not _can_turn(use.step, sides):
            moved[key] = use.step.span, "code has the axes there in several ways"
        elif steps.setdefault(key, sides) != sides:
            moved[key] = use.step.span, "uses of it have their axes in several ways"
    for use, sides in _untold(relations):
        if key_of(use.step) in steps and steps[key_of(use.step)] != sides:
            moved[key_of(use.step)] = use.step.span, "uses of it have their axes in several ways"
    return steps, moved


def _can_turn(step: Step, sides: Sides) -> bool:
    """Can code be written for it? A norm has its channels first or last; sizes that values say hold for the language's
    order."""
    rank = len(step.output.shape)
    if not step.layer.regroups:
        return sides[0] == channels_first(rank)
    return step.output.batched and step.layer.in_sequence(plain(rank), step.output.shape) is not None


def _turning(relations: Relations) -> Iterator[tuple[LayerUse, Sides | None]]:
    """The uses that turn something, with the layouts before and after; None where nothing tells these."""
    for use in {one.use.outputs: one.use for one in relations.regroupings if one.is_turned}.values():
        yield use, _sides(relations, use)
    for use, axes in relations.norms():
        if axes != plain(len(use.step.inputs[0].shape)):
            yield use, None if axes is None else (axes, axes)


def _untold(relations: Relations) -> Iterator[tuple[LayerUse, Sides | None]]:
    turning = {use.outputs for use, _ in _turning(relations)}
    for use in relations.net.uses:
        if use.step.layer.regroups and use.outputs not in turning and len(use.step.inputs[0].shape) > 1:
            yield use, _sides(relations, use)


def _sides(relations: Relations, use: LayerUse) -> Sides | None:
    before, after = relations.layouts[use.inputs[0]], relations.layouts[use.outputs[0]]
    return None if before is None or after is None else (before, after)


def _weights(relations: Relations, solver: OrderSolver, norms: Mapping[str, tuple[int, ...]]) -> dict[str, WeightOrder]:
    found = {}
    for path, axes in relations.weights.items():
        along = tuple(map(solver.order, axes))
        moved = norms.get(path.rpartition(".")[0], ())
        if moved or any(order is not None for order in along):
            found[path] = WeightOrder(along, moved)
    return found


def _crossing(relations: Relations, solver: OrderSolver, spans: set[Span]) -> frozenset[Span]:
    """The definitions that take or give something in another order, or hold what is not done as it would be alone."""
    values = relations.values
    ports = {span for span, value in relations.net.ports if any(solver.order(axis) for axis in values[value])}
    return frozenset(ports | {span for span, _ in relations.net.ports if any(_within(s, span) for s in spans)})


def _within(span: Span, other: Span) -> bool:
    return span.source is other.source and other.start <= span.start and span.end <= other.end


# --- weights that hang on an order which cannot be followed -----------------------------------------------------------


def _doubts(relations: Relations, moved: Mapping[Key, tuple[Span, str]]) -> tuple[Doubt, ...]:
    reach = _Reach(relations)
    found: dict[Key, Doubt] = {}
    for one in relations.regroupings:
        key = key_of(one.use.step)
        if key in moved and key not in found and one.is_turned and reach.meets_weights(one):
            found[key] = Doubt(one.use.step, *moved[key])
    for use, axes in relations.norms():
        key = key_of(use.step)
        if key in moved and axes != plain(len(use.step.inputs[0].shape)):
            found[key] = Doubt(use.step, *moved[key])
    return (*found.values(), *_own_cubes(relations))


def _own_cubes(relations: Relations) -> Iterator[Doubt]:
    """Weights of one's own beside maps with the channels first, whose shape is the same in that layout."""
    net = relations.net
    own = {use.outputs[0]: use.step for use in net.uses if not use.inputs and use.step.weights}
    for value, _ in meetings(net, relations.layouts):
        step = own.pop(value, None)
        if step is not None and len(set(step.output.shape)) == 1 and step.output.shape[0] != 1:
            yield Doubt(step, step.span, "its shape does not tell whether this one does")


class _Reach:
    """How far an order reaches, also past what looks at it."""

    def __init__(self, relations: Relations) -> None:
        self.relations = relations
        of = relations.of
        self.held = {of(axis) for axes in relations.weights.values() for axis in axes}
        self.looks: dict[int, list[LayerUse]] = {}
        for axis, use in relations.looks:
            self.looks.setdefault(of(axis), []).append(use)
        self.beside: dict[int, list[tuple[Regrouping | None, list[int]]]] = {}
        for one in relations.regroupings:
            self._note(one, [*one.before, *one.after])
        for row in relations.rows:
            self._note(None, [row.whole, *(part for part in row.parts if part >= 0)])

    def _note(self, one: Regrouping | None, axes: list[int]) -> None:
        for axis in axes:
            self.beside.setdefault(self.relations.of(axis), []).append((one, axes))

    def meets_weights(self, start: Regrouping) -> bool:
        """Does the order that begins here reach a weight, or a layer with weights that looks at it?"""
        single = next((axes for axes in (start.after, start.before) if len(axes) == 1), ())
        todo = [self.relations.of(axis) for axis in single or (*start.before, *start.after)]
        seen = set(todo)
        while todo:
            axis = todo.pop()
            if axis in self.held:
                return True
            further: list[int] = []
            for use in self.looks.get(axis, ()):
                if use.step.weights:
                    return True
                further += [n for value in (*use.inputs, *use.outputs) for n in self.relations.values[value]]
            for one, axes in self.beside.get(axis, ()):
                further += axes if one is None or one.use is not start.use else []
            fresh = {self.relations.of(one) for one in further} - seen
            seen |= fresh
            todo += fresh
        return False
