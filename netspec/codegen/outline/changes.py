"""Changes: other values for the numbers of a block, by which a witness is told from what the program has."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from .terms import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Set
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...base.dims import Shape
    from ...ir.types import Body
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
    """Ways to change the numbers of a block, one by one, to both sides of what the text compares with, and to 1: a size
    of 1 may stand for any. What counts something goes beyond all that the program has. `maps` are sizes of inputs
    before their channels."""
    for pair in pairs:
        for number in _EQUAL:
            yield lambda place, value, p=pair, n=number: n if place in p else value
    for varied, column in varying.items():
        if varied not in maps and all(type(v) is int and is_small(v) for v in column):
            for point in (max(column) + 2, max(column) + 1):
                yield lambda place, value, v=varied, n=point: n if place == v else value
    # what the text decides by is seldom the size of a map
    for varied in sorted(varying, key=lambda place: place in maps):
        if all(type(v) is int for v in varying[varied]):
            for point in (1, 2, *(point for point in turning if point >= 0)):
                yield lambda place, value, v=varied, n=point: n if place == v else value


def changes(varying: Mapping[Place, tuple[Any, ...]], maps: Set[Place]) -> Iterator[Any]:
    """Ways to change the numbers of a block, the most telling first: each by itself, in proportion, all alike.

    Numbers that count something decide about the form of layers, so that they stay in some. `maps` are sizes of inputs
    before their channels.
    """
    order = {place: number for number, place in enumerate(varying)}
    alike = {place: list(dict.fromkeys(varying.values())).index(column) for place, column in varying.items()}
    large = any(not all(map(is_small, column)) for column in varying.values())
    # on maps of the same sizes
    yield lambda place, value: value if place in maps else moved(value, order[place])
    for numbers in (order, alike):
        if large:
            yield lambda place, value, n=numbers: value if is_small(value) else moved(value, n[place])
        yield lambda place, value, n=numbers: moved(value, n[place] + len(n))
        yield lambda place, value, n=numbers: moved(value, n[place])
        for pace in (2, 4) if large else ():  # which two or four groups divide, and 8 does not
            yield lambda place, value, n=numbers, p=pace: value if is_small(value) else moved(value, n[place], p)
        if large:
            yield lambda place, value, n=numbers: value if is_small(value) else scaled(value, n[place])
        yield lambda place, value, n=numbers: scaled(value, n[place] + 1)
    yield lambda place, value: value if is_small(value) else scaled(value, 0)
    yield lambda place, value: scaled(value, 0)


def is_number(value: Any) -> bool:
    """Is a value a number, or a window of numbers?"""
    parts = value if isinstance(value, tuple) and value else (value,)
    return all(isinstance(part, int | float) for part in parts)


def is_small(value: Any) -> bool:
    """Does a number count something, such as turns, strides or heads?"""
    if isinstance(value, tuple):
        return all(map(is_small, value))
    return isinstance(value, bool) or abs(value) <= _SMALL


def moved(value: Any, number: int, pace: int = 1) -> Any:
    if isinstance(value, tuple):
        return tuple(moved(v, number, pace) for v in value)
    if isinstance(value, bool):
        return value if number % 2 else not value
    if isinstance(value, float):
        return value * (0.5 + 0.25 * (number % 4))
    return value + 1 + number % 2 if is_small(value) else value + pace * _OFFSETS[number % len(_OFFSETS)]


def scaled(value: Any, number: int) -> Any:
    if isinstance(value, tuple):
        return tuple(scaled(v, number) for v in value)
    return value if isinstance(value, bool) else value * _FACTORS[number % len(_FACTORS)]


def ranks_of(code: LoweredBody) -> list[int]:
    return [len(port.value.shape) for port in code.body.given]


def value_at(body: Body, place: Place) -> Any:
    return body.arguments[place] if isinstance(place, str) else body.given[place[0]].value.shape[place[1]]


def sizes_with(number: int, shape: Shape, values: Mapping[Place, Any]) -> Iterator[Any]:
    """The shape of an input with other values for some of its sizes, which are counted from either side."""
    for axis, size in enumerate(shape):
        yield values.get((number, axis), values.get((number, axis - len(shape)), size))


def varying_in(group: Seq[LoweredBody]) -> dict[Place, tuple[Any, ...]]:
    """The numbers that are not the same in all of a group, each with what it is in them."""
    first = group[0].body
    places: list[Place] = list(first.arguments)
    for number, port in enumerate(first.given):
        ranks = {len(code.body.given[number].value.shape) for code in group}
        if len(ranks) == 1:
            places += [(number, axis) for axis in range(len(port.value.shape))]
        elif all(ranks):  # channels are what maps and vectors have in common
            places.append((number, -1))
    columns = {place: tuple(value_at(code.body, place) for code in group) for place in places}
    return {p: c for p, c in columns.items() if not same(c) and all(map(is_number, c))}


def told_apart(
    group: Seq[LoweredBody], spoken: Mapping[Place, Seq[int]], varying: Collection[Place]
) -> dict[Place, Seq[Any]]:
    """What each place that conditions speak of may be: numbers that vary, and the words and truth values of a group."""
    found: dict[Place, Seq[Any]] = {}
    for place, numbers in spoken.items():
        values = [value_at(code.body, place) for code in group]
        if all(value is None or isinstance(value, bool | str) for value in values):
            found[place] = [] if same(values) else list(dict.fromkeys(values))
        elif place in varying or not isinstance(place, str):
            found[place] = numbers
    return {place: values for place, values in found.items() if values}


def telling(
    kind: Seq[LoweredBody], number: int, varying: Collection[Place], change: Any
) -> tuple[LoweredBody, dict[Place, Any]]:
    """A body to change and its values: one in which no two become the same by chance, or else that of a number."""
    first = number % len(kind)
    for like in (*kind[first:], *kind[:first]):
        values = {place: change(place, value_at(like.body, place)) for place in varying}
        if len(set(values.values())) == len(values):
            return like, values
    return kind[first], {place: change(place, value_at(kind[first].body, place)) for place in varying}


# what channels are often rounded to a multiple of, and what is left over where they go down, and where they go up: half
# of it goes either way
_MULTIPLE, _LEFT = 8, ((2, 1, 3), (6, 5, 7))


def remainders_that_lack(values: Seq[Any]) -> Iterator[list[int]]:
    """Numbers near the first of some, for rounding down and for rounding up, where none of the others is one."""
    first = values[0]
    if not all(type(value) is int for value in values):
        return
    for left in _LEFT:
        if not any(value % _MULTIPLE in left for value in values):
            starts = (first - first % _MULTIPLE + _MULTIPLE * by for by in (0, 1, 2, -1))
            yield [start + rest for start in starts for rest in left if start + rest > 0]
