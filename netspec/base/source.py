"""Texts and places in them. Offsets inside; line and column only when something is shown."""

from __future__ import annotations

from bisect import bisect_left

from .record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# line ends are counted up to each multiple of this, so that a text of many lines needs no list of them
_STRIDE = 4096


class Source:
    """A text with the name it is shown under, and the file that it was read from, if it was."""

    __slots__ = ("_counts", "name", "path", "text")

    def __init__(self, name: str, text: str, path: str | None = None) -> None:
        self.name = name
        self.text = text
        self.path = path
        self._counts: Sequence[int] | None = None

    def _ends(self) -> Sequence[int]:
        """How many line ends stand before each stride of the text, and in all of it."""
        if self._counts is None:
            counts = [0]
            for start in range(0, len(self.text), _STRIDE):
                counts.append(counts[-1] + self.text.count("\n", start, start + _STRIDE))
            self._counts = counts
        return self._counts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        stride = min(offset, len(self.text)) // _STRIDE
        ends = self._ends()[stride] + self.text.count("\n", stride * _STRIDE, offset)
        return ends + 1, offset - self.text.rfind("\n", 0, offset)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        start = self._start(number)
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")

    def _start(self, number: int) -> int:
        """Where a line begins."""
        counts = self._ends()
        stride = max(bisect_left(counts, number - 1) - 1, 0)
        place = stride * _STRIDE
        for _ in range(number - 1 - counts[stride]):
            place = self.text.find("\n", place) + 1
        return place


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
