"""How weights begin: the named distributions, and how each framework says them.

Variances follow Glorot & Bengio (2010), He et al. (2015) and LeCun et al. (1998): an array [..., n, m] takes in n
numbers and gives m, each times the axes in front; a vector of n takes in and gives n. Keras draws its normal
distributions anew beyond two standard deviations, and widens them so that the variance is the one asked for.
"""

from __future__ import annotations

from math import prod, sqrt

from ..pycode import call
from ..record import TYPE_CHECKING, Record
from .arguments import Reader, Word, describe

if TYPE_CHECKING:
    from typing import Any

    from ..dims import Shape
    from ..pycode import Code


class Initialiser(Record):
    """A way to begin; `value` is the number that some have: a constant, a standard deviation or a bound."""

    name: str
    value: float | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}({self.value})"


# those that have a number, with what it is without one
SCALED = {"constant": None, "normal": 0.05, "truncated_normal": 0.05, "uniform": 0.05}
# those whose spread hangs on the shape: the share of the variance, what it is divided by, and the distribution
_FANS = {
    "glorot_uniform": (2, "both", "uniform"),
    "glorot_normal": (2, "both", "normal"),
    "he_uniform": (2, "in", "uniform"),
    "he_normal": (2, "in", "normal"),
    "lecun_uniform": (1, "in", "uniform"),
    "lecun_normal": (1, "in", "normal"),
}
WORDS = ("zeros", "ones", *(w for w, value in SCALED.items() if value is not None), *_FANS, "orthogonal")
GLOROT = Initialiser("glorot_uniform")
_DOC = "an initialiser, such as glorot_uniform, zeros or normal(0.02), or a number"


def _read(value: Any) -> Initialiser:
    if isinstance(value, Initialiser):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Initialiser({0: "zeros", 1: "ones"}[int(value)]) if value in (0, 1) else Initialiser("constant", value)
    if isinstance(value, Word) and value in WORDS:
        return Initialiser(str(value), SCALED.get(value))
    from ..diagnostics import did_you_mean

    hint = did_you_mean(value, WORDS) if isinstance(value, Word) else ""
    raise ValueError(f"must be {_DOC}, not {describe(value)}", hint or f"there are {', '.join(WORDS)}")


initialiser_reader = Reader(_read, _DOC, WORDS)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many numbers an array in the language's order takes in, and how many it gives."""
    if len(shape) < 2:
        return (prod(shape),) * 2
    return prod(shape[:-1]), prod(shape[:-2]) * shape[-1]


def spread_of(init: Initialiser, shape: tuple[int, ...]) -> float:
    """The standard deviation of an initialiser whose spread hangs on the shape."""
    share, by, _ = _FANS[init.name]
    taken, given = fans(shape)
    return sqrt(share / (taken + given if by == "both" else taken))


# --- Keras -----------------------------------------------------------------------------------------------------------

_KERAS = {"normal": "RandomNormal", "truncated_normal": "TruncatedNormal"}


def keras_initialiser(init: Initialiser) -> Code:
    """The value of an `initializer` argument: a word, or an object."""
    if init.name not in SCALED:
        return init.name
    if init.name == "uniform":
        assert init.value is not None
        return call("keras.initializers.RandomUniform", -init.value, init.value)
    if init.name == "constant":
        return call("keras.initializers.Constant", init.value)
    return call(f"keras.initializers.{_KERAS[init.name]}", stddev=init.value)


# --- PyTorch ---------------------------------------------------------------------------------------------------------


def torch_array(init: Initialiser, shape: Shape) -> Code:
    """A new array of the language's own order, begun so."""
    if init.name in ("zeros", "ones"):
        return call(f"torch.{init.name}", *_sizes(shape))
    if init.name == "constant":
        return call("torch.full", tuple(shape), init.value)
    return torch_filled(init, call("torch.empty", *_sizes(shape)), shape, matrix=len(shape) == 2, rows_first=True)


def _sizes(shape: Shape) -> tuple[Code, ...]:
    return tuple(shape) or ((),)


def torch_filled(init: Initialiser, array: Code, shape: Shape, matrix: bool, rows_first: bool) -> Code:
    """A function of `nn.init` that fills an array, and gives it back.

    `shape` is in the language's order. Where the array is a `matrix` (or a kernel that PyTorch keeps as out, in, ...)
    the spread is left to PyTorch; `rows_first` says that it takes in along its first axis.
    """
    name, value = init.name, init.value
    if name in ("zeros", "ones", "orthogonal"):
        return call(f"nn.init.{name}_", array)
    if name == "constant":
        return call("nn.init.constant_", array, value)
    if name == "uniform":
        assert value is not None
        return call("nn.init.uniform_", array, -value, value)
    if name == "normal":
        return call("nn.init.normal_", array, std=value)
    if name == "truncated_normal":
        assert value is not None
        return call("nn.init.trunc_normal_", array, std=value, a=-2 * value, b=2 * value)
    kind = _FANS[name][2]
    if not matrix:
        numbers = tuple(n for n in shape if isinstance(n, int))
        std = spread_of(init, numbers)
        bound = std * 3**0.5
        how: tuple[Code, ...] = (-bound, bound) if kind == "uniform" else (0.0, std)
        return call(f"nn.init.{kind}_", array, *how)
    if name.startswith("glorot"):
        return call(f"nn.init.xavier_{kind}_", array)
    words = {"mode": "fan_out"} if rows_first else {}
    gain = "relu" if name.startswith("he") else "linear"
    return call(f"nn.init.kaiming_{kind}_", array, **words, nonlinearity=gain)
