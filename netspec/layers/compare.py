"""Comparisons of values, number by number; what is made of them: `and`, `or`, `not`, `where`."""

from __future__ import annotations

from ..base.dims import product
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Infix, call
from .arguments import Violation, arg, number, optional
from .base import Apply, At, Example, Layer, Use, function, layer
from .casting import TORCH_FLOAT
from .join import lift, lifted
from .shapes import broadcast, broadcast_map
from .signs import COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array
    from .shapes import AxisMap


class _Joined(Layer):
    """What is done to the numbers that stand in the same place of some values."""

    arity: ClassVar[int | None] = None
    takes = "any"
    free = True
    by_step = True

    def shape(self, *xs: Shape) -> Shape:
        return broadcast(self.kind, xs)

    def values(self, at: At, first: bool) -> list[Code]:
        """The values, each with the axes of the widest."""
        return [lifted(at, i, len(at.y), first) for i in range(len(at.inputs))]

    def axis_map(self, *xs: Shape) -> AxisMap:
        return broadcast_map(xs, self.shape(*xs))

    def torch(self, at: At) -> Use:
        return Use((function(self.torch_code(self.values(at, at.first))),))

    def keras(self, at: At) -> Use:
        return Use((function(self.keras_code(self.values(at, False))),))

    def torch_code(self, values: list[Code]) -> Code:
        """The expression in PyTorch."""
        raise NotImplementedError

    def keras_code(self, values: list[Code]) -> Code:
        """The expression in Keras."""
        raise NotImplementedError

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        rank = max(x.ndim for x in xs) - 1
        y: Array = self.define(np, [lift(x, rank) for x in xs])
        return y

    def define(self, np: Any, xs: list[Any]) -> Any:
        """The function, in NumPy."""
        raise NotImplementedError


class Comparison(_Joined):
    """True where one number compares so to another."""

    to: float | None = arg(optional(number), None, doc="a number to compare with, in place of a second value")

    most: ClassVar[int | None] = 2
    # by place in a call: the argument that a number there is
    places = ("", "to")
    sign: ClassVar[str] = ""

    def shape(self, *xs: Shape) -> Shape:
        if (self.to is None) is (len(xs) == 1):
            raise Violation("wrong-arity", f"`{self.kind}` compares two values, or one with a number")
        return super().shape(*xs)

    def dtype(self, *given: str) -> str:
        _numbers(self.kind, given)
        return "bool"

    def _code(self, values: list[Code]) -> Code:
        left, right = (*values, self.to)[:2]
        return Infix(left, self.sign, right)

    torch_code = keras_code = _code

    def define(self, np: Any, xs: list[Any]) -> Any:
        left, right = (*xs, self.to)[:2]
        return getattr(np, self.kind)(left, right)


def _numbers(kind: str, given: tuple[str, ...]) -> None:
    if "bool" in given:
        raise Violation("wrong-dtype", f"{kind} compares numbers, but a value holds true and false")


class _Equality(Comparison):
    """Keras's values do not compare by the sign."""

    ordered = False

    def keras_code(self, values: list[Code]) -> Code:
        left, right = (*values, self.to)[:2]
        return call(f"ops.{self.kind}", left, right)


_SIGNS = {kind: sign for sign, kind in COMPARISONS.items()}
# kind, whether Keras has the sign, documentation
_KINDS = (
    ("greater", Comparison, "True where the first is above the second: `x > y`, `x > 0`."),
    ("greater_equal", Comparison, "True where the first is not below the second: `x >= y`, `x >= 0`."),
    ("less", Comparison, "True where the first is below the second: `x < y`, `x < 0`."),
    ("less_equal", Comparison, "True where the first is not above the second: `x <= y`, `x <= 0`."),
    ("equal", _Equality, "True where both are the same number: `x == y`, `x == 0`."),
    ("not_equal", _Equality, "True where both are different numbers: `x != y`, `x != 0`."),
)


def _compare(kind: str, base: type[Comparison], doc: str) -> None:
    body = {
        "__doc__": doc,
        "__module__": __name__,
        "sign": _SIGNS[kind],
        "examples": (
            Example(f"{kind}(0.2)", (5, 4, 3), (5, 4, 3)),
            Example(kind, ((5, 4, 3), (4, 3)), (5, 4, 3)),
            Example(f"{kind}(to=2)", (6,), (6,), vocabulary=4),
        ),
    }
    layer(kind, style="join")(type(kind, (base,), body))


