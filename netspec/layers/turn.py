"""Axes exchanged, and numbers moved along an axis."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call, method
from .arguments import arg, integer
from .base import At, Example, Use, function, layer
from .shapes import AxisMap, each_place, place
from .shaping import Arrangement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Shape
    from .base import Array


@layer("transpose")
class Transpose(Arrangement):
    """Two axes exchanged, the last two unless others are named; `permute` puts all axes in a new order."""

    first: int = arg(integer, -2, doc="one of the two axes")
    second: int = arg(integer, -1, doc="the other one")

    free = True

    examples = (
        Example("transpose", (5, 4), (4, 5)),
        Example("transpose", (5, 4, 3), (5, 3, 4)),
        Example("transpose(0, 1)", (5, 4, 3), (4, 5, 3)),
        Example("transpose(first=0, second=-1)", (5, 4, 3, 2), (2, 4, 3, 5)),
    )

    def _places(self, x: Shape) -> tuple[int, int]:
        return place(self.first, x, "first"), place(self.second, x, "second")

    def shape(self, *xs: Shape) -> Shape:
        a, b = self._places(xs[0])
        y = list(xs[0])
        y[a], y[b] = y[b], y[a]
        return tuple(y)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        a, b = self._places(x)
        return super().reach(x) if a == b else None

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = list(each_place(xs[0]))
        a, b = self._places(xs[0])
        places[a], places[b] = places[b], places[a]
        return AxisMap((each_place(xs[0]),), (tuple(places),))

    def torch(self, at: At) -> Use:
        return Use((function(method(X(), "transpose", at.axis(self.first), at.axis(self.second))),))

    def keras(self, at: At) -> Use:
        plain = at.replace(first=False)
        return Use((function(call("ops.swapaxes", X(), plain.axis(self.first), plain.axis(self.second))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        a, b = self._places(xs[0].shape[1:])
        y: Array = xs[0].swapaxes(a + 1, b + 1)
        return y


@layer("roll")
class Roll(Arrangement):
    """Numbers moved along an axis; what goes over its end comes in at its start."""

    shift: int = arg(integer, doc="how many places, towards the end; below 0 towards the start")
    axis: int = arg(integer, -1, doc="the axis along which they move; -1 is the channels")

    examples = (
        Example("roll(1)", (5,), (5,)),
        Example("roll(-2, axis=0)", (5, 4), (5, 4)),
        Example("roll(2)", (5, 4, 3), (5, 4, 3)),
    )

    def shape(self, *xs: Shape) -> Shape:
        place(self.axis, xs[0])
        return xs[0]

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if place(self.axis, x) == len(x) - 1 else None

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = each_place(xs[0])
        kept = tuple(None if axis == place(self.axis, xs[0]) else axis for axis in places)
        return AxisMap((kept,), (kept,))

    def torch(self, at: At) -> Use:
        return Use((function(call("torch.roll", X(), self.shift, at.axis(self.axis))),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.roll", X(), self.shift, axis=at.replace(first=False).axis(self.axis))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.roll(xs[0], self.shift, self.axis if self.axis < 0 else self.axis + 1)
