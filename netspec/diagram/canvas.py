"""Boxes, groups and edges as they are put together."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..base.render import clean
from .model import Box, Edge, Frame

if TYPE_CHECKING:
    from ..base.dims import Shape
    from .model import EdgeSource


class TooManyBoxes(ValueError):
    """The picture has more boxes than it may have."""


class Canvas:
    """The boxes and edges so far. Raises TooLarge where there are more than `limit` boxes."""

    def __init__(self, title: str, limit: int) -> None:
        self.limit = limit
        self.root = Frame("", title)
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        # what goes back in time: from what a state will be to the state
        self.returns: list[Edge] = []
        # around what is put in now, a group of which not all are alike
        self.varying: Frame | None = None
        self._ids: set[str] = set()

    def id(self, wanted: str) -> str:
        """An id of one's own, also when it is written: a shared layer has one path and several boxes."""
        id, number = wanted, 1
        while clean(id) in self._ids:
            number += 1
            id = f"{wanted}#{number}"
        self._ids.add(clean(id))
        return id

    def box(self, group: Frame, id: str, style: str, lines: list[str], entering: Shape | None) -> Box:
        if len(self.boxes) >= self.limit:
            raise TooManyBoxes
        box = Box(self.id(id), group, style, lines, entering)
        box.varying = self.varying
        group.parts.append(box)
        self.boxes.append(box)
        return box

    def edge(self, source: EdgeSource, target: Box, place: str = "", order: int = 0) -> None:
        """The way of a value into a box; that of a sequence whose steps are drawn is one from each of them."""
        for box in source.parts:
            self.join(box, target)
        if not source.parts:
            self.edges.append(Edge(source.box, target, source.shape, place, order, source.name, source.number))

    def join(self, source: Box, target: Box) -> None:
        self.edges.append(Edge(source, target, source.leaving))
