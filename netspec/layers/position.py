"""Where in a sequence a vector stands, said in numbers that are added to it."""

from __future__ import annotations

from ..base.dims import show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Attr, Call, Infix, Made, X, call, method, unless
from .arguments import Violation, arg, flag, number, optional, positive
from .base import At, Example, Helper, Layer, Use, Weight, WeightLayout, function, layer, module
from .initialisers import UNIFORM
from .shapes import known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Dim, Shape
    from .base import Array, Weights

TORCH_WAVES = Helper("add_positions", file="torch/add_positions")
KERAS_WAVES = Helper("PositionalEncoding", file="keras/positional_encoding")
KERAS_TABLE = Helper("PositionEmbedding", file="keras/position_embedding")


@layer("positional_encoding", style="attention")
class PositionalEncoding(Layer):
    """Add to each step of a sequence numbers that tell its position.

    They are sines and cosines of position / base^(2i / n) for the i-th pair of n numbers, Vaswani et al. (2017),
    section 3.5; or with `learned` a vector for each position, Gehring et al. (2017), as in BERT and GPT.
    """

    learned: bool = arg(flag, False, doc="learn a vector for each position")
    length: int | None = arg(optional(positive), None, doc="how many positions are learned; without it, all there are")
    base: float = arg(number, 10000.0, doc="how much slower the last pair is than the first")

    torch_layout = "last"
    by_step = True
    examples = (
        Example("positional_encoding", (5, 4), (5, 4)),
        Example("positional_encoding(base=100.0)", (6, 3), (6, 3)),
        Example("positional_encoding(learned=true)", (5, 4), (5, 4), weights=20),
        Example("positional_encoding(learned=true, length=9)", (5, 4), (5, 4), weights=36),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        if len(x) != 2:
            raise Violation("wrong-rank", f"positional_encoding needs a sequence [T, n], but its input is {show(x)}")
        if self.length is not None and not self.learned:
            raise Violation(
                "wrong-value", "`length` belongs to positions that are learned", "length", "add learned=true"
            )
        if self.learned and not isinstance(self._length(x), int):
            help = "say how many there are at most: `length=512`"
            raise Violation("unknown-size", f"{x[0]} positions cannot be learned", "learned", help)
        if self.length is not None and isinstance(x[0], int) and x[0] > self.length:
            raise Violation("shape-mismatch", f"{self.length} positions are too few for {show(x)}", "length")
        return x

    def _length(self, x: Shape) -> Dim:
        return x[0] if self.length is None else self.length

    def weights(self, *xs: Shape) -> Weights:
        if not self.learned:
            return ()
        sizes = (self._length(xs[0]), xs[0][-1])
        return (Weight("table", sizes, WeightLayout("weight"), WeightLayout("embeddings"), init=UNIFORM),)

    def torch(self, at: At) -> Use:
        if not self.learned:
            return Use(
                (function(call("add_positions", X(), **unless(10000.0, base=self.base)), helpers=(TORCH_WAVES,)),)
            )
        positions = call("torch.arange", method(X(), "size", 1), device=Attr(X(), "device"))
        make = call("nn.Embedding", *known("PyTorch", self._length(at.x), at.channels))
        return Use((module(make, call=Infix(X(), "+", Call(Made(), (positions,)))),))

    def keras(self, at: At) -> Use:
        known("Keras", at.channels)
        if not self.learned:
            make = call("PositionalEncoding", **unless(10000.0, base=self.base))
            return Use((module(make, helpers=(KERAS_WAVES,)),))
        make = call("PositionEmbedding", *known("Keras", self._length(at.x)))
        return Use((module(make, helpers=(KERAS_TABLE,)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        length, size = xs[0].shape[1:]
        if self.learned:
            return xs[0] + w["table"][:length]
        pair = np.arange(size) // 2 * 2
        angles = np.arange(length)[:, None] / self.base ** (pair / size)
        y: Array = xs[0] + np.where(np.arange(size) % 2, np.cos(angles), np.sin(angles))
        return y
