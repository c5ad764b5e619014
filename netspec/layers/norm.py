"""Layers that normalise.

One set of defaults for all, written into generated code wherever a framework has others: epsilon 1e-5 (PyTorch's and
that of the papers' code; Keras has 1e-3), learned scale and shift, and for batch norm a momentum of 0.9 of the old
statistics (PyTorch's 0.1 of the new; Keras has 0.99, which needs ten times the steps to settle).
"""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Call, call, unless
from .arguments import Reader, Unsupported, Violation, arg, describe, flag, positive, rate
from .base import Apply, At, Example, Helper, Layer, Use, Weight, WeightLayout, layer, module
from .initialisers import ONES
from .shapes import AxisMap, each_place, known, needs_rank, place, pointwise_map, torch_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from .base import Array, Weights

EPSILON = 1e-5


def _positive_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"must be a number above 0, not {describe(value)}", "")
    return value


epsilon_reader = Reader(_positive_number, "a number above 0")


def misread_epsilon(values: Mapping[str, Any], places: int) -> str:
    """What to write for `batchnorm(64)`: PyTorch's norms are told how many channels come in."""
    given = values.get("epsilon", 0)
    if not places or isinstance(given, bool) or not isinstance(given, int) or given < 1:
        return ""
    return "the channels that come in are known: leave them out"


class Normalisation(Layer):
    """Centre and divide by the spread; then a learned scale and shift."""

    epsilon: float = arg(epsilon_reader, EPSILON, doc="added to the variance, so that nothing is divided by 0")
    scale: bool = arg(flag, True, doc="multiply by a learned number for each channel")
    center: bool = arg(flag, True, doc="add a learned number for each channel")

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        return misread_epsilon(values, places)

    def learned(self, shape: Shape) -> Weights:
        """Scale (gamma) and shift (beta), where they are asked for."""
        gamma = Weight("gamma", shape, WeightLayout("weight"), WeightLayout("gamma"), init=ONES)
        beta = Weight("beta", shape, WeightLayout("bias"), WeightLayout("beta"), "bias")
        return (*((gamma,) if self.scale else ()), *((beta,) if self.center else ()))

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 1, "channels")
        return xs[0]

    def weights(self, *xs: Shape) -> Weights:
        return self.learned(xs[0][-1:])

    def finish(self, y: Array, w: Mapping[str, Array]) -> Array:
        """Scale and shift, in NumPy."""
        if self.scale:
            y = y * w["gamma"]
        return y + w["beta"] if self.center else y

    def torch_module(self, make: Call) -> Apply:
        """The PyTorch module, with the learned parts that are asked for.

        PyTorch has them both or neither (`affine`); one alone is a module of the same class without the other.
        """
        if self.scale and self.center:
            return module(make, fresh=True)
        if not self.scale and not self.center:
            word = "elementwise_affine" if make.func == "nn.LayerNorm" else "affine"
            return module(Call(make.func, make.args, _without(make, word, **{word: False})), fresh=True)
        helper = _one_sided(str(make.func), "weight" if self.center else "bias")
        return module(Call(helper.name, make.args, make.kwargs), helpers=(helper,), fresh=True)

    def keras_arguments(self, at: At) -> dict[str, Any]:
        """What all of Keras's normalisations take. Raises Unsupported where the learned parts have no known size."""
        known("Keras", *(n for weight in self.weights(at.x) for n in weight.shape))
        return {
            "epsilon": self.epsilon,
            **unless(True, scale=self.scale),
            **unless(True, center=self.center),
        }


def _without(make: Call, word: str, **named: Any) -> tuple[tuple[str, Any], ...]:
    return (*(pair for pair in make.kwargs if pair[0] != word), *named.items())


def _one_sided(base: str, missing: str) -> Helper:
    """A PyTorch class that learns a shift and no scale, or a scale and no shift."""
    kept, word = ("shift", "Shift") if missing == "weight" else ("scale", "Scale")
    other = "scale" if kept == "shift" else "shift"
    name = f"{word}Only{base.removeprefix('nn.')}"
    return Helper(
        name,
        f'''\
class {name}({base}):
    """{base} with a learned {kept} and no learned {other}."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_parameter("{missing}", None)
''',
    )


