"""Attention of several heads, as in transformers."""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Attr, Call, Index, Made, X, call, method, unless
from .arguments import Unsupported, Violation, arg, flag, optional, positive, rate
from .attention import CAUSAL, needs_sequences, roles, weighed
from .base import At, Example, Helper, Use, Weight, WeightLayout, function, held_still, layer, module
from .initialisers import Initialiser, initialiser_reader
from .shapes import AxisMap, count_symbols, known
from .weighted import Weighted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array, Weights
    from .shapes import Labels


def _rows(size: Dim) -> tuple[int, int]:
    """The shape of a matrix of so many rows. Arrays are only moved where sizes are known."""
    return (size if isinstance(size, int) else 1), -1


_PARTS = ("query", "key", "value")
# Keras's layer makes its weights in layers of its own, when it is built, and forgets to hold them still
_STILL = held_still(
    "MultiHeadAttention",
    "query_shape, value_shape, key_shape=None",
    "Attention that holds the layers which it builds still, too, where it is not trainable.",
)
NORMAL = Initialiser("normal", 0.02)

CAUSAL_MASK = Helper("causal_mask", file="torch/causal_mask")

TORCH_HEADS = Helper("MultiHeadAttention", file="torch/multi_head_attention")


@layer("multihead_attention", style="attention")
class MultiheadAttention(Weighted):
    """Several scaled dot-product attentions side by side, each on projections of its own, and a projection of them all.

    Vaswani et al. (2017), section 3.2.2. Of one value it is self-attention; of two, the first is the query and the
    second key and value; a third is the key. What flows in is the query: `x -> multihead_attention(memory, heads=8)`.

    The projections begin as in BERT and GPT-2. (PyTorch takes the three as one matrix, and Keras each head as a filter,
    where they work out how many numbers go in and out; so each begins in its own way, neither as the paper has it.)
    """

    heads: int = arg(positive, doc="how many attentions")
    key_size: int | None = arg(
        optional(positive), None, doc="size of the queries, keys and values of a head; without it a share of the query"
    )
    causal: bool = arg(flag, False, doc=CAUSAL)
    bias: bool = arg(flag, True, doc="add learned numbers to each projection")
    dropout: float = arg(rate, 0.0, doc="share of the attention weights that is dropped in training")
    init: Initialiser = arg(initialiser_reader, NORMAL, doc="how the projections begin; biases begin at 0", last=True)

    arity: ClassVar[int | None] = None
    most: ClassVar[int | None] = 3
    torch_layout = "last"
    training = True
    examples = (
        Example("multihead_attention(2)", (5, 6), (5, 6), weights=168),
        Example("multihead_attention(3, bias=false)", ((5, 6), (4, 6)), (5, 6), weights=144),
        Example("multihead_attention(2)", ((5, 6), (4, 3), (4, 2)), (5, 6), weights=126),
        Example("multihead_attention(2, key_size=4)", (5, 6), (5, 6), weights=222),
        Example("multihead_attention(2, causal=true, dropout=0.1)", (5, 6), (5, 6), weights=168),
        Example("multihead_attention(2, 3, causal=true)", ((5, 6), (4, 3)), (5, 6), weights=132),
        Example("multihead_attention(2, l1=0.1, l2=0.01, init=glorot_uniform)", (5, 6), (5, 6), weights=168),
        Example("multihead_attention(2, 4, l2=0.01, init=zeros)", ((5, 6), (4, 3)), (5, 6), weights=174),
        Example("multihead_attention(2)", (2, 3, 5, 6), (2, 3, 5, 6), weights=168),
        Example("multihead_attention(3)", ((2, 5, 6), (2, 4, 3)), (2, 5, 6), weights=132),
        Example("multihead_attention(2, causal=true)", (2, 5, 6), (2, 5, 6), weights=168),
    )

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        heads, size = values.get("heads"), values.get("key_size")
        if places < 2 or heads != x[-1] or not isinstance(size, int):
            return ""
        return f"the size of a step is known: write `{cls.word}({size})`, the number of heads"

    def shape(self, *xs: Shape) -> Shape:
        needs_sequences(self.kind, xs, vectors=False)
        size = xs[0][-1]
        if self.key_size is None and isinstance(size, int) and size % self.heads:
            raise Violation(
                "group-mismatch",
                f"{self.heads} heads cannot share the {size} numbers of a query, {show(xs[0])}, evenly",
                "heads",
                help="choose a divisor, or give the size of a head with `key_size=`",
            )
        return xs[0]

    def _head(self, xs: tuple[Shape, ...]) -> Dim:
        """The size of a head."""
        return xs[0][-1] // self.heads if self.key_size is None else self.key_size

    def _is_native(self, xs: tuple[Shape, ...]) -> bool:
        """Does `nn.MultiheadAttention` have it? Its heads share the size of the query."""
        return self._head(xs) * self.heads == xs[0][-1]

    def weights(self, *xs: Shape) -> Weights:
        query, value, key = roles(xs)
        size, heads, head = query[-1], self.heads, self._head(xs)
        sizes = {"query": size, "key": key[-1], "value": value[-1]}
        projections = [
            self.kernel_weight(
                part,
                (n, heads, head),
                self._torch_place(xs, part, n),
                WeightLayout(f"{part}_dense.kernel"),
                (n, heads * head),
            )
            for part, n in sizes.items()
        ]
        name = "out_proj" if self._is_native(xs) else "output"
        place = WeightLayout(f"{name}.weight", (2, 0, 1), _rows(size))
        there = WeightLayout("output_dense.kernel")
        output = self.kernel_weight("output", (heads, head, size), place, there, (heads * head, size))
        if not self.bias:
            return (*projections, output)
        places = {part: (self._torch_bias(xs, part), WeightLayout(f"{part}_dense.bias")) for part in sizes}
        biases = [Weight(f"{part}_bias", (heads, head), *both, "bias") for part, both in places.items()]
        both = WeightLayout(f"{name}.bias"), WeightLayout("output_dense.bias")
        return (*projections, output, *biases, Weight("output_bias", (size,), *both, "bias"))

    def _torch_place(self, xs: tuple[Shape, ...], part: str, size: Dim) -> WeightLayout:
        order, shape = (1, 2, 0), _rows(size)[::-1]
        if not self._is_native(xs):
            return WeightLayout(f"{part}.weight", order, shape)
        if len({x[-1] for x in roles(xs)}) > 1:
            return WeightLayout(f"{part[0]}_proj_weight", order, shape)
        return WeightLayout("in_proj_weight", order, shape, part=(_PARTS.index(part), 3))

    def _torch_bias(self, xs: tuple[Shape, ...], part: str) -> WeightLayout:
        if not self._is_native(xs):
            return WeightLayout(f"{part}.bias", None, (-1,))
        return WeightLayout("in_proj_bias", None, (-1,), part=(_PARTS.index(part), 3))

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        query, value, key = roles(xs)
        inner = self.heads * self._head(xs)
        pairs = product(query[:-1]) * key[-2]
        return (2 * product(query) + product(key) + product(value) + 2 * pairs) * inner

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        """The softmax of each head."""
        return self.heads * product(xs[0][:-1]) * roles(xs)[1][-2]

    def reach(self, x: Shape) -> None:
        return None

    def draws(self) -> bool:
        return self.dropout > 0

    def axis_map(self, *xs: Shape) -> AxisMap:
        given = tuple((*(None,) * (len(x) - 1), f"in{place}") for place, x in enumerate(xs))
        features = dict(zip(_PARTS, (roles(given)[place][-1] for place in (0, 2, 1))))
        weights: dict[str, Labels] = {part: (label, None, None) for part, label in features.items()}
        weights |= {"output": (None, None, "out"), "output_bias": ("out",)}
        return AxisMap(given, ((*(None,) * (len(xs[0]) - 1), "out"),), weights)

    def torch(self, at: At) -> Use:
        sizes = known("PyTorch", *(x[-1] for x in roles(at.inputs)))
        kinds = {**unless(sizes[0], kdim=sizes[2]), **unless(sizes[0], vdim=sizes[1])}
        how = {**unless(True, bias=self.bias), **unless(0.0, dropout=self.dropout)}
        if not self._is_native(at.inputs):
            (head,) = known("PyTorch", self._head(at.inputs))
            how = {**kinds, **how, **unless(False, causal=self.causal)}
            return Use((module(call("MultiHeadAttention", sizes[0], self.heads, head, **how), helpers=(TORCH_HEADS,)),))
        make = call("nn.MultiheadAttention", sizes[0], self.heads, **how, **kinds, batch_first=True)
        query, value, key = roles(tuple(X(i) for i in range(len(at.inputs))))
        if len(at.x) > 2:
            return self._torch_in_front(at, make)
        helpers = (CAUSAL_MASK,) if self.causal else ()
        return Use((module(make, helpers=helpers, call=self._torch_call(query, key, value)),))

    def _torch_call(self, query: X, key: X, value: X) -> Code:
        """The call of PyTorch's own module. Its mask has no weights, so it is no part of the module."""
        mask = {"attn_mask": call("causal_mask", query, key)} if self.causal else {}
        return Index(Call(Made(), (query, key, value), tuple({"need_weights": False, **mask}.items())), (0,))

    def _torch_in_front(self, at: At, make: Call) -> Use:
        """PyTorch's own module knows no axes in front of the sequences: each of their places is a sample."""
        front, count = len(at.x) - 2, len(at.inputs)
        folds = [function(method(X(i), "flatten", 0, front), gives=count + i) for i in range(count)]
        query, value, key = roles(tuple(X(count + i) for i in range(count)))
        sizes: Any = (-1, *at.x[:front])
        if count_symbols(sizes):
            sizes = Index(Attr(X(), "shape"), (slice(None, front + 1),))
        helpers = (CAUSAL_MASK,) if self.causal else ()
        unfolded = method(self._torch_call(query, key, value), "unflatten", 0, sizes)
        return Use((*folds, module(make, helpers=helpers, call=unfolded)))

    def keras(self, at: At) -> Use:
        known("Keras", *(x[-1] for x in at.inputs))
        how = {**unless(True, use_bias=self.bias), **unless(0.0, dropout=self.dropout)}
        how |= self._keras_beginning(at)
        if len(at.x) > 2:
            return self._keras_in_front(at, how)
        make = call("layers.MultiHeadAttention", self.heads, *known("Keras", self._head(at.inputs)), **how)
        values = (X(0), X(min(1, len(at.inputs) - 1)), *((X(2),) if len(at.inputs) > 2 else ()))
        applied = Call(Made(), values, tuple(unless(False, use_causal_mask=self.causal).items()))
        return Use((module(make, call=applied).replace(still=_STILL),))

    def _keras_in_front(self, at: At, how: dict[str, Any]) -> Use:
        """The same over one of several axes. What Keras hides by `causal`, and its softmax, want one in front."""
        front, count = len(at.x) - 2, len(at.inputs)
        heads = known("Keras", self.heads, self._head(at.inputs))
        values = (0, min(1, count - 1), *((2,) if count > 2 else ()))
        if not self.causal and front == 1:
            make = call("layers.MultiHeadAttention", *heads, attention_axes=(front + 1,), **how)
            return Use((module(make, call=Call(Made(), tuple(map(X, values)))).replace(still=_STILL),))
        if count_symbols([n for x in at.inputs for n in x]):
            message = "Keras joins the axes in front of these sequences, and must know all sizes for that"
            raise Unsupported(message, help="give them a value with `--set`")
        folds = [function(call("ops.reshape", X(i), (-1, *x[-2:])), gives=count + i) for i, x in enumerate(at.inputs)]
        make = call("layers.MultiHeadAttention", *heads, **how)
        causal = tuple(unless(False, use_causal_mask=self.causal).items())
        unfolded = call("ops.reshape", Call(Made(), tuple(X(count + i) for i in values), causal), (-1, *at.x))
        return Use((*folds, module(make, call=unfolded).replace(still=_STILL)))

    def _keras_beginning(self, at: At) -> dict[str, Any]:
        """Keras begins all projections in one way. Raises Unsupported where their sizes ask for several."""
        kernels = [w for w in self.weights(*at.inputs) if w.role == "weight"]
        found: list[dict[str, Any]] = [self.keras_words(w, worded=False) for w in kernels]
        if any(words != found[0] for words in found):
            message = f"Keras begins all projections in one way, but by `{self.init}` theirs differ with their sizes"
            raise Unsupported(message, "init", "write a distribution in numbers, such as `init=normal(0.02)`")
        return found[0]

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        def projected(x: Array, part: str) -> Any:
            y = np.einsum("...tn,nhk->...htk", x, w[part])
            return y + w[f"{part}_bias"][:, None] if self.bias else y

        query, value, key = roles(xs)
        q, k, v = projected(query, "query"), projected(key, "key"), projected(value, "value")
        y = weighed(q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5, v, self.causal)
        joined: Array = np.einsum("...htk,hkn->...tn", y, w["output"])
        return joined + w["output_bias"] if self.bias else joined
