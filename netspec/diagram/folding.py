"""Which parts of a body repeat: runs of equal loop turns and block calls, each chained to the one before it.

Two parts are alike if they are the same layers, wired the same way. Shapes may differ, since in a DenseNet they grow
from turn to turn, and so may fractions, such as rates of dropout that grow with the depth: the picture says from where
to where. What an author wrote out step by step is never folded.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..ir.paths import path_of
from ..ir.types import BlockCall, Region, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from typing import Any

    from ..ir.types import Body, Item, Tensor

_LOOPS = ("repeat", "for")


class Unit(Record):
    """One part to draw. `turns` are the items of each of its repeats, the one that is drawn first."""

    turns: tuple[tuple[Item, ...], ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.turns[0]

    @property
    def count(self) -> int:
        return len(self.turns)


class Part(Record):
    """A candidate for folding: what it is, the values it takes from outside, and those it makes."""

    key: int
    takes: tuple[int, ...]
    makes: tuple[Tensor, ...]


class Wiring:
    """Where the values of one body are taken. A place is the number of a step or call in the body.

    `paths` has the path of each within the body, and `names` are those that the author gave to values.
    """

    def __init__(self, body: Body) -> None:
        self.leaves = tuple(leaves(body.items))
        self.paths = tuple(_paths(body.items, ""))
        self.names = {**body.marks, **body.labels}
        self.places: dict[int, int] = {}
        self.readers: dict[int, list[int]] = {}
        for place, leaf in enumerate(self.leaves):
            self.places[id(leaf)] = place
            for tensor in leaf.inputs:
                self.readers.setdefault(tensor.number, []).append(place)
        end = len(self.places)
        for result in body.outputs:
            self.readers.setdefault(result.value.number, []).append(end)


def leaves(items: Sequence[Item]) -> Iterator[Step | BlockCall]:
    """The steps and calls among items, those in scopes included, in order."""
    stack = list(reversed(items))
    while stack:
        item = stack.pop()
        if isinstance(item, Region):
            stack.extend(reversed(item.items))
        else:
            yield item


def _bare(items: Sequence[Item]) -> Iterator[Item]:
    """The items without the scopes that have no name; loops stay, as they are drawn with their count."""
    for item in items:
        if isinstance(item, Region) and not item.name and item.kind not in _LOOPS:
            yield from _bare(item.items)
        else:
            yield item


def _paths(items: Sequence[Item], prefix: str) -> Iterator[str]:
    """The path of each of the leaves."""
    for item in items:
        if isinstance(item, Region):
            yield from _paths(item.items, f"{prefix}{item.name}." if item.name else prefix)
        else:
            yield path_of(item, prefix, "")


def made(leaf: Step | BlockCall) -> tuple[Tensor, ...]:
    """The values that a step or call gives."""
    return leaf.outputs


class Folder:
    """Finds what repeats; knows each body it has seen."""

    def __init__(self) -> None:
        self._keys: dict[Hashable, int] = {}
        self._bodies: dict[int, int] = {}
        self._structures: dict[int, int] = {}

    def units(self, items: Sequence[Item], wiring: Wiring) -> list[Unit]:
        """The parts of a body or scope in order, unnamed scopes opened, repeats folded."""
        found: list[Unit] = []
        for item in items:
            if not isinstance(item, Region) or item.name:
                found.append(Unit(((item,),)))
            elif item.kind in _LOOPS:
                found.extend(self._loop(item, wiring))
            else:
                found.extend(self.units(item.items, wiring))
        return self._fold(found, wiring, lambda unit: unit.count == 1 and isinstance(unit.items[0], BlockCall))

    def _loop(self, loop: Region, wiring: Wiring) -> list[Unit]:
        turns = [Unit((tuple(_bare((t,))),)) for t in loop.items]
        found: list[Unit] = []
        for unit in self._fold(turns, wiring, lambda unit: bool(unit.items)):
            if unit.count > 1 or (len(unit.items) == 1 and isinstance(unit.items[0], Region) and unit.items[0].name):
                found.append(unit)
            else:
                found.extend(self.units(unit.items, wiring))
        return found

    def _fold(self, units: list[Unit], wiring: Wiring, may: Callable[[Unit], bool]) -> list[Unit]:
        """The units with runs of equal ones made into one."""
        found: list[Unit] = []
        start = 0
        while start < len(units):
            stop, folds = self._run(units, start, wiring, may) if may(units[start]) else (start + 1, False)
            run = units[start:stop]
            found.extend([Unit(tuple(unit.items for unit in run))] if folds else run)
            start = stop
        return found

    def _run(self, units: list[Unit], start: int, wiring: Wiring, may: Callable[[Unit], bool]) -> tuple[int, bool]:
        """Where the run of equal units from `start` ends, and whether it may be folded."""
        parts = [self.part(units[start].items)]
        links: tuple[object, ...] | None = None
        stop = start + 1
        while stop < len(units) and may(units[stop]):
            part = self.part(units[stop].items)
            link = _link(parts[-1], part) if part.key == parts[0].key else None
            if link is None or (links is not None and link != links):
                break
            links = link
            parts.append(part)
            stop += 1
        return stop, links is not None and not self._seen_outside(units[start:stop], parts, links, wiring)

    def _seen_outside(self, units: list[Unit], parts: list[Part], links: tuple[object, ...], wiring: Wiring) -> bool:
        """Is a value from the midst of a run taken behind it? Then the picture must show where it comes from.

        A chain that hands on two values, as in `prev, cur = cur, cell(prev, cur)`, ends with the last two.
        """
        last = wiring.places[id(list(leaves(units[-1].items))[-1])]
        open_ends = 2 if any(isinstance(link, tuple) and link[0] == "was" for link in links) else 1
        inner = (t for part in parts[:-open_ends] for t in part.makes)
        return any(place > last for t in inner for place in wiring.readers.get(t.number, ()))

    def part(self, items: Sequence[Item]) -> Part:
        return self._part(items, ())

    def _part(self, items: Sequence[Item], inputs: Sequence[Tensor]) -> Part:
        outside = {t.number: n for n, t in enumerate(inputs)}
        inside: dict[int, int] = {}
        makes: list[Tensor] = []
        said: list[Hashable] = []
        for leaf in leaves(items):
            places = tuple(
                (True, inside[t.number]) if t.number in inside else (False, outside.setdefault(t.number, len(outside)))
                for t in leaf.inputs
            )
            said.append((self._leaf(leaf), places))
            for tensor in made(leaf):
                inside[tensor.number] = len(makes)
                makes.append(tensor)
        return Part(self._number(tuple(said)), tuple(outside), tuple(makes))

    def _leaf(self, leaf: Step | BlockCall) -> Hashable:
        shared = leaf.shared and leaf.shared.name
        if isinstance(leaf, Step):
            return type(leaf.layer), _loose(leaf.layer.__dict__), leaf.frozen, shared
        return self.body(leaf.body), _loose(leaf.arguments), leaf.frozen, shared, leaf.use

    def body(self, body: Body) -> int:
        """A number that is the same for bodies that are alike."""
        known = self._bodies.get(id(body))
        if known is None:
            part = self._part(body.items, [p.value for p in body.inputs])
            inside = {t.number: n for n, t in enumerate(part.makes)}
            given = tuple(inside.get(r.value.number, -1 - r.value.number) for r in body.outputs)
            known = self._bodies[id(body)] = self._number((id(body.definition), part.key, given))
        return known

    def structure(self, body: Body) -> int:
        """A number that is the same for bodies that differ in numbers only: the blocks in them and the branches that
        were taken are the same. A picture of one then explains the other."""
        known = self._structures.get(id(body))
        if known is None:
            known = self._structures[id(body)] = self._number((body.name, self._inside(body.items)))
        return known

    def _inside(self, items: Sequence[Item]) -> Hashable:
        found: dict[Hashable, None] = {}
        for item in items:
            if isinstance(item, BlockCall):
                found[self.structure(item.body)] = None
            elif isinstance(item, Region):
                found[(item.kind, item.choice, self._inside(item.items))] = None
        return tuple(found)

    def _number(self, key: Hashable) -> int:
        return self._keys.setdefault(key, len(self._keys))


def _loose(values: Mapping[str, Any]) -> Hashable:
    """Arguments of which fractions count as equal."""
    return tuple((name, float if isinstance(value, float) else value) for name, value in values.items())


def _link(before: Part, after: Part) -> tuple[object, ...] | None:
    """How a part takes its values from the one before; None where it does not follow on it.

    Each value is one that the part before made, or one that it took as well, in the same place or in another.
    """
    makes = {t.number: n for n, t in enumerate(before.makes)}
    took = {number: n for n, number in enumerate(before.takes)}
    link: list[object] = []
    for place, number in enumerate(after.takes):
        if number in makes:
            link.append(("made", makes[number]))
        elif number not in took:
            return None
        else:
            link.append("same" if took[number] == place else ("was", took[number]))
    return tuple(link) if any(isinstance(x, tuple) and x[0] == "made" for x in link) else None
