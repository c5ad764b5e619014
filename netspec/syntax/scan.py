"""A look at raw text: its tokens, the brackets that do not fit, where lines and definitions begin.

Only used on the way to a fault, where there is no tree to ask.
"""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from .lexer import token

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_FURTHEST = 50_000
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}

_DEFINITION = re.compile(
    r"([ \t]*)(?:(?:net|block|cell)(?:[ \t]+[\"'\w]|[ \t]*\{)|const[ \t]+\w+[ \t]*=|(?:import|from)[ \t]*[\"'])",
    re.MULTILINE,
)


def tokens(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each token, whatever the text; a character that begins none is a `?`.

    So many are looked at that the end of a broken statement is found in any text that a person has written.
    """
    place = start
    for _ in range(_FURTHEST):
        if place >= end:
            return
        found = token(text, place) or ("?", place, place + 1)
        place = found[2]
        if found[0]:
            yield found


def words(text: str, start: int, end: int) -> list[str]:
    """The tokens as texts, line ends left out."""
    return [text[a:b] for kind, a, b in tokens(text, start, end) if kind != "_NEWLINE"]


def line_start(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def line_end(text: str, place: int) -> int:
    found = text.find("\n", place)
    return found if found >= 0 else len(text)


def begins_line(text: str, place: int) -> bool:
    """Do only blanks stand before this place on its line?"""
    return not text[line_start(text, place) : place].strip()


def indent(text: str, place: int) -> int:
    """How far the line of this place is indented."""
    line = text[line_start(text, place) : line_end(text, place)]
    return len(line) - len(line.lstrip())


def deeper(text: str, place: int, than: int) -> bool:
    """Is the line of a place indented more than that of another?"""
    return indent(text, place) > indent(text, than)


def unclosed(text: str, opener: int, end: int) -> int | None:
    """The bracket from `opener` on that has no closer of its own, as far as the layout tells; None where all do.

    A closer that begins a line further left than the line of the bracket that it closes was meant for another one.
    """
    open_here: list[tuple[str, int]] = []
    for kind, start, _ in tokens(text, opener, end):
        if kind in OPENERS:
            open_here.append((kind, start))
        elif open_here and CLOSERS.get(kind) == open_here[-1][0]:
            _, inner = open_here.pop()
            if begins_line(text, start) and indent(text, start) < indent(text, inner):
                return inner
    return open_here[-1][1] if open_here else None


def closed_at(text: str, opener: int) -> int | None:
    """The end of the closer of a bracket; None where it has none, or where one inside of it has none."""
    open_here: list[str] = []
    for kind, _, end in tokens(text, opener, len(text)):
        if kind in OPENERS:
            open_here.append(kind)
        elif kind in CLOSERS:
            if open_here.pop() != CLOSERS[kind]:
                return None
            if not open_here:
                return end if unclosed(text, opener, end) is None else None
    return None


def is_definition(text: str, place: int) -> bool:
    """Does a definition or import begin here?"""
    return begins_line(text, place) and _DEFINITION.match(text, place) is not None


def next_definition(text: str, place: int, depth: int) -> int:
    """The line end before the next definition that is indented by at most `depth`; the end of the text without one."""
    for found in _DEFINITION.finditer(text, place):
        start = found.start()
        if line_start(text, start) == start and start > place and len(found[1]) <= depth:
            return start - 1
    return len(text)


# --- where to go on -------------------------------------------------------------------------------------------------


def behind_statement(text: str, begin: int, place: int, opener: int | None) -> int:
    """Where the parser goes on after a statement that broke at `place`; `opener` is the first bracket still open."""
    if opener is None:
        return _statement_end(text, place)
    end = closed_at(text, opener)
    if end is not None and end > place:
        return _statement_end(text, end)
    line_break = line_start(text, place) - 1
    return line_break if begins_line(text, place) and line_break > begin else _statement_end(text, place)


def _statement_end(text: str, place: int) -> int:
    """The end of the statement: the next line end or closing brace that is not inside brackets."""
    behind = place
    for kind, start, _ in tokens(text, place, len(text)):
        if start < behind:
            continue
        if kind in OPENERS:
            behind = closed_at(text, start) or behind
        elif kind in ("_NEWLINE", "RBRACE"):
            return start
    return len(text)


def behind_definition(text: str, begin: int, place: int) -> int:
    """Where the parser goes on after a definition that broke at `place`."""
    if place > begin and is_definition(text, place):
        return line_start(text, place) - 1
    if text.startswith(("const", "import", "from"), begin):
        return line_end(text, place)
    return next_definition(text, place, indent(text, begin))
