"""Prefixes: names that differ from those of a net by what stands before all of them."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .rename import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# the share of names that must agree before it is said of all of them
NEARLY_ALL = 0.9


def prefix_rule(wanted: Iterable[str], given: Iterable[str]) -> Rule | None:
    """The rule that turns nearly all names of a file into those that a net wants, as `module.* = *` and `* = net.*`
    do, if there is one and nearly none fits without it."""
    ours, theirs = set(wanted), set(given)
    missing, extra = ours - theirs, theirs - ours
    counts: dict[tuple[str, str], int] = {}
    for less, more, taken in ((ours, extra, True), (theirs, missing, False)):
        for name in more:
            for prefix in _prefixes(name, less):
                pair = (f"{prefix}*", "*") if taken else ("*", f"{prefix}*")
                counts[pair] = counts.get(pair, 0) + 1
    if not counts:
        return None
    pattern, name = max(counts, key=lambda pair: counts[pair])
    enough = counts[pattern, name] >= NEARLY_ALL * min(len(ours), len(theirs))
    return Rule(0, pattern, name) if enough else None


def _prefixes(name: str, short: set[str]) -> Iterator[str]:
    """What of a name stands before another one."""
    at = name.find(".")
    while at >= 0:
        if name[at + 1 :] in short:
            yield name[: at + 1]
        at = name.find(".", at + 1)
