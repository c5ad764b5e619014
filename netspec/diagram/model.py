"""What a picture is made of: boxes, frames around them, rows of them, and edges."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from .labels import total

if TYPE_CHECKING:
    from ..base.dims import Dim, Shape
    from ..ir.types import Tensor


class Box:
    """A node. The first of `lines` is its title; `entering` and `leaving` are the shapes before and behind it.

    A box stands for a part and for those that repeat it: `weights` are the parameters of each. `frozen` says that all
    of them are held still, `shared` which use this is of weights that are used several times. `names` are those that
    the author gave to what follows the first line, by the number of the line.
    """

    def __init__(self, id: str, group: Frame, style: str, lines: list[str], entering: Shape | None) -> None:
        self.id = id
        self.group = group
        self.style = style
        self.lines = lines
        self.entering = entering
        self.leaving: Shape = entering or ()
        self.name = ""
        self.count = 1
        self.weights: tuple[Dim, ...] = (0,)
        self.frozen = False
        self.shared = ""
        self.names: dict[int, str] = {}
        # the value that a follower may take up
        self.tail: Tensor | None = None
        self.varying: Frame | None = None

    @property
    def params(self) -> Dim:
        """The parameters of all that it stands for."""
        return total(self.weights)


class Frame:
    """A frame around boxes. An empty title means that it is drawn for its count only."""

    def __init__(self, id: str, title: str, name: str = "", count: int = 1, frozen: bool = False) -> None:
        self.id = id
        self.title = title
        self.name = name
        self.count = count
        self.frozen = frozen
        self.shared = ""
        self.parts: list[Box | Frame] = []
        self.rows: list[Row] = []


class Edge:
    """A value on its way from one box to another. `note` is the shape to be written on it. Where it counts which of
    several inputs of the box it is, `place` says so, a number or a name, and `order` is its number. `part` says so of
    the values that the source gives, with `number`."""

    def __init__(
        self,
        source: Box,
        target: Box,
        shape: Shape,
        place: str = "",
        order: int = 0,
        part: str = "",
        number: int = 0,
    ) -> None:
        self.source = source
        self.target = target
        self.shape = shape
        self.part = part
        self.number = number
        self.place = place
        self.order = order
        self.note = ""
        self.skip = False
        # how many of its ends lie on the main path, which is drawn straight
        self.straight = 0


class Row(Record):
    """Boxes that stand side by side, in the order of time. `handed` says that each hands its state on to the next one,
    or, where it is read from the end (`back`), to the one before. The row `before` stands where values come from, and
    the words of `caption` beside the first box."""

    boxes: tuple[Box, ...]
    handed: bool = False
    back: bool = False
    before: tuple[Box, ...] = ()
    caption: Box | None = None


class EdgeSource(Record):
    """The box that a value comes from, and the value's shape. Of a sequence whose steps are drawn, `parts` are all.

    Of several values that a box gives, `name` and `number` say which it is.
    """

    box: Box
    shape: Shape
    parts: tuple[Box, ...] = ()
    name: str = ""
    number: int = 0
