"""The most likely partners among names that do not fit: by shape, last word and order."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .words import sense

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    Shapes: TypeAlias = "Mapping[str, tuple[int, ...]]"


def partners(wanted: Shapes, given: Shapes, may_be: Callable[[str, str], bool]) -> dict[str, str]:
    """The array of a file that most likely is each one that a net wants; both in the order of their networks.

    Those of the same name and shape belong together. The others are told apart by shape and by the last part of the
    name (`weight`, `bias`, `running_mean`), by what that word means, then by shape alone: where there are as many on
    both sides they are paired in their order, else by how much their names are alike. `may_be` says of a wanted and a
    given name whether they can be a pair at all. Pairs are guesses; whoever takes them reads them first.
    """
    found = {name: name for name, shape in wanted.items() if given.get(name) == shape}
    keys: tuple[Callable[[str, tuple[int, ...]], object], ...] = (
        lambda name, shape: (shape, _words(name)[-1]),
        lambda name, shape: (shape, sense(name, len(shape))),
        lambda _name, shape: shape,
    )
    for key in keys:
        taken = set(found.values())
        ours = _grouped(((n, s) for n, s in wanted.items() if n not in found), key)
        theirs = _grouped(((n, s) for n, s in given.items() if n not in taken), key)
        for group, names in ours.items():
            found.update(_paired(names, theirs.get(group, []), may_be))
    return {name: found[name] for name in wanted if name in found}


def _grouped(
    arrays: Iterable[tuple[str, tuple[int, ...]]], key: Callable[[str, tuple[int, ...]], object]
) -> dict[object, list[str]]:
    groups: dict[object, list[str]] = {}
    for name, shape in arrays:
        groups.setdefault(key(name, shape), []).append(name)
    return groups


def _paired(ours: list[str], theirs: list[str], may_be: Callable[[str, str], bool]) -> dict[str, str]:
    if len(ours) == len(theirs) and all(map(may_be, ours, theirs)):
        return dict(zip(ours, theirs))
    scores = sorted(
        ((_likeness(a, b), -i, -j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if may_be(a, b)),
        reverse=True,
    )
    found: dict[str, str] = {}
    taken: set[int] = set()
    for _, i, j in scores:
        if ours[-i] not in found and -j not in taken:
            found[ours[-i]] = theirs[-j]
            taken.add(-j)
    return found


def _likeness(one: str, other: str) -> float:
    """How much two names are alike, from 0 to 1."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, _words(one), _words(other), autojunk=False).ratio()


def _words(name: str) -> list[str]:
    """The parts of a name, between points, slashes and underscores at which numbers end."""
    import re

    return re.findall(r"[A-Za-z]+|\d+", name) or [name]
