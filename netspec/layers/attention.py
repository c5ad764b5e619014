"""Attention: each query takes a mean of the values, weighted by how well it fits their keys.

Queries are rows of a sequence [T, n]; a single vector [n] asks once. Values and keys are sequences of one length. Axes
in front of these are the same for all: each of their places is a sequence of its own.
"""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Attr, Call, Index, Infix, Made, X, call, method, unless
from .arguments import Reader, Unsupported, Violation, Word, arg, describe, flag, positive
from .base import Apply, At, Example, Helper, Layer, Use, Weight, WeightLayout, function, layer, module
from .shapes import count_symbols, known
from .weighted import Weighted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar, TypeVar

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array, Weights

    V = TypeVar("V")


def roles(xs: tuple[V, ...]) -> tuple[V, V, V]:
    """Query, value and key of one, two or three values: the values are the queries, too, and the keys are the values,
    where they are not given."""
    query, value = xs[0], xs[min(1, len(xs) - 1)]
    return query, value, xs[2] if len(xs) > 2 else value


def needs_sequences(kind: str, xs: tuple[Shape, ...], vectors: bool) -> None:
    """Raises Violation where values and keys are not sequences of one length, or the query neither sequence nor
    (with `vectors`) vector."""
    query, value, key = roles(xs)
    single = vectors and len(query) == 1 and len(value) == 2
    short = [x for n, x in enumerate(xs) if len(x) < 2 and (n or not single)]
    if short:
        help = "`expand(axis=0)` makes a step of it"
        raise Violation("wrong-rank", f"{kind} needs sequences [T, n], but one value is {show(short[0])}", help=help)
    odd = next((x for x in (query, key) if len(x) > 1 and x[:-2] != value[:-2]), None)
    if odd is not None:
        help = "axes in front of the sequences are the same for all; `reshape(-1, n)` joins those of an image"
        message = f"{kind} of {show(odd)} and {show(value)}: there are other axes in front of the sequences"
        raise Violation("shape-mismatch" if len(odd) == len(value) else "wrong-rank", message, help=help)
    if key[-2] != value[-2]:
        raise Violation(
            "shape-mismatch",
            f"{kind} needs a key for each value, but there are {key[-2]} keys and {value[-2]} values",
            label=f"{key[-2]} and {value[-2]} do not agree",
        )


def weighed(scores: Array, values: Array, causal: bool) -> Array:
    """The values weighed by the softmax of the scores, in NumPy; `causal` hides what comes after a query."""
    import numpy as np

    if causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    y: Array = e / e.sum(-1, keepdims=True) @ values
    return y


CAUSAL = "no query sees a value behind its own place, as in a text that is being written"


class Attending(Layer):
    """Attention of queries to values by one score for each pair."""

    arity: ClassVar[int | None] = None
    least = 2
    most: ClassVar[int | None] = 3
    torch_layout = "last"

    causal: bool = False

    def shape(self, *xs: Shape) -> Shape:
        needs_sequences(self.kind, xs, vectors=True)
        if self.causal and len(xs[0]) == 1:
            raise Violation("wrong-rank", f"a single query, {show(xs[0])}, has no place in time", "causal")
        return (*xs[0][:-1], xs[1][-1])

    def pairs(self, xs: tuple[Shape, ...]) -> Dim:
        """How many scores there are."""
        return product(xs[0][:-1]) * xs[1][-2]

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return self.pairs(xs)

    def reach(self, x: Shape) -> None:
        return None

    def scores(self, query: Array, key: Array, w: Mapping[str, Array]) -> Array:
        """The score of each query and key, in NumPy: (batch, ..., queries, keys)."""
        raise NotImplementedError

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        query, value, key = roles(xs)
        single = query.ndim < value.ndim
        scores = self.scores(query[:, None] if single else query, key, w)
        y = weighed(scores, value, self.causal)
        return y[:, 0] if single else y


# --- the product -----------------------------------------------------------------------------------------------------


def _scale(value: Any) -> Any:
    if value == "auto" and isinstance(value, Word):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number or auto, not {describe(value)}", "")
    return value


# TensorFlow's softmax takes five with the batch
_MOST_AXES = 4
KERAS_ATTEND = Helper("attend", file="keras/attend")


def _with_one_head(x: Code, rank: int) -> Code:
    """A value of (N, heads, T, n): of these four axes PyTorch's fast kernels and its ONNX export know attention."""
    for _ in range(rank, 4):
        x = method(x, "unsqueeze", 1)
    return method(x, "flatten", 0, rank - 4) if rank > 4 else x


