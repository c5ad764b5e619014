"""Functions of each number that are no activations: roots, logarithms, waves, rounding."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call
from .arguments import Violation, arg, number, optional
from .base import At, Example, Layer, Use, function, layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar

    from .base import Array


class Function(Layer):
    """A function of each number, with the name that both frameworks have for it."""

    pointwise = True
    free = True
    torch_function: ClassVar[str] = ""
    keras_function: ClassVar[str] = ""

    def torch(self, at: At) -> Use:
        return Use((function(call(self.torch_function, X())),))

    def keras(self, at: At) -> Use:
        return Use((function(call(self.keras_function, X())),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return self.define(np, xs[0])

    def define(self, np: Any, x: Array) -> Array:
        """The function, in NumPy."""
        raise NotImplementedError


def _erf(np: Any, x: Any) -> Any:
    import math

    return np.vectorize(math.erf)(x)


# word, definition, documentation, and whether it is for numbers above 0
_PLAIN: tuple[tuple[str, Callable[[Any, Any], Any], str, bool], ...] = (
    ("log", lambda np, x: np.log(x), "The natural logarithm.", True),
    ("log2", lambda np, x: np.log2(x), "The logarithm to the base 2.", True),
    ("log1p", lambda np, x: np.log1p(x), "log(1 + x), exact for small x.", True),
    ("expm1", lambda np, x: np.expm1(x), "exp(x) - 1, exact for small x.", False),
    ("sqrt", lambda np, x: np.sqrt(x), "The square root.", True),
    ("rsqrt", lambda np, x: 1 / np.sqrt(x), "One over the square root.", True),
    ("square", lambda np, x: x * x, "x times x.", False),
    ("abs", lambda np, x: abs(x), "x without its sign.", False),
    ("sign", lambda np, x: np.sign(x), "1 where x is above 0, -1 where it is below, and 0 at 0.", False),
    ("sin", lambda np, x: np.sin(x), "The sine.", False),
    ("cos", lambda np, x: np.cos(x), "The cosine.", False),
    ("erf", _erf, "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.", False),
    ("floor", lambda np, x: np.floor(x), "The largest whole number that is not above x.", False),
    ("ceil", lambda np, x: np.ceil(x), "The smallest whole number that is not below x.", False),
    ("round", lambda np, x: np.round(x), "The nearest whole number, of two that are as near the even one.", False),
)


def _plain(word: str, define: Any, doc: str, positive: bool) -> None:
    shapes = ((5, 4), (3, 4, 2))
    body = {
        "__doc__": doc,
        "__module__": __name__,
        "torch_function": f"torch.{word}",
        "keras_function": f"ops.{word}",
        "define": lambda self, np, x: define(np, x),
        "examples": tuple(Example(word, shape, shape, positive=positive) for shape in shapes),
    }
    layer(word, style="activation")(type(word, (Function,), body))


for _row in _PLAIN:
    _plain(*_row)


@layer("clip", style="activation")
class Clip(Layer):
    """x, but no smaller than `low` and no larger than `high`."""

    low: float | None = arg(optional(number), None, doc="the least number that comes out")
    high: float | None = arg(optional(number), None, doc="the largest number that comes out")

    pointwise = True
    free = True
    examples = (
        Example("clip(-1, 0.5)", (5, 4), (5, 4)),
        Example("clip(low=0.1)", (3, 4, 2), (3, 4, 2)),
        Example("clip(high=1)", (6,), (6,)),
    )

    def shape(self, *xs: Any) -> Any:
        if self.low is None and self.high is None:
            raise Violation("wrong-value", "clip needs `low` or `high`, or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise Violation("wrong-value", f"`low` of clip is {self.low}, above `high`, {self.high}", "low")
        return xs[0]

    def torch(self, at: At) -> Use:
        given = {"min": self.low, "max": self.high}
        if self.low is not None and self.high is not None:
            bounds = (self.low, self.high)
            if {*map(type, bounds)} > {float}:  # PyTorch's ONNX export takes two numbers of one type only
                bounds = (float(self.low), float(self.high))
            return Use((function(call("torch.clamp", X(), *bounds)),))
        return Use((function(call("torch.clamp", X(), **{n: v for n, v in given.items() if v is not None})),))

    def keras(self, at: At) -> Use:
        if self.low is None or self.high is None:
            name, bound = ("ops.minimum", self.high) if self.low is None else ("ops.maximum", self.low)
            return Use((function(call(name, X(), bound)),))
        return Use((function(call("ops.clip", X(), self.low, self.high)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        low = -np.inf if self.low is None else self.low
        y: Array = xs[0].clip(low, np.inf if self.high is None else self.high)
        return y
