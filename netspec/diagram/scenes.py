"""What a part of a picture stands for: itself and what repeats it, with weights that may be used several times."""

from __future__ import annotations

from collections import Counter

from ..base.record import TYPE_CHECKING
from ..ir.types import Step
from .folding import leaves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..ir.types import BlockCall, CostRow, Item, Tensor
    from .folding import Wiring
    from .model import EdgeSource


class Scene:
    """One body as it is drawn, and where its values come from.

    `instances` are all that the picture of it stands for, each with the prefix of its paths. The first is drawn.
    """

    def __init__(self, instances: Sequence[tuple[str, Wiring]]) -> None:
        self.instances = instances
        self.prefix, self.wiring = instances[0]
        self.sources: dict[int, EdgeSource] = {}
        # is it drawn again, and weighs nothing here?
        self.spent = False
        # by place, the places of all that a leaf stands for
        self._turns: dict[int, tuple[int, ...]] = {}

    def fold(self, turns: Sequence[Sequence[Item]]) -> None:
        """From now on what is in the first turn stands for what is in all of them."""
        places = [[self.wiring.places[id(leaf)] for leaf in leaves(items)] for items in turns]
        for alike in zip(*places):
            self._turns[alike[0]] = tuple(q for place in alike for q in self._turns.get(place, (place,)))

    def give(self, values: Sequence[Tensor], sources: Sequence[EdgeSource], words: Sequence[str]) -> None:
        """These values come from there. Of several that a box gives each has its name, by the author or else of
        `words`, or its number."""
        said = words if len(words) == len(values) else [str(number) for number in range(1, len(values) + 1)]
        many = Counter(source.box.id for source in sources)
        for number, (value, source, word) in enumerate(zip(values, sources, said)):
            name = self.wiring.names.get(value.number, word) if many[source.box.id] > 1 else ""
            self.sources[value.number] = source.replace(name=name, number=number)

    def hold(self, values: Sequence[Tensor], sources: Sequence[EdgeSource]) -> None:
        """A named scope is one box, in which all these values are made: two that the author named are told apart."""
        names = [self.wiring.names.get(value.number, "") for value in values]
        several = len(set(filter(None, names))) > 1
        for number, (value, source, name) in enumerate(zip(values, sources, names)):
            self.sources[value.number] = source.replace(name=name if several else "", number=number)

    def alike(self, leaf: Step | BlockCall) -> list[tuple[str, Any]]:
        """All that a leaf stands for, itself first, with their paths."""
        place = self.wiring.places[id(leaf)]
        found = self._turns.get(place, (place,))
        return [(prefix + w.paths[q], w.leaves[q]) for prefix, w in self.instances for q in found]

    def path(self, *items: Item) -> str:
        """The path of the first thing in items that the report has."""
        found = list(leaves(items))
        first = next((leaf for leaf in found if not unseen(leaf)), found[0])
        return self.prefix + self.wiring.paths[self.wiring.places[id(first)]]


def unseen(leaf: Step | BlockCall) -> bool:
    """Does it hand on what it takes, so that neither the report nor a picture shows it?"""
    return isinstance(leaf, Step) and not leaf.given and leaf.hands_on


class WeightUses:
    """How often the weights of each path are used, and how many of these uses have been drawn."""

    def __init__(self, rows: Sequence[CostRow]) -> None:
        self.count: dict[str, int] = {}
        for row in rows:
            self.count[row.path] = self.count.get(row.path, 0) + 1
        self._drawn: dict[str, int] = {}

    def note(self, paths: Sequence[str]) -> str:
        """What is said of the next uses, which one box stands for; empty for what is used once."""
        path = paths[0]
        here, of = paths.count(path), self.count.get(path, 1)
        first = self._drawn.get(path, 0) + 1
        self._drawn[path] = first + here - 1
        if of == 1:
            return ""
        which = f"{first}" if here == 1 else f"{first} to {first + here - 1}"
        return f"shared, use {which} of {of}" if here < of else f"shared by all {of}"
