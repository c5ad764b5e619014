"""Texts and places in them. Offsets inside; line and column only when something is shown."""

from __future__ import annotations

from bisect import bisect_right

from .record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Source:
    """A text with the name it is shown under, and the file that it was read from, if it was."""

    __slots__ = ("_starts", "name", "path", "text")

    def __init__(self, name: str, text: str, path: str | None = None) -> None:
        self.name = name
        self.text = text
        self.path = path
        self._starts: Sequence[int] | None = None

    def _line_starts(self) -> Sequence[int]:
        if self._starts is None:
            self._starts = [0] + [i + 1 for i, c in enumerate(self.text) if c == "\n"]
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        starts = self._line_starts()
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


class Span:
    """The characters `start` to `end` (excluded) of a source."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return (self.start, self.end, id(self.source)) == (other.start, other.end, id(other.source))

    def __hash__(self) -> int:
        return hash((self.start, self.end, id(self.source)))

    def __repr__(self) -> str:
        return f"Span({self.source.name}:{self.line} {self.text!r})"