def _without_heads(code: Code, x: Shape) -> Code:
    """What comes out, as the query came in."""
    if len(x) < 3:
        return method(code, "squeeze", 1) if len(x) == 2 else method(code, "flatten", 1)
    if len(x) == 3:
        return code
    sizes: Any = (-1, *x[: len(x) - 3])
    if count_symbols(sizes):
        sizes = Index(Attr(X(), "shape"), (slice(None, len(x) - 2),))
    return method(code, "unflatten", 0, sizes)


scale_reader = Reader(_scale, "a number, or auto: 1 / sqrt(size of a key)", ("auto",))


@layer("attention", style="attention")
class Attention(Attending):
    """softmax(scale * Q K^T) V for a query, a value and, where they differ from the values, their keys.

    Luong et al. (2015), the score `dot`; with `scale=auto` that of Vaswani et al. (2017), equation 1.
    """

    scale: Any = arg(scale_reader, 1, doc="what the products are multiplied by")
    causal: bool = arg(flag, False, doc=CAUSAL)

    examples = (
        Example("attention", ((5, 4), (6, 4)), (5, 4)),
        Example("attention", ((5, 4), (6, 3), (6, 4)), (5, 3)),
        Example("attention(scale=auto)", ((4,), (6, 4)), (4,)),
        Example("attention(scale=0.3, causal=true)", ((5, 4), (5, 4)), (5, 4)),
        Example("attention(causal=true)", ((5, 4), (6, 3), (6, 4)), (5, 3)),
        Example("attention(scale=auto)", ((3, 5, 4), (3, 6, 4)), (3, 5, 4)),
        Example("attention(causal=true)", ((2, 3, 5, 4), (2, 3, 6, 3), (2, 3, 6, 4)), (2, 3, 5, 3)),
    )

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        query, _, key = roles(xs)
        if query[-1] != key[-1]:
            raise Violation(
                "shape-mismatch",
                f"attention multiplies queries with keys, but a query has {query[-1]} numbers and a key {key[-1]}",
                help=f"bring the queries to the size of the keys: `dense({key[-1]})`",
                label=f"{query[-1]} and {key[-1]} do not agree",
            )
        return y

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return self.pairs(xs) * (xs[0][-1] + xs[1][-1])

    def torch(self, at: At) -> Use:
        query, value, key = roles(tuple(_with_one_head(X(i), len(x) + 1) for i, x in enumerate(at.inputs)))
        scale = {} if self.scale == "auto" else {"scale": float(self.scale)}
        words = {**unless(False, is_causal=self.causal), **scale}
        code = call("F.scaled_dot_product_attention", query, key, value, **words)
        return Use((function(_without_heads(code, at.x)),))

    def _scaled(self, at: At) -> Code:
        """Keras knows no scale but a learned one, so the query takes it."""
        if self.scale == "auto":
            (size,) = known("Keras", at.x[-1])
            return Infix(X(), "/", Infix(size, "**", 0.5))
        return X() if self.scale == 1 else Infix(X(), "*", self.scale)

    def keras(self, at: At) -> Use:
        if len(at.x) > 2:
            return self._keras_in_front(at)
        single, query = len(at.x) == 1, self._scaled(at)
        query = call("ops.expand_dims", query, 1) if single else query
        values = [query, *(X(i) for i in range(1, len(at.inputs)))]
        applied = Call(Made(), (values,), tuple(unless(False, use_causal_mask=self.causal).items()))
        plain = query == X() and not self.causal
        apply = Apply(call("layers.Attention"), None if plain else applied, stateful=not plain)
        return Use((apply, function(call("ops.squeeze", X(), 1))) if single else (apply,))

    def _keras_in_front(self, at: At) -> Use:
        """Keras's own layer knows no axes in front of the sequences. Raises Unsupported."""
        if len(at.x) > _MOST_AXES:
            message = f"a softmax of Keras takes {_MOST_AXES} axes at most, and here are {len(at.x)}"
            raise Unsupported(message, help="`reshape` joins those in front of the sequences")
        query, value, key = roles((self._scaled(at), *(X(i) for i in range(1, len(at.inputs)))))
        code = call("attend", query, value, key, **unless(False, causal=self.causal))
        return Use((function(code, helpers=(KERAS_ATTEND,)),))

    def scores(self, query: Array, key: Array, w: Mapping[str, Array]) -> Array:
        scale = query.shape[-1] ** -0.5 if self.scale == "auto" else self.scale
        y: Array = scale * (query @ key.swapaxes(-1, -2))
        return y


