"""Layers that take several values and join them number by number.

Shapes of element-wise joins are matched by NumPy's rule over the written axes: from the last one, where a size of 1
stretches, and missing axes in front count as 1. The batch axis is in front of all of them, so a value of fewer axes
is given axes behind the batch.
"""

from __future__ import annotations

from itertools import accumulate

from ..base.dims import product
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Index, Infix, Raw, X, call
from .base import At, Example, Helper, Layer, Use, function, layer
from .shapes import broadcast, broadcast_map, index_items, is_full, torch_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array
    from .shapes import AxisMap


def lifted(at: At, i: int, rank: int, first: bool = False) -> Code:
    """The i-th value with axes of 1 put in front of its own, to a given rank; those of a value without a batch axis
    are needed behind others only."""
    missing = rank - len(at.inputs[i])
    items = [slice(None), *(None if axis < missing else slice(None) for axis in torch_order(rank, first))]
    if at.is_free(i):
        del items[0]
        while items and items[0] is None:
            del items[0]
    return X(i) if is_full(items) else Index(X(i), index_items(items))


def lift(x: Array, rank: int) -> Array:
    """The same, in NumPy: `rank` does not count the batch."""
    y: Array = x.reshape(x.shape[0], *(1,) * (rank + 1 - x.ndim), *x.shape[1:])
    return y


