"""The same numbers over other axes: `reshape(28, 28, 1)`, `reshape(T, heads, -1)`."""

from __future__ import annotations

from math import gcd

from ..base.bounds import MOST_AXES
from ..base.dims import DimExpr, floor_div, product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Made, X, call, method
from .arguments import Reader, Unsupported, Violation, arg, describe
from .base import Apply, At, Example, Use, function, layer, module
from .measured import KERAS_LENGTH, KERAS_RESHAPE, Measured, measured
from .shapes import count_symbols, regroup_map
from .shaping import Arrangement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from typing_extensions import Self

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array
    from .shapes import AxisMap

_SIZES = "whole numbers of at least 1, one of which may be -1 for what is left"


def _sizes(value: Any) -> tuple[Dim, ...]:
    sizes = value if isinstance(value, tuple) else (value,)
    if len(sizes) == 1 and isinstance(sizes[0], tuple):
        sizes = sizes[0]
    if len(sizes) > MOST_AXES:
        raise ValueError(f"must be at most {MOST_AXES} sizes, not {len(sizes):,}", "")
    for size in sizes:
        whole = isinstance(size, int) and not isinstance(size, bool) and (size >= 1 or size == -1)
        if not whole and not isinstance(size, DimExpr):
            raise ValueError(f"must be {_SIZES}, not {describe(size)}", "")
    if sizes.count(-1) > 1:
        raise ValueError(f"must be {_SIZES}, not {describe(sizes)}", "leave one -1 and write the others out")
    return sizes


