"""Texts drawn from the grammar: each rule and each pattern of `grammars/netspec.lark`, as lark reads it."""

from __future__ import annotations

import random
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lark import Lark

from netspec.base.record import Record
from netspec.syntax.generate import grammar_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .drawing import Dice

try:
    from re import _constants as signs  # type: ignore[attr-defined]
    from re import _parser as patterns  # type: ignore[attr-defined]
except ImportError:  # before Python 3.11
    import sre_constants as signs
    import sre_parse as patterns

# how many terminals a text has about, before the shortest way to its end is taken
_LONGEST = 60
# how often a rule takes another way than the first: most of the levels of an expression only hand on
_MORE = 0.07
_MORE_OF = {"postfix": 0.4, "pipeline": 0.3, "argument": 0.35, "item": 0.4, "definition": 0.4, "size": 0.1, "atom": 0.6}
_MORE_OF["_any_name"] = 0.05
# of the statements, those that a body is mostly made of
_USUAL = (("flow",), ("binding",))
_LETTERS = [*map(chr, range(32, 127)), "\n", "\t", "\u00e9", "\u4e2d", "\ufb01", "\u00b2", "\u0660", "\u2003"]
_MOST = 4


class Grammar(Record):
    """The ways that each rule has, the least depth in which each symbol can end, and the patterns of the terminals."""

    rules: Mapping[str, Sequence[tuple[str, ...]]]
    depths: Mapping[str, int]
    patterns: Mapping[str, str]


@lru_cache
def grammar() -> Grammar:
    built = Lark(Path(grammar_path()).read_text(encoding="utf-8"), parser="lalr")
    rules: dict[str, list[tuple[str, ...]]] = {}
    for rule in built.rules:
        rules.setdefault(str(rule.origin.name), []).append(tuple(str(s.name) for s in rule.expansion))
    terminals = {str(t.name): t.pattern.to_regexp() for t in built.terminals}
    return Grammar(rules, _depths(rules, terminals), terminals)


def _depths(rules: Mapping[str, Sequence[tuple[str, ...]]], terminals: Mapping[str, str]) -> dict[str, int]:
    depths = dict.fromkeys(terminals, 0)
    while len(depths) < len(rules) + len(terminals):
        for name, ways in rules.items():
            known = [1 + max((depths[s] for s in way), default=0) for way in ways if all(s in depths for s in way)]
            if known:
                depths[name] = min(known)
    return depths


# --- rules -----------------------------------------------------------------------------------------------------------

# rules that tell what a name in them may be; others only hand on
_TELLING = {"call", "keyword", "input", "dtype", "attribute", "target", "parameter", "named", "argument", "size"}


def sentence(dice: Dice, start: str, depth: int, vocabulary: Callable[[Dice, str, str], str | None]) -> str:
    """A text that the rules make of a symbol. `vocabulary` may have a word for a terminal within a rule."""
    parts: list[str] = []
    stack = [(start, depth, start)]
    while stack:
        symbol, left, rule = stack.pop()
        if symbol not in grammar().rules:
            parts.append(vocabulary(dice, symbol, rule) or terminal(dice, symbol))
            continue
        way = _way(dice, symbol, left if len(parts) < _LONGEST else 0)
        owner = symbol if symbol in _TELLING else rule
        inner = [(s, left - 1, _role(owner, s, n)) for n, s in enumerate(way)]
        stack.extend(reversed(inner))
    return _joined(dice, parts)


def _role(rule: str, symbol: str, place: int) -> str:
    if place == 0:
        return "callee" if rule == "call" and symbol == "postfix" else rule
    return "" if rule in ("keyword", "parameter", "named", "callee") else rule


def _way(dice: Dice, rule: str, left: int) -> tuple[str, ...]:
    """One of the ways of a rule that end in time; where all of them only hand on, mostly the first."""
    allowed, usual = _ways(rule, left)
    return dice.choice(usual if dice.random() > _MORE_OF.get(rule, _MORE) else allowed)