class Elementwise(Layer):
    """A function of the numbers that stand in the same place."""

    arity: ClassVar[int | None] = None
    free = True
    by_step = True
    keras_layer: ClassVar[str] = ""
    # does no gradient of PyTorch's ask for what comes out?
    torch_fresh: ClassVar[bool] = False

    def shape(self, *xs: Shape) -> Shape:
        return broadcast(self.kind, xs)

    def hands_on(self, *xs: Shape) -> bool:
        return len(xs) == 1

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * (len(xs) - 1)

    def axis_map(self, *xs: Shape) -> AxisMap:
        return broadcast_map(xs, self.shape(*xs))

    def torch(self, at: At) -> Use:
        values = [lifted(at, i, len(at.y), at.first) for i in range(len(at.inputs))]
        return Use((function(self.combine(values), fresh=self.torch_fresh and len(values) > 1),))

    def keras(self, at: At) -> Use:
        if len(at.inputs) == 1:
            return Use((function(X()),))
        values = [lifted(at, i, len(at.y)) for i in range(len(at.inputs))]
        make = call(self.keras_layer) if self.keras_layer and not any(at.free) else None
        return Use((function(self.combine_keras(values), make),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        rank = max(x.ndim for x in xs) - 1
        result = lift(xs[0], rank)
        for x in xs[1:]:
            result = self.define(result, lift(x, rank))
        y: Array = self.finish(result, len(xs))
        return y

    def combine(self, values: list[Code]) -> Code:
        """The values joined, in PyTorch."""
        raise NotImplementedError

    def combine_keras(self, values: list[Code]) -> Code:
        """The values joined, in Keras."""
        return self.combine(values)

    def define(self, a: Array, b: Array) -> Any:
        """Two of them joined, in NumPy."""
        raise NotImplementedError

    def finish(self, total: Array, many: int) -> Any:
        """What is done when all are joined, in NumPy."""
        return total


# operands that may stand in a row; more of them are a list
_ROW = 8


def chain(values: list[Code], op: str) -> Code:
    """`a op b op c`"""
    result = values[0]
    for value in values[1:]:
        result = Infix(result, op, value)
    return result


def folded(values: list[Code], function: str) -> Code:
    """`f(f(a, b), c)`, and for more values `functools.reduce(f, [a, b, c, d])`."""
    if len(values) > 3:
        return call("functools.reduce", Raw(function), values)
    result = values[0]
    for value in values[1:]:
        result = call(function, result, value)
    return result


# the TensorFlow backend of Keras takes a second value in which all axes but one are 1 for a bias, and then adds it
# along the channels, wherever its own axis is; the batch is such an axis, too
_OUTER_SUM = Helper("outer_sum", file="keras/outer_sum")


class _JoinBySum(Elementwise):
    """The sum of all values, or something made of it."""

    ordered = False
    torch_fresh = True

    def combine(self, values: list[Code]) -> Code:
        total = call("sum", values) if len(values) > _ROW else chain(values, "+")
        return self.of_sum(total, len(values))

    def keras(self, at: At) -> Use:
        xs = [(1,) * (len(at.y) - len(x)) + x for x in at.inputs]
        so_far = accumulate(xs, lambda a, b: broadcast(self.kind, (a, b)))
        if not any(_looks_like_bias(total, x) for total, x in zip(so_far, xs[1:])):
            return super().keras(at)
        values = [lifted(at, i, len(at.y)) for i in range(len(at.inputs))]
        return Use((function(self.of_sum(folded(values, "outer_sum"), len(values)), helpers=(_OUTER_SUM,)),))

    def of_sum(self, total: Code, many: int) -> Code:
        """What is made of the sum."""
        return total


def _looks_like_bias(x: Shape, y: Shape) -> bool:
    """May Keras add y to x along the wrong axis, for some sizes of batch and symbols? Their ranks are the same."""
    long = [axis for axis, n in enumerate(y) if isinstance(n, int) and n != 1]
    if x == y or (y[-1] == x[-1] != 1) or len(long) > 1:
        return False
    single: list[int | None] = [*long]
    if not long:  # a symbol, or the batch (None), may be the only size that is not 1
        single = [*(axis for axis, n in enumerate(y) if n != 1), None]
    return any(
        place != axis and x[place] != 1 and (axis is None or _may_equal(x[place], y[axis]))
        for axis in single
        for place in (0, len(x) - 1)
    )


def _may_equal(m: Dim, n: Dim) -> bool:
    return m == n or not (isinstance(m, int) and isinstance(n, int))


@layer("add", style="join")
class Add(_JoinBySum):
    """The sum of all values."""

    keras_layer = "layers.Add"
    examples = (
        Example("add", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
        Example("add", ((6,), (6,), (6,)), (6,)),
        Example("add", ((3,), (5, 4, 3)), (5, 4, 3)),
        Example("add", ((5, 4),), (5, 4)),
        Example("add", ((4,), (4, 1), (4, 4)), (4, 4)),
        Example("add", ((3,), (1,)), (3,)),
    )

    def define(self, a: Array, b: Array) -> Any:
        return a + b


@layer("mul", style="join")
class Mul(Elementwise):
    """The product of all values, number by number."""

    ordered = False
    keras_layer = "layers.Multiply"
    examples = (
        Example("mul", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
        Example("mul", ((5, 4, 3), (3,)), (5, 4, 3)),
        Example("mul", ((5, 4, 3), (4, 1), (5, 1, 1)), (5, 4, 3)),
    )

    def combine(self, values: list[Code]) -> Code:
        return folded(values, "torch.mul") if len(values) > _ROW else chain(values, "*")

    def combine_keras(self, values: list[Code]) -> Code:
        return folded(values, "ops.multiply") if len(values) > _ROW else chain(values, "*")

    def define(self, a: Array, b: Array) -> Any:
        return a * b


@layer("sub", style="join")
class Sub(Elementwise):
    """The first value less the second."""

    arity = 2
    keras_layer = "layers.Subtract"
    torch_fresh = True
    examples = (
        Example("sub", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
        Example("sub", ((4, 3), (5, 4, 3)), (5, 4, 3)),
    )

    def combine(self, values: list[Code]) -> Code:
        return chain(values, "-")

    def define(self, a: Array, b: Array) -> Any:
        return a - b


@layer("div", style="join")
class Div(Elementwise):
    """The first value over the second."""

    arity = 2
    examples = (
        Example("div", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
        Example("div", ((5, 4, 3), (3,)), (5, 4, 3)),
    )

    def combine(self, values: list[Code]) -> Code:
        return chain(values, "/")

    def define(self, a: Array, b: Array) -> Any:
        return a / b


@layer("average", style="join")
class Average(_JoinBySum):
    """The mean of all values, number by number."""

    keras_layer = "layers.Average"
    examples = (
        Example("average", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
        Example("average", ((6,), (6,), (6,)), (6,)),
        Example("average", ((5, 4, 3), (3,)), (5, 4, 3)),
        Example("average", ((4, 4), (4, 1)), (4, 4)),
    )

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * len(xs)

    def of_sum(self, total: Code, many: int) -> Code:
        return total if many == 1 else Infix(total, "/", many)

    def define(self, a: Array, b: Array) -> Any:
        return a + b

    def finish(self, total: Array, many: int) -> Any:
        return total / many


@layer("pow", style="join")
class Pow(Elementwise):
    """The first value to the power of the second: `x ** y`."""

    arity = 2
    examples = (
        Example("pow", ((5, 4, 3), (5, 4, 3)), (5, 4, 3), positive=True),
        Example("pow", ((3,), (5, 4, 3)), (5, 4, 3), positive=True),
    )

    def combine(self, values: list[Code]) -> Code:
        return chain(values, "**")

    def define(self, a: Array, b: Array) -> Any:
        return a**b


class _JoinByExtreme(Elementwise):
    ordered = False
    torch_function: ClassVar[str] = ""

    def combine(self, values: list[Code]) -> Code:
        return folded(values, self.torch_function)

    def combine_keras(self, values: list[Code]) -> Code:
        return folded(values, f"ops.{self.kind}")

    def define(self, a: Array, b: Array) -> Any:
        import numpy as np

        return getattr(np, self.kind)(a, b)


@layer("maximum", style="join")
class Maximum(_JoinByExtreme):
    """The largest of the values, number by number."""

    keras_layer, torch_function = "layers.Maximum", "torch.maximum"
    examples = (
        Example("maximum", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
        Example("maximum", ((6,), (6,), (6,)), (6,)),
    )


@layer("minimum", style="join")
class Minimum(_JoinByExtreme):
    """The smallest of the values, number by number."""

    keras_layer, torch_function = "layers.Minimum", "torch.minimum"
    examples = (
        Example("minimum", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
        Example("minimum", ((5, 4, 3), (3,)), (5, 4, 3)),
    )
