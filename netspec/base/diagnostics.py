"""Diagnostics are values: gathered along the way, shown at the end."""

from __future__ import annotations

from itertools import islice

from .bounds import METER
from .diagnostic import Diagnostic as Diagnostic
from .diagnostic import Label as Label
from .record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .source import Span


class SpecError(Exception):
    """A spec is wrong; `.diagnostics` says where and how, and its text is what the terminal shows."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from .render import render_all

        return render_all(self.diagnostics) or "the spec is wrong"


# diagnostics with a search for what may be meant; more than that nobody reads
PATIENCE = 100
# names that are looked at in such a search, and letters of the longest
_MOST_NAMES = 1_000
_MOST_LETTERS = 60


class Collector:
    """Gathers the diagnostics of one run, each place and code once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Span], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        self._seen.setdefault((diagnostic.code, diagnostic.primary.span), diagnostic)

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._seen.values(), key=lambda d: d.order))

    @property
    def patient(self) -> bool:
        """Are there so few that it is worth while to look for what may be meant?"""
        return len(self._seen) < PATIENCE

    def has(self, code: str) -> bool:
        return any(d.code == code for d in self._seen.values())

    @property
    def failed(self) -> bool:
        return any(d.severity == "error" for d in self._seen.values())


def nearest(word: str, candidates: Iterable[str], most: int | None = None) -> str | None:
    """The candidate that the author most likely meant, or None where nothing is near: a few letters are missing, too
    many, wrong or exchanged, or one of the two cuts the other short. `most` sets how many letters, and nothing else."""
    wanted = _plain(word[:_MOST_LETTERS])
    letters = frozenset(wanted)
    least = (_tolerated(len(wanted)) if most is None else most) + 1
    best = shortened = None
    pool = list(islice(dict.fromkeys(candidates), _MOST_NAMES))
    for candidate in pool if METER.guess(len(pool)) else ():
        if candidate == word or len(candidate) > _MOST_LETTERS:
            continue
        plain = _plain(candidate)
        # each letter that the candidate lacks is one that is wrong
        near = len(letters.difference(plain)) < least and _begin_alike(wanted, plain)
        gap = distance(wanted, plain, least - 1) if near else least
        if gap < least:
            best, least = candidate, gap
        elif shortened is None and _shortens(*sorted((wanted, plain), key=len)):
            shortened = candidate
    return best or (shortened if most is None else None)


def _plain(word: str) -> str:
    return word.lower().replace("_", "")


def _tolerated(length: int) -> int:
    """How many letters of a word may be wrong."""
    return min(length // 3, 3)


def _begin_alike(a: str, b: str) -> bool:
    """Have two words the same first letter, or one that was left out or exchanged? The eye goes by the first letter."""
    return a[:1] == b[:1] or a[:1] == b[1:2] or a[1:2] == b[:1]


def _shortens(short: str, long: str) -> bool:
    """Does a word leave out letters of another, as `img` of `image`, and keep at least half of them?"""
    if short[:1] != long[:1] or 2 * len(short) < len(long) or (len(short) == 1 and set(long) != set(short)):
        return False
    rest = iter(long)
    return all(letter in rest for letter in short)


def distance(a: str, b: str, most: int) -> int:
    """How many letters must be put in, left out, changed or exchanged with their neighbours; `most` + 1 for more.

    Damerau (1964), in the form that changes no letter twice.
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            gap = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                gap = min(gap, earlier[j - 2] + 1)
            row.append(gap)
        if min(row) > most and min(before) > most - 1:
            return most + 1
    return min(row[-1], most + 1)


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """A help line that names the nearest candidate, or an empty text."""
    best = nearest(word, candidates)
    return f"did you mean `{best}`?" if best else ""
