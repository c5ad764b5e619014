"""How weights begin: the named distributions, and how each framework says them.

Variances follow Glorot & Bengio (2010), He et al. (2015) and LeCun et al. (1998): an array [..., n, m] takes in n
numbers and gives m, each times the axes in front; a vector of n takes in and gives n. Keras draws its normal
distributions anew beyond two standard deviations, and widens them so that the variance is the one asked for.
"""

from __future__ import annotations

from math import prod, sqrt

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Infix, Raw, call
from .arguments import Reader, Word, describe
from .forms import Initialiser as Initialiser

if TYPE_CHECKING:
    from typing import Any

    from ..base.dims import Shape
    from ..pycode.expr import Call, Code
    from .forms import Weight


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
    # what PyTorch's own dense layers and convolutions begin with: uniform within 1 / sqrt(inputs)
    "torch_uniform": (1 / 3, "in", "uniform"),
}
WORDS = ("zeros", "ones", *(w for w, value in SCALED.items() if value is not None), *_FANS, "orthogonal")
GLOROT, ORTHOGONAL = Initialiser("glorot_uniform"), Initialiser("orthogonal")
UNIFORM, ZEROS, ONES = Initialiser("uniform", 0.05), Initialiser("zeros"), Initialiser("ones")
# the bias of an LSTM: 1 for the forget gate, so that it remembers to begin with (Gers et al., 2000), 0 for the others
FORGET = Initialiser("forget_ones")
_DOC = "an initialiser, such as glorot_uniform, zeros or normal(0.02), or a number"


def _read(value: Any) -> Initialiser:
    if isinstance(value, Initialiser):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Initialiser({0: "zeros", 1: "ones"}[int(value)]) if value in (0, 1) else Initialiser("constant", value)
    if isinstance(value, Word) and value in WORDS:
        return Initialiser(str(value), SCALED.get(value))
    from ..base.diagnostics import did_you_mean
    from .foreign import foreign_word

    if isinstance(value, str) and value in WORDS:
        raise ValueError(f"must be {_DOC}, not {describe(value)}", f"leave the quotes out: `{value}`")
    hint = foreign_word(value, WORDS) or did_you_mean(value, WORDS) if isinstance(value, str) else ""
    raise ValueError(f"must be {_DOC}, not {describe(value)}", hint or f"there are {', '.join(WORDS)}")


initialiser_reader = Reader(_read, _DOC, WORDS)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many numbers an array in the language's order takes in, and how many it gives."""
    if len(shape) < 2:
        return (prod(shape),) * 2
    return prod(shape[:-1]), prod(shape[:-2]) * shape[-1]


def fans_of(weight: Weight) -> tuple[int, int]:
    """The same of a weight, whose sizes are known."""
    if weight.fans is None:
        return fans(weight.sizes)
    taken, given = weight.fans
    assert isinstance(taken, int)  # it is made of the sizes, which are known
    assert isinstance(given, int)
    return taken, given


def _variance(init: Initialiser, counts: tuple[int, int]) -> float:
    """The variance of an initialiser whose spread hangs on how many numbers go in and out."""
    share, by, _ = _FANS[init.name]
    return share / (sum(counts) if by == "both" else counts[0])


def spread_of(init: Initialiser, counts: tuple[int, int]) -> float:
    """The standard deviation of such an initialiser."""
    return sqrt(_variance(init, counts))


def bound_of(init: Initialiser, counts: tuple[int, int]) -> float:
    """How far such a uniform distribution reaches to both sides."""
    return sqrt(3 * _variance(init, counts))


def _short(number: float) -> float:
    return float(f"{number:.6g}")


def _in_numbers(init: Initialiser, counts: tuple[int, int]) -> Initialiser:
    """The same distribution, without a look at the shape."""
    if _FANS[init.name][2] == "uniform":
        return Initialiser("uniform", _short(bound_of(init, counts)))
    return Initialiser("normal", _short(spread_of(init, counts)))


# --- Keras -----------------------------------------------------------------------------------------------------------

_KERAS = {"normal": "RandomNormal", "truncated_normal": "TruncatedNormal"}


