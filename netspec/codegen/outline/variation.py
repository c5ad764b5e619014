"""Variation: a net or a block of which some numbers may be others, and what is tried of it for what may hide."""

from __future__ import annotations

from itertools import combinations, islice, permutations, product

from ...base.record import TYPE_CHECKING
from ..lowering.lower import LoweredRegion
from .changes import moved, remainders_that_lack, scaled, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from collections.abc import Sequence as Seq
    from typing import Any, TypeAlias

    from ...base.source import Span
    from ..lowering.lower import Lowered, LoweredBody
    from .decisions import Place

    # a choice of the text, which of its branches, and in which turn of a loop
    Branch: TypeAlias = tuple[Span, int, int]

    # a body with other values for some of its numbers; None where there is none such
    Change: TypeAlias = Callable[[LoweredBody, Mapping[Place, Any]], LoweredBody | None]

# how many times as large a number is made
_MUCH = (3, 4, 6, 8, 5)
# so many turns of a loop are told apart
_TURNS = 4
# so many bodies with two equal numbers
_EQUAL = 4
# so many pairs of values of what conditions speak of
_PAIRS = 40


class Variation:
    """The bodies that a program has of a net or of a block, and how others come of them."""

    def __init__(self, own: Seq[LoweredBody], change: Change) -> None:
        self.own = own
        self.change = change

    def larger(self, found: Seq[LoweredBody], places: Seq[Place], most: int = 1) -> Iterator[LoweredBody]:
        """For each whole number that is in no witness found so far much larger than in the program: bodies in which it
        is."""
        for place in places:
            values = [value_at(code.body, place) for code in self.own]
            if all(type(value) is int for value in values):
                limit = max(values)
                if all(value_at(code.body, place) < _MUCH[0] * limit for code in found):
                    yield from first(self._with(place, [limit * by for by in _MUCH]), most)

    def moved(self, places: Seq[Place]) -> Iterator[LoweredBody]:
        """For each number, which all bodies of the program have: one with another."""
        for place in places:
            value = value_at(self.own[0].body, place)
            if type(value) is int:
                yield from first(self._with(place, [moved(value, 4), moved(value, 2), scaled(value, 0)]))

    def rounded(self, found: Seq[LoweredBody], places: Seq[Place]) -> Iterator[LoweredBody]:
        """For each number one value that rounding to a multiple of 8 takes down and one that it takes up, where all
        found are multiples, or are rounded one way: then rounding up, down and to the nearest are one."""
        for place in places:
            for several in remainders_that_lack([value_at(code.body, place) for code in (*self.own, *found)]):
                yield from first(self._with(place, several))

    def made_equal(self, pairs: Seq[tuple[Place, Place]], varying: Collection[Place]) -> Iterator[LoweredBody]:
        """For each two numbers that a condition compares: one that varies as the other is, and next to it."""
        sides = [(a, b) for pair in pairs for a, b in (pair, pair[::-1]) if a in varying]
        found: dict[tuple[Place, Place], list[LoweredBody]] = {side: [] for side in sides}
        for (own, fixed), step in product(sides, (0, 1, -1)):
            numbers = ((code, value_at(code.body, fixed)) for code in self.own)
            tried = (self.change(code, {own: number + step}) for code, number in numbers if type(number) is int)
            found[own, fixed] += first(tried, _EQUAL if step == 0 else 1)
        yield from (code for codes in found.values() for code in codes)
        # two such at once: what one condition leads to may stand within what another does
        for one, (own, fixed) in permutations(sides, 2):
            if own not in one:
                tried = (self.change(code, {own: value_at(code.body, fixed)}) for code in found[one])
                yield from first(tried, len(found[one]))

    def in_turn(self, spoken: Mapping[Place, Seq[int]]) -> Iterator[LoweredBody]:
        """Each number that conditions speak of, on all sides of the values there."""
        tried = (self.change(self.own[0], {place: n}) for place, numbers in spoken.items() for n in numbers)
        return first(islice(tried, _PAIRS), _PAIRS)

    def in_pairs(self, spoken: Mapping[Place, Seq[int]]) -> Iterator[LoweredBody]:
        """Each two numbers that conditions speak of, on all sides of the values there: `spoken`, and those of the
        program."""
        pairs = (
            self.change(self.own[0], {one: a, other: b})
            for one, other in combinations(spoken, 2)
            for a, b in product(*([value_at(self.own[0].body, place), *spoken[place]] for place in (one, other)))
        )
        return first(islice(pairs, _PAIRS), _PAIRS)

    def in_branches(self, found: Seq[LoweredBody], places: Collection[Place]) -> Iterator[LoweredBody]:
        """For each branch, and each number that is the same in all that take it: a body that takes it with another."""
        taking: dict[Branch, list[LoweredBody]] = {}
        for code in (*self.own, *found):
            for branch in _branches(code.items):
                taking.setdefault(branch, []).append(code)
        for (branch, codes), place in product(taking.items(), places):
            value = value_at(codes[0].body, place)
            everywhere = len(codes) == len(self.own) + len(found)
            if everywhere or isinstance(value, bool) or any(value_at(code.body, place) != value for code in codes):
                continue
            others = dict.fromkeys((*(moved(value, n) for n in (4, 2)), *(scaled(value, n) for n in (0, 1))))
            few = [code for code in codes if not code.body.upto][:2]
            tried = (self.change(code, {place: other}) for other in others for code in few)
            for code in first(code for code in tried if code is not None and branch in _branches(code.items)):
                codes.append(code)
                yield code

    def _with(self, place: Place, values: Seq[Any]) -> Iterator[LoweredBody | None]:
        return (self.change(code, {place: value}) for value in values for code in self.own[:2])


def _branches(items: Seq[Lowered], turn: int = 0) -> Iterator[Branch]:
    """The branches that a body takes, in each of the first turns of a loop, which may be written out."""
    turns = 0
    for part in items:
        if isinstance(part, LoweredRegion):
            if part.region.kind == "if":
                yield part.region.span, part.region.choice, turn
            turns += part.region.kind == "turn"
            yield from _branches(part.items, min(turns, _TURNS) if part.region.kind == "turn" else turn)


def first(tried: Iterable[LoweredBody | None], most: int = 1) -> Iterator[LoweredBody]:
    """The first of what was tried that there is."""
    return islice((code for code in tried if code is not None), most)
