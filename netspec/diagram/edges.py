"""Which edges of a picture are the main path, which are skips, and where a shape is worth a note."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .labels import shape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .build import Diagram
    from .model import Box, Edge


def mark(diagram: Diagram) -> None:
    """Mark the edges of a diagram. Its boxes stand in an order in which every edge points forward."""
    Paths(diagram).mark()


def _longest(ways: list[tuple[int, Edge]]) -> Edge | None:
    """The one edge with the longest way; None where several are as long, and the branches should lie evenly."""
    best = max((length for length, _ in ways), default=0)
    found = [edge for length, edge in ways if length == best]
    return found[0] if len(found) == 1 else None


class Paths:
    """The edges of a diagram by their ends."""

    def __init__(self, diagram: Diagram) -> None:
        self.boxes = diagram.boxes
        self.place = {box.id: n for n, box in enumerate(diagram.boxes)}
        self.into: dict[str, list[Edge]] = {box.id: [] for box in diagram.boxes}
        self.out: dict[str, list[Edge]] = {box.id: [] for box in diagram.boxes}
        for edge in diagram.edges:
            self.into[edge.target.id].append(edge)
            self.out[edge.source.id].append(edge)

    def mark(self) -> None:
        for box in self.boxes:
            if len(self.into[box.id]) > 1:
                self._mark_skips(box)
        before = self._lengths(self.boxes, self.into, lambda edge: edge.source)
        behind = self._lengths(self.boxes[::-1], self.out, lambda edge: edge.target)
        for box in self.boxes:
            steady = [e for e in self.into[box.id] if not e.skip]
            onward = [e for e in self.out[box.id] if not e.skip]
            deepest = _longest([(before[e.source.id], e) for e in steady])
            highest = _longest([(behind[e.target.id], e) for e in onward])
            for edge in (deepest, highest):
                if edge is not None:
                    edge.straight += 1
            self._note(box)

    def _lengths(self, boxes: list[Box], edges: dict[str, list[Edge]], end: Callable[[Edge], Box]) -> dict[str, int]:
        """The number of edges on the longest way to each box."""
        found: dict[str, int] = {}
        for box in boxes:
            found[box.id] = max((found[end(e).id] + 1 for e in edges[box.id]), default=0)
        return found

    def _mark_skips(self, join: Box) -> None:
        """An edge is a skip if there is a longer way from where it starts to where it ends."""
        for edge in self.into[join.id]:
            way = self._light_way(edge)
            if self._goes_round(way[-1], join):
                for part in way:
                    part.skip = True

    def _light_way(self, edge: Edge) -> list[Edge]:
        """The edge with those before it, back over boxes that only cut or rearrange, such as a crop."""
        way = [edge]
        while True:
            box = way[-1].source
            if box.style != "shape" or len(self.into[box.id]) != 1 or len(self.out[box.id]) != 1:
                return way
            way.append(self.into[box.id][0])

    def _goes_round(self, first: Edge, join: Box) -> bool:
        """Does another way than that over `first` lead from its source to `join`, with a box on it?"""
        last = self.place[join.id]
        stack = [e.target for e in self.out[first.source.id] if e is not first and e.target is not join]
        seen: set[str] = set()
        while stack:
            box = stack.pop()
            if box is join:
                return True
            if box.id in seen or self.place[box.id] > last:
                continue
            seen.add(box.id)
            stack.extend(e.target for e in self.out[box.id])
        return False

    def _note(self, box: Box) -> None:
        """Where a box changes the shape, its first edge that is no skip says so.

        Inputs, outputs, blocks and states have their shapes written in them. Within a repeat whose turns differ in
        shape no shape holds for all of them.
        """
        if box.style in ("input", "block"):
            return
        edges = [e for e in self.out[box.id] if e.target.style not in ("output", "state") and e.shape != box.entering]
        for edge in [e for e in edges if not e.skip][:1]:
            if box.varying is None or edge.target.varying is not box.varying:
                edge.note = shape_text(edge.shape)
