"""Noise for training; each of these layers hands its input on unchanged when the net is used."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import call
from .arguments import Reader, Violation, arg, describe, rate
from .base import At, Example, Helper, Layer, Use, layer, module
from .shapes import needs_rank, pointwise_map

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ..base.dims import Shape
    from .base import Array
    from .shapes import AxisMap


class Noise(Layer):
    """Something random in training, nothing otherwise."""

    training = True
    computes = False
    pointwise = True
    # PyTorch's module and Keras's layer, and what PyTorch's module is made of where it is not in PyTorch
    torch_name: ClassVar[str] = ""
    keras_name: ClassVar[str] = ""
    torch_helpers: ClassVar[tuple[Helper, ...]] = ()

    def draws(self) -> bool:
        return True

    def torch(self, at: At) -> Use:
        return Use((module(call(self.torch_name, *self._values()), helpers=self.torch_helpers),))

    def keras(self, at: At) -> Use:
        return Use((module(call(self.keras_name, *self._values())),))

    def _values(self) -> list[Any]:
        return [getattr(self, name) for name in self.arguments]

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return xs[0]


@layer("dropout", style="dropout")
class Dropout(Noise):
    """Set a share of the numbers to 0 and make up for it in the others.

    Srivastava et al. (2014); scaled in training, by 1 / (1 - rate), and not in use.
    """

    rate: float = arg(rate, 0.5, doc="share that is dropped")

    torch_name, keras_name = "nn.Dropout", "layers.Dropout"
    examples = (
        Example("dropout", (6,), (6,)),
        Example("dropout(0.2)", (5, 4, 3), (5, 4, 3)),
        Example("dropout(0)", (6,), (6,)),
    )


@layer("spatial_dropout", style="dropout")
class SpatialDropout(Noise):
    """Set whole channels to 0, and make up for it in the others. Tompson et al. (2015)."""

    rate: float = arg(rate, 0.5, doc="share that is dropped")

    pointwise = False
    by_step = True
    torch_layout = "first"
    examples = (
        Example("spatial_dropout", (5, 4, 3), (5, 4, 3)),
        Example("spatial_dropout(0.2)", (7, 3), (7, 3)),
        Example("spatial_dropout(0)", (4, 3, 2, 5), (4, 3, 2, 5)),
    )

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 2, "1 to 3 spatial axes and channels", help="for vectors: `dropout`")
        if len(xs[0]) > 4:
            raise Violation("wrong-rank", f"{self.kind} takes 1 to 3 spatial axes, not {len(xs[0]) - 1}")
        return xs[0]

    def axis_map(self, *xs: Shape) -> AxisMap:
        return pointwise_map(xs[0])

    def torch(self, at: At) -> Use:
        return Use((module(call(f"nn.Dropout{len(at.spatial)}d", self.rate)),))

    def keras(self, at: At) -> Use:
        return Use((module(call(f"layers.SpatialDropout{len(at.spatial)}D", self.rate)),))


def _deviation(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"must be a number of at least 0, not {describe(value)}", "")
    return value


GAUSSIAN_NOISE = Helper("GaussianNoise", file="torch/gaussian_noise")


@layer("gaussian_noise", style="dropout")
class GaussianNoise(Noise):
    """Add normal noise with mean 0. Bishop (1995)."""

    stddev: float = arg(Reader(_deviation, "a number of at least 0"), doc="standard deviation of the noise")

    torch_name, keras_name = "GaussianNoise", "layers.GaussianNoise"
    torch_helpers = (GAUSSIAN_NOISE,)
    examples = (Example("gaussian_noise(0.1)", (6,), (6,)), Example("gaussian_noise(0)", (5, 4, 3), (5, 4, 3)))


GAUSSIAN_DROPOUT = Helper("GaussianDropout", file="torch/gaussian_dropout")


@layer("gaussian_dropout", style="dropout")
class GaussianDropout(Noise):
    """Multiply by normal noise with mean 1 and variance rate / (1 - rate). Srivastava et al. (2014), section 10."""

    rate: float = arg(rate, 0.5, doc="the rate of the dropout that has the same variance")

    torch_name, keras_name = "GaussianDropout", "layers.GaussianDropout"
    torch_helpers = (GAUSSIAN_DROPOUT,)
    examples = (
        Example("gaussian_dropout", (6,), (6,)),
        Example("gaussian_dropout(0.2)", (5, 4, 3), (5, 4, 3)),
        Example("gaussian_dropout(0)", (6,), (6,)),
    )


@layer("alpha_dropout", style="dropout")
class AlphaDropout(Noise):
    """Dropout that keeps mean and variance, for nets of `selu`. Klambauer et al. (2017)."""

    rate: float = arg(rate, 0.5, doc="share that is dropped")

    torch_name, keras_name = "nn.AlphaDropout", "layers.AlphaDropout"
    examples = (
        Example("alpha_dropout", (6,), (6,)),
        Example("alpha_dropout(0.2)", (5, 4, 3), (5, 4, 3)),
        Example("alpha_dropout(0)", (6,), (6,)),
    )


DROP_PATH = Helper("DropPath", file="torch/drop_path")


@layer("drop_path", style="dropout")
class DropPath(Noise):
    """Set whole samples to 0, and make up for it in the others: it drops a residual branch.

    Huang et al., "Deep networks with stochastic depth" (2016), scaled in training as dropout is.
    """

    rate: float = arg(rate, doc="share of the samples that are dropped")

    torch_name = "DropPath"
    torch_helpers = (DROP_PATH,)
    examples = (
        Example("drop_path(0.2)", (5, 4, 3), (5, 4, 3)),
        Example("drop_path(0)", (7, 6), (7, 6)),
    )

    def keras(self, at: At) -> Use:
        return Use((module(call("layers.Dropout", self.rate, noise_shape=(None, *(1,) * len(at.x)))),))
