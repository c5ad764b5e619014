"""Layers with kernels: how these begin, and what their size adds to the loss.

The language's kernels begin as Glorot & Bengio (2010) have it, and biases at 0: that is what Keras does, and unlike
PyTorch's own (uniform within 1 / sqrt(inputs), biases too) it keeps the variance from layer to layer. A layer with
another default declares it; where a framework's differs, generated code says it.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import call
from .arguments import arg, penalty
from .base import Layer, Weight
from .initialisers import GLOROT, Initialiser, initialiser_reader, keras_beginning

if TYPE_CHECKING:
    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import WeightLayout


class Weighted(Layer):
    """A layer with one kernel or several; `init`, `l1` and `l2` are about these, not about biases."""

    l1: float = arg(penalty, 0, doc="adds l1 times the sum of |w| over its kernels to the loss", last=True)
    l2: float = arg(penalty, 0, doc="adds l2 times the sum of w**2 over its kernels to the loss", last=True)
    init: Initialiser = arg(initialiser_reader, GLOROT, doc="how its kernels begin; biases begin at 0", last=True)

    def kernel_weight(
        self, name: str, shape: Shape, torch: WeightLayout, keras: WeightLayout, fans: tuple[Dim, Dim] | None = None
    ) -> Weight:
        """A kernel, with what was said of it; `fans` as in `Weight`."""
        given = self.init != self.arguments["init"].default
        return Weight(name, shape, torch, keras, "weight", self.init, fans, given, self.l1, self.l2)

    def keras_words(
        self,
        weight: Weight | None = None,
        word: str = "kernel",
        usual: str = "glorot_uniform",
        worded: bool = True,
    ) -> dict[str, Code]:
        """Keras's arguments about a kernel that it calls `word`, whose initialiser is `usual` there by itself.

        Without a weight, Keras counts its inputs as the language does; without `worded`, in a way of its own.
        """
        found: dict[str, Code] = {}
        begins = keras_beginning(self.init, weight, worded)
        if begins != usual:
            found[f"{word}_initializer"] = begins
        if self.l1 or self.l2:
            found[f"{word}_regularizer"] = _regulariser(self.l1, self.l2)
        return found


def _regulariser(l1: float, l2: float) -> Code:
    if l1 and l2:
        return call("keras.regularizers.L1L2", l1=l1, l2=l2)
    return call("keras.regularizers.L1", l1) if l1 else call("keras.regularizers.L2", l2)
