"""Functions that do the same to each number: definition, and what both frameworks write for it.

A function that only one framework has (`squareplus`, `sparse_plus`, `rrelu`) is not here.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call, unless
from .arguments import arg, flag, number
from .base import LAYERS, Apply, At, Example, Layer, Use, function, layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar

    from .base import Array


# functions of Keras that take no symbolic value, as their layer does
_NOT_SYMBOLIC = frozenset(("mish", "hard_silu"))


class Activation(Layer):
    """A function of each number."""

    pointwise = True
    free = True
    # PyTorch's function and module (empty where it has none)
    torch_function: ClassVar[str] = ""
    torch_module: ClassVar[str] = ""
    # do both take `inplace=True`, and is that faster?
    torch_in_place: ClassVar[bool] = False
    # Keras's word for the function with the language's defaults; empty where Keras's defaults differ
    keras_word: ClassVar[str] = ""

    def torch_arguments(self, at: At) -> dict[str, Any]:
        """What PyTorch's function and module take beside the value."""
        return {}

    def torch(self, at: At) -> Use:
        given = self.torch_arguments(at)
        make = call(self.torch_module, **given) if self.torch_module else None
        step = function(call(self.torch_function, X(), **given), make)
        return Use((step.replace(in_place=self.torch_in_place),))

    def keras(self, at: At) -> Use:
        make = call("layers.Activation", self.keras_word)
        if self.keras_word in _NOT_SYMBOLIC:
            return Use((Apply(make),))
        return Use((function(call(f"keras.activations.{self.keras_word}", X()), make),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return self.define(np, xs[0])

    def define(self, np: Any, x: Array) -> Array:
        """The function, in NumPy."""
        raise NotImplementedError


# --- functions without arguments ---------------------------------------------------------------------------------


def sigmoid(np: Any, x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def _softplus(np: Any, x: Array) -> Any:
    return np.log1p(np.exp(-abs(x))) + np.maximum(x, 0)


def _hard_sigmoid(np: Any, x: Array) -> Any:
    return np.clip(x + 3, 0, 6) / 6


def _selu(np: Any, x: Array) -> Any:
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


# word, PyTorch's function and module, Keras's word, definition, documentation
_PLAIN: tuple[tuple[str, str, str, str, Callable[[Any, Any], Any], str], ...] = (
    ("relu", "F.relu", "nn.ReLU", "relu", lambda np, x: np.maximum(x, 0), "max(x, 0). Nair & Hinton (2010)."),
    (
        "relu6",
        "F.relu6",
        "nn.ReLU6",
        "relu6",
        lambda np, x: np.clip(x, 0, 6),
        "min(max(x, 0), 6). Krizhevsky (2010); Howard et al., MobileNets (2017).",
    ),
    (
        "selu",
        "F.selu",
        "nn.SELU",
        "selu",
        _selu,
        "The scaled ELU that keeps mean 0 and variance 1. Klambauer et al. (2017).",
    ),
    (
        "silu",
        "F.silu",
        "nn.SiLU",
        "silu",
        lambda np, x: x * sigmoid(np, x),
        "x * sigmoid(x), also called `swish`. Elfwing et al. (2017); Ramachandran et al. (2017).",
    ),
    (
        "mish",
        "F.mish",
        "nn.Mish",
        "mish",
        lambda np, x: x * np.tanh(_softplus(np, x)),
        "x * tanh(softplus(x)). Misra (2019).",
    ),
    ("sigmoid", "torch.sigmoid", "nn.Sigmoid", "sigmoid", sigmoid, "The logistic function 1 / (1 + exp(-x))."),
    (
        "hard_sigmoid",
        "F.hardsigmoid",
        "nn.Hardsigmoid",
        "hard_sigmoid",
        _hard_sigmoid,
        "relu6(x + 3) / 6: three straight lines (Keras before version 3 had 0.2*x + 0.5). Howard et al. (2019).",
    ),
    (
        "hard_swish",
        "F.hardswish",
        "nn.Hardswish",
        "hard_silu",
        lambda np, x: x * _hard_sigmoid(np, x),
        "x * relu6(x + 3) / 6, also called `hard_silu`. Howard et al., MobileNetV3 (2019).",
    ),
    (
        "hard_tanh",
        "F.hardtanh",
        "nn.Hardtanh",
        "hard_tanh",
        lambda np, x: np.clip(x, -1, 1),
        "x cut off at -1 and 1. Collobert (2004).",
    ),
    ("tanh", "torch.tanh", "nn.Tanh", "tanh", lambda np, x: np.tanh(x), "The hyperbolic tangent."),
    (
        "tanh_shrink",
        "F.tanhshrink",
        "nn.Tanhshrink",
        "tanh_shrink",
        lambda np, x: x - np.tanh(x),
        "x - tanh(x).",
    ),
    (
        "softplus",
        "F.softplus",
        "nn.Softplus",
        "softplus",
        _softplus,
        "log(1 + exp(x)), a smooth relu. Dugas et al. (2001).",
    ),
    (
        "softsign",
        "F.softsign",
        "nn.Softsign",
        "softsign",
        lambda np, x: x / (1 + abs(x)),
        "x / (1 + |x|). Glorot & Bengio (2010).",
    ),
    (
        "log_sigmoid",
        "F.logsigmoid",
        "nn.LogSigmoid",
        "log_sigmoid",
        lambda np, x: -_softplus(np, -x),
        "log(1 / (1 + exp(-x))).",
    ),
    ("exp", "torch.exp", "", "exponential", lambda np, x: np.exp(x), "exp(x), also called `exponential`."),
)


# those of them that are faster in place (docs/adr/081-in-place.md)
_IN_PLACE = ("relu", "relu6", "selu")


def _plain(word: str, torch_function: str, torch_module: str, keras_word: str, define: Any, doc: str) -> None:
    body = {
        "__doc__": doc,
        "__module__": __name__,
        "torch_function": torch_function,
        "torch_module": torch_module,
        "torch_in_place": word in _IN_PLACE,
        "keras_word": keras_word,
        "define": lambda self, np, x: define(np, x),
        "examples": (Example(word, (5, 4), (5, 4)), Example(word, (3, 4, 2), (3, 4, 2))),
    }
    layer(word, style="activation")(type(word, (Activation,), body))


for _row in _PLAIN:
    _plain(*_row)

# --- functions with arguments -------------------------------------------------------------------------------------


@layer("leaky_relu", style="activation")
class LeakyRelu(Activation):
    """x where it is positive, slope * x elsewhere. Maas et al. (2013).

    The slope is the paper's and PyTorch's 0.01; Keras has 0.3 in its layer and 0.2 in its function.
    """

    slope: float = arg(number, 0.01, doc="slope on the negative side")

    torch_function, torch_module = "F.leaky_relu", "nn.LeakyReLU"
    torch_in_place = True
    examples = (
        Example("leaky_relu", (5, 4), (5, 4)),
        Example("leaky_relu(0.3)", (5, 4), (5, 4)),
    )

    def torch_arguments(self, at: At) -> dict[str, Any]:
        return unless(0.01, negative_slope=self.slope)

    def keras(self, at: At) -> Use:
        code = call("keras.activations.leaky_relu", X(), **unless(0.2, negative_slope=self.slope))
        return Use((function(code, call("layers.LeakyReLU", **unless(0.3, negative_slope=self.slope))),))

    def define(self, np: Any, x: Array) -> Any:
        return np.where(x > 0, x, self.slope * x)


@layer("elu", style="activation")
class Elu(Activation):
    """x where it is positive, alpha * (exp(x) - 1) elsewhere. Clevert et al. (2015)."""

    alpha: float = arg(number, 1.0, doc="what the negative side comes down to")

    torch_function, torch_module, keras_word = "F.elu", "nn.ELU", "elu"
    torch_in_place = True
    examples = (Example("elu", (5, 4), (5, 4)), Example("elu(0.5)", (5, 4), (5, 4)))

    def torch_arguments(self, at: At) -> dict[str, Any]:
        return unless(1.0, alpha=self.alpha)

    def keras(self, at: At) -> Use:
        given = unless(1.0, alpha=self.alpha)
        return Use((function(call("keras.activations.elu", X(), **given), call("layers.ELU", **given)),))

    def define(self, np: Any, x: Array) -> Any:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))


class KerasOp(Activation):
    """A function that Keras has with arguments under `keras.activations`, and without them as a word."""

    def keras_arguments(self) -> dict[str, Any]:
        """What Keras's function takes beside the value."""
        return {}

    def keras(self, at: At) -> Use:
        if all(getattr(self, name) == argument.default for name, argument in self.arguments.items()):
            return super().keras(at)
        return Use((function(call(f"keras.activations.{self.keras_word}", X(), **self.keras_arguments())),))


@layer("celu", style="activation")
class Celu(KerasOp):
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)): an ELU whose slope has no jump. Barron (2017)."""

    alpha: float = arg(number, 1.0, doc="what the negative side comes down to")

    torch_function, torch_module, keras_word = "F.celu", "nn.CELU", "celu"
    torch_in_place = True
    examples = (Example("celu", (5, 4), (5, 4)), Example("celu(0.5)", (5, 4), (5, 4)))

    def torch_arguments(self, at: At) -> dict[str, Any]:
        return unless(1.0, alpha=self.alpha)

    def keras_arguments(self) -> dict[str, Any]:
        return unless(1.0, alpha=self.alpha)

    def define(self, np: Any, x: Array) -> Any:
        return np.maximum(x, 0) + self.alpha * np.expm1(np.minimum(x, 0) / self.alpha)


@layer("gelu", style="activation")
class Gelu(KerasOp):
    """x * P(X <= x) for a standard normal X. Hendrycks & Gimpel (2016)."""

    approximate: bool = arg(flag, False, doc="use the approximation by tanh, as GPT-2 does")

    torch_function, torch_module, keras_word = "F.gelu", "nn.GELU", "gelu"
    examples = (Example("gelu", (5, 4), (5, 4)), Example("gelu(approximate=true)", (5, 4), (5, 4)))

    def torch_arguments(self, at: At) -> dict[str, Any]:
        return {"approximate": "tanh"} if self.approximate else {}

    def keras_arguments(self) -> dict[str, Any]:
        return unless(False, approximate=self.approximate)

    def define(self, np: Any, x: Array) -> Any:
        if self.approximate:
            return 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
        import math

        return 0.5 * x * (1 + np.vectorize(math.erf)(x / 2**0.5))


class _Shrink(KerasOp):
    threshold: float = arg(number, 0.5, doc="numbers nearer to 0 than this become 0")

    def torch_arguments(self, at: At) -> dict[str, Any]:
        return unless(0.5, lambd=self.threshold)

    def keras_arguments(self) -> dict[str, Any]:
        return unless(0.5, threshold=self.threshold)


@layer("soft_shrink", style="activation")
class SoftShrink(_Shrink):
    """x moved towards 0 by the threshold, and 0 within it. Donoho (1995)."""

    torch_function, torch_module, keras_word = "F.softshrink", "nn.Softshrink", "soft_shrink"
    examples = (Example("soft_shrink", (5, 4), (5, 4)), Example("soft_shrink(0.3)", (5, 4), (5, 4)))

    def define(self, np: Any, x: Array) -> Any:
        return np.sign(x) * np.maximum(abs(x) - self.threshold, 0)


@layer("hard_shrink", style="activation")
class HardShrink(_Shrink):
    """x, but 0 within the threshold. Donoho & Johnstone (1994)."""

    torch_function, torch_module, keras_word = "F.hardshrink", "nn.Hardshrink", "hard_shrink"
    examples = (Example("hard_shrink", (5, 4), (5, 4)), Example("hard_shrink(0.3)", (5, 4), (5, 4)))

    def define(self, np: Any, x: Array) -> Any:
        return np.where(abs(x) > self.threshold, x, 0)


@layer("threshold", style="activation")
class Threshold(KerasOp):
    """x where it is above a threshold, a given value elsewhere."""

    threshold: float = arg(number, doc="what x must be above")
    value: float = arg(number, doc="what stands elsewhere")

    torch_function, torch_module, keras_word = "F.threshold", "nn.Threshold", "threshold"
    examples = (Example("threshold(0.1, -2)", (5, 4), (5, 4)),)

    def torch_arguments(self, at: At) -> dict[str, Any]:
        return {"threshold": self.threshold, "value": self.value}

    def keras_arguments(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "default_value": self.value}

    def define(self, np: Any, x: Array) -> Any:
        return np.where(x > self.threshold, x, self.value)


@layer("linear", style="activation")
class Linear(Activation):
    """x itself: the word for having no activation."""

    examples = (Example("linear", (5, 4), (5, 4)),)
    keras_word = "linear"
    computes = False

    def torch(self, at: At) -> Use:
        return Use((function(X(), call("nn.Identity")),))

    def define(self, np: Any, x: Array) -> Array:
        return x


for _alias, _kind in (("swish", "silu"), ("hard_silu", "hard_swish"), ("exponential", "exp")):
    LAYERS[_alias] = LAYERS[_kind]