# --- the sum ---------------------------------------------------------------------------------------------------------

TORCH_ADDITIVE = Helper("AdditiveAttention", file="torch/additive_attention")
KERAS_ADDITIVE = Helper("AdditiveAttention", file="keras/additive_attention")


@layer("additive_attention", style="attention")
class AdditiveAttention(Weighted, Attending):
    """softmax(v . tanh(W query + U key)) times the values: a small net scores each query and key.

    Bahdanau et al. (2014), appendix A.1.2.
    """

    units: int = arg(positive, doc="size of the hidden layer that scores")
    bias: bool = arg(flag, False, doc="add learned numbers within the tanh; the paper has none")
    causal: bool = arg(flag, False, doc=CAUSAL)

    examples = (
        Example("additive_attention(3)", ((5, 4), (6, 2)), (5, 2), weights=21),
        Example("additive_attention(3, bias=true)", ((4,), (6, 2)), (2,), weights=24),
        Example("additive_attention(3, causal=true)", ((5, 4), (6, 2), (6, 7)), (5, 2), weights=36),
        Example("additive_attention(3, l1=0.1, l2=0.01, init=ones)", ((5, 4), (6, 2)), (5, 2), weights=21),
        Example("additive_attention(3, causal=true)", ((2, 5, 4), (2, 6, 2)), (2, 5, 2), weights=21),
    )

    def weights(self, *xs: Shape) -> Weights:
        query, _, key = roles(xs)
        n, row, column = (
            self.units,
            WeightLayout("score.weight", None, (1, -1)),
            WeightLayout("score.kernel", None, (-1, 1)),
        )
        found = [
            self.kernel_weight(
                "query", (query[-1], n), WeightLayout("query.weight", (1, 0)), WeightLayout("query.kernel")
            ),
            self.kernel_weight("key", (key[-1], n), WeightLayout("key.weight", (1, 0)), WeightLayout("key.kernel")),
            self.kernel_weight("score", (n,), row, column, (n, 1)),
        ]
        bias = Weight("bias", (self.units,), WeightLayout("query.bias"), WeightLayout("query.bias"), "bias")
        return (*found, bias) if self.bias else tuple(found)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        query, value, key = roles(xs)
        projected = product(query) + product(key)
        return projected * self.units + self.pairs(xs) * (self.units + value[-1])

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        """Each pair adds its two vectors and takes tanh of the sum; then the softmax."""
        return self.pairs(xs) * (2 * self.units + 1)

    def torch(self, at: At) -> Use:
        query, _, key = roles(at.inputs)
        how = {**unless(False, bias=self.bias), **unless(False, causal=self.causal)}
        make = call("AdditiveAttention", *known("PyTorch", query[-1], key[-1]), self.units, **how)
        if len(at.x) > 1:
            return Use((module(make, helpers=(TORCH_ADDITIVE,)),))
        applied = Call(Made(), (method(X(), "unsqueeze", 1), *(X(i) for i in range(1, len(at.inputs)))))
        return Use((module(make, helpers=(TORCH_ADDITIVE,), call=method(applied, "squeeze", 1)),))

    def keras(self, at: At) -> Use:
        query, _, key = roles(at.inputs)
        known("Keras", query[-1], key[-1])
        how = {**unless(False, use_bias=self.bias), **unless(False, use_causal_mask=self.causal)}
        make = call("AdditiveAttention", self.units, **how, **self.keras_words())
        if len(at.x) > 1:
            return Use((module(make, helpers=(KERAS_ADDITIVE,)),))
        values = [call("ops.expand_dims", X(), 1), *(X(i) for i in range(1, len(at.inputs)))]
        applied = call("ops.squeeze", Call(Made(), (values,)), 1)
        return Use((module(make, helpers=(KERAS_ADDITIVE,), call=applied),))

    def scores(self, query: Array, key: Array, w: Mapping[str, Array]) -> Array:
        import numpy as np

        asked = query @ w["query"] + (w["bias"] if self.bias else 0)
        hidden = np.tanh(asked[..., :, None, :] + (key @ w["key"])[..., None, :, :])
        y: Array = hidden @ w["score"]
        return y
