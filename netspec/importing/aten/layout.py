"""How the axes of a framework's value lie in a value of the language, which has no batch axis and channels last.

Each axis of the framework is made of axes of the language in an order: of `(N, C, H, W)` on `[H, W, C]` it is
`((BATCH,), (2,), (0,), (1,))`. A view that joins axes joins these tuples, one that turns axes turns them, and neither
is a step. An axis of one cell may be made of none.
"""

from __future__ import annotations

from ...base.dims import product
from ...base.record import TYPE_CHECKING, Record
from .sizes import ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...base.dims import Dim, Shape
    from ..graph import ModuleLevel

    Axes = tuple[tuple[int, ...], ...]

# the axis of the batch among the axes that one of the framework is made of
SAMPLES = -1


class NoCounterpart(Exception):
    """The language has no words for an operation, or for one of its arguments; the message says for what."""


class HeldValue(Record):
    """A value of the graph by its number, with its sizes there and the axes that the framework sees.

    `place` is the module whose view joined axes of it: where a step is due that the view did not make.
    """

    number: int
    sizes: Shape
    axes: Axes
    dtype: str = "float32"
    place: tuple[ModuleLevel, ...] = ()

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def batch_axis(self) -> int | None:
        """The framework's axis that the batch is in, alone or with others."""
        return next((n for n, parts in enumerate(self.axes) if SAMPLES in parts), None)

    @property
    def lead(self) -> tuple[int, ...]:
        """The axes of the language that a view joined to the batch."""
        batch = self.batch_axis
        return () if batch is None else tuple(a for a in self.axes[batch] if a != SAMPLES)

    def size(self, axis: int, batch: Dim) -> Dim:
        """The size of an axis of the framework."""
        return product(batch if a == SAMPLES else self.sizes[a] for a in self.axes[axis])

    def axis(self, number: int) -> int:
        """An axis of the framework, counted from its end where it is negative. Raises NoCounterpart."""
        if not -self.rank <= number < max(self.rank, 1):
            raise NoCounterpart(f"the axis {number} of {self.rank}")
        return number % self.rank

    def order(self) -> tuple[int, ...]:
        """The framework's axes but for the batch, in the order in which they lie in the language."""
        placed = [n for n in range(self.rank) if n != self.batch_axis]
        return tuple(sorted(placed, key=lambda n: (min(self.axes[n], default=_nearest(self.axes, n)), n)))


def _nearest(axes: Axes, number: int) -> int:
    """Where an axis that is made of none belongs: with the one behind it."""
    return next((min(parts) for parts in axes[number + 1 :] if parts and SAMPLES not in parts), 99)


def natural(rank: int) -> Axes:
    """The axes of a value that lies as the framework has it, the batch first."""
    return ((SAMPLES,), *((n,) for n in range(rank - 1)))


def weight_axes(rank: int) -> Axes:
    """The axes of a value without a batch."""
    return tuple((n,) for n in range(rank))


def placed(order: Sequence[int], batch: int | None, lead: int = 0) -> Axes:
    """The axes of a value whose axes of the language are those of the framework in this order, behind `lead` that
    stand in the axis of the batch."""
    rank = len(order) + (batch is not None)
    found: list[tuple[int, ...]] = [()] * rank
    for n, axis in enumerate(order):
        found[axis] = (lead + n,)
    if batch is not None:
        found[batch] = (SAMPLES, *range(lead))
    return tuple(found)


def channels_last(rank: int) -> tuple[int, ...]:
    """The order of the axes of `(N, C, spatial...)`: spatial..., C."""
    return (*range(2, rank), 1)


class Regrouped(Record):
    """How a view groups axes: for each axis of the language the sizes it is cut into, and the axes of the result, made
    of the pieces, numbered one behind the other."""

    cuts: tuple[tuple[Dim, ...], ...]
    axes: Axes


def regroup(held: HeldValue, sizes: Sequence[Dim], batch: Dim) -> Regrouped:
    """The axes of a value as a view of other sizes sees them. Raises NoCounterpart where the batch would be cut."""
    todo = [(a, batch if a == SAMPLES else held.sizes[a]) for parts in held.axes for a in parts]
    pieces: dict[int, list[Dim]] = {a: [] for a, _ in todo}
    todo.reverse()
    groups = [_group(size, todo, pieces) for size in sizes]
    while todo:
        axis, left = todo.pop()
        if left != 1 or axis == SAMPLES or not groups:
            raise NoCounterpart("a view that cuts the batch")
        pieces[axis].append(left)
        groups[-1].append((axis, len(pieces[axis]) - 1))
    starts, at = {SAMPLES: SAMPLES}, 0
    for axis in range(len(held.sizes)):
        starts[axis] = at
        at += max(len(pieces.get(axis, ())), 1)
    cuts = tuple(tuple(pieces.get(axis, ())) or (held.sizes[axis],) for axis in range(len(held.sizes)))
    return Regrouped(cuts, tuple(tuple(starts[a] + n for a, n in group) for group in groups))


def _group(size: Dim, todo: list[tuple[int, Dim]], pieces: dict[int, list[Dim]]) -> list[tuple[int, int]]:
    """The next pieces, which make one axis of a size. Axes of one cell are left for the next, but for the batch."""
    group: list[tuple[int, int]] = []
    left = size
    while left != 1 or (not group and todo and todo[-1] == (SAMPLES, 1)):
        if not todo:
            raise NoCounterpart("a view of another size")
        axis, have = todo.pop()
        rest = ratio(left, have)
        if rest is None:
            if axis == SAMPLES or ratio(have, left) is None:
                raise NoCounterpart("a view that joins parts of two axes")
            todo.append((axis, ratio(have, left) or 1))
            have, rest = left, 1
        pieces[axis].append(have)
        group.append((axis, len(pieces[axis]) - 1))
        left = rest
    return group
