"""Single steps of a sequence, `first` and `last`, and a vector at each step of one."""

from __future__ import annotations

from ..base.dims import DimExpr, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Index, X, call, method
from .arguments import Reader, Violation, arg, positive
from .base import Apply, At, Example, Use, function, layer
from .shapes import AxisMap, each_place, needs_rank
from .shaping import Arrangement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from ..pycode.expr import Code
    from .base import Array


class _SliceStep(Arrangement):
    torch_layout = "last"
    follows = True
    number = 0

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 2, "an axis of time, and features")
        return xs[0][1:]

    def reach(self, x: Shape) -> None:
        return None

    def _taken(self) -> Code:
        return Index(X(), (slice(None), self.number))

    def axis_map(self, *xs: Shape) -> AxisMap:
        later = each_place(xs[0])[1:]
        return AxisMap(((None, *later),), (later,))

    def torch(self, at: At) -> Use:
        return Use((function(self._taken()),))

    def keras(self, at: At) -> Use:
        return Use((function(self._taken()),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = xs[0][:, self.number]
        return y


@layer("first")
class First(_SliceStep):
    """The first step of a sequence."""

    examples = (Example("first", (5, 4), (4,)),)


@layer("last")
class Last(_SliceStep):
    """The last step of a sequence."""

    number = -1
    examples = (Example("last", (5, 4), (4,)),)


def _steps(value: Any) -> int:
    if isinstance(value, DimExpr):
        help = f"a sum stretches a vector c: `c + 0 * x[:, 0:1]` has the {value} steps of x; or give it with `--set`"
        raise ValueError(f"must be {positive.doc}, but {value} is not known here", help)
    found: int = positive.read(value)
    return found


@layer("repeat_vector")
class RepeatVector(Arrangement):
    """A vector at each of `n` steps, as the input of a decoder."""

    n: int = arg(Reader(_steps, positive.doc), doc="how many steps")

    torch_layout = "last"
    follows = True
    examples = (Example("repeat_vector(3)", (4,), (3, 4)),)

    def shape(self, *xs: Shape) -> Shape:
        if len(xs[0]) != 1:
            help = "`last` or `return=last` makes a vector of a sequence, `flatten` of other values"
            raise Violation("wrong-rank", f"{self.kind} needs a vector, but its input is {show(xs[0])}", help=help)
        return (self.n, *xs[0])

    def reach(self, x: Shape) -> None:
        return None

    def axis_map(self, *xs: Shape) -> AxisMap:
        return AxisMap(((0,),), ((None, 0),))

    def torch(self, at: At) -> Use:
        return Use((function(method(method(X(), "unsqueeze", 1), "expand", -1, self.n, -1)),))

    def keras(self, at: At) -> Use:
        return Use((Apply(call("layers.RepeatVector", self.n)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.repeat(xs[0][:, None], self.n, 1)