def _standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    y: Array = (x - x.mean(axes, keepdims=True)) / (x.var(axes, keepdims=True) + epsilon) ** 0.5
    return y


def _spatial_rank(kind: str, x: Shape) -> int:
    """How many spatial axes PyTorch's class of that name must have: its names end in 1d, 2d, 3d."""
    rank = len(x) - 1
    if rank > 3:
        raise Unsupported(
            f"PyTorch's {kind} has at most 3 spatial axes, but its input is {show(x)}", help="`reshape` joins axes"
        )
    return max(rank, 1)


@layer("batchnorm", style="norm")
class BatchNorm(Normalisation):
    """Normalise each channel by its mean and variance over the batch and all positions.

    Ioffe & Szegedy (2015). When the net is used, running means and variances stand in for the batch's. PyTorch
    keeps the unbiased variance in them and Keras the biased one, so trained statistics differ by n/(n - 1).
    """

    momentum: float = arg(rate, 0.9, doc="share of the old running statistics that each step keeps")

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        kept = values.get("momentum", 1)
        if isinstance(kept, float) and 0 < kept < 0.5:
            return f"it is the share that is kept here, and PyTorch's is the other: write `momentum={1 - kept:g}`"
        return super().misread(values, x, places)

    training = True
    by_step = True
    torch_layout = "first"
    examples = (
        Example("batchnorm", (6, 5, 4), (6, 5, 4), weights=8),
        Example("batchnorm(momentum=0.99, epsilon=0.001)", (4,), (4,), weights=8),
        Example("batchnorm(scale=false)", (7, 3), (7, 3), weights=3),
        Example("batchnorm(center=false)", (4, 3, 2, 5), (4, 3, 2, 5), weights=5),
        Example("batchnorm(scale=false, center=false)", (4, 3, 2), (4, 3, 2)),
    )

    def weights(self, *xs: Shape) -> Weights:
        channels = xs[0][-1:]
        mean = Weight("mean", channels, WeightLayout("running_mean"), WeightLayout("moving_mean"), "statistic")
        variance = Weight(
            "variance", channels, WeightLayout("running_var"), WeightLayout("moving_variance"), "statistic"
        )
        return (*self.learned(channels), mean, variance)

    def axis_map(self, *xs: Shape) -> AxisMap:
        channels = each_place(xs[0])[-1:]
        return pointwise_map(xs[0], weights={weight.name: channels for weight in self.weights(*xs)})

    def torch(self, at: At) -> Use:
        fresh = round(1 - self.momentum, 12)
        make = call(
            f"nn.BatchNorm{_spatial_rank(self.kind, at.x)}d",
            *known("PyTorch", at.channels),
            **unless(1e-5, eps=self.epsilon),
            **unless(0.1, momentum=fresh),
        )
        return Use((self.torch_module(make),))

    def keras(self, at: At) -> Use:
        momentum = unless(0.99, momentum=self.momentum)
        made = module(call("layers.BatchNormalization", **momentum, **self.keras_arguments(at)))
        return Use((made.replace(rank=len(at.x)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return self.finish((xs[0] - w["mean"]) / (w["variance"] + self.epsilon) ** 0.5, w)


def _axes(value: Any) -> Any:
    doc = "a whole number, or several, as in (-2, -1)"
    numbers = value if isinstance(value, tuple) and value else (value,)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in numbers):
        raise ValueError(f"must be {doc}, not {describe(value)}", "")
    return value


axes_reader = Reader(_axes, "an axis, or a tuple of axes")


@layer("layernorm", style="norm")
class LayerNorm(Normalisation):
    """Normalise each sample, at each position, by its mean and variance over the channels (or over given axes).

    Ba et al. (2016). Scale and shift are learned for each number of the axes.
    """

    axes: Any = arg(axes_reader, -1, doc="axis, or axes, over which mean and variance are taken")

    torch_layout = "last"
    follows = True
    examples = (
        Example("layernorm", (7, 6), (7, 6), weights=12),
        Example("layernorm(epsilon=0.001, axes=(0, 1))", (5, 4), (5, 4), weights=40),
        Example("layernorm(scale=false)", (6,), (6,), weights=6),
        Example("layernorm(center=false)", (3, 4, 6), (3, 4, 6), weights=6),
        Example("layernorm(scale=false, center=false)", (7, 6), (7, 6)),
        Example("layernorm(axes=0)", (5, 4), (5, 4), weights=10, refused=("torch",)),
        Example("layernorm(axes=(1, 0))", (3, 2, 4), (3, 2, 4), weights=12, refused=("torch",)),
    )

    @property
    def by_step(self) -> bool:
        return bool(self.axes == -1)

    def _places(self, x: Shape) -> tuple[int, ...]:
        given = self.axes if isinstance(self.axes, tuple) else (self.axes,)
        return tuple(sorted({place(axis, x, "axes") for axis in given}))

    def shape(self, *xs: Shape) -> Shape:
        super().shape(*xs)
        sizes = tuple(xs[0][axis] for axis in self._places(xs[0]))
        _needs_several(xs[0], "position", sizes, "`batchnorm` takes the mean over the samples of a batch")
        return xs[0]

    def weights(self, *xs: Shape) -> Weights:
        return self.learned(tuple(xs[0][axis] for axis in self._places(xs[0])))

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if self._places(x) == (len(x) - 1,) else None

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = self._places(xs[0])
        return pointwise_map(xs[0], weights={weight.name: places for weight in self.weights(*xs)})

    def torch(self, at: At) -> Use:
        places = self._places(at.x)
        if places != tuple(range(places[0], len(at.x))) or (at.first and len(places) < len(at.x)):
            raise Unsupported(
                "PyTorch's LayerNorm takes the last axes only", "axes", help="`permute` brings the axes to the end"
            )
        sizes = known("PyTorch", *(at.x[axis] for axis in torch_order(len(at.x), at.first) if axis in places))
        size = sizes[0] if len(sizes) == 1 else sizes
        make = call("nn.LayerNorm", size, **unless(1e-5, eps=self.epsilon))
        if self.scale and not self.center:
            return Use((module(Call(make.func, make.args, _without(make, "bias", bias=False)), fresh=True),))
        return Use((self.torch_module(make),))

    def keras(self, at: At) -> Use:
        places = tuple(p + 1 for p in self._places(at.x))
        rank = len(at.x)
        last = tuple(range(1 + rank - len(places), 1 + rank))
        axis = {} if len(last) == 1 else {"axis": list(last)}
        norm = module(call("layers.LayerNormalization", **axis, **self.keras_arguments(at)))
        if places == last:
            return Use((norm,))
        # with PyTorch below it, Keras takes all axes for the last ones
        order = (*(p for p in range(1, 1 + rank) if p not in places), *places)
        back = tuple(1 + order.index(p) for p in range(1, 1 + rank))
        return Use((Apply(call("layers.Permute", order)), norm, Apply(call("layers.Permute", back))))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        x = xs[0]
        places = self._places(x.shape[1:])
        sizes = [n if i in places else 1 for i, n in enumerate(x.shape[1:])]
        spread = {name: array.reshape(sizes) for name, array in w.items()}
        return self.finish(_standardised(x, tuple(p + 1 for p in places), self.epsilon), spread)


def _needs_several(x: Shape, what: str, sizes: Shape, help: str) -> None:
    """Raises Violation where a mean would be that of one number, which less its mean is 0, whatever it is."""
    if product(sizes) == 1:
        said = f"a {what} of {show(x)} is a single number, which less its mean is 0"
        raise Violation("nothing-to-norm", said, help=help)


class _OverPositions(Normalisation):
    """Statistics of each sample, taken over all its positions."""

    torch_layout = "first"

    def reach(self, x: Shape) -> None:
        return None


class _Groups(Layer):
    groups: int = arg(positive, 32, doc="into how many groups the channels are split")


@layer("groupnorm", style="norm")
class GroupNorm(_OverPositions, _Groups):
    """Normalise each sample by mean and variance over all positions and the channels of a group. Wu & He (2018)."""

    examples = (
        Example("groupnorm", (4, 3, 64), (4, 3, 64), weights=128),
        Example("groupnorm(groups=2, epsilon=0.001)", (7, 6), (7, 6), weights=12),
        Example("groupnorm(groups=3, scale=false)", (5, 4, 6), (5, 4, 6), weights=6),
        Example("groupnorm(groups=3, center=false)", (6,), (6,), weights=6),
        Example("groupnorm(groups=1, scale=false, center=false)", (5, 4, 6), (5, 4, 6)),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = super().shape(*xs)
        if isinstance(x[-1], int) and x[-1] % self.groups:
            raise Violation(
                "group-mismatch",
                f"the {x[-1]} channels of the input do not divide into {self.groups} groups",
                "groups",
                help=f"`groups` must divide {x[-1]}",
            )
        _needs_several(x, "group", (*x[:-1], x[-1] // self.groups), "`layernorm`, or fewer groups")
        return x

    def axis_map(self, *xs: Shape) -> AxisMap:
        if self.groups == 1:
            return pointwise_map(xs[0], weights={weight.name: (len(xs[0]) - 1,) for weight in self.weights(*xs)})
        kept = (*each_place(xs[0])[:-1], None)
        return AxisMap((kept,), (kept,))

    def torch(self, at: At) -> Use:
        make = call(
            "nn.GroupNorm",
            self.groups,
            *known("PyTorch", at.channels),
            **unless(1e-5, eps=self.epsilon),
        )
        return Use((self.torch_module(make),))

    def keras(self, at: At) -> Use:
        groups = unless(32, groups=self.groups)
        made = module(call("layers.GroupNormalization", **groups, **self.keras_arguments(at)))
        return Use((made.replace(rank=len(at.x)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        x = xs[0]
        split = x.reshape(*x.shape[:-1], self.groups, -1)
        axes = (*range(1, x.ndim - 1), split.ndim - 1)
        return self.finish(_standardised(split, axes, self.epsilon).reshape(x.shape), w)


@layer("instancenorm", style="norm")
class InstanceNorm(_OverPositions):
    """Normalise each channel of each sample by its mean and variance over all positions. Ulyanov et al. (2016).

    Scale and shift are learned as in the other norms (PyTorch's `affine` is off by default).
    """

    examples = (
        Example("instancenorm", (6, 5, 4), (6, 5, 4), weights=8),
        Example("instancenorm(epsilon=0.001)", (9, 4), (9, 4), weights=8),
        Example("instancenorm(scale=false)", (4, 3, 2, 5), (4, 3, 2, 5), weights=5),
        Example("instancenorm(center=false)", (6, 5, 4), (6, 5, 4), weights=4),
        Example("instancenorm(scale=false, center=false)", (6, 5, 4), (6, 5, 4)),
    )

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 2, "positions to take the mean of, and channels", help="for vectors: `layernorm`")
        _needs_several(xs[0], "channel", xs[0][:-1], "`layernorm` takes the mean over the channels")
        return xs[0]

    def axis_map(self, *xs: Shape) -> AxisMap:
        channels = each_place(xs[0])[-1:]
        return pointwise_map(xs[0], weights={weight.name: channels for weight in self.weights(*xs)})

    def torch(self, at: At) -> Use:
        name = f"nn.InstanceNorm{_spatial_rank(self.kind, at.x)}d"
        affine = {"affine": True} if self.scale or self.center else {}
        make = call(name, *known("PyTorch", at.channels), **unless(1e-5, eps=self.epsilon), **affine)
        return Use((self.torch_module(make) if affine else module(make, fresh=True),))

    def keras(self, at: At) -> Use:
        made = module(call("layers.GroupNormalization", groups=-1, **self.keras_arguments(at)))
        return Use((made.replace(rank=len(at.x)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return self.finish(_standardised(xs[0], tuple(range(1, xs[0].ndim - 1)), self.epsilon), w)
