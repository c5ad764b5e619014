"""Changes: other values for the numbers of a block, by which a witness is told from what the program has."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..lowering.lower import LoweredBody
    from .decisions import Place

# primes, far apart from one another and from the sizes of networks
_OFFSETS = (3, 11, 23, 37, 53, 71, 89, 107, 127, 149)
_FACTORS = (2, 3, 5, 7, 11, 13)
# what two numbers that a condition compares are made: multiples of 8, since heads and groups divide some, and others,
# since rounding to a multiple gives these back as they are
_EQUAL = (8, 24, 15, 35, 40)
# a number up to this counts something, such as turns, strides or heads
_SMALL = 8


def aimed(
    varying: Mapping[Place, tuple[Any, ...]], maps: Set[Place], turning: Seq[int], pairs: Seq[tuple[Place, Place]]
) -> Iterator[Any]:
    """Ways to change the numbers of a block to both sides of what the text compares with, and to 1: a size of 1 may
    stand for any. `maps` are sizes of inputs before their channels."""
    for pair in pairs:
        for number in _EQUAL:
            yield lambda place, value, p=pair, n=number: n if place in p else value
    # what the text decides by is seldom the size of a map
    for varied in sorted(varying, key=lambda place: place in maps):
        if all(type(v) is int for v in varying[varied]):
            for point in (1, *turning):
                yield lambda place, value, v=varied, n=point: n if place == v else value


def changes(varying: Mapping[Place, tuple[Any, ...]], maps: Set[Place]) -> Iterator[Any]:
    """Ways to change the numbers of a block, the most telling first: each by itself, in proportion, all alike.

    Numbers that count something decide about the form of layers, so that they stay in some. `maps` are sizes of inputs
    before their channels.
    """
    order = {place: number for number, place in enumerate(varying)}
    alike = {place: list(dict.fromkeys(varying.values())).index(column) for place, column in varying.items()}
    large = any(not all(map(_is_small, column)) for column in varying.values())
    # on maps of the same sizes
    yield lambda place, value: value if place in maps else moved(value, order[place])
    for numbers in (order, alike):
        if large:
            yield lambda place, value, n=numbers: value if _is_small(value) else moved(value, n[place])
        yield lambda place, value, n=numbers: moved(value, n[place] + len(n))
        yield lambda place, value, n=numbers: moved(value, n[place])
        for pace in (2, 4) if large else ():  # which two or four groups divide, and 8 does not
            yield lambda place, value, n=numbers, p=pace: value if _is_small(value) else moved(value, n[place], p)
        if large:
            yield lambda place, value, n=numbers: value if _is_small(value) else scaled(value, n[place])
        yield lambda place, value, n=numbers: scaled(value, n[place] + 1)
    yield lambda place, value: value if _is_small(value) else scaled(value, 0)
    yield lambda place, value: scaled(value, 0)


def is_number(value: Any) -> bool:
    """Is a value a number, or a window of numbers?"""
    parts = value if isinstance(value, tuple) and value else (value,)
    return all(isinstance(part, int | float) for part in parts)


def _is_small(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_small, value))
    return isinstance(value, bool) or abs(value) <= _SMALL


def moved(value: Any, number: int, pace: int = 1) -> Any:
    if isinstance(value, tuple):
        return tuple(moved(v, number, pace) for v in value)
    if isinstance(value, bool):
        return value if number % 2 else not value
    if isinstance(value, float):
        return value * (0.5 + 0.25 * (number % 4))
    return value + 1 + number % 2 if _is_small(value) else value + pace * _OFFSETS[number % len(_OFFSETS)]


def scaled(value: Any, number: int) -> Any:
    if isinstance(value, tuple):
        return tuple(scaled(v, number) for v in value)
    return value if isinstance(value, bool) else value * _FACTORS[number % len(_FACTORS)]


def ranks_of(code: LoweredBody) -> list[int]:
    return [len(port.value.shape) for port in code.body.given]