for _row in _KINDS:
    _compare(*_row)


# --- logic -----------------------------------------------------------------------------------------------------------


class Logic(_Joined):
    """What is made of true and false."""

    takes = "bool"
    ordered = False
    torch_sign: ClassVar[str] = ""

    def torch_code(self, values: list[Code]) -> Code:
        code = values[0]
        for value in values[1:]:
            code = Infix(code, self.torch_sign, value)
        return code

    def keras_code(self, values: list[Code]) -> Code:
        code = values[0]
        for value in values[1:]:
            code = call(f"ops.{self.kind}", code, value)
        return code

    def define(self, np: Any, xs: list[Any]) -> Any:
        y = xs[0]
        for x in xs[1:]:
            y = getattr(np, self.kind)(y, x)
        return y


@layer("logical_and", style="join")
class LogicalAnd(Logic):
    """True where all values are: `a and b`."""

    least = 2
    torch_sign = "&"
    examples = (Example("logical_and", ((5, 4), (5, 4), (4,)), (5, 4)),)


@layer("logical_or", style="join")
class LogicalOr(Logic):
    """True where one of the values is: `a or b`."""

    least = 2
    torch_sign = "|"
    examples = (Example("logical_or", ((5, 4), (5, 4), (4,)), (5, 4)),)


@layer("logical_not", style="join")
class LogicalNot(Logic):
    """True where x is not: `not a`."""

    arity = 1
    pointwise = True
    examples = (Example("logical_not", (5, 4), (5, 4)),)

    def torch_code(self, values: list[Code]) -> Code:
        return call("torch.logical_not", values[0])

    def keras_code(self, values: list[Code]) -> Code:
        return call("ops.logical_not", values[0])

    def define(self, np: Any, xs: list[Any]) -> Any:
        return np.logical_not(xs[0])


@layer("where", style="join")
class Where(_Joined):
    """One value where a condition holds, another one elsewhere: `where(x > 0, x, 0)`. Either may be a number."""

    then: float | None = arg(optional(number), None, doc="the number where the condition holds")
    otherwise: float | None = arg(optional(number), None, doc="the number where it does not hold")

    most: ClassVar[int | None] = 3
    places = ("", "then", "otherwise")
    examples = (
        Example("where", ((5, 4), (5, 4), (5, 4)), (5, 4), conditions=1),
        Example("where", ((3,), (5, 4, 1), (4, 3)), (5, 4, 3), conditions=1),
        Example("where(otherwise=-1)", ((5, 4), (4,)), (5, 4), conditions=1),
        Example("where(then=0.5)", ((5, 4), (5, 4)), (5, 4), conditions=1),
        Example("where(1, 0)", (5, 4), (5, 4), conditions=1),
    )

    def shape(self, *xs: Shape) -> Shape:
        numbers = (self.then is not None) + (self.otherwise is not None)
        if len(xs) + numbers != 3:
            raise Violation(
                "wrong-arity", "`where` needs a condition and two values or numbers", help="`where(x > 0, x, 0)`"
            )
        return super().shape(*xs)

    def dtype(self, *given: str) -> str:
        if given[0] != "bool":
            raise Violation(
                "wrong-dtype",
                f"the first value of where is a condition, but it holds numbers ({given[0]})",
                help="compare it: `where(x > 0, x, 0)`",
            )
        odd = [dtype for dtype in given[1:] if not dtype.startswith("float")]
        if odd:
            message = f"where chooses real numbers, but a value holds others ({odd[0]})"
            raise Violation("wrong-dtype", message, help="make it real first: `x -> cast(float)`")
        return "float32"

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y)

    def _chosen(self, values: list[Any]) -> tuple[Any, ...]:
        """Condition, value and other value; numbers are real, as the values are."""
        rest = iter(values[1:])
        sides = (float(n) if n is not None else next(rest) for n in (self.then, self.otherwise))
        return (values[0], *sides)

    def torch(self, at: At) -> Use:
        use = super().torch(at)
        if self.then is None or self.otherwise is None:
            return use
        return use.replace(steps=(*use.steps, Apply(call("ToFloat"), helpers=(TORCH_FLOAT,))))

    def torch_code(self, values: list[Code]) -> Code:
        return call("torch.where", *self._chosen(values))

    def keras_code(self, values: list[Code]) -> Code:
        return call("ops.where", *self._chosen(values))

    def define(self, np: Any, xs: list[Any]) -> Any:
        return np.where(*self._chosen(xs))
