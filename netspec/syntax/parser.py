"""The door to parsing: text in, `Spec` and diagnostics out.

lark made the tables (see `generate`); here is the small machine that runs them: a lexer that asks the parser which
words are words at this point, shift and reduce, and recovery at the end of a statement, so that one run shows every
fault.
"""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING
from ..base.source import Span
from . import tables
from .build import Builder, Token
from .lexer import BREAK, line_break, match
from .tree import Broken, Node, Spec

if TYPE_CHECKING:
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.source import Source

_CLOSERS = frozenset(("RPAR", "RSQB", "RBRACE"))
_OPENERS = frozenset(("LPAR", "LSQB", "LBRACE"))
_STATEMENT = "flow"
_DEFINITION = "const"
_MOST_FAULTS = 25
# characters of one name, number or text, and words and signs of a file; far above what a person writes
LONGEST = 5_000
MOST_WORDS = 300_000
# of something too long so much is kept, to be shown
_KEPT = 40

# by state: the actions for each token, or the one reduction that needs no token; and where a reduction leads
_ROWS: list[Any] = [tables.ROWS[row] for row, _ in tables.STATES]
_GOTOS = [tables.GOTOS[goto] for _, goto in tables.STATES]
_UNREAD = Token("", "", 0, 0)
# rules that only give their one part another name, most of all reductions: the value stays as it is
_RENAMES = tuple(name if length == 1 and lone and keep is None else None for name, length, keep, lone in tables.RULES)


# by the state below a value, the state above it and the kind of the token that follows (empty where none was read yet):
# the state after all reductions that only give the value another name. An operand goes through one for each level of
# operators, which would take a third of the time.
_RENAMED: dict[tuple[int, int, str], int] = {}


def _renamed(below: int, above: int, kind: str) -> int:
    state = above
    while True:
        row = _ROWS[state]
        code = row if row.__class__ is int else row.get(kind)
        name = _RENAMES[-code - 1] if code is not None and code < 0 else None
        if name is None:
            _RENAMED[below, above, kind] = state
            return state
        state = _GOTOS[below][name]


