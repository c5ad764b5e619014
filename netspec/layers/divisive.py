"""Layers that divide by the size of what is near, without centring."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call, method, unless
from .arguments import arg, number, positive
from .base import Apply, At, Example, Helper, Layer, Use, Weight, WeightLayout, function, layer, module
from .initialisers import ONES
from .norm import epsilon_reader, misread_epsilon
from .shapes import known, needs_rank

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from .base import Array, Weights


@layer("rmsnorm", style="norm")
class RmsNorm(Layer):
    """Divide each position by the root mean square of its channels; then a learned scale. Zhang & Sennrich (2019).

    Epsilon is Keras's and Llama's first: 1e-6. (PyTorch takes the smallest step of the number type.)
    """

    epsilon: float = arg(epsilon_reader, 1e-6, doc="added to the mean square")

    torch_layout = "last"
    by_step = True
    examples = (
        Example("rmsnorm", (7, 6), (7, 6), weights=6),
        Example("rmsnorm(0.1)", (4, 3, 6), (4, 3, 6), weights=6),
        Example("rmsnorm", (6,), (6,), weights=6),
    )

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        return misread_epsilon(values, places)

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 1, "channels")
        return xs[0]

    def weights(self, *xs: Shape) -> Weights:
        return (Weight("scale", xs[0][-1:], WeightLayout("weight"), WeightLayout("scale"), init=ONES),)

    def torch(self, at: At) -> Use:
        return Use((module(call("nn.RMSNorm", *known("PyTorch", at.channels), eps=self.epsilon)),))

    def keras(self, at: At) -> Use:
        known("Keras", at.channels)
        how = unless(1e-6, epsilon=self.epsilon)
        return Use((module(call("layers.RMSNormalization", **how)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        x = xs[0]
        y: Array = x / ((x**2).mean(-1, keepdims=True) + self.epsilon) ** 0.5 * w["scale"]
        return y


LOCAL_RESPONSE_NORM = Helper("LocalResponseNorm", file="keras/local_response_norm")


@layer("local_response_norm", style="norm")
class LocalResponseNorm(Layer):
    """x / (k + alpha/size * sum of x^2 over the `size` nearest channels) ** beta.

    Krizhevsky et al. (2012), section 3.3, with alpha divided by the size as in Caffe and PyTorch; the paper's
    alpha of 1e-4 on 5 channels, with k = 2, is `alpha=5e-4, k=2` here. For an even size one channel more is taken
    on the left.
    """

    size: int = arg(positive, 5, doc="how many channels are looked at")
    alpha: float = arg(number, 1e-4, doc="weight of the mean square")
    beta: float = arg(number, 0.75, doc="exponent")
    k: float = arg(number, 1.0, doc="added to the mean square")

    torch_layout = "first"
    examples = (
        Example("local_response_norm", (6, 5, 8), (6, 5, 8)),
        Example("local_response_norm(3, alpha=0.5, beta=0.6, k=2)", (6, 5, 8), (6, 5, 8)),
        Example("local_response_norm(4, alpha=0.5)", (7, 6), (7, 6)),
        Example("local_response_norm(alpha=0.5)", (3, 4, 2, 6), (3, 4, 2, 6)),
    )

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 2, "positions and channels")
        return xs[0]

    def _given(self) -> dict[str, Any]:
        return {
            **unless(1e-4, alpha=self.alpha),
            **unless(0.75, beta=self.beta),
            **unless(1.0, k=self.k),
        }

    def torch(self, at: At) -> Use:
        if len(at.x) > 3:  # PyTorch then joins axes, which must lie one behind the other
            return Use(
                (function(call("F.local_response_norm", method(X(), "contiguous"), self.size, **self._given())),)
            )
        code = call("F.local_response_norm", X(), self.size, **self._given())
        return Use((function(code, call("nn.LocalResponseNorm", self.size, **self._given())),))

    def keras(self, at: At) -> Use:
        make = call("LocalResponseNorm", self.size, **self._given())
        return Use((Apply(make, helpers=(LOCAL_RESPONSE_NORM,)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        x = xs[0]
        squares = np.pad(x**2, [(0, 0)] * (x.ndim - 1) + [(self.size // 2, (self.size - 1) // 2)])
        windows = np.lib.stride_tricks.sliding_window_view(squares, self.size, -1)
        y: Array = x / (self.k + self.alpha * windows.mean(-1)) ** self.beta
        return y
