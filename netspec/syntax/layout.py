"""Laying text out in lines: documents that say where a line may end, and the writer that decides where it does.

A document is a text, a tuple of documents, or one of the classes here. A group stands on one line where it fits; else
its own line ends are taken, and the groups in it decide for themselves (Wadler, "A prettier printer", 2003).
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..base.render import width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Doc: TypeAlias = "str | tuple[Doc, ...] | Line | Group | Indent | IfBroken | Comment | Fill | Branches | _Rest"
    # what comes next in a document, each on one line or not; None where a line ends
    Ahead: TypeAlias = list[tuple[bool, Doc]] | None
    Command: TypeAlias = tuple[int, bool, Doc]  # indent, on one line?, what

WIDTH = 120
STEP = 2
# lines that go on with `->` stand under the first arrow, unless that is further in than this
_DEEPEST = 28


class Line(Record):
    """A place where a line may end. `flat` stands there on one line; `hard` ends the line in any case."""

    flat: str = ""
    hard: bool = False
    blank: bool = False

    def ahead(self, flat: bool) -> Ahead:
        return [(True, self.flat)] if flat and not self.hard else None


class Group(Record):
    """On one line if it fits and is not to be broken."""

    doc: Doc
    broken: bool = False

    def ahead(self, flat: bool) -> Ahead:
        return [(flat and not self.broken, self.doc)]


class Indent(Record):
    """Lines in here stand one step further in."""

    doc: Doc

    def ahead(self, flat: bool) -> Ahead:
        return [(flat, self.doc)]


class IfBroken(Record):
    """Text that is there only where the group around it is broken."""

    text: str

    def ahead(self, flat: bool) -> Ahead:
        return [(flat, "" if flat else self.text)]


class Comment(Record):
    """A comment behind other text: only a comma may come between it and the end of the line."""

    text: str

    def ahead(self, flat: bool) -> Ahead:
        return None


class Fill(Record):
    """Parts, as many on a line as fit; `hard` says before which of them the line ends in any case.

    `hang` says how much further in the lines after the first begin; None puts them under the second part.
    """

    parts: tuple[Doc, ...]
    hard: tuple[bool, ...]
    hang: int | None = 0

    def ahead(self, flat: bool) -> Ahead:
        return [(flat, self.parts[0]), (flat, _Rest(self, 1, 0, 0))]


class Branches(Record):
    """Each on a line of its own if all of them fit; else joined by blanks, and all are broken."""

    branches: tuple[Doc, ...]

    def ahead(self, flat: bool) -> Ahead:
        return None


class _Rest(Record):
    """What is left of a Fill, from the part `at` on. Lines begin at `hang`; this one began at `indent`."""

    fill: Fill
    at: int
    indent: int
    hang: int

    def ahead(self, flat: bool) -> Ahead:
        if self.at == len(self.fill.parts):
            return []
        end = Line(" ", hard=self.fill.hard[self.at])
        return [(flat, end), (flat, self.fill.parts[self.at]), (flat, self.replace(at=self.at + 1))]


HARD = Line(hard=True)


def write(doc: Doc) -> str:
    """A document as text."""
    return _DocumentWriter().write(doc)


def fits(doc: Doc) -> bool:
    """Does a document stand on one line?"""
    return _fit(WIDTH, True, doc, (), True)


class _DocumentWriter:
    """Writes one document."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line = ""
        self.comment = ""  # waits for the end of the line
        self.todo: list[Command] = []  # the next one last

    def write(self, doc: Doc) -> str:
        self.todo.append((0, False, doc))
        while self.todo:
            indent, flat, top = self.todo.pop()
            _WRITE[type(top)](self, indent, flat, top)
        self.end_line()
        return "\n".join([*self.lines, ""]) if self.lines else ""

    def end_line(self) -> None:
        if self.line or self.comment:
            self.lines.append(self.line.rstrip() + self.comment)
        self.line = self.comment = ""

    def text(self, indent: int, flat: bool, text: str) -> None:
        if self.comment and text and not (text == "," and self.line):
            self.end_line()
        if not self.line:
            text = text.lstrip(" ").replace("\n", "\n" + " " * indent)  # comments may be several
            self.line = " " * indent if text else ""
        self.line += text

    def all(self, indent: int, flat: bool, docs: tuple[Doc, ...]) -> None:
        self.todo += [(indent, flat, doc) for doc in reversed(docs)]

    def line_end(self, indent: int, flat: bool, line: Line) -> None:
        if flat and not line.hard:
            self.text(indent, flat, line.flat)
            return
        self.end_line()
        if line.blank and self.lines:
            self.lines.append("")

    def comment_behind(self, indent: int, flat: bool, comment: Comment) -> None:
        if self.comment:
            self.end_line()
        self.comment = f"  {comment.text}" if self.line else " " * indent + comment.text

    def if_broken(self, indent: int, flat: bool, choice: IfBroken) -> None:
        self.text(indent, flat, "" if flat else choice.text)

    def indented(self, indent: int, flat: bool, inner: Indent) -> None:
        self.todo.append((indent + STEP, flat, inner.doc))

    def group(self, indent: int, flat: bool, group: Group) -> None:
        flat = flat or (not group.broken and self._fits(indent, group.doc))
        self.todo.append((indent, flat, group.doc))

    def fill(self, indent: int, flat: bool, fill: Fill) -> None:
        hang = indent + (STEP if fill.hang is None else fill.hang)
        self.todo += [(indent, flat, _Rest(fill, 1, indent, hang)), (indent, flat, fill.parts[0])]

    def rest(self, indent: int, flat: bool, rest: _Rest) -> None:
        fill, at = rest.fill, rest.at
        if at == len(fill.parts):
            return
        stays = flat or (not fill.hard[at] and self._stays(rest))
        hang = rest.hang
        if stays and at == 1 and fill.hang is None:
            first = width(self.line) + 1
            hang = first if first - indent <= _DEEPEST else hang
        begin = rest.indent if stays else hang
        self.todo.append((indent, flat, rest.replace(at=at + 1, indent=begin, hang=hang)))
        self.todo += [(begin, flat, fill.parts[at]), (begin, stays, Line(" "))]

    def branches(self, indent: int, flat: bool, branches: Branches) -> None:
        apart = all(_fit(WIDTH - indent, True, branch, (), True) for branch in branches.branches)
        for place, branch in reversed(list(enumerate(branches.branches))):
            self.todo.append((indent, apart, branch))
            if place:
                self.todo.append((indent, False, HARD if apart else " "))

    # --- does it fit?

    def _room(self, indent: int) -> int:
        return WIDTH - (width(self.line) if self.line and not self.comment else indent)

    def _fits(self, indent: int, doc: Doc) -> bool:
        """On one line, with what comes behind it up to the next line end."""
        return _fit(self._room(indent), True, doc, self.todo, True)

    def _stays(self, rest: _Rest) -> bool:
        """Does the next part go on the line that is being written?"""
        part = (" ", rest.fill.parts[rest.at])
        behind = self.todo if rest.at + 1 == len(rest.fill.parts) else ()
        room = self._room(rest.indent)
        if _fit(room, True, part, behind, True):
            return True
        if _fit(WIDTH - rest.hang + 1, True, part, behind, True):
            return False
        return _fit(room, False, part, behind, False)


def _fit(room: int, flat: bool, doc: Doc, behind: Sequence[Command], whole: bool) -> bool:
    """Does a document fit into the room that is left, up to the next line end? `whole`: with no line end in itself."""
    todo, place = [(flat, doc)], len(behind)
    while room >= 0:
        if not todo:
            if not place:
                return True
            place, whole = place - 1, False
            todo.append(behind[place][1:])
        flat, doc = todo.pop()
        if isinstance(doc, str):
            room -= width(doc)
            continue
        inner = [(flat, part) for part in doc] if isinstance(doc, tuple) else doc.ahead(flat)
        if inner is None:
            return not whole
        todo += reversed(inner)
    return False


_WRITE: dict[type, Callable[[_DocumentWriter, int, bool, Any], None]] = {
    str: _DocumentWriter.text,
    tuple: _DocumentWriter.all,
    Line: _DocumentWriter.line_end,
    Group: _DocumentWriter.group,
    Indent: _DocumentWriter.indented,
    IfBroken: _DocumentWriter.if_broken,
    Comment: _DocumentWriter.comment_behind,
    Fill: _DocumentWriter.fill,
    Branches: _DocumentWriter.branches,
    _Rest: _DocumentWriter.rest,
}
