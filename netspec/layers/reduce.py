"""Numbers along axes made one: sums, means, the largest, lengths."""

from __future__ import annotations

from ..base.dims import product
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Infix, X, call, method
from .arguments import Reader, Violation, arg, describe, flag, integer, number
from .base import At, Example, Layer, Use, function, layer
from .shapes import AxisMap, each_place, place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array

_AXES = "an axis, several as in (0, 1), or none for all"


def _axes(value: Any) -> Any:
    if value is None:
        return None
    axes = value if isinstance(value, tuple) else (value,)
    if not axes or any(isinstance(n, bool) or not isinstance(n, int) for n in axes):
        raise ValueError(f"must be {_AXES}, not {describe(value)}", "")
    return value


axes_reader = Reader(_axes, _AXES)


class Reduction(Layer):
    """One number in place of those along the axes."""

    free = True

    axis: Any = arg(axes_reader, None, doc="the axes that become one number; without it all of them")
    keepdims: bool = arg(flag, False, doc="keep the axes, with a size of 1")

    def reduced(self, x: Shape) -> tuple[int, ...]:
        """The axes, counted from 0. Raises Violation."""
        written = tuple(range(len(x))) if self.axis is None else self.axis
        written = written if isinstance(written, tuple) else (written,)
        found = tuple(place(axis, x) for axis in written)
        if len(set(found)) < len(found):
            raise Violation("wrong-axis", f"{self.kind} takes each axis once, not {describe(self.axis)}", "axis")
        return found

    def shape(self, *xs: Shape) -> Shape:
        places = self.reduced(xs[0])
        kept = (n if axis not in places else 1 for axis, n in enumerate(xs[0]) if self.keepdims or axis not in places)
        return tuple(kept)

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(xs[0])

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if self.reduced(x) == (len(x) - 1,) and self.keepdims else None

    def keeps_channels(self, x: Shape) -> bool:
        return self.keepdims or len(x) - 1 not in self.reduced(x)

    def _numbers(self, at: At) -> Code:
        """The axes as a framework counts them: one number, or several in the order of the value."""
        if isinstance(self.axis, int) and not at.first:
            return at.axis(self.axis)
        found = tuple(sorted(at.axis(axis) for axis in self.reduced(at.x)))
        return found[0] if len(found) == 1 else found

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, gone = each_place(xs[0]), self.reduced(xs[0])
        made = (None if axis in gone else axis for axis in places if self.keepdims or axis not in gone)
        return AxisMap((places,), (tuple(made),))

    def torch(self, at: At) -> Use:
        if not at.x:
            return Use((function(self.torch_code(X(), ())),))
        return Use((function(self.torch_code(X(), self._numbers(at))),))

    def keras(self, at: At) -> Use:
        return Use((function(self.keras_code(X(), self._numbers(at))),))

    def kept(self, word: str) -> dict[str, Code]:
        """The named argument that keeps the axes."""
        return {word: True} if self.keepdims else {}

    def torch_code(self, x: Code, axes: Code) -> Code:
        """The expression in PyTorch."""
        return method(x, self.kind, axes, **self.kept("keepdim"))

    def keras_code(self, x: Code, axes: Code) -> Code:
        """The expression in Keras."""
        return call(f"ops.{self.kind}", x, axis=axes, **self.kept("keepdims"))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        axes = tuple(axis + 1 for axis in self.reduced(xs[0].shape[1:]))
        y: Array = self.define(xs[0], axes, self.keepdims)
        return y

    def define(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Any:
        """The function, in NumPy."""
        return getattr(x, self.kind)(axes, keepdims=keepdims)


def _examples(kind: str) -> tuple[Example, ...]:
    return (
        Example(f"{kind}(axis=-1)", (5, 4), (5,)),
        Example(f"{kind}(axis=0, keepdims=true)", (5, 4, 3), (1, 4, 3)),
        Example(f"{kind}(axis=(0, -1))", (5, 4, 3, 2), (4, 3)),
        Example(f"{kind}(axis=2)", (5, 4, 3), (5, 4)),
        Example(kind, (5, 4), ()),
    )


def _one_by_one(kind: str) -> str:
    """What to say to those who mean the layer that does it to several values."""
    return f"`{kind}(a, b)` does it with several values, number by number"


@layer("sum", style="join")
class Sum(Reduction):
    """The sum of the numbers along axes."""

    several = _one_by_one("add")
    examples = _examples("sum")


@layer("mean", style="join")
class Mean(Reduction):
    """The mean of the numbers along axes."""

    several = _one_by_one("average")
    examples = _examples("mean")


class _Extreme(Reduction):
    def torch_code(self, x: Code, axes: Code) -> Code:
        return method(x, f"a{self.kind}", axes, **self.kept("keepdim"))


@layer("max", style="join")
class Max(_Extreme):
    """The largest of the numbers along axes."""

    several = _one_by_one("maximum")
    examples = _examples("max")


@layer("min", style="join")
class Min(_Extreme):
    """The smallest of the numbers along axes."""

    several = _one_by_one("minimum")
    examples = _examples("min")


class _Spread(Reduction):
    def torch_code(self, x: Code, axes: Code) -> Code:
        return method(x, self.kind, axes, correction=0, **self.kept("keepdim"))


@layer("var", style="join")
class Var(_Spread):
    """The variance of the numbers along axes: the mean square of what they are away from their mean."""

    examples = _examples("var")


@layer("std", style="join")
class Std(_Spread):
    """The standard deviation of the numbers along axes: the root of their variance."""

    examples = _examples("std")


@layer("norm", style="join")
class Norm(Reduction):
    """The length of vectors: (sum |x|^p)^(1/p) over axes."""

    p: float = arg(number, 2, doc="2 for the Euclidean length, 1 for the sum of absolute values")

    examples = (*_examples("norm"), Example("norm(axis=-1, p=1)", (5, 4), (5,)), Example("norm(p=3)", (5, 4), ()))

    def shape(self, *xs: Shape) -> Shape:
        if self.p <= 0:
            raise Violation("wrong-value", f"`p` of norm must be above 0, not {self.p}", "p")
        return super().shape(*xs)

    def torch_code(self, x: Code, axes: Code) -> Code:
        how = {} if self.p == 2 else {"ord": self.p}
        return call("torch.linalg.vector_norm", x, **how, dim=axes, **self.kept("keepdim"))

    def keras_code(self, x: Code, axes: Code) -> Code:
        """`ops.norm` over two axes is another thing, the norm of a matrix. Of an axis that is a number Keras 3.15 makes
        a list, which JAX refuses."""
        how = {"axis": axes, **self.kept("keepdims")}
        if not isinstance(axes, tuple):
            how["axis"] = (axes,)
            return call("ops.norm", x, **({} if self.p == 2 else {"ord": self.p}), **how)
        if self.p == 2:
            return call("ops.sqrt", call("ops.sum", call("ops.square", x), **how))
        return Infix(call("ops.sum", Infix(call("ops.abs", x), "**", self.p), **how), "**", 1 / self.p)

    def define(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Any:
        return (abs(x) ** self.p).sum(axes, keepdims=keepdims) ** (1 / self.p)


@layer("argmax", style="join")
class Argmax(Layer):
    """The place of the largest number along an axis."""

    axis: int = arg(integer, -1, doc="the axis along which to look; -1 is the channels")

    torch_layout = "last"
    examples = (Example("argmax", (5, 4), (5,)), Example("argmax(axis=0)", (5, 4, 3), (4, 3)))

    def shape(self, *xs: Shape) -> Shape:
        at = place(self.axis, xs[0])
        return (*xs[0][:at], *xs[0][at + 1 :])

    def dtype(self, *given: str) -> str:
        return "int32"

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(xs[0])

    def reach(self, x: Shape) -> None:
        return None

    def _number(self) -> int:
        return self.axis if self.axis < 0 else self.axis + 1

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, at = each_place(xs[0]), place(self.axis, xs[0])
        return AxisMap(((*places[:at], None, *places[at + 1 :]),), (places[:at] + places[at + 1 :],))

    def torch(self, at: At) -> Use:
        return Use((function(method(X(), "argmax", self._number())),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.argmax", X(), axis=self._number())),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = xs[0].argmax(self._number())
        return y
