"""A learned table read at places that are values: `table[tokens]`."""

from __future__ import annotations

from ..base.dims import show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Index, X, call
from .arguments import Violation
from .base import At, Layer, Use, function

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Dim, Shape
    from .base import Array


class Lookup(Layer):
    """The rows of a table, the first value, at the places that the second value holds.

    It is no layer of the language, where indices write it; the table is the same for every sample.
    """

    kind = "lookup"
    style = "dense"
    arity = 2
    takes = "any"
    torch_layout = "last"
    free = True

    def shape(self, *xs: Shape) -> Shape:
        table, places = xs
        if not table:
            raise Violation("wrong-rank", f"a table needs an axis to be read along, but this is {show(table)}")
        return (*places, *table[1:])

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0

    def reach(self, x: Shape) -> None:
        return None

    def torch(self, at: At) -> Use:
        return Use((function(Index(X(0), (X(1),))),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.take", X(0), X(1), axis=0)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        table, places = xs  # each sample has the same table
        y: Array = table[0][places]
        return y
