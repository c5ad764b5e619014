"""The words and signs of a text, one at a place.

The pattern that finds them comes from the grammar. Line breaks are read here: those before `->` and `else` belong to
these, and a run of blanks and comments of any length takes no memory of its own.
"""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from . import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

BREAK = "_NEWLINE"
match = re.compile(tables.PATTERN).match
# a repetition of alternatives holds memory for each turn until it ends, so it ends after some
_RUN = re.compile(r"(?:[ \t\r\n]+|#[^\n]*){1,1000}").match
_RUN_OF_STATEMENTS = r"(?:[ \t\r\n;]+|#[^\n]*){1,1000}"


def kind_of(found: re.Match[str]) -> str:
    """The kind of what the pattern found; that of blanks and comments is empty."""
    kind = found.lastgroup or ""
    return tables.SIGNS[found.group()] if kind == tables.SIGN else kind


def token(text: str, place: int) -> tuple[str, int, int] | None:
    """The kind, start and end of the word or sign at a place; the kind of blanks and comments is empty.

    None where nothing fits.
    """
    found = match(text, place)
    if found is None:
        return None
    kind = kind_of(found)
    return line_break(text, place) if kind == BREAK else (kind, place, found.end())


def line_break(text: str, start: int) -> tuple[str, int, int]:
    """The same where a line ends, a comment begins, or a `;` stands: what takes the line ends before it, or a break.

    A break that begins with `;` goes over all further ones, any other ends before a `;`.
    """
    run, end = re.compile(_RUN_OF_STATEMENTS).match if text[start] == ";" else _RUN, start
    while (found := run(text, end)) is not None:
        end = found.end()
    ahead = match(text, end) if text[start] != ";" else None
    if ahead is not None and (kind := ahead.lastgroup or "") in tables.CONTINUING:
        return kind, end, ahead.end()
    last = text.rfind("\n", start, end)
    if text[start] == ";":
        last = max(last, text.rfind(";", start, end))
    return (BREAK, start, last + 1) if last >= 0 else ("", start, end)


def lex(text: str) -> Iterator[tuple[str, int, int]]:
    """The tokens of a text that parses: kind, start and end. A word that may be a name is one."""
    place = 0
    while place < len(text):
        found = token(text, place)
        assert found is not None, "this text does not parse"
        place = found[2]
        if found[0]:
            yield found
