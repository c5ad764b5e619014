"""The most likely partners among names that do not fit: modules by what they hold, then arrays by shape and word."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING, Record
from .words import sense

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    Shapes: TypeAlias = "Mapping[str, tuple[int, ...]]"
    MayBe: TypeAlias = "Callable[[str, str], bool]"


class Partner(Record):
    """The array of a file for one that a net wants. `how` is `name`, `structure`, or `order` where nothing but the
    order of several alike speaks for it."""

    name: str
    how: str


def partners(wanted: Shapes, given: Shapes, may_be: MayBe) -> dict[str, Partner]:
    """The array of a file that most likely is each one that a net wants, which are in the order of computation.

    Those of the same name and shape belong together. Of the others the arrays of one module stay together: modules
    that hold the same are paired in their order. What is left is told apart by shape and by the last part of the name
    (`weight`, `bias`, `running_mean`), by what that word means, then by shape alone: where there are as many on
    both sides they are paired in their order, else by how much their names are alike. `may_be` says of a wanted and a
    given name whether they can be a pair at all. Pairs are guesses; whoever takes them reads them first.
    """
    given = _numbered(given)
    found = {name: Partner(name, "name") for name, shape in wanted.items() if given.get(name) == shape}
    found |= _modules(*_left(wanted, given, found), may_be)
    keys: tuple[Callable[[str, tuple[int, ...]], object], ...] = (
        lambda name, shape: (shape, _words(name)[-1]),
        lambda name, shape: (shape, sense(name, len(shape))),
        lambda _name, shape: shape,
    )
    for key in keys:
        mine, others = _left(wanted, given, found)
        ours, theirs = _grouped(mine.items(), key), _grouped(others.items(), key)
        for group, names in ours.items():
            found.update(_paired(names, theirs.get(group, []), may_be))
    return {name: found[name] for name in wanted if name in found}


def _left(wanted: Shapes, given: Shapes, found: Mapping[str, Partner]) -> tuple[Shapes, Shapes]:
    """The arrays on both sides that have no partner."""
    taken = {partner.name for partner in found.values()}
    return {n: s for n, s in wanted.items() if n not in found}, {n: s for n, s in given.items() if n not in taken}


def _numbered(given: Shapes) -> Shapes:
    """The arrays in the order of their numbers, where a file has them in that of the alphabet."""
    names = [*given]
    if names != sorted(names):
        return given
    parts = {name: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)] for name in names}
    return {name: given[name] for name in sorted(names, key=lambda name: parts[name])}


# --- modules --------------------------------------------------------------------------------------------------------


def _modules(wanted: Shapes, given: Shapes, may_be: MayBe) -> dict[str, Partner]:
    """Pairs of whole modules of several arrays that hold the same."""
    ours, theirs = _held(wanted), _held(given)
    found: dict[str, Partner] = {}
    for holds, modules in ours.items():
        others = theirs.get(holds, [])
        if len(modules) != len(others) or len(holds) < 2:
            continue
        how = "structure" if len(modules) == 1 or (_alike(modules) and _alike(others)) else "order"
        pairs = [pair for one, other in zip(modules, others) for pair in zip(one, other)]
        if all(may_be(*pair) for pair in pairs):
            found |= {mine: Partner(name, how) for mine, name in pairs}
    return found


def _held(arrays: Shapes) -> dict[tuple[object, ...], list[list[str]]]:
    """The modules, each as its arrays, by what they hold: senses and shapes, of which none is there twice."""
    modules: dict[str, list[str]] = {}
    for name in arrays:
        modules.setdefault(re.split(r"[./](?=[^./]*$)", name)[0], []).append(name)
    found: dict[tuple[object, ...], list[list[str]]] = {}
    for names in modules.values():
        roles = {(sense(name, len(arrays[name])), arrays[name]): name for name in names}
        if len(roles) == len(names):
            found.setdefault(tuple(sorted(roles)), []).append([roles[role] for role in sorted(roles)])
    return found


def _alike(modules: Sequence[Sequence[str]]) -> bool:
    """Do the names differ in numbers alone, which then tell their order?"""
    return len({re.sub(r"\d+", "", names[0]) for names in modules}) == 1


# --- arrays ---------------------------------------------------------------------------------------------------------


def _grouped(
    arrays: Iterable[tuple[str, tuple[int, ...]]], key: Callable[[str, tuple[int, ...]], object]
) -> dict[object, list[str]]:
    groups: dict[object, list[str]] = {}
    for name, shape in arrays:
        groups.setdefault(key(name, shape), []).append(name)
    return groups


def _paired(ours: list[str], theirs: list[str], may_be: MayBe) -> dict[str, Partner]:
    if len(ours) == len(theirs) and all(map(may_be, ours, theirs)):
        numbered = _alike([[name] for name in ours]) and _alike([[name] for name in theirs])
        how = "structure" if len(ours) == 1 or numbered else "order"
        return {mine: Partner(other, how) for mine, other in zip(ours, theirs)}
    scores = sorted(
        ((_likeness(a, b), -i, -j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if may_be(a, b)),
        reverse=True,
    )
    found: dict[str, Partner] = {}
    taken: set[int] = set()
    for _, i, j in scores:
        if ours[-i] not in found and -j not in taken:
            found[ours[-i]] = Partner(theirs[-j], "order")
            taken.add(-j)
    return found


def _likeness(one: str, other: str) -> float:
    """How much two names are alike, from 0 to 1."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, _words(one), _words(other), autojunk=False).ratio()


def _words(name: str) -> list[str]:
    """The parts of a name, between points, slashes and underscores at which numbers end."""
    return re.findall(r"[A-Za-z]+|\d+", name) or [name]
