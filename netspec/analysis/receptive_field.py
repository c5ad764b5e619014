"""Receptive fields: how many cells of the input one cell of a value sees, along each spatial axis.

The sizes are those of Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill,
2019), worked out from the value back to the input, so that grids which become finer round once: of d + 1 neighbours
that a layer gives, the most that are seen before it are ceil((d*stride + window - 1) / finer) + 1.
"""

from __future__ import annotations

from math import gcd

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    # how d + 1 neighbours behind a layer become those before it: (d*stride + more) / finer, rounded up
    Link: TypeAlias = tuple[int, int, int]
    # links from the input on; what follows from two together stands there as one
    Way: TypeAlias = tuple[Link, ...]
    # for each spatial axis: the window, the stride, and how many cells one cell becomes; None: all is seen
    Reach: TypeAlias = tuple[tuple[int, int, int], ...] | None

# of the ways to a value along an axis, those that see most; no value is known to need more
_MOST = 4


class Field(Record):
    """How far a value sees: along each axis the ways from the input that may see most, and the cells that are seen."""

    axes: tuple[tuple[Way, ...], ...]
    sizes: tuple[int, ...]


def field_of_input(axes: int) -> Field:
    """The field of an input: each cell sees itself."""
    return Field((((),),) * axes, (1,) * axes)


def field_after(before: Sequence[Field | None], reach: Reach) -> Field | None:
    """The receptive field of a step's output; None where it sees the whole input, or has no spatial axes.

    Values that meet lie about the same cell, so of their fields the largest along each axis counts.
    """
    if reach is None:
        return None
    grids = [f for f in before if f is not None and len(f.sizes) == len(reach) > 0]
    if not grids or len(grids) < len(before):
        return None
    met = grids[0] if all(f is grids[0] for f in grids) else _field(_met, *(f.axes for f in grids))
    return met if reach.count((1, 1, 1)) == len(reach) else _field(_behind, met.axes, reach)


def _field(work: Callable[..., tuple[Way, ...]], *columns: Iterable[Any]) -> Field:
    """What an axis comes to for each axis, worked out once for those that are alike, as they mostly are."""
    axes, sizes, last = [], [], None
    for column in zip(*columns):
        if column != last:
            ways = work(*column)
            size, last = max(map(_seen, ways)), column
        axes.append(ways)
        sizes.append(size)
    return Field(tuple(axes), tuple(sizes))


def _met(*found: tuple[Way, ...]) -> tuple[Way, ...]:
    """The ways along an axis to values that meet, but for those that never see more than another."""
    kept: list[Way] = []
    for way in dict.fromkeys(way for ways in found for way in ways):
        if not any(_covers(other, way) for other in kept):
            kept = [*(other for other in kept if not _covers(way, other)), way]
            kept = sorted(kept, key=_seen)[-_MOST:]
    return tuple(kept)


def _covers(way: Way, other: Way) -> bool:
    """Is it seen at a glance that a way sees at least as much as another, whatever comes behind?"""
    pairs = list(zip(way, other))
    alike = len(way) == len(other) and all(a[::2] == b[::2] for a, b in pairs)
    return alike and all(a[1] >= b[1] for a, b in pairs)


def _behind(ways: Iterable[Way], reach: tuple[int, int, int]) -> tuple[Way, ...]:
    window, stride, finer = reach
    return tuple(_linked(way, (stride, window - 1, finer)) for way in ways)


def _linked(way: Way, link: Link) -> Way:
    """A way with one more layer behind it."""
    link = _reduced(*link)
    while way:
        (stride, more, finer), (outer_stride, outer_more, outer_finer) = link, way[-1]
        if finer == 1:
            link = _reduced(stride * outer_stride, more * outer_stride + outer_more, outer_finer)
        elif outer_stride == 1:
            link = _reduced(stride, more + outer_more * finer, finer * outer_finer)
        else:
            break
        way = way[:-1]
    return way if link == (1, 0, 1) else (*way, link)


def _reduced(stride: int, more: int, finer: int) -> Link:
    """The same with less: ceil((g*a + b) / (g*c)) is ceil((a + ceil(b/g)) / c)."""
    common = gcd(stride, finer)
    return stride // common, -(-more // common), finer // common


def _seen(way: Way) -> int:
    """How many cells of the input one cell sees."""
    beyond = 0
    for stride, more, finer in reversed(way):
        beyond = -(-(beyond * stride + more) // finer)
    return beyond + 1
