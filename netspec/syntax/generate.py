"""Tables of the grammar, made by lark from `grammars/netspec.lark`.

`python -m netspec.syntax.generate` writes `tables.py`. Loading lark costs more than a whole check, so the tables are
made ahead of time; a test holds them to the grammar.
"""

from __future__ import annotations

import os
import re

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

# the group of the pattern that all signs share
SIGN = "SIGN"
GRAMMAR_FILE = "netspec.lark"
_HEAD = '''"""Made by `python -m netspec.syntax.generate` from grammars/netspec.lark."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
'''
# words are dropped from the tree, but for those that are operators or names
_KEPT_WORDS = {
    *(("_comparator", word) for word in ("IN", "NOT")),
    *(("_any_name", word) for word in ("CELL", "LAYER", "NEXT", "STATE", "WEIGHT")),
}
_DROPPED = {"ARROW", "ELSE"}
# how the pattern of what takes the line breaks before it begins
_BREAKS = "(?:[ \t\r\n]|#[^\n]*\n)*"
# what a line break begins with; the lexer reads on
_BREAK = r"[\n;#]"


def grammar_path() -> str:
    """The grammar: beside the package where it was installed, else in the checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = os.path.join(package, "grammars", GRAMMAR_FILE)
    return installed if os.path.exists(installed) else os.path.join(os.path.dirname(package), "grammars", GRAMMAR_FILE)


class Tables:
    """What the parser needs of the grammar; `tables.py` has the same names at module level."""

    def __init__(self, grammar: str) -> None:
        from lark import Lark

        built = Lark(grammar, parser="lalr", start="start")
        self.SIGN = SIGN
        table = built.parser.parser._parse_table
        rules = list(built.rules)
        self.WORDS, self.SIGNS, self.PATTERN, self.CONTINUING = _terminals(built.terminals)
        self.RULES = tuple(_rule(rule, self.WORDS) for rule in rules)
        order = _ordered(table.states, table.start_states["start"])
        self.ROWS, self.GOTOS, self.STATES = _rows(table.states, order, {rule: i for i, rule in enumerate(rules)})
        self.START: int = order[table.start_states["start"]]
        self.END: int = order[table.end_states["start"]]

    def write(self) -> str:
        """The text of `tables.py`."""
        names = ("PATTERN", "CONTINUING", "WORDS", "SIGN", "SIGNS", "RULES", "ROWS", "GOTOS", "STATES", "START", "END")
        body = "\n".join(f"{name}: Any = {getattr(self, name)!r}" for name in names)
        return f"{_HEAD}\n{body}\n"


def _terminals(terminals: Any) -> tuple[dict[str, str], dict[str, str], str, tuple[str, ...]]:
    """Words and signs (text -> terminal), one pattern for all else and signs, and what takes line breaks.

    All signs are one group of the pattern, the longest first: a group for each would take twice as long to compile.
    """
    words, signs, parts, ignored, continuing = {}, {}, [], [], []
    for terminal in terminals:
        text = terminal.pattern.value
        if terminal.name.startswith("__IGNORE"):
            ignored.append(text)
        elif text.startswith(_BREAKS):
            continuing.append((terminal.name, text.removeprefix(_BREAKS)))
        elif terminal.name == "_NEWLINE":
            parts.append((terminal.name, _BREAK))
        elif text.endswith(r"\b") and text[:-2].isalpha():
            words[text[:-2]] = terminal.name
        elif terminal.pattern.type == "str":
            signs[text] = terminal.name
        else:
            parts.append((terminal.name, text))
    alone = "".join(sorted(re.escape(sign) for sign in signs if len(sign) == 1))
    longer = sorted((re.escape(sign) for sign in signs if len(sign) > 1), key=lambda sign: (-len(sign), sign))
    parts.append((SIGN, "|".join((*longer, f"[{alone}]"))))
    groups = "|".join(f"(?P<{name}>{text})" for name, text in [*continuing, *parts])
    return words, signs, f"{groups}|(?:{'|'.join(ignored)})", tuple(name for name, _ in continuing)


def _rule(rule: Any, words: dict[str, str]) -> tuple[str, int, tuple[bool, ...] | None, bool]:
    """Its name, its length, which parts are kept (None: all), and whether a lone part stands for it."""
    origin = str(rule.origin.name)
    dropped = _DROPPED.union(words.values())
    keep = tuple(
        not (symbol.is_term and (symbol.filter_out or symbol.name in dropped)) or (origin, symbol.name) in _KEPT_WORDS
        for symbol in rule.expansion
    )
    return origin, len(rule.expansion), None if all(keep) else keep, bool(rule.options.expand1)


def _ordered(states: Any, start: int) -> dict[int, int]:
    """New numbers for the states, in the order in which they are reached; lark's differ from run to run."""
    order = {start: 0}
    todo = [start]
    for state in todo:
        for _, (action, target) in sorted(states[state].items()):
            if action.name == "Shift" and target not in order:
                order[target] = len(order)
                todo.append(target)
    return order


def _rows(
    states: Any, order: dict[int, int], numbers: dict[Any, int]
) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
    """Actions and gotos, equal rows once. A shift is its state + 1, a reduction is -(rule + 1).

    A state that can only reduce by one rule is that number instead of a row: it needs no token.
    """
    rows: dict[str, tuple[int, Any]] = {}
    gotos: dict[str, tuple[int, Any]] = {}
    index = []
    for state in order:
        row: dict[str, int] = {}
        goto: dict[str, int] = {}
        for symbol, (action, target) in sorted(states[state].items()):
            if action.name == "Reduce":
                row[symbol] = -numbers[target] - 1
            elif symbol.isupper() or symbol.startswith(("_NEWLINE", "__ANON", "$")):
                row[symbol] = order[target] + 1
            else:
                goto[symbol] = order[target]
        targets = set(row.values())
        packed: Any = row
        if len(targets) == 1 and min(targets) < 0:
            packed = min(targets)
        place = rows.setdefault(repr(packed), (len(rows), packed))[0]
        index.append((place, gotos.setdefault(repr(goto), (len(gotos), goto))[0]))
    return tuple(r for _, r in rows.values()), tuple(g for _, g in gotos.values()), tuple(index)


def main() -> None:
    """Write `tables.py` anew."""
    with open(grammar_path(), encoding="utf-8") as file:
        text = Tables(file.read()).write()
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tables.py")
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
