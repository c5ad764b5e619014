"""Layers of matrix products on vectors: dense, bilinear, maxout; and the tables that integers are looked up in."""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call, method, unless
from .activations import activation_reader, keras_activation, keras_steps, reference_activation, torch_activation
from .arguments import Violation, arg, flag, positive, whole
from .base import Apply, At, Example, Helper, Layer, Use, Weight, WeightLayout, function, layer, module
from .initialisers import UNIFORM, Initialiser, initialiser_reader
from .shapes import AxisMap, each_place, known, steps_map
from .weighted import Weighted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from .base import Array, Weights
    from .shapes import AxisMap


def needs_vector(kind: str, x: Shape, otherwise: str = "") -> None:
    """Raises Violation where the input is neither a vector nor a sequence of vectors.

    `otherwise` is a layer that does the same at each place of a map.
    """
    if not x:
        raise Violation(
            "wrong-rank",
            f"{kind} needs a vector for each sample, but its input is []",
            help="`reshape(1)` makes a vector of one number",
        )
    if len(x) > 2:
        raise Violation(
            "wrong-rank",
            f"{kind} needs a vector for each sample, but its input is {show(x)}",
            help="put `flatten` or `global_avgpool` before it" + otherwise,
        )


def bias_weight(units: int) -> Weight:
    """The bias that both frameworks keep under that name."""
    return Weight("bias", (units,), WeightLayout("bias"), WeightLayout("bias"), "bias")


@layer("dense", style="dense")
class Dense(Weighted):
    """y = x W + b: every output sees every input. On a sequence [T, F] the same at every step.

    Rosenblatt (1958); W as in Rumelhart et al., "Learning representations by back-propagating errors" (1986).
    """

    units: int = arg(positive, doc="how many numbers come out")
    activation: Any = arg(activation_reader, None, doc="applied to the result")
    bias: bool = arg(flag, True, doc="add a learned number to each output")

    torch_layout = "last"
    examples = (
        Example("dense(5)", (7,), (5,), weights=40),
        Example("dense(6, activation=relu)", (6,), (6,), weights=42),
        Example("dense(5, bias=false, activation=softmax)", (4, 3), (4, 5), weights=15),
        Example("dense(3, activation=leaky_relu)", (4,), (3,), weights=15),
        Example("dense(3, l2=0.01, init=he_normal)", (4,), (3,), weights=15),
        Example("dense(3, l1=0.01, init=torch_uniform)", (4,), (3,), weights=15),
    )
    by_step = True

    def shape(self, *xs: Shape) -> Shape:
        window = "x".join("1" * (len(xs[0]) - 1))
        at_each = f"; a dense layer at each place is `conv({self.units}, {window})`" if len(xs[0]) in (3, 4) else ""
        needs_vector(self.kind, xs[0], at_each)
        return (*xs[0][:-1], self.units)

    def weights(self, *xs: Shape) -> Weights:
        kernel = self.kernel_weight(
            "kernel", (xs[0][-1], self.units), WeightLayout("weight", (1, 0)), WeightLayout("kernel")
        )
        return (kernel, bias_weight(self.units)) if self.bias else (kernel,)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(xs[0]) * self.units

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0 if self.activation is None else product(y)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if len(x) > 1 else None

    def axis_map(self, *xs: Shape) -> AxisMap:
        return steps_map(xs[0], self.shape(*xs), {"kernel": ("in", "out"), "bias": ("out",)})

    def torch(self, at: At) -> Use:
        make = call("nn.Linear", *known("PyTorch", at.channels), self.units, **unless(True, bias=self.bias))
        return Use((module(make, fresh=True), *torch_activation(self.activation, at)))

    def keras(self, at: At) -> Use:
        known("Keras", at.channels)
        fused, after = keras_activation(self.activation, at)
        make = call("layers.Dense", self.units, **fused, **unless(True, use_bias=self.bias), **self.keras_words())
        return Use((module(make), *after))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y = xs[0] @ w["kernel"]
        return reference_activation(self.activation, y + w["bias"] if self.bias else y)