@layer("reshape")
class Reshape(Arrangement):
    """The same numbers, read in order, over other axes."""

    sizes: tuple[Dim, ...] = arg(Reader(_sizes, _SIZES), doc="the new sizes; -1 stands for what is left")

    gathers = "sizes"
    torch_layout = "last"
    follows = True
    regroups = True
    # behind what is arranged anew, values whose sizes say some of the new ones
    sized_by = tuple(range(1, 9))
    works_out = 1
    overrides = ("flatten", "reshape")
    examples = (
        Example("reshape(4, 3, 2)", (24,), (4, 3, 2)),
        Example("reshape(2x6)", (4, 3), (2, 6)),
        Example("reshape(-1, 6)", (4, 3, 2), (4, 6)),
        Example("reshape(-1)", (4, 3, 2), (24,)),
    )

    def shape(self, *xs: Shape) -> Shape:
        x, total = xs[0], product(xs[0])
        sizes = tuple(n.size if isinstance(n, Measured) else n for n in self.sizes)
        rest = product(n for n in sizes if n != -1)
        left = floor_div(total, rest)
        y = tuple(left if n == -1 else n for n in sizes)
        if product(y) != total and not (-1 in sizes and _may_divide(total, rest)):
            raise self._misfit(x, total, rest)
        return y

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        sizes = values.get("sizes")
        first, *rest = sizes if isinstance(sizes, tuple) and sizes else (0,)
        whole = first == -1 and all(isinstance(n, int) for n in (*rest, *x)) and product(rest) == product(x)
        if not whole or product(x[:-1]) == 1:
            return ""  # one cell may well become a sequence of one
        instead = "flatten" if len(rest) == 1 else f"reshape({', '.join(map(str, rest))})"
        return f"the batch is never written, and -1 comes to 1 here: write `{instead}`"

    def _misfit(self, x: Shape, total: Dim, rest: Dim) -> Violation:
        if isinstance(total, DimExpr) or isinstance(rest, DimExpr):
            unknown = total if isinstance(total, DimExpr) else rest
            return Violation(
                "unknown-size",
                f"reshape of {show(x)} to {show(self.sizes)}: {total} cells are not known to fit into {rest}",
                "sizes",
                help=f"give the symbols in {unknown} a value with `--set`, or use -1 for one size",
            )
        if -1 in self.sizes:
            message = f"{total} cells do not divide into rows of {rest}"
        else:
            message = f"{_times(x)} cells do not fit into {_times(self.sizes)}"
        return Violation(
            "shape-mismatch",
            f"reshape of {show(x)} to {show(self.sizes)}: {message}",
            "sizes",
            help="the products of the sizes must be equal",
        )

    def reach(self, x: Shape) -> None:
        return None

    def _hidden(self, xs: tuple[Shape, ...]) -> list[DimExpr]:
        """The new sizes that no axis of these values says."""
        return [n for n in self.shape(*xs) if isinstance(n, DimExpr) and measured(n, xs) is None]

    def asks(self, *xs: Shape) -> tuple[DimExpr, ...]:
        hidden = self._hidden(xs)
        return tuple(hidden) if len(hidden) > 1 else ()

    def measured(self, *xs: Shape) -> Self:
        """One size is what is left: one that no axis says, or not whole, if there is one."""
        y = self.shape(*xs)
        found = {place: measured(n, xs) for place, n in enumerate(y) if isinstance(n, DimExpr)}
        if len(found) < 2:
            # beside a symbol the -1 may be a number that is known
            return self.replace(sizes=y) if -1 in self.sizes and self._has_symbol() else self
        rest = min(found, key=lambda place: (one := found[place]) is not None and 1 + (one.whole is not None))
        return self.replace(sizes=tuple(n if place == rest else found.get(place) or n for place, n in enumerate(y)))

    def _has_symbol(self) -> bool:
        return any(isinstance(n, DimExpr) for n in self.sizes)

    def _known(self, at: At, read: Callable[[Measured], Any]) -> tuple[Any, ...]:
        """The new sizes, -1 for the one that is left. Raises Unsupported where more are not known."""
        sizes = [m if isinstance(m, Measured) else n for n, m in zip(at.y, self.sizes)]
        if count_symbols(sizes) > 1:
            raise Unsupported(
                f"a reshape to {show(at.y)} needs more than one size that is not known",
                "sizes",
                help="give one of the symbols a value with `--set`",
            )
        return tuple(read(n) if isinstance(n, Measured) else n if isinstance(n, int) else -1 for n in sizes)

    def axis_map(self, *xs: Shape) -> AxisMap:
        found = regroup_map(xs[0], self.shape(*xs))
        return found.replace(inputs=(*found.inputs, *((None,) * len(x) for x in xs[1:])))

    def in_sequence(self, axes: tuple[int, ...], y: Shape) -> Reshape | None:
        if any(isinstance(n, Measured) for n in self.sizes):
            return None
        return self.replace(sizes=tuple(y[axis] for axis in axes))

    def torch(self, at: At) -> Use:
        sizes = self._known(at, lambda n: n.torch(at))
        if len(sizes) == 1:
            return Use((function(method(X(), "flatten", 1), call("nn.Flatten")),))
        alone = len(at.x) == 1 and len(at.inputs) == 1
        make = call("nn.Unflatten", 1, sizes) if alone and all(isinstance(n, int) for n in sizes) else None
        if -1 not in sizes:
            return Use((function(method(X(), "reshape", -1, *sizes), make),))
        in_place = _in_place(at.x, at.y, sizes)
        if in_place is not None:
            return Use((function(in_place),))
        flat = X() if len(at.x) == 1 else method(X(), "flatten", 1)
        return Use((function(method(flat, "unflatten", 1, sizes), make),))

    def keras(self, at: At) -> Use:
        sizes = self._known(at, lambda n: n.keras(at))
        if all(isinstance(n, int) for n in sizes):
            return Use((Apply(call("layers.Reshape", sizes)),))
        values = [X(i) for i in range(len(at.inputs))]
        made = module(call("ReshapeTo", *sizes), "", (KERAS_LENGTH, KERAS_RESHAPE), call(Made(), values))
        return Use((made,))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        sizes = (n.of(xs) if isinstance(n, Measured) else n if isinstance(n, int) else -1 for n in self.sizes)
        return xs[0].reshape(len(xs[0]), *sizes)


def _in_place(x: Shape, y: Shape, sizes: tuple[Any, ...]) -> Code | None:
    """PyTorch's code where neighbours are joined to one axis, or one is split and none of its parts is unknown: an
    export has nothing to prove then of the sizes that vary."""
    least = min(len(x), len(y)) - 1
    front = _alike(x, y, least)
    back = _alike(x[::-1], y[::-1], least - front)
    if front + back == len(y) - 1:
        return method(X(), "flatten", front + 1, *([len(x) - back] if back else []))
    parts = sizes[front : len(y) - back]
    if front + back == len(x) - 1 and -1 not in parts:
        return method(X(), "unflatten", front + 1, parts)
    return None


def _alike(x: Shape, y: Shape, most: int) -> int:
    """How many sizes at the front are equal."""
    return next((place for place in range(most) if x[place] != y[place]), most)


def _may_divide(total: Dim, rest: Dim) -> bool:
    """Are there values for the symbols of a number of cells with which rows of a known length fill up?"""
    if not isinstance(rest, int) or not isinstance(total, DimExpr):
        return False
    return total.constant % gcd(rest, *(factor for monomial, factor in total.terms if monomial)) == 0


def _times(shape: Shape) -> str:
    """The sizes and their product; the product alone where there is nothing to multiply."""
    many = str(product(shape))
    return f"{' * '.join(map(str, shape))} = {many}" if len(shape) > 1 else many
