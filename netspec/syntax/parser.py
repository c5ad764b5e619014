"""The door to parsing: text in, `Spec` and diagnostics out.

lark made the tables (see `generate`); here is the small machine that runs them: a lexer that asks the parser which
words are words at this point, shift and reduce, and recovery at the end of a statement, so that one run shows every
fault.
"""

from __future__ import annotations

import re

from ..diagnostics import Diagnostic, Label
from ..record import TYPE_CHECKING
from ..source import Span
from . import generate
from .build import Builder, Token
from .faults import explain
from .tree import Broken, Node, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..diagnostics import Collector
    from ..source import Source

_CLOSERS = {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE"}
_OPENERS = frozenset(_CLOSERS.values())
_STATEMENT = "flow"
_DEFINITION = "const"
_MOST_FAULTS = 25

_tables = generate.load()
_match = re.compile(_tables.PATTERN).match
# by state: the actions for each token, or the one reduction that needs no token; and where a reduction leads
_ROWS: list[Any] = [_tables.ROWS[row] for row, _ in _tables.STATES]
_GOTOS = [_tables.GOTOS[goto] for _, goto in _tables.STATES]
_UNREAD = Token("", "", 0, 0)
# rules that only give their one part another name, most of all reductions: the value stays as it is
_RENAMES = tuple(name if length == 1 and lone and keep is None else None for name, length, keep, lone in _tables.RULES)


def parse(source: Source, faults: Collector) -> Spec:
    """The tree of a text. Faults go to the collector; what did not parse stands as `Broken`."""
    definitions = _Machine(source, faults).run()
    return Spec(source, tuple(definitions))


def lex(text: str) -> Iterator[tuple[str, int, int]]:
    """The tokens of a text that parses: kind, start and end. A word that may be a name is one."""
    place = 0
    while place < len(text):
        found = _match(text, place)
        assert found is not None, "this text does not parse"
        start, place = place, found.end()
        if found.lastgroup is not None:
            yield found.lastgroup, start, place


def _opened(parts: list[Any]) -> list[Any]:
    """The parts, with lists opened. The first, which holds the items of a repetition so far, grows in place."""
    found: list[Any] = parts[0] if parts[0].__class__ is list else parts[:1]
    for part in parts[1:]:
        if part.__class__ is list:
            found.extend(part)
        else:
            found.append(part)
    return found


class _Machine:
    """One run over one text."""

    def __init__(self, source: Source, faults: Collector) -> None:
        self.source = source
        self.text = source.text
        self.faults = faults
        self.builder = Builder(source)
        # the parser's stacks: states, values, and the start of each value
        self.states: list[int] = [_tables.START]
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.brackets: list[Token] = []
        self.place = 0
        self.end = 0  # where the last token ended

    def run(self) -> list[Any]:
        """Shift and reduce. A token is read only where the state needs it, as the state says which words are words."""
        states, values = self.states, self.values
        token, count = _UNREAD, 0
        while True:
            row = _ROWS[states[-1]]
            code: int | None
            if row.__class__ is int:
                code = row
            else:
                token = self._next(row) if token is _UNREAD else token
                code = row.get(token.type)
            if code is None:
                if states[-1] == _tables.END and token.type == "$END":
                    return list(values[0])
                count += 1
                self._report(token, row)
                if count >= _MOST_FAULTS or not self._recover(token):
                    return [v for v in values if isinstance(v, Node)]
                token = _UNREAD
            elif code > 0:
                self._shift(code - 1, token)
                token = _UNREAD
            elif (name := _RENAMES[-code - 1]) is not None and values[-1].__class__ is not list:
                states[-1] = _GOTOS[states[-2]][name]
            else:
                self._reduce(-code - 1)

    def _shift(self, state: int, token: Token) -> None:
        self.states.append(state)
        self.values.append(token)
        self.starts.append(token.start)
        self.end = token.end
        if token.type in _OPENERS:
            self.brackets.append(token)
        elif token.type in _CLOSERS and self.brackets:
            self.brackets.pop()

    def _reduce(self, number: int) -> None:
        states, values, starts = self.states, self.values, self.starts
        name, length, keep, lone = _tables.RULES[number]
        if length:
            parts = values[-length:]
            start = starts[-length]
            del states[-length:], values[-length:], starts[-length:]
            if keep is not None:
                parts = [part for part, kept in zip(parts, keep) if kept]
        else:
            parts, start = [], self.end
        if lone and len(parts) == 1 and parts[0].__class__ is not list:
            value = parts[0]
        else:
            if any(part.__class__ is list for part in parts):
                parts = _opened(parts)
            if name[0] == "_":
                value = parts
            elif lone and len(parts) == 1:
                value = parts[0]
            else:
                value = self.builder.make(name, parts, start, self.end)
        values.append(value)
        starts.append(start)
        states.append(_GOTOS[states[-1]][name])

    # --- tokens ----------------------------------------------------------------------------------------------

    def _next(self, row: dict[str, int]) -> Token:
        text = self.text
        while self.place < len(text):
            found = _match(text, self.place)
            if found is None or found.end() == self.place:
                return Token("?", text[self.place], self.place, self.place + 1)
            start, self.place = self.place, found.end()
            kind = found.lastgroup
            if kind is None:
                continue
            if kind == "NAME":
                word = found.group()
                known = _tables.WORDS.get(word)
                return Token(known if known in row else "NAME", word, start, self.place)
            if kind == "ELSE" and kind not in row:
                kind = self._stray_else(start)
            found_text = text[start : self.place]
            if kind is None or (kind == "_NEWLINE" and ";" not in found_text and self._inside_brackets()):
                continue
            return Token(kind, found_text, start, self.place)
        return Token("$END", "", len(text), len(text))

    def _inside_brackets(self) -> bool:
        """Directly inside ( ) or [ ], where line ends do not count."""
        return bool(self.brackets) and self.brackets[-1].type != "LBRACE"

    def _stray_else(self, start: int) -> str | None:
        """`else` where none can stand is a name, and what stands before it counts on its own. None: only blanks do."""
        word = self.place - len("else")
        line_end = self.text.rfind("\n", start, word) + 1
        if line_end:
            self.place = line_end
            return "_NEWLINE"
        if word > start:
            self.place = word
            return None
        return "NAME"

    # --- faults ------------------------------------------------------------------------------------------------

    def _report(self, token: Token, row: dict[str, int]) -> None:
        before = self.text[: self.end]
        message, at, label, others, help = explain(token, row, self.brackets, before)
        self.faults.add(
            Diagnostic(
                "syntax",
                message,
                Label(Span(self.source, at[0], at[1]), label),
                tuple(Label(Span(self.source, o.start, o.end), text) for o, text in others),
                help,
            )
        )

    def _recover(self, token: Token) -> bool:
        """Give up the statement or definition that broke; go on behind it. False where nothing can be done."""
        for height in range(len(self.states) - 1, -1, -1):
            goto = _GOTOS[self.states[height]]
            for symbol in (_STATEMENT, _DEFINITION):
                if symbol in goto:
                    return self._resume(height, symbol, goto[symbol], token)
        return False

    def _resume(self, height: int, symbol: str, state: int, token: Token) -> bool:
        begin = self.starts[height] if height < len(self.starts) else token.start
        inside = self.starts[height - 1] if height else -1
        open_here = [b for b in self.brackets if b.start > inside]
        self.brackets = [b for b in self.brackets if b.start <= inside]
        if any(b.type != "LBRACE" for b in open_here) and symbol == _STATEMENT:
            # an unclosed bracket has swallowed line ends: go on at the end of its line
            line_end = self.text.find("\n", open_here[-1].start)
            self.place = min(token.start, line_end if line_end >= 0 else len(self.text))
        else:
            self.place = token.start
        del self.states[height + 1 :], self.values[height:], self.starts[height:]
        self._skip(symbol, begin)
        self.values.append(Broken(Span(self.source, begin, self.end)))
        self.starts.append(begin)
        self.states.append(state)
        return True

    def _skip(self, symbol: str, begin: int) -> None:
        """Pass tokens up to the end of the statement, or up to the next definition."""
        depth = 0
        opened = self.text.count("{", begin, self.place) - self.text.count("}", begin, self.place)
        depth = max(opened, 0) if symbol == _DEFINITION else 0
        while self.place < len(self.text):
            found = _match(self.text, self.place)
            end = found.end() if found is not None and found.end() > self.place else self.place + 1
            kind = found.lastgroup if found is not None else None
            if kind == "LBRACE":
                depth += 1
            elif kind == "RBRACE":
                if depth == 0 and symbol == _STATEMENT:
                    break
                depth = max(depth - 1, 0)
            elif kind == "_NEWLINE" and depth == 0:
                break
            self.place = end
        self.end = max(self.place, self.end)