@layer("maxout", style="dense")
class Maxout(Weighted):
    """The largest of `pieces` dense layers, unit by unit. Goodfellow et al. (2013)."""

    units: int = arg(positive, doc="how many numbers come out")
    pieces: int = arg(whole(2, "a whole number of at least 2"), 2, doc="how many linear pieces each unit has")
    bias: bool = arg(flag, True, doc="add a learned number to each piece")

    torch_layout = "last"
    by_step = True
    examples = (
        Example("maxout(4)", (6,), (4,), weights=56),
        Example("maxout(4, pieces=3)", (5, 6), (5, 4), weights=84),
        Example("maxout(3, pieces=3, bias=false)", (6,), (3,), weights=54),
        Example("maxout(3, l1=0.1, l2=0.01, init=lecun_uniform)", (6,), (3,), weights=42),
    )

    def shape(self, *xs: Shape) -> Shape:
        needs_vector(self.kind, xs[0])
        return (*xs[0][:-1], self.units)

    def weights(self, *xs: Shape) -> Weights:
        n, many = xs[0][-1], self.units * self.pieces
        kernel = self.kernel_weight(
            "kernel",
            (n, self.units, self.pieces),
            WeightLayout("weight", (1, 2, 0), (many, -1)),
            WeightLayout("kernel", None, (-1, many)),
            (n, many),
        )
        flat = WeightLayout("bias", None, (many,))
        bias = Weight("bias", (self.units, self.pieces), flat, flat, "bias")
        return (kernel, bias) if self.bias else (kernel,)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(xs[0]) * self.units * self.pieces

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * (self.pieces - 1)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if len(x) > 1 else None

    def axis_map(self, *xs: Shape) -> AxisMap:
        return steps_map(xs[0], self.shape(*xs), {"kernel": ("in", "out", None), "bias": ("out", None)})

    def torch(self, at: At) -> Use:
        many = self.units * self.pieces
        make = call("nn.Linear", *known("PyTorch", at.channels), many, **unless(True, bias=self.bias))
        split = method(X(), "unflatten", -1, (self.units, self.pieces))
        return Use((module(make), function(method(split, "amax", -1))))

    def keras(self, at: At) -> Use:
        known("Keras", at.channels)
        many = self.units * self.pieces
        make = call("layers.Dense", many, **unless(True, use_bias=self.bias), **self.keras_words())
        before = () if len(at.x) == 1 else (-1,)
        return Use(
            (
                module(make),
                Apply(call("layers.Reshape", (*before, self.units, self.pieces))),
                function(call("ops.max", X(), axis=-1)),
            )
        )

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        y = np.tensordot(xs[0], w["kernel"], 1)
        largest: Array = (y + w["bias"] if self.bias else y).max(-1)
        return largest


BILINEAR = Helper("Bilinear", file="keras/bilinear")


@layer("bilinear", style="dense")
class Bilinear(Weighted):
    """y_k = a W_k b + bias_k for two vectors a and b, or two sequences of the same length.

    Tenenbaum & Freeman (2000); Socher et al. (2013). Counted as the matrix product W b, then the product with a.
    """

    units: int = arg(positive, doc="how many numbers come out")
    activation: Any = arg(activation_reader, None, doc="applied to the result")
    bias: bool = arg(flag, True, doc="add a learned number to each output")

    arity = 2
    torch_layout = "last"
    examples = (
        Example("bilinear(5)", ((3,), (4,)), (5,), weights=65, macs=75),
        Example("bilinear(4, activation=tanh, bias=false)", ((6, 3), (6, 3)), (6, 4), weights=36, macs=288),
        Example("bilinear(2, l1=0.1, l2=0.01, init=he_uniform)", ((3,), (4,)), (2,), weights=26, macs=30),
    )

    def shape(self, *xs: Shape) -> Shape:
        for x in xs:
            needs_vector(self.kind, x)
        a, b = xs
        if a[:-1] != b[:-1]:
            raise Violation(
                "shape-mismatch",
                f"bilinear of {show(a)} and {show(b)}: all axes but the last must agree",
            )
        return (*a[:-1], self.units)

    def weights(self, *xs: Shape) -> Weights:
        sizes = (xs[0][-1], xs[1][-1], self.units)
        kernel = self.kernel_weight("kernel", sizes, WeightLayout("weight", (2, 0, 1)), WeightLayout("kernel"))
        return (kernel, bias_weight(self.units)) if self.bias else (kernel,)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * xs[0][-1] * (xs[1][-1] + 1)

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0 if self.activation is None else product(y)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return super().reach(x) if len(x) > 1 else None

    def torch(self, at: At) -> Use:
        sizes = known("PyTorch", *(x[-1] for x in at.inputs))
        make = call("nn.Bilinear", *sizes, self.units, **unless(True, bias=self.bias))
        return Use((module(make, fresh=True), *torch_activation(self.activation, at)))

    def keras(self, at: At) -> Use:
        known("Keras", *(x[-1] for x in at.inputs))
        make = call("Bilinear", self.units, **unless(True, use_bias=self.bias), **self.keras_words())
        return Use((module(make, helpers=(BILINEAR,)), *keras_steps(self.activation, at)))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        y = np.einsum("...m,...n,mnk->...k", xs[0], xs[1], w["kernel"])
        return reference_activation(self.activation, y + w["bias"] if self.bias else y)


