"""Cells of one's own: how their states begin, and how each framework runs them over time or for one step.

A cell takes what stands at a step and the parts of its state, and gives an output and the parts of its next state. In
PyTorch it is a module `cell(x, h, c) -> y, (h, c)`; in Keras a cell as `layers.RNN` takes it.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Attr, Index, X, call, method, unless
from .arguments import Reader, Word, arg, flag
from .base import Apply, At, Helper, Layer, Use, function, layer
from .cell_uses import BATCH
from .returning import JOINED, Returning, returns_reader, state_reader
from .shapes import known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from ..pycode.expr import Code
    from .base import Array


@layer("scan", style="recurrent")
class Scan(Returning):
    """A `cell` run over the steps of a sequence, the first axis of what flows in.

    The state begins as the cell says, or with `initial`. Of a sequence that is read from its end, output t still
    belongs to step t. It may stand in `bidirectional` and `stack`.
    """

    calls = "scan"
    several = JOINED

    cell: Any = arg(Reader(lambda value: value, "a cell, such as my_lstm(64)", (), "step"), doc="what is run")
    return_: Any = arg(returns_reader, Word("last"), doc="what comes out")
    reverse: bool = arg(flag, False, doc="begin with the last step")
    initial: int | None = arg(state_reader, None, doc="the first state")


TORCH_FILLED = Helper("Filled", file="torch/filled")


class Start(Layer):
    """How a part of a state begins: with a number, or with a second value, which is the same for every sample.

    The first value that it takes says how many samples there are.
    """

    kind = "state"
    arity = 2
    computes = False
    free = True
    torch_layout = "last"
    sizes: Shape = arg(Reader(lambda sizes: sizes, "whole numbers of at least 1"), doc="its shape")
    value: float = arg(Reader(lambda value: value, "a number"), 0, doc="what it is filled with")
    whole: bool = arg(flag, False, doc="does the first value hold whole numbers?")

    def shape(self, *xs: Shape) -> Shape:
        return self.sizes

    def torch(self, at: At) -> Use:
        sizes, count = known("PyTorch", *self.sizes), Index(Attr(X(), "shape"), (0,))
        if len(at.inputs) > 1:
            return Use((function(method(X(1), "expand", count, *(-1 for _ in sizes))),))
        if self.whole:
            return Use((Apply(call("Filled", *sizes, **unless(0, value=self.value)), helpers=(TORCH_FILLED,)),))
        code = method(X(), "new_full", (count, *sizes), self.value)
        return Use((function(code if self.value else method(X(), "new_zeros", count, *sizes)),))

    def keras(self, at: At) -> Use:
        shape = (BATCH, *known("Keras", *self.sizes))
        if len(at.inputs) > 1:
            return Use((function(call("ops.broadcast_to", X(1), shape)),))
        return Use((function(call("ops.full", shape, self.value) if self.value else call("ops.zeros", shape)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        shape = (len(xs[0]), *(size for size in self.sizes if isinstance(size, int)))
        return np.broadcast_to(xs[1], shape) if len(xs) > 1 else np.full(shape, float(self.value))


def start_sizes(code: Any) -> tuple[Code, ...]:
    """The sizes in Keras's form of a `Start`."""
    return next(tuple(part[1:]) for part in code.args if isinstance(part, tuple))
