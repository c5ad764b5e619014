"""What the orders along axes have to do with one another: classes of axes that hold the same places, and relations."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record
from ...ir.paths import weight_path
from .axis_order import NoOrder, cut, in_a_row, joined
from .layouts import all_axes, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from ...base.dims import Dim
    from ...base.source import Span
    from ...ir.types import Step
    from ...layers.shapes import Label, Labels
    from .axis_order import AxisOrder
    from .instances import Instances, LayerUse
    from .layouts import Axes

    Key: TypeAlias = "tuple[Span, int, int]"


class Regrouping(Record):
    """Axes that are read as others. `first` says for either side in which sequence PyTorch code holds its axes, and is
    None where nothing tells."""

    use: LayerUse
    before: tuple[int, ...]
    after: tuple[int, ...]
    sizes: tuple[tuple[Dim, ...], tuple[Dim, ...]]
    first: tuple[Axes, Axes]

    @property
    def is_turned(self) -> bool:
        """Does PyTorch code read the numbers in another order than the language?"""
        return any(one is None or one != plain(len(one)) for one in self.first)


class RowRelation(Record):
    """Axes one behind the other (-1 for one that is not looked at), in one."""

    use: LayerUse
    whole: int
    parts: tuple[int, ...]
    sizes: tuple[Dim, ...]


def key_of(step: Step) -> Key:
    """What tells steps apart in the text, wherever the block is used that they stand in."""
    return step.span, len(step.inputs[0].shape) if step.inputs else -1, len(step.output.shape)


class Relations:
    """The axes of all values and weights of a net as numbers, joined where they hold the same places."""

    def __init__(self, net: Instances, layouts: Sequence[Axes]) -> None:
        self.net, self.layouts = net, layouts
        self._above: list[int] = []
        self.values = [[self._new() for _ in shape] for shape in net.shapes]
        # by path: the axes of a weight
        self.weights: dict[str, list[int]] = {}
        self.regroupings: list[Regrouping] = []
        self.rows: list[RowRelation] = []
        # by axis: who looks at the order along it, and where that stands
        self.read: list[tuple[int, Span, str]] = []
        # the axes that a layer looks at, with the layer
        self.looks: list[tuple[int, LayerUse]] = []
        for use in net.uses:
            self._use(use)
        for (value, axis), (other, place) in net.same:
            self.join(self.values[value][axis], self.values[other][place])
        for value, one, span, who in net.read:
            axes = self.values[value] if one is None else [self.values[value][one]]
            self.read += [(axis, span, who) for axis in axes]

    def _new(self) -> int:
        self._above.append(len(self._above))
        return len(self._above) - 1

    def of(self, axis: int) -> int:
        """The axis that stands for all that hold the same places."""
        while self._above[axis] != axis:
            self._above[axis] = axis = self._above[self._above[axis]]
        return axis

    def join(self, one: int, other: int) -> None:
        self._above[self.of(one)] = self.of(other)

    def _use(self, use: LayerUse) -> None:
        axes: dict[Label, int] = {}
        for labels, numbers in self.labelled(use):
            for label, number in zip(labels, numbers):
                if label is None:
                    self.looks.append((number, use))
                elif axes.setdefault(label, number) != number:
                    self.join(number, axes[label])
        if use.map is None:
            return
        for before, after in use.map.groups:
            self.regroupings.append(self._regrouping(use, axes, before, after))
        for label, parts in use.map.rows:
            held = tuple(-1 if part is None else axes[part] for part, _ in parts)
            self.rows.append(RowRelation(use, axes[label], held, tuple(size for _, size in parts)))

    def labelled(self, use: LayerUse) -> Iterator[tuple[Labels, list[int]]]:
        """The axes of all that a layer takes, gives and holds, with their labels."""
        values = (*use.inputs, *use.outputs)
        known = (*use.map.inputs, *use.map.outputs) if use.map is not None else ()
        for place, value in enumerate(values):
            yield known[place] if known else (None,) * len(self.values[value]), self.values[value]
        for weight in use.step.weights:
            path = weight_path(use.path, weight)
            held = self.weights.setdefault(path, [])
            held += [self._new() for _ in weight.shape[len(held) :]]
            labels = use.map.weights.get(weight.name) if use.map is not None else None
            yield labels or (None,) * len(held), held

    def _regrouping(self, use: LayerUse, axes: dict[Label, int], before: Labels, after: Labels) -> Regrouping:
        assert use.map is not None  # it has groups
        sides = ((before, use.map.inputs[0], use.inputs[0]), (after, use.map.outputs[0], use.outputs[0]))
        sizes = tuple(tuple(self.net.shapes[v][labels.index(one)] for one in part) for part, labels, v in sides)
        first = tuple(self._sequence(part, labels, self.layouts[v]) for part, labels, v in sides)
        numbers = [tuple(axes[one] for one in part) for part in (before, after)]
        return Regrouping(use, numbers[0], numbers[1], sizes, first)  # type: ignore[arg-type]  # two sides

    @staticmethod
    def _sequence(part: Labels, labels: Labels, layout: Axes) -> Axes:
        """The sequence of some axes in a layout."""
        if len(part) < 2:
            return plain(len(part))
        if layout is None:
            return None
        return tuple(part.index(labels[axis]) for axis in layout if labels[axis] in part)

    def norms(self) -> Iterator[tuple[LayerUse, Axes]]:
        """The layers with weights of several axes that are those of the values, and the sequence of these in PyTorch
        code; None where nothing tells."""
        for use in self.net.uses:
            if use.step.layer.follows and use.map is not None:
                labels = next(iter(use.map.weights.values()), ())
                if len(labels) > 1:
                    layout = self.layouts[use.inputs[0]]
                    yield use, layout if all_axes(use) or layout == plain(len(use.map.inputs[0])) else None


_TWICE = "the same numbers would be needed in two orders"


class Conflict(Exception):
    """Numbers would stand in an order in which something cannot take them. `keys` say which steps make that order."""

    def __init__(self, keys: frozenset[Key], where: Span, why: str) -> None:
        super().__init__(why)
        self.keys, self.where, self.why = keys, where, why


class OrderSolver:
    """The orders along all axes, where some regroupings are done in the language's order (`moved`)."""

    def __init__(self, relations: Relations, moved: dict[Key, tuple[Span, str]]) -> None:
        self.relations = relations
        self.found: dict[int, tuple[AxisOrder, frozenset[Key]]] = {}
        of = relations.of
        self.read = {of(axis): (use.step.span, _looked(use)) for axis, use in relations.looks}
        self.read |= {of(axis): (span, who) for axis, span, who in relations.read}
        self.turned = []
        for one in relations.regroupings:
            if key_of(one.use.step) in moved:
                self.read |= {of(axis): moved[key_of(one.use.step)] for axis in (*one.before, *one.after)}
            else:
                self.turned.append(one)

    def run(self) -> None:
        """Raises Conflict."""
        for _ in range(len(self.turned) + len(self.relations.rows) + 2):
            changed = [*map(self._regrouped, self.turned), *map(self._in_a_row, self.relations.rows)]
            if not any(changed):
                return

    def order(self, axis: int) -> AxisOrder | None:
        found = self.found.get(self.relations.of(axis))
        return None if found is None else found[0]

    def _keys(self, axes: Sequence[int]) -> frozenset[Key]:
        found = (self.found.get(self.relations.of(axis)) for axis in axes if axis >= 0)
        return frozenset(key for one in found if one is not None for key in one[1])

    def _set(self, axis: int, order: AxisOrder, keys: frozenset[Key]) -> bool:
        axis = self.relations.of(axis)
        if axis in self.read:
            raise Conflict(keys, *self.read[axis])
        self.found[axis] = order, keys
        return True

    def _regrouped(self, one: Regrouping) -> bool:
        """Hold both sides against each other: a single axis takes the order that the other side has."""
        step = one.use.step
        keys = self._keys((*one.before, *one.after)) | (
            frozenset((key_of(one.use.step),)) if one.is_turned else frozenset()
        )
        try:
            sides = [self._side(one, 0), self._side(one, 1)]
        except NoOrder:
            raise Conflict(keys, step.span, _TWICE) from None
        for place, axes in ((1, one.after), (0, one.before)):
            other = sides[1 - place]
            if other != sides[place] and len(axes) == 1 and sides[place] is None and other is not None:
                return self._set(axes[0], other, keys)
        if sides[0] != sides[1]:
            raise Conflict(keys, step.span, _TWICE)
        return False

    def _side(self, one: Regrouping, place: int) -> AxisOrder | None:
        axes = (one.before, one.after)[place]
        first = one.first[place]
        if first is None:
            raise NoOrder
        return joined(one.sizes[place], [self.order(axis) for axis in axes], first)

    def _in_a_row(self, row: RowRelation) -> bool:
        """The order of the whole is that of the parts, and the other way round."""
        parts = [None if part < 0 else self.order(part) for part in row.parts]
        whole, keys = self.order(row.whole), self._keys((row.whole, *row.parts))
        if whole is None:
            made = in_a_row(row.sizes, parts)
            return made is not None and self._set(row.whole, made, keys)
        try:
            cuts = cut(whole, row.sizes)
        except NoOrder:
            raise Conflict(keys, row.use.step.span, _looked(row.use)) from None
        changed = False
        for part, have, want in zip(row.parts, parts, cuts):
            if part >= 0 and have != want:
                if have is not None or want is None:
                    raise Conflict(keys, row.use.step.span, _looked(row.use))
                changed = self._set(part, want, keys)
        return changed


def _looked(use: LayerUse) -> str:
    return f"`{use.step.layer.word}` looks at the order"