@layer("embedding", style="dense")
class Embedding(Weighted):
    """A learned vector for each integer: it adds the axis of the channels. Bengio et al. (2003).

    Its numbers begin within 0.05 of 0, as in Keras: PyTorch's normal(1) drowns what is added to the vectors. With
    `mask=true` the recurrent layers behind it skip the steps at which the integer is 0.
    """

    vocabulary: int = arg(positive, doc="how many integers there are, from 0")
    units: int = arg(positive, doc="size of each vector")
    mask: bool = arg(flag, False, doc="take 0 for padding, which recurrent layers skip")
    init: Initialiser = arg(initialiser_reader, UNIFORM, doc="how the vectors begin", last=True)

    takes = "int"
    torch_layout = "last"
    examples = (
        Example("embedding(11, 4)", (6,), (6, 4), weights=44, vocabulary=11),
        Example("embedding(5, 3)", (), (3,), weights=15, vocabulary=5),
        Example("embedding(5, 3, mask=true)", (4,), (4, 3), weights=15, vocabulary=5),
        Example("embedding(5, 3, l1=0.1, l2=0.01, init=normal(1))", (6,), (6, 3), weights=15, vocabulary=5),
    )

    @property
    def marks_padding(self) -> bool:
        return self.mask

    def shape(self, *xs: Shape) -> Shape:
        return (*xs[0], self.units)

    def dtype(self, *given: str) -> str:
        return "float32"

    def weights(self, *xs: Shape) -> Weights:
        return (
            self.kernel_weight(
                "table", (self.vocabulary, self.units), WeightLayout("weight"), WeightLayout("embeddings")
            ),
        )

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (1,) * len(x), (1,) * len(x)

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = each_place(xs[0])
        return AxisMap((places,), ((*places, "out"),), {"table": (None, "out")})

    def torch(self, at: At) -> Use:
        return Use((module(call("nn.Embedding", self.vocabulary, self.units)),))

    def keras(self, at: At) -> Use:
        words = self.keras_words(None, "embeddings", "uniform")
        return Use((module(call("layers.Embedding", self.vocabulary, self.units, **words)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return w["table"][xs[0]]


TORCH_ONE_HOT = Helper("OneHot", file="torch/one_hot")


@layer("one_hot", style="shape")
class OneHot(Layer):
    """For each integer a vector of zeros with a single one at its place."""

    classes: int = arg(positive, doc="how many integers there are, from 0")

    takes = "int"
    computes = False
    torch_layout = "last"
    examples = (
        Example("one_hot(7)", (6,), (6, 7), vocabulary=7),
        Example("one_hot(4)", (), (4,), vocabulary=4),
    )

    def shape(self, *xs: Shape) -> Shape:
        return (*xs[0], self.classes)

    def dtype(self, *given: str) -> str:
        return "float32"

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (1,) * len(x), (1,) * len(x)

    def torch(self, at: At) -> Use:
        return Use((Apply(call("OneHot", self.classes), helpers=(TORCH_ONE_HOT,)),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.one_hot", X(), self.classes)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.eye(self.classes)[xs[0]]
