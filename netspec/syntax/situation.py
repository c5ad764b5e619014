"""A token that does not fit, with all that can be asked of its surroundings; and what is found out about it."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from . import tables
from .scan import begins_line, indent, is_definition, line_end, line_start, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .build import Token


STATEMENT_WORDS = ("input", "output", "state", "next", "weight", "layer", "expect", "repeat", "for", "if")
DEFINITION_WORDS = ("net", "block", "cell", "const")
IMPORT_WORDS = ("import", "from")
NUMBERS = ("INTEGER", "DECIMAL", "SIZE")
# characters of a line that are looked at before what does not fit
_FURTHEST = 10_000
ASSIGN = tables.SIGNS["="]


class Finding(Record):
    """What to say: the place as start and end, other places with their labels, and what to do."""

    message: str
    place: tuple[int, int]
    help: str = ""
    label: str = ""
    others: tuple[tuple[int, int, str], ...] = ()


class Situation:
    """A token that does not fit.

    `expected` are the kinds of token that would fit, `brackets` those that are open, and `end` is where the last token
    that fitted ended.
    """

    def __init__(self, text: str, token: Token, expected: frozenset[str], brackets: Sequence[Token], end: int) -> None:
        self.text = text
        self.kind = token.type
        self.start = token.start
        self.end = token.end
        self.shown = token.text.strip()
        self.expected = expected
        self.brackets = brackets
        self.opener = brackets[-1] if brackets else None
        last = len(text[:end].rstrip())
        self.last_end = end if text[:end].strip() else 0
        start = max(line_start(text, max(self.last_end - 1, 0)), self.last_end - _FURTHEST)
        # what stands before it on the line of the token before it, as texts
        self.before = words(text, start, self.last_end)
        self.previous = self.before[-1] if self.before else ""
        self.last = (last - len(self.previous), last)
        self.first_of_line = start + len(text[start:last]) - len(text[start:last].lstrip())
        # the rest of the line, itself included, without a comment
        self.rest = text[self.start : line_end(text, self.start)].partition("#")[0].rstrip()

    # --- places ------------------------------------------------------------------------------------------------

    @property
    def here(self) -> tuple[int, int]:
        return self.start, self.end

    @property
    def after(self) -> tuple[int, int]:
        """The last character before it."""
        return max(self.last[1] - 1, 0), max(self.last[1], 1)

    @property
    def ends_line(self) -> bool:
        """Does the line, or the text, end here?"""
        return self.kind in ("_NEWLINE", "$END")

    @property
    def begins_line(self) -> bool:
        return begins_line(self.text, self.start)

    @property
    def inside(self) -> bool:
        """Directly inside ( ) or [ ]?"""
        return self.opener is not None and self.opener.type != "LBRACE"

    @property
    def header(self) -> str:
        """The word that its line begins with."""
        return self.before[0] if self.before else ""

    @property
    def touches(self) -> bool:
        """Does it stand right behind the token before it?"""
        return self.start == self.last[1]

    @property
    def nested(self) -> bool:
        """Does a definition begin here, further right than the one that it stands in?"""
        at = line_start(self.text, self.start) if self.begins_line else self.first_of_line
        deeper = bool(self.brackets) and indent(self.text, at) > indent(self.text, self.brackets[0].start)
        return deeper and is_definition(self.text, at)
