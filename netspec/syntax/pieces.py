"""A text as its words and signs, each with what stands before it: comments, line ends, blank lines."""

from __future__ import annotations

import re

from .lexer import BREAK, lex

# comments in lines one behind the other, in parts: a repetition holds memory for each turn until it ends
_COMMENTS = re.compile(r"#[^\n]*(?:\n[ \t]*#[^\n]*){0,999}")
_OPENERS, _CLOSERS = frozenset("([{"), frozenset(")]}")


class Remark:
    """A comment, or several in lines one behind the other; `own` where it has a line of its own, `blank` where a blank
    line stands before it."""

    __slots__ = ("blank", "own", "text")

    def __init__(self, text: str, own: bool, blank: bool) -> None:
        self.text = text
        self.own = own
        self.blank = blank


class Piece:
    """A word or sign at a place of the text.

    `newline` and `blank` say whether a line end, or a blank line, stands before it; `closer` is the number of the
    piece that closes this bracket.
    """

    __slots__ = ("blank", "closer", "end", "newline", "remarks", "start", "text")

    def __init__(self, text: str, start: int, remarks: tuple[Remark, ...], newlines: int) -> None:
        self.text = text
        self.start = start
        self.end = start + len(text)
        self.remarks = remarks
        self.newline = newlines > 0 or bool(remarks)
        self.blank = newlines > 1
        self.closer = 0


def pieces(text: str) -> list[Piece]:
    """All words and signs of a text that parses, and an empty one for its end. Line ends and `;` are none."""
    found: list[Piece] = []
    open_here: list[Piece] = []
    end = 0
    for kind, start, stop in [*lex(text), ("$END", len(text), len(text))]:
        if kind == BREAK:
            continue
        piece = Piece(text[start:stop], start, *_between(text[end:start], not found))
        if piece.text in _OPENERS:
            open_here.append(piece)
        elif piece.text in _CLOSERS:
            open_here.pop().closer = len(found)
        found.append(piece)
        end = stop
    return found


def _between(text: str, first: bool) -> tuple[tuple[Remark, ...], int]:
    """The comments in what stands between two pieces, and how many line ends come after the last of them."""
    remarks: list[Remark] = []
    newlines, place = int(first), 0
    for run in _COMMENTS.finditer(text) if "#" in text else ():
        newlines += text.count("\n", place, run.start())
        behind, _, own = ("", "", run[0]) if newlines else run[0].partition("\n")
        remarks += [Remark(_tidied(behind), False, False)] if behind else []
        remarks += [Remark(_tidied(own), True, newlines > 1)] if own else []
        newlines, place = 0, run.end()
    return tuple(remarks), newlines + text.count("\n", place)


def _tidied(comments: str) -> str:
    """Comments, each with a blank behind its sign, and none at its ends."""
    return "\n".join([_tidy(comment.strip()) for comment in comments.split("\n")])


def _tidy(comment: str) -> str:
    return f"# {comment[1:]}" if comment[1:2].isalnum() else comment
