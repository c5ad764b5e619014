"""Layers that put values side by side: along an axis that they have, or along a new one."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call, unless
from .arguments import Violation, arg, integer
from .base import At, Example, Layer, Use, function, layer
from .shapes import AxisMap, each_place, place, same_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Dim, Shape
    from .base import Array


class SideBySide(Layer):
    """The values as they are, in one."""

    arity = None
    takes = "any"
    computes = False

    def dtype(self, *given: str) -> str:
        if len(set(given)) > 1:
            message = f"{self.kind} joins numbers of one type, but these are {' and '.join(sorted(set(given)))}"
            raise Violation("wrong-dtype", message, help="put `cast(float)` behind those that are not real numbers")
        return given[0]


@layer("concat", style="join")
class Concat(SideBySide):
    """The values one behind the other along an axis; all other axes must agree."""

    axis: int = arg(integer, -1, doc="the axis along which they stand; -1 is the channels")

    examples = (
        Example("concat", ((5, 4, 3), (5, 4, 2), (5, 4, 1)), (5, 4, 6)),
        Example("concat(axis=0)", ((5, 4, 3), (2, 4, 3)), (7, 4, 3)),
        Example("concat(axis=1)", ((5, 4, 3), (5, 2, 3)), (5, 6, 3)),
        Example("concat", ((6,), (3,)), (9,)),
        Example("concat(axis=1)", ((5, 4), (5, 3)), (5, 7)),
        Example("concat", ((5, 4),), (5, 4)),
    )

    @property
    def by_step(self) -> bool:
        return self.axis != 0

    def shape(self, *xs: Shape) -> Shape:
        at = place(self.axis, xs[0])
        same_shapes(self.kind, xs, at)
        total: Dim = 0
        for x in xs:
            total = x[at] + total
        return (*xs[0][:at], total, *xs[0][at + 1 :])

    def hands_on(self, *xs: Shape) -> bool:
        return len(xs) == 1

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, at = each_place(xs[0]), place(self.axis, xs[0])
        parts = tuple((f"part{number}", x[at]) for number, x in enumerate(xs))
        inputs = tuple((*places[:at], part, *places[at + 1 :]) for part, _ in parts)
        return AxisMap(inputs, (places,), {}, (), ((at, parts),))

    def torch(self, at: At) -> Use:
        if len(at.inputs) == 1:
            return Use((function(X()),))
        values = [X(i) for i in range(len(at.inputs))]
        return Use((function(call("torch.cat", values, dim=at.axis(self.axis))),))

    def keras(self, at: At) -> Use:
        if len(at.inputs) == 1:
            return Use((function(X()),))
        rank = len(at.x)
        axis = -1 if self.axis % rank == rank - 1 else self.axis % rank + 1
        code = call("ops.concatenate", [X(i) for i in range(len(at.inputs))], axis=axis)
        return Use((function(code, call("layers.Concatenate", **unless(-1, axis=axis))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.concatenate(xs, self.axis if self.axis < 0 else self.axis + 1)


@layer("stack", style="join")
class Stack(SideBySide):
    """Values of one shape along a new axis.

    With a number and a recurrent layer, `stack(3, lstm(64))`, it is several layers: `netspec layers stacked`.
    """

    axis: int = arg(integer, 0, doc="where the new axis stands in the result")

    torch_layout = "last"
    follows = True
    examples = (
        Example("stack", ((6,), (6,), (6,)), (3, 6)),
        Example("stack(axis=-1)", ((5, 4), (5, 4)), (5, 4, 2)),
    )

    def shape(self, *xs: Shape) -> Shape:
        same_shapes(self.kind, xs)
        at = place(self.axis, (*xs[0], 1))
        return (*xs[0][:at], len(xs), *xs[0][at:])

    def reach(self, x: Shape) -> None:
        return None

    def _number(self) -> int:
        return self.axis if self.axis < 0 else self.axis + 1

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, at = each_place(xs[0]), place(self.axis, (*xs[0], 1))
        return AxisMap((places,) * len(xs), ((*places[:at], None, *places[at:]),))

    def torch(self, at: At) -> Use:
        return Use((function(call("torch.stack", [X(i) for i in range(len(at.inputs))], dim=self._number())),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.stack", [X(i) for i in range(len(at.inputs))], axis=self._number())),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.stack(xs, self._number())
