"""Earlier names: files written when a layer that had no name of its own was called otherwise."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from .rename import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

# a stack of recurrent layers is called after the word that it is written with; it was `stacked1`, `stacked2`, ...
_NOW, _BEFORE = re.compile(r"stack\d*"), "stacked"


def earlier_names(wanted: Iterable[str], given: Iterable[str]) -> tuple[Rule, ...]:
    """Rules from earlier names in a file to those that a net wants and the file does not have."""
    theirs = set(given)
    counts: dict[str, dict[str, int]] = {}
    found = []
    for name in wanted:
        if name not in theirs:
            before = _before(name, counts)
            if before in theirs:
                found.append(Rule(0, before, name))
    return tuple(found)


def _before(name: str, counts: dict[str, dict[str, int]]) -> str:
    """What an array was called. `counts` numbers the stacks within each part of a net, in their order."""
    parts = re.split(r"([./])", name)
    for place in range(0, len(parts), 2):
        if _NOW.fullmatch(parts[place]):
            inside = counts.setdefault("".join(parts[:place]), {})
            parts[place] = f"{_BEFORE}{inside.setdefault(parts[place], len(inside) + 1)}"
    return "".join(parts)
