"""Layers that arrange numbers anew and compute none.

All of them mean the order of the language: channels last, the last axis runs fastest.
"""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call, method
from .arguments import Reader, Violation, arg, describe, integer
from .base import Apply, At, Example, Layer, Use, function, layer
from .shapes import AxisMap, each_place, needs_rank, place, regroup_map, torch_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from .base import Array
    from .shapes import AxisMap


class Arrangement(Layer):
    """The same numbers in other places."""

    takes = "any"
    computes = False


@layer("identity")
class Identity(Arrangement):
    """x itself: the step that does nothing."""

    pointwise = True
    examples = (Example("identity", (5, 4, 3), (5, 4, 3)), Example("identity", (6,), (6,)))

    def hands_on(self, *xs: Shape) -> bool:
        return True

    def torch(self, at: At) -> Use:
        return Use((function(X(), call("nn.Identity")),))

    def keras(self, at: At) -> Use:
        return Use((Apply(call("layers.Identity")),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return xs[0]


@layer("flatten")
class Flatten(Arrangement):
    """All axes as one vector, the channels running fastest.

    PyTorch's own order after a convolution is channels first; the form here is the plain one for values that are
    channels-last already, and it is for the emitter to bring them there or to reorder the weights behind.
    """

    torch_layout = "last"
    follows = True
    regroups = True
    examples = (
        Example("flatten", (4, 3, 2), (24,)),
        Example("flatten", (5, 4), (20,)),
        Example("flatten", (6,), (6,)),
    )

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 1, "an axis at least", help="`reshape(1)` makes a vector of one number")
        return (product(xs[0]),)

    def reach(self, x: Shape) -> None:
        return None

    def axis_map(self, *xs: Shape) -> AxisMap:
        return regroup_map(xs[0], self.shape(*xs))

    def in_sequence(self, axes: tuple[int, ...], y: Shape) -> Flatten:
        return self

    def torch(self, at: At) -> Use:
        return Use((function(method(X(), "flatten", 1), call("nn.Flatten")),))

    def keras(self, at: At) -> Use:
        return Use((Apply(call("layers.Flatten")),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return xs[0].reshape(len(xs[0]), -1)


# --- the order of axes -------------------------------------------------------------------------------------------

_ORDER = "all axes in their new order, as in `permute(1, 0)`"


def _order(value: Any) -> tuple[int, ...]:
    order = value if isinstance(value, tuple) else (value,)
    if len(order) == 1 and isinstance(order[0], tuple):
        order = order[0]
    if any(isinstance(n, bool) or not isinstance(n, int) for n in order):
        raise ValueError(f"must be {_ORDER}, not {describe(value)}", "")
    return order


@layer("permute")
class Permute(Arrangement):
    """The axes in another order: axis i of the result is axis `order[i]` of x."""

    order: tuple[int, ...] = arg(Reader(_order, _ORDER), doc="the axes of x in the order of the result")

    gathers = "order"
    examples = (
        Example("permute(1, 0)", (5, 4), (4, 5)),
        Example("permute(2, 0, 1)", (5, 4, 3), (3, 5, 4)),
        Example("permute(0, -1, 1)", (5, 4, 3), (5, 3, 4)),
    )

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        order = values.get("order")
        if (
            not isinstance(order, tuple)
            or order[:1] != (0,)
            or sorted(map(str, order)) != [str(n) for n in range(len(x) + 1)]
        ):
            return ""
        return f"the batch is never written: write `permute({', '.join(str(n - 1) for n in order[1:])})`"

    def _places(self, x: Shape) -> tuple[int, ...]:
        places = tuple(place(axis, x, "order") for axis in self.order)
        if sorted(places) != list(range(len(x))):
            raise Violation(
                "wrong-axis",
                f"permute needs each axis of {show(x)} once, not {describe(self.order)}",
                "order",
                help=f"write the numbers from 0 to {len(x) - 1} in their new order",
            )
        return places

    def shape(self, *xs: Shape) -> Shape:
        return tuple(xs[0][axis] for axis in self._places(xs[0]))

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if self._places(x) == tuple(range(len(x))) else None

    def axis_map(self, *xs: Shape) -> AxisMap:
        return AxisMap((each_place(xs[0]),), (self._places(xs[0]),))

    def torch(self, at: At) -> Use:
        places, rank = self._places(at.x), len(at.x)
        held = torch_order(rank, at.first)
        order = tuple(held.index(places[axis]) + 1 for axis in held)
        return Use((function(method(X(), "permute", 0, *order)),))

    def keras(self, at: At) -> Use:
        return Use((Apply(call("layers.Permute", tuple(axis + 1 for axis in self._places(at.x)))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = xs[0].transpose(0, *(axis + 1 for axis in self._places(xs[0].shape[1:])))
        return y


@layer("reverse")
class Reverse(Arrangement):
    """An axis from its end to its start."""

    axis: int = arg(integer, 0, doc="the axis to turn round; 0 is time in a sequence")

    examples = (
        Example("reverse", (5, 4), (5, 4)),
        Example("reverse(axis=-1)", (5, 4, 3), (5, 4, 3)),
        Example("reverse(1)", (5, 4, 3), (5, 4, 3)),
    )

    def shape(self, *xs: Shape) -> Shape:
        place(self.axis, xs[0])
        return xs[0]

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = each_place(xs[0])
        kept = tuple(None if axis == place(self.axis, xs[0]) else axis for axis in places)
        return AxisMap((kept,), (kept,))

    def torch(self, at: At) -> Use:
        return Use((function(method(X(), "flip", at.axis(self.axis))),))

    def keras(self, at: At) -> Use:
        axis = self.axis if self.axis < 0 else self.axis + 1
        return Use((function(call("ops.flip", X(), axis=axis)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        y: Array = np.flip(xs[0], self.axis if self.axis < 0 else self.axis + 1)
        return y


class _OneAxis(Arrangement):
    axis: int = arg(integer, -1, doc="where the axis of one cell stands, as the larger of the two shapes counts")

    torch_layout = "last"
    follows = True

    def reach(self, x: Shape) -> None:
        return None

    def _number(self) -> int:
        return self.axis if self.axis < 0 else self.axis + 1


@layer("squeeze")
class Squeeze(_OneAxis):
    """Leave out an axis of one cell."""

    examples = (Example("squeeze", (5, 1), (5,)), Example("squeeze(axis=0)", (1, 4, 3), (4, 3)))

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        at = place(self.axis, x)
        if x[at] != 1:
            raise Violation(
                "shape-mismatch",
                f"squeeze leaves out an axis of 1, but axis {self.axis} of {show(x)} is {x[at]}",
                "axis",
            )
        return x[:at] + x[at + 1 :]

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, at = each_place(xs[0]), place(self.axis, xs[0])
        return AxisMap((places,), (places[:at] + places[at + 1 :],))

    def torch(self, at: At) -> Use:
        return Use((function(method(X(), "squeeze", self._number())),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.squeeze", X(), axis=self._number())),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = xs[0].squeeze(self._number())
        return y


@layer("expand")
class Expand(_OneAxis):
    """Put in an axis of one cell."""

    examples = (Example("expand", (5,), (5, 1)), Example("expand(axis=0)", (4, 3), (1, 4, 3)))

    def shape(self, *xs: Shape) -> Shape:
        at = place(self.axis, (*xs[0], 1))
        return (*xs[0][:at], 1, *xs[0][at:])

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, at = each_place(xs[0]), place(self.axis, (*xs[0], 1))
        return AxisMap((places,), ((*places[:at], None, *places[at:]),))

    def torch(self, at: At) -> Use:
        return Use((function(method(X(), "unsqueeze", self._number())),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.expand_dims", X(), axis=self._number())),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.expand_dims(xs[0], self._number())
