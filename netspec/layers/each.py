"""The same layer, block or net at each step of a sequence: the steps become samples, and afterwards sequences again."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Attr, Index, Made, X, call, method
from .arguments import Reader, Violation, arg
from .base import Apply, At, Helper, Layer, Use, function, layer, module
from .recurrence import check_time
from .shapes import AxisMap, count_symbols, each_place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from .base import Array

_KERAS = ("import keras", "from keras import layers, ops")

KERAS_STEPS = Helper("Steps", file="keras/steps")

KERAS_SEQUENCES = Helper("Sequences", file="keras/sequences")


@layer("each_step")
class EachStep(Layer):
    """A layer, block or net applied to each step of a sequence, the first axis of what flows in, with the same weights.

    The steps of all sequences are samples of one batch: a batch norm takes its statistics over all of them.
    """

    calls = "each_step"

    step: Any = arg(Reader(lambda value: value, "a layer, block or net, such as conv(8, 3x3)", (), "step"), doc="what")


class _Fold(Layer):
    """The batch axis and that of time as one, or apart again."""

    computes = False
    takes = "any"
    torch_layout = "last"
    follows = True


class Steps(_Fold):
    """Each step a sample."""

    kind = "steps"
    undoes = "sequence"

    def shape(self, *xs: Shape) -> Shape:
        if len(xs[0]) == 1:
            message = f"each_step goes over time, but its input is [{xs[0][0]}]: its only axis is that of the channels"
            raise Violation("no-time-axis", message, help="leave `each_step` out, or give the vector an axis of time")
        check_time("each_step", xs[0])
        return xs[0][1:]

    def axis_map(self, *xs: Shape) -> AxisMap:
        later = each_place(xs[0])[1:]
        return AxisMap(((None, *later),), (later,))

    def torch(self, at: At) -> Use:
        return Use((function(method(X(), "flatten", 0, 1)),))

    def keras(self, at: At) -> Use:
        if count_symbols(at.x[1:]):
            return Use((Apply(call("Steps"), helpers=(KERAS_STEPS,)),))
        return Use((function(call("ops.reshape", X(), (-1, *at.x[1:]))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return xs[0].reshape(-1, *xs[0].shape[2:])


class Sequences(_Fold):
    """Sequences of samples that were steps of those in the second value."""

    kind = "sequence"
    arity = 2
    sized_by = (1,)

    def shape(self, *xs: Shape) -> Shape:
        return (xs[1][0], *xs[0])

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = each_place(xs[0])
        return AxisMap((places, (None,) * len(xs[1])), ((None, *places),))

    def torch(self, at: At) -> Use:
        shape = Attr(X(1), "shape")
        if len(at.firsts) > 1 and at.firsts[1]:  # its steps stand behind its channels
            return Use((function(method(X(), "unflatten", 0, (Index(shape, (0,)), Index(shape, (2,))))),))
        return Use((function(method(X(), "unflatten", 0, Index(shape, (slice(None, 2),)))),))

    def keras(self, at: At) -> Use:
        if count_symbols(at.y):
            made = module(call("Sequences"), "", (KERAS_SEQUENCES,), call(Made(), X(), X(1)))
            return Use((made,))
        return Use((function(call("ops.reshape", X(), (-1, *at.y))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = xs[0].reshape(*xs[1].shape[:2], *xs[0].shape[1:])
        return y
