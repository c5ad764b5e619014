"""Random values that are part of the function."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import call
from .base import At, Example, Helper, Layer, Use, layer, module
from .shapes import same_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Shape
    from .base import Array

_TORCH = Helper("SampleNormal", file="torch/sample_normal")
_KERAS = Helper("SampleNormal", file="keras/sample_normal")


@layer("sample_normal", style="dropout")
class SampleNormal(Layer):
    """Draw from normal distributions with these means and logarithms of variances, number by number.

    The reparameterisation of Kingma & Welling, "Auto-Encoding Variational Bayes" (2014): mean + exp(log_var / 2) *
    noise, so that gradients reach both. The noise is drawn in training; in use the mean comes out, so that the net is a
    function.
    """

    arity = 2
    training = True
    computes = False
    pointwise = True
    examples = (
        Example("sample_normal", ((6,), (6,)), (6,)),
        Example("sample_normal", ((5, 4, 3), (5, 4, 3)), (5, 4, 3)),
    )

    def draws(self) -> bool:
        return True

    def shape(self, *xs: Shape) -> Shape:
        same_shapes(self.kind, xs)
        return xs[0]

    def torch(self, at: At) -> Use:
        return Use((module(call("SampleNormal"), helpers=(_TORCH,)),))

    def keras(self, at: At) -> Use:
        return Use((module(call("SampleNormal"), helpers=(_KERAS,)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return xs[0]