def keras_initialiser(init: Initialiser) -> Code:
    """The value of an `initializer` argument: a word, or an object."""
    if init.name == "torch_uniform":
        return call("keras.initializers.VarianceScaling", Raw("1 / 3"), "fan_in", "uniform")
    if init.name not in SCALED:
        return init.name
    if init.name == "uniform":
        assert init.value is not None
        if init.value == SCALED["uniform"]:
            return "uniform"
        return call("keras.initializers.RandomUniform", -init.value, init.value)
    if init.name == "constant":
        return call("keras.initializers.Constant", init.value)
    return call(f"keras.initializers.{_KERAS[init.name]}", stddev=init.value)


def keras_beginning(init: Initialiser, weight: Weight | None = None, worded: bool = True) -> Code:
    """The same for a weight of a layer, of which Keras may count the inputs in another way than the language.

    Without `worded` it is in numbers.
    """
    if weight is None or init.name not in _FANS:
        return keras_initialiser(init)
    if not worded:
        return keras_initialiser(_in_numbers(init, fans_of(weight)))
    wanted, there = fans_of(weight), fans(weight.keras.shape_of(weight.sizes))
    if _variance(init, wanted) == _variance(init, there):
        return keras_initialiser(init)
    share, _, kind = _FANS[init.name]
    if wanted[0] == there[1]:
        words = ("uniform",) if kind == "uniform" else ()
        return call("keras.initializers.VarianceScaling", share, "fan_out", *words)
    return keras_initialiser(_in_numbers(init, wanted))


# --- PyTorch ---------------------------------------------------------------------------------------------------------


def torch_array(init: Initialiser, shape: Shape) -> Code:
    """A new array of the language's own order, begun so."""
    if init.name in ("zeros", "ones"):
        return call(f"torch.{init.name}", *_sizes(shape))
    if init.name == "constant":
        return call("torch.full", tuple(shape), init.value)
    sizes = tuple(n for n in shape if isinstance(n, int))
    return filled(
        torch_filler(init, fans(sizes), sizes if len(sizes) == 2 else None), call("torch.empty", *_sizes(shape))
    )


def _sizes(shape: Shape) -> tuple[Code, ...]:
    return tuple(shape) or ((),)


def torch_filler(init: Initialiser, counts: tuple[int, int], shape: tuple[int, ...] | None) -> Call:
    """A call of `nn.init` that fills an array; the array itself is to be put in front of its arguments.

    `shape` is that of PyTorch's array, where PyTorch may work out the spread itself.
    """
    name, value = init.name, init.value
    if name in ("zeros", "ones", "orthogonal"):
        return call(f"nn.init.{name}_")
    if name == "constant":
        return call("nn.init.constant_", val=value)
    if name == "uniform":
        assert value is not None
        return call("nn.init.uniform_", a=-value, b=value)
    if name == "normal":
        return call("nn.init.normal_", std=value)
    if name == "truncated_normal":
        assert value is not None
        return call("nn.init.trunc_normal_", std=value, a=-2 * value, b=2 * value)
    worded = None if shape is None or len(shape) < 2 else _torch_worded(init, counts, shape)
    return worded or torch_filler(_in_numbers(init, counts), counts, None)


def filled(fill: Call, array: Code) -> Call:
    """The call with its array; bounds go by place."""
    if fill.func not in ("nn.init.uniform_", "nn.init.constant_"):
        return fill.replace(args=(array,))
    return call(fill.func, array, *(value for _, value in fill.kwargs))


def _torch_worded(init: Initialiser, counts: tuple[int, int], shape: tuple[int, ...]) -> Call | None:
    """The function that works the spread out from the array's shape, if it comes to the same."""
    rest = prod(shape[2:])
    taken, given = shape[1] * rest, shape[0] * rest
    if _FANS[init.name][1] == "both":
        return torch_worded(init) if taken + given == sum(counts) else None
    if counts[0] not in (taken, given):
        return None
    return torch_worded(init, by_outputs=counts[0] != taken)


def torch_worded(init: Initialiser, by_outputs: bool = False) -> Call:
    """The function for an initialiser that hangs on the shape; `by_outputs` where PyTorch takes inputs for outputs."""
    kind = _FANS[init.name][2]
    if init.name.startswith("glorot"):
        return call(f"nn.init.xavier_{kind}_")
    words: dict[str, Code] = {"mode": "fan_out"} if by_outputs else {}
    if init.name == "torch_uniform":
        return call("nn.init.kaiming_uniform_", a=Infix(5, "**", 0.5), **words)
    gain = "relu" if init.name.startswith("he") else "linear"
    return call(f"nn.init.kaiming_{kind}_", **words, nonlinearity=gain)
