"""Tables of names: what the arrays of a foreign file are called here."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING, Record
from ..files import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..base.source import Source


class Rule(Record):
    """A line `foreign = ours`. Each `*` stands for any text, the same on both sides in turn; an empty right side leaves
    the arrays out."""

    line: int
    pattern: str
    name: str

    def apply(self, name: str) -> str | None:
        """The name that it makes of one, or None where it does not fit."""
        if "*" not in self.pattern:
            return self.name if name == self.pattern else None
        found = re.fullmatch("(.*)".join(map(re.escape, self.pattern.split("*"))), name)
        if found is None:
            return None
        if not self.name:
            return ""
        parts = self.name.split("*")
        return "".join(part + text for part, text in zip(parts, (*found.groups(), "")))


class Renaming(Record):
    """The rules of a table; the first that fits a name counts, and a name that none fits stays as it is."""

    rules: tuple[Rule, ...] = ()

    def of(self, name: str) -> str:
        """Our name for a foreign one; empty where it is left out."""
        return next((made for rule in self.rules if (made := rule.apply(name)) is not None), name)

    def names(self, foreign: Iterable[str]) -> tuple[dict[str, str], list[str]]:
        """The foreign name behind each of ours, and a line for each two that would get the same."""
        found: dict[str, str] = {}
        problems = []
        for name in foreign:
            ours = self.of(name)
            if ours in found:
                problems.append(f"`{found[ours]}` and `{name}` would both be `{ours}`")
            elif ours:
                found[ours] = name
        return found, problems

    def idle(self, foreign: Iterable[str]) -> list[str]:
        """A line for each rule that does nothing: it fits no name, or none that an earlier one leaves to it."""
        fitting = {name: [rule for rule in self.rules if rule.apply(name) is not None] for name in foreign}
        firsts = {rules[0] for rules in fitting.values() if rules}
        notes = []
        for rule in self.rules:
            if rule in firsts:
                continue
            taken = next(
                (f"line {rules[0].line} takes `{n}` first" for n, rules in fitting.items() if rule in rules), ""
            )
            notes.append(f"line {rule.line} of the table: {taken or f'no array is called `{rule.pattern}`'}")
        return notes


def read_rules(source: Source) -> Renaming:
    """The rules of a text: `foreign = ours` a line; `#` begins a comment. Raises ReadError."""
    rules = []
    for number, line in enumerate(source.text.split("\n"), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        pattern, sign, name = (part.strip() for part in text.partition("="))
        if not sign or not pattern:
            raise ReadError(f"{source.name}:{number}: a line is `foreign = ours`, not `{text}`")
        if not _fits(pattern, name):
            raise ReadError(f"{source.name}:{number}: both sides need as many `*`: `{text}`")
        rules.append(Rule(number, pattern, name))
    return Renaming(tuple(rules))


def renaming(names: Mapping[str, str]) -> Renaming:
    """The rules of a mapping from foreign names to ours. Raises ValueError."""
    for pattern, name in names.items():
        if not _fits(pattern, name):
            raise ValueError(f"both sides need as many `*`: `{pattern}` and `{name}`")
    return Renaming(tuple(Rule(n, pattern, name) for n, (pattern, name) in enumerate(names.items(), 1)))


def _fits(pattern: str, name: str) -> bool:
    return not name or name.count("*") == pattern.count("*")


def show_rules(names: Mapping[str, str], notes: Mapping[str, str] = {}) -> str:
    """A table that gives foreign names ours; with what is to be noted of some."""
    width = max(map(len, names), default=0)
    wide = max((len(names[name]) for name in notes), default=0)
    lines = {foreign: f"{foreign:<{width}} = {ours}" for foreign, ours in names.items()}
    noted = {
        foreign: f"{line.ljust(width + 3 + wide)}  # {notes[foreign]}"
        for foreign, line in lines.items()
        if foreign in notes
    }
    return "\n".join(noted.get(foreign, line).rstrip() for foreign, line in lines.items())
