"""Activation functions: the words that `activation=` takes and the layers of the same names.

Most are defined in `pointwise`; here are the ones that work along an axis or are learned, and the words.
`prelu`, `threshold` and `glu` are layers and no words: the first is learned, the second has no defaults, and the
third changes the shape.
"""

from __future__ import annotations

from ..base.dims import floor_div
from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call
from .arguments import Reader, Violation, Word, arg, describe, flag, integer
from .base import Apply, At, Example, Layer, Use, Weight, WeightLayout, function, layer, module
from .initialisers import Initialiser
from .pointwise import Activation, KerasOp, sigmoid
from .registry import KINDS
from .shapes import AxisMap, each_place, known, needs_rank, place, pointwise_map
from .shaping import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from .base import Array, Weights
    from .shapes import AxisMap


# --- functions along an axis --------------------------------------------------------------------------------------


class _Along(KerasOp):
    # Keras's `Activation` layer takes it for granted that the shape stays
    changes_shape = False

    axis: int = arg(integer, -1, doc="axis to work along; -1 is the channels")

    pointwise = False

    @property
    def by_step(self) -> bool:
        return self.axis == -1

    def shape(self, *xs: Shape) -> Shape:
        place(self.axis, xs[0])
        return xs[0]

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if self.axis % len(x) == len(x) - 1 else None

    def torch_arguments(self, at: At) -> dict[str, Any]:
        return {"dim": at.axis(self.axis)}

    def _keras_axis(self, at: At) -> dict[str, Any]:
        return {} if self.axis % len(at.x) == len(at.x) - 1 else {"axis": at.axis(self.axis % len(at.x))}

    def keras(self, at: At) -> Use:
        given = self._keras_axis(at)
        if not given and not self.changes_shape:
            return super().keras(at)
        return Use((function(call(f"keras.activations.{self.keras_word}", X(), **given)),))


@layer("softmax", style="activation")
class Softmax(_Along):
    """exp(x) / sum(exp(x)) along an axis: numbers that add up to 1. Bridle (1990)."""

    torch_function, torch_module, keras_word = "F.softmax", "nn.Softmax", "softmax"
    examples = (
        Example("softmax", (10,), (10,)),
        Example("softmax", (5, 4, 3), (5, 4, 3)),
        Example("softmax(axis=0)", (5, 4), (5, 4)),
    )

    def axis_map(self, *xs: Shape) -> AxisMap:
        return pointwise_map(xs[0])

    def keras(self, at: At) -> Use:
        given = self._keras_axis(at)
        return Use((function(call("keras.activations.softmax", X(), **given), call("layers.Softmax", **given)),))

    def define(self, np: Any, x: Array) -> Any:
        axis = self.axis if self.axis < 0 else self.axis + 1
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)


@layer("log_softmax", style="activation")
class LogSoftmax(_Along):
    """The logarithm of softmax, worked out without overflow."""

    torch_function, torch_module, keras_word = "F.log_softmax", "nn.LogSoftmax", "log_softmax"
    examples = (
        Example("log_softmax", (10,), (10,)),
        Example("log_softmax", (5, 4, 3), (5, 4, 3)),
        Example("log_softmax(0)", (5, 4), (5, 4)),
    )

    def axis_map(self, *xs: Shape) -> AxisMap:
        return pointwise_map(xs[0])

    def define(self, np: Any, x: Array) -> Any:
        axis = self.axis if self.axis < 0 else self.axis + 1
        low = x - x.max(axis, keepdims=True)
        return low - np.log(np.exp(low).sum(axis, keepdims=True))