def parse(source: Source, faults: Collector) -> Spec:
    """The tree of a text. Faults go to the collector; what did not parse stands as `Broken`."""
    definitions = _Machine(source, faults).run()
    return Spec(source, tuple(definitions))


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
        self.builder = Builder(source, faults)
        # the parser's stacks: states, values, and the start of each value
        self.states: list[int] = [tables.START]
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.brackets: list[Token] = []
        self.place = 0
        self.end = 0  # where the last token ended
        self.left = MOST_WORDS
        self.lost_ifs: set[int] = set()  # the bodies in which an `if` did not parse, so that its `else` may come

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
                if states[-1] == tables.END and token.type == "$END":
                    return list(values[0])
                count += 1
                token = self._definition() or token
                self._report(token, _ROWS[states[-1]], last=count == _MOST_FAULTS)
                if count == _MOST_FAULTS:
                    return self._so_far()
                self._recover(token)
                token = _UNREAD
            elif code > 0:
                self._shift(code - 1, token)
                token = _UNREAD
                self.left -= 1
                if not self.left:
                    return self._cut_off()
            elif _RENAMES[-code - 1] is not None and values[-1].__class__ is not list:
                key = states[-2], states[-1], token.type
                states[-1] = _RENAMED.get(key) or _renamed(*key)
            else:
                self._reduce(-code - 1)

    def _so_far(self) -> list[Any]:
        """The definitions that are complete."""
        return [v for v in self.values if isinstance(v, Node)]

    def _cut_off(self) -> list[Any]:
        """Report that the text has too many words, and read it no further."""
        message = f"this text has more than {MOST_WORDS:,} words and signs"
        place = Label(Span(self.source, self.starts[-1], self.end), "the limit is reached here")
        help = "say it with `repeat` and blocks, or spread it over several files"
        self.faults.add(Diagnostic("too-large", message, place, (), help))
        return self._so_far()

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
        name, length, keep, lone = tables.RULES[number]
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
            for part in parts:
                if part.__class__ is list:
                    parts = _opened(parts)
                    break
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
        text, place = self.text, self.place
        kind: str | None
        while place < len(text):
            found = match(text, place)
            if found is None:
                self.place = place
                return Token("?", text[place], place, place + 1)
            start, place, kind = place, found.end(), found.lastgroup
            if kind is None:
                continue
            if kind == tables.SIGN:
                self.place, sign = place, found.group()
                return Token(tables.SIGNS[sign], sign, start, place)
            if kind == BREAK:
                kind, core, place = line_break(text, start)
                if kind == "ELSE" and kind not in row:
                    kind, core, place = BREAK, start, text.rfind("\n", start, core) + 1
                if not kind or (kind == BREAK and text[start] != ";" and self._inside_brackets()):
                    continue
                self.place = place
                return Token(kind, text[start] if kind == BREAK else text[core:place], core, place)
            self.place = place
            if place - start > LONGEST:
                return self._too_long(kind, start, place)
            if kind == "NAME":
                word = found.group()
                known = tables.WORDS.get(word)
                return Token(known if known in row else "NAME", word, start, place)
            if kind == "ELSE" and kind not in row:
                kind = "NAME"
            return Token(kind, text[start:place], start, place)
        self.place = place
        return Token("$END", "", len(text), len(text))

    def _too_long(self, kind: str, start: int, end: int) -> Token:
        """A name, number or text that is too long, cut off once that has been reported."""
        what = {"NAME": "name", "STRING": "text"}.get(kind, "number")
        message = f"this {what} has {end - start:,} characters, and the limit is {LONGEST:,}"
        self.faults.add(Diagnostic("too-large", message, Label(Span(self.source, start, start + _KEPT))))
        shown = "1" if what == "number" else self.text[start : start + _KEPT]
        return Token(kind, shown, start, end)

    def _inside_brackets(self) -> bool:
        """Directly inside ( ) or [ ], where line ends do not count."""
        return bool(self.brackets) and self.brackets[-1].type != "LBRACE"

    # --- faults ------------------------------------------------------------------------------------------------

    def _definition(self) -> Token | None:
        """The word of a definition that was taken for a name, since the body before it is not closed; None without one.

        The parser is set back to where it was before that word."""
        from . import scan

        start = self.starts[-1] if self.starts else 0
        known: str | None = tables.WORDS.get(self.text[start : self.end])
        if known is None or known not in _ROWS[tables.START] or "NAME" not in _ROWS[self.states[-2]]:
            return None
        if not scan.is_definition(self.text, start):
            return None
        del self.states[-1], self.values[-1], self.starts[-1]
        end, self.end = self.end, scan.line_start(self.text, start)
        return Token(known, self.text[start:end], start, end)

    def _report(self, token: Token, row: dict[str, int], last: bool) -> None:
        from .faults import explain
        from .situation import Situation

        if token.type == "ELSE" and self._body() in self.lost_ifs:
            return  # its `if` did not parse, which has been said
        expected = frozenset(kind for kind in row if self._accepts(kind))
        found = explain(Situation(self.text, token, expected, self.brackets, self.end))
        others = tuple(Label(Span(self.source, start, end), text) for start, end, text in found.others)
        primary = Label(Span(self.source, *found.place), found.label)
        notes = ("the text is not read any further",) if last else ()
        self.faults.add(Diagnostic("syntax", found.message, primary, others, found.help, notes))

    def _accepts(self, kind: str) -> bool:
        """Would a token of this kind be shifted in the end? The rows of an LALR table also hold some that are not."""
        states = list(self.states)
        while True:
            row = _ROWS[states[-1]]
            code = row if row.__class__ is int else row.get(kind)
            if code is None:
                return bool(kind == "$END" and states[-1] == tables.END)
            if code > 0:
                return True
            name, length, _, _ = tables.RULES[-code - 1]
            del states[len(states) - length :]
            states.append(_GOTOS[states[-1]][name])

    def _body(self) -> int:
        """Where the innermost body begins."""
        return next((b.start for b in reversed(self.brackets) if b.type == "LBRACE"), -1)

    def _recover(self, token: Token) -> None:
        """Give up the statement or definition that broke, and go on behind it."""
        from . import scan

        place = token.start
        begins = not self.values or self.values[-1] == []  # nothing yet, or the line ends that part definitions
        if begins:
            self._end_separator()
        elif not self.brackets and self._accepts("_NEWLINE"):
            self._end_line(place)
            return
        inside = any(b.type == "LBRACE" for b in self.brackets) and token.type != "$END"
        nested = bool(self.brackets) and scan.deeper(self.text, place, self.brackets[0].start)
        symbol = _STATEMENT if inside and (nested or not scan.is_definition(self.text, place)) else _DEFINITION
        height = max(h for h, state in enumerate(self.states) if symbol in _GOTOS[state])
        begin = self.starts[height] if height < len(self.starts) else place
        before = self.starts[height - 1] if height else -1
        opener = next((b.start for b in self.brackets if b.start > before), None)
        self.brackets = [b for b in self.brackets if b.start <= before]
        if symbol == _STATEMENT:
            self.place = scan.behind_statement(self.text, begin, place, opener)
        else:
            self.place = scan.behind_definition(self.text, begin, place)
        self.end = max(self.place, self.end)
        if self.text.startswith("if", begin):
            self.lost_ifs.add(self._body())
        self.states[height + 1 :] = [_GOTOS[self.states[height]][symbol]]
        self.values[height:] = [Broken(Span(self.source, begin, self.end))]
        self.starts[height:] = [begin]

    def _end_separator(self) -> None:
        """Reduce the line ends before a fault, so that recovery keeps the definition or statement before them."""
        row = _ROWS[self.states[-1]]
        code = next((c for c in row.values() if c < 0), None)
        if self.values and code is not None:
            self._reduce(-code - 1)

    def _end_line(self, place: int) -> None:
        """Go on as if a line ended here: what stands before it is whole."""
        self.place = place
        while (code := _ROWS[self.states[-1]]).__class__ is int or code["_NEWLINE"] < 0:
            self._reduce(-(code if code.__class__ is int else code["_NEWLINE"]) - 1)
        self._shift(code["_NEWLINE"] - 1, Token("_NEWLINE", "", place, place))
