"""Learned numbers of one's own: what `weight W [n, m]` declares."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Made, call
from .arguments import Reader, arg
from .base import At, Helper, Layer, Use, Weight, WeightLayout, module
from .initialisers import GLOROT, Initialiser, initialiser_reader, keras_initialiser, torch_array
from .shapes import AxisMap, each_place, known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Shape
    from .base import Array, Weights

KERAS_LAYER = Helper("Parameter", file="keras/parameter")


class Parameter(Layer):
    """Learned numbers that are the same for every sample. It takes no value, and gives one without a batch axis.

    It is no layer of the language, where the statement `weight` makes it.
    """

    kind = "weight"
    style = "weight"
    arity = 0
    sizes: Shape = arg(Reader(lambda sizes: sizes, "whole numbers of at least 1"), doc="its shape")
    init: Initialiser = arg(initialiser_reader, GLOROT, doc="how it begins")

    computes = False
    free = True

    def shape(self, *xs: Shape) -> Shape:
        return self.sizes

    def weights(self, *xs: Shape) -> Weights:
        return (Weight("", self.sizes, WeightLayout(""), WeightLayout(""), init=self.init),)

    def reach(self, x: Shape) -> None:
        return None

    def axis_map(self, *xs: Shape) -> AxisMap:
        places = each_place(self.sizes)
        return AxisMap((), (places,), {"": places})

    def torch(self, at: At) -> Use:
        shape = known("PyTorch", *self.sizes)
        return Use((module(call("nn.Parameter", torch_array(self.init, shape)), call=Made()),))

    def keras(self, at: At) -> Use:
        """A weight of a class; where there is none, the layer that holds it takes a value to be called on."""
        shape = known("Keras", *self.sizes)
        how = {} if self.init == GLOROT else {"initializer": keras_initialiser(self.init)}
        if at.inputs:
            return Use((module(call("Parameter", shape, **how), helpers=(KERAS_LAYER,)),))
        return Use((module(call("self.add_weight", shape=shape, **how), call=Made()),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return w[""]