@layer("glu", style="activation")
class Glu(_Along):
    """The first half along an axis, times the sigmoid of the second. Dauphin et al. (2016)."""

    torch_function, torch_module, keras_word = "F.glu", "nn.GLU", "glu"
    changes_shape = True
    examples = (
        Example("glu", (5, 4), (5, 2)),
        Example("glu", (5, 3, 6), (5, 3, 3)),
        Example("glu(axis=0)", (6, 3), (3, 3)),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        at = place(self.axis, x)
        if isinstance(x[at], int) and x[at] % 2:
            raise Violation(
                "shape-mismatch", f"glu needs an even size to halve, but axis {self.axis} has {x[at]}", "axis"
            )
        return (*x[:at], floor_div(x[at], 2), *x[at + 1 :])

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = each_place(xs[0])
        kept = tuple(None if axis == place(self.axis, xs[0]) else axis for axis in places)
        return AxisMap((kept,), (kept,))

    def define(self, np: Any, x: Array) -> Any:
        a, b = np.split(x, 2, self.axis if self.axis < 0 else self.axis + 1)
        return a * sigmoid(np, b)


@layer("prelu", style="activation")
class Prelu(Layer):
    """x where it is positive, a learned slope * x elsewhere. He et al. (2015).

    One slope for each channel, as in the paper, or one for all with `shared`; it starts at 0.25 as there. (PyTorch
    has one for all by default, Keras one for each number and starts at 0.)
    """

    shared: bool = arg(flag, False, doc="one slope for all channels")

    torch_layout = "first"
    by_step = True
    examples = (
        Example("prelu", (5, 4), (5, 4), weights=4),
        Example("prelu", (6, 5, 4), (6, 5, 4), weights=4),
        Example("prelu(shared=true)", (6, 5, 4), (6, 5, 4), weights=1),
        Example("prelu", (4,), (4,), weights=4),
    )

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 1, "channels")
        return xs[0]

    def weights(self, *xs: Shape) -> Weights:
        slopes: Dim = 1 if self.shared else xs[0][-1]
        there = WeightLayout("alpha", None, (*(1,) * (len(xs[0]) - 1), -1))
        return (Weight("alpha", (slopes,), WeightLayout("weight"), there, init=Initialiser("constant", 0.25)),)

    def axis_map(self, *xs: Shape) -> AxisMap:
        return pointwise_map(xs[0], weights={} if self.shared else {"alpha": each_place(xs[0])[-1:]})

    def torch(self, at: At) -> Use:
        slopes = () if self.shared else known("PyTorch", at.channels)
        return Use((module(call("nn.PReLU", *slopes)),))

    def keras(self, at: At) -> Use:
        if not self.shared:
            known("Keras", at.channels)
        kept = len(at.x) if self.shared else len(at.x) - 1
        how: dict[str, Any] = {"alpha_initializer": call("keras.initializers.Constant", 0.25)}
        if kept:
            how["shared_axes"] = list(range(1, kept + 1))
        return Use((module(call("layers.PReLU", **how)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        x = xs[0]
        y: Array = x.clip(0) + w["alpha"] * x.clip(None, 0)
        return y


# --- the words of `activation=` -----------------------------------------------------------------------------------

_NO_WORDS = ("prelu", "threshold", "glu")
WORDS: dict[str, Activation] = {
    word: cls(**{name: argument.default for name, argument in cls.arguments.items()})
    for word, cls in KINDS.entered()
    if issubclass(cls, Activation) and word not in _NO_WORDS
}


_BEHIND = "put it behind as a step: `-> {}`"
_WITHIN = "a name alone stands here, for what is done within each step; of another function make a `cell`"


def _word(value: Any, instead: str = _BEHIND) -> Any:
    if value is None or value == "linear":
        return None
    if isinstance(value, Word) and value in WORDS:
        return Word(WORDS[value].kind)
    if isinstance(value, str) and not isinstance(value, Word):
        raise ValueError(f"must be a bare word, not {describe(value)}", f"leave the quotes out: `{value}`")
    if value in _NO_WORDS:
        raise ValueError(f"cannot be {value}", instead.format(value))
    hint = "the size of the input is known, so it is not given" if isinstance(value, int) else ""
    raise ValueError(f"must be an activation, such as relu or tanh, or none, not {describe(value)}", hint)


def _reader(instead: str) -> Reader:
    doc = "an activation, such as relu or tanh, or none"
    return Reader(lambda value: _word(value, instead), doc, tuple(WORDS), instead=instead)


activation_reader = _reader(_BEHIND)
# that of a cell, which a step behind it is no substitute for
inner_activation = _reader(_WITHIN)


@layer("activation", style="activation")
class NamedActivation(Layer):
    """An activation that is named by a word, for blocks that take it as a parameter; `none` and `linear` are none."""

    function: Word | None = arg(activation_reader, doc="which one")

    pointwise = True
    examples = (
        Example("activation(relu)", (5, 4, 3), (5, 4, 3)),
        Example("activation(softmax)", (6,), (6,)),
        Example("activation(none)", (5, 4), (5, 4)),
        Example("activation(linear)", (6,), (6,)),
    )

    @property
    def _does(self) -> Layer:
        return Identity() if self.function is None else WORDS[self.function]

    def hands_on(self, *xs: Shape) -> bool:
        return self.function is None

    def shape(self, *xs: Shape) -> Shape:
        return self._does.shape(*xs)

    def torch(self, at: At) -> Use:
        return self._does.torch(at)

    def keras(self, at: At) -> Use:
        return self._does.keras(at)

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return self._does.other_ops(xs, y)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return self._does.reach(x)

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Any:
        return self._does.reference(xs, w)


def _behind(at: At) -> At:
    return At((at.output,), at.output, at.first)


def torch_activation(name: str | None, at: At) -> tuple[Apply, ...]:
    """The steps after a PyTorch layer that apply a fused activation."""
    return () if name is None else WORDS[name].torch(_behind(at)).steps


def keras_activation(name: str | None, at: At) -> tuple[dict[str, Any], tuple[Apply, ...]]:
    """The `activation=` argument of a Keras layer, or the steps after it where Keras has no such word."""
    if name is None:
        return {}, ()
    word = WORDS[name].keras_word
    return ({"activation": word}, ()) if word else ({}, keras_steps(name, at))


def keras_steps(name: str | None, at: At) -> tuple[Apply, ...]:
    """The steps after a Keras layer that has no argument for an activation."""
    return () if name is None else WORDS[name].keras(_behind(at)).steps


def reference_activation(name: str | None, y: Array) -> Array:
    """The definition, in NumPy."""
    return y if name is None else WORDS[name].reference((y,), {})
