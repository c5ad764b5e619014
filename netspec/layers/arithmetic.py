"""Arithmetic of a value and a number that is known when the net is compiled: `x * 0.17`, `1 - x`, `x ** 2`."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Infix, X, call
from .arguments import arg, number
from .base import At, Example, Layer, Use, function, layer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..pycode.expr import Code
    from .base import Array


class WithNumber(Layer):
    """Arithmetic with a number that is known when the net is compiled."""

    pointwise = True
    free = True

    def formula(self, x: Any) -> Any:
        """The function, in NumPy."""
        raise NotImplementedError

    def code(self) -> Code:
        """The same as text; both frameworks overload the operators."""
        raise NotImplementedError

    def keras_make(self) -> Code:
        """A Keras layer that does the same, where there is one."""
        return None

    def torch(self, at: At) -> Use:
        return Use((function(self.code()),))

    def keras(self, at: At) -> Use:
        return Use((function(self.code(), self.keras_make()),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = self.formula(xs[0])
        return y


@layer("scale", style="activation")
class Scale(WithNumber):
    """x times a number: `x * 0.17`."""

    factor: float = arg(number, doc="what x is multiplied by")

    examples = (Example("scale(0.17)", (5, 4, 3), (5, 4, 3)), Example("scale(-1)", (6,), (6,)))

    def formula(self, x: Any) -> Any:
        return x * self.factor

    def code(self) -> Code:
        return Infix(X(), "*", self.factor)

    def keras_make(self) -> Code:
        return call("layers.Rescaling", self.factor)


@layer("shift", style="activation")
class Shift(WithNumber):
    """x plus a number: `x + 1`, `x - 0.5`."""

    amount: float = arg(number, doc="what is added to x")

    examples = (Example("shift(1.5)", (5, 4, 3), (5, 4, 3)), Example("shift(-0.5)", (6,), (6,)))

    def formula(self, x: Any) -> Any:
        return x + self.amount

    def code(self) -> Code:
        return Infix(X(), "-", -self.amount) if self.amount < 0 else Infix(X(), "+", self.amount)

    def keras_make(self) -> Code:
        return call("layers.Rescaling", 1.0, offset=self.amount)


@layer("complement", style="activation")
class Complement(WithNumber):
    """A number less x: `1 - x`, as in gates."""

    of: float = arg(number, 1, doc="what x is taken from")

    examples = (Example("complement", (5, 4, 3), (5, 4, 3)), Example("complement(2.5)", (6,), (6,)))

    def formula(self, x: Any) -> Any:
        return self.of - x

    def code(self) -> Code:
        return Infix(self.of, "-", X())

    def keras_make(self) -> Code:
        return call("layers.Rescaling", -1.0, offset=self.of)


@layer("power", style="activation")
class Power(WithNumber):
    """x raised to a number: `x ** 2`."""

    exponent: float = arg(number, doc="the exponent")

    examples = (Example("power(2)", (5, 4, 3), (5, 4, 3)), Example("power(-3)", (6,), (6,)))

    def formula(self, x: Any) -> Any:
        return x**self.exponent

    def code(self) -> Code:
        return Infix(X(), "**", self.exponent)


@layer("reciprocal", style="activation")
class Reciprocal(WithNumber):
    """One over x: `1 / x`."""

    examples = (Example("reciprocal", (5, 4, 3), (5, 4, 3)),)

    def formula(self, x: Any) -> Any:
        return 1 / x

    def code(self) -> Code:
        return Infix(1, "/", X())