@lru_cache(None)
def _ways(rule: str, left: int) -> tuple[Sequence[tuple[str, ...]], Sequence[tuple[str, ...]]]:
    """The ways of a rule that end within so many levels, and those of them that are usual."""
    ways, depths = grammar().rules[rule], grammar().depths
    costs = [max((depths[s] for s in way), default=0) for way in ways]
    allowed = [way for way, cost in zip(ways, costs) if cost < left]
    allowed = allowed or [way for way, cost in zip(ways, costs) if cost <= min(costs) + 1]
    usual = [way for way in allowed if way[:1] in _USUAL]
    usual = usual or (allowed[:1] if rule in _MORE_OF or _hands_on(ways) else [])
    return allowed, usual or allowed


def _hands_on(ways: Sequence[tuple[str, ...]]) -> bool:
    """Is each way one other rule?"""
    return len(ways) > 1 and all(len(way) == 1 and way[0] in grammar().rules for way in ways)


def _joined(dice: Dice, parts: list[str]) -> str:
    """The words, mostly with a blank between."""
    if dice.random() < 0.9:
        return " ".join(parts)
    return "".join(part + dice.choice(("", " ", " ", " ", "  ", "\t")) for part in parts)


# --- patterns --------------------------------------------------------------------------------------------------------


@lru_cache
def _tree(pattern: str) -> Any:
    return patterns.parse(pattern)


def terminal(dice: Dice, name: str) -> str:
    """A text that the pattern of a terminal fits."""
    return _sequence(dice, _tree(grammar().patterns[name]))


def _sequence(dice: Dice, items: Any) -> str:
    return "".join(_DRAW[operator](dice, given) for operator, given in items)


def _repeated(dice: Dice, given: Any) -> str:
    least, most, inner = given
    times = dice.randint(least, max(least, min(int(most), least + _MOST)))
    return "".join(_sequence(dice, inner) for _ in range(times))


@lru_cache
def _letters(key: str, items: tuple[Any, ...]) -> list[str]:
    """The letters of a set such as `[^\\W\\d]`, out of those that are tried."""
    wanted = items[0][0] is not signs.NEGATE
    return [c for c in _LETTERS if any(_IN[o](c, g) for o, g in items if o is not signs.NEGATE) is wanted]


_CATEGORIES = {
    signs.CATEGORY_WORD: re.compile(r"\w"),
    signs.CATEGORY_NOT_WORD: re.compile(r"\W"),
    signs.CATEGORY_DIGIT: re.compile(r"\d"),
    signs.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    signs.CATEGORY_SPACE: re.compile(r"\s"),
    signs.CATEGORY_NOT_SPACE: re.compile(r"\S"),
}
_IN: dict[Any, Callable[[str, Any], bool]] = {
    signs.LITERAL: lambda letter, code: ord(letter) == code,
    signs.RANGE: lambda letter, ends: ends[0] <= ord(letter) <= ends[1],
    signs.CATEGORY: lambda letter, category: bool(_CATEGORIES[category].match(letter)),
}
_DRAW: dict[Any, Callable[[Dice, Any], str]] = {
    signs.LITERAL: lambda dice, code: chr(code),
    signs.NOT_LITERAL: lambda dice, code: dice.choice([c for c in _LETTERS if ord(c) != code]),
    signs.ANY: lambda dice, _: dice.choice([c for c in _LETTERS if c != "\n"]),
    signs.IN: lambda dice, items: dice.choice(_letters(repr(items), tuple(items))),
    signs.BRANCH: lambda dice, given: _sequence(dice, dice.choice(given[1])),
    signs.SUBPATTERN: lambda dice, given: _sequence(dice, given[-1]),
    signs.MAX_REPEAT: _repeated,
    signs.AT: lambda dice, _: "",
    signs.ASSERT: lambda dice, _: "",
    signs.ASSERT_NOT: lambda dice, _: "",
}


if __name__ == "__main__":
    for seed in range(10):
        print(sentence(random.Random(seed), "start", 45, lambda dice, name, rule: None))
