"""Layers that trade cells against channels, or put channels in another order."""

from __future__ import annotations

from ..base.dims import floor_div
from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call
from .arguments import Violation, arg, positive
from .base import Apply, At, Example, Helper, Layer, Use, function, layer
from .window import needs_grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array

_TORCH_FOLD = Helper("space_to_depth", file="torch/space_to_depth")

_TORCH_UNFOLD = Helper("depth_to_space", file="torch/depth_to_space")

_KERAS_FOLD = Helper("space_to_depth", file="keras/space_to_depth")

_KERAS_UNFOLD = Helper("DepthToSpace", file="keras/depth_to_space")

_KERAS_SHUFFLE = Helper("ChannelShuffle", file="keras/channel_shuffle")


def _must_divide(number: Dim, by: int, what: str, argument: str, help: str) -> None:
    if isinstance(number, int) and number % by:
        raise Violation(
            "shape-mismatch",
            f"{what} do not divide by {by}: {number} = {number // by}*{by} + {number % by}",
            argument,
            help=help,
            label=f"{number} % {by} = {number % by}",
        )


def _torch_helper(helper: Helper, value: Code) -> Use:
    return Use((function(call(helper.name, X(), value), helpers=(helper,)),))


@layer("space_to_depth")
class SpaceToDepth(Layer):
    """Blocks of cells become channels: all channels of the first cell of a block, then those of the next.

    That is TensorFlow's order; PyTorch's `pixel_unshuffle` puts all cells of the first channel first.
    Redmon & Farhadi, "YOLO9000" (2017), the passthrough layer.
    """

    block: int = arg(positive, doc="cells of a block along each axis")

    torch_layout = "first"
    computes = False
    examples = (
        Example("space_to_depth(2)", (6, 4, 3), (3, 2, 12)),
        Example("space_to_depth(3)", (6, 2), (2, 6)),
        Example("space_to_depth(2)", (4, 2, 6, 3), (2, 1, 3, 24)),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        rank = needs_grid(self.kind, x)
        for axis, n in enumerate(x[:-1]):
            help = f"`crop` or `pad` the input to a multiple of {self.block} first"
            _must_divide(n, self.block, f"the {n} cells of axis {axis}", "block", help)
        return (*(floor_div(n, self.block) for n in x[:-1]), x[-1] * self.block**rank)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        each = (self.block,) * (len(x) - 1)
        return each, each

    def torch(self, at: At) -> Use:
        return _torch_helper(_TORCH_FOLD, self.block)

    def keras(self, at: At) -> Use:
        return Use((function(call("space_to_depth", X(), self.block), helpers=(_KERAS_FOLD,)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import folded

        return folded(xs[0], self.block)


@layer("depth_to_space")
class DepthToSpace(Layer):
    """Channels become blocks of cells: the inverse of `space_to_depth`, in TensorFlow's order.

    Shi et al., "Real-time single image and video super-resolution" (2016); their order, PyTorch's `pixel_shuffle`,
    takes the cells of a block from neighbouring channels.
    """

    block: int = arg(positive, doc="cells of a block along each axis")

    torch_layout = "first"
    computes = False
    examples = (
        Example("depth_to_space(2)", (3, 2, 12), (6, 4, 3)),
        Example("depth_to_space(3)", (2, 6), (6, 2)),
        Example("depth_to_space(2)", (2, 1, 3, 24), (4, 2, 6, 3)),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        rank = needs_grid(self.kind, x)
        cells = self.block**rank
        help = f"a block of {cells} cells needs as many channels for each that comes out"
        _must_divide(x[-1], cells, f"the {x[-1]} channels", "block", help)
        return (*(n * self.block for n in x[:-1]), floor_div(x[-1], cells))

    def finer(self, x: Shape) -> tuple[int, ...]:
        return (self.block,) * (len(x) - 1)

    def torch(self, at: At) -> Use:
        return _torch_helper(_TORCH_UNFOLD, self.block)

    def keras(self, at: At) -> Use:
        return Use((Apply(call("DepthToSpace", self.block), helpers=(_KERAS_UNFOLD,)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import unfolded

        return unfolded(xs[0], self.block)


@layer("channel_shuffle")
class ChannelShuffle(Layer):
    """Deal the channels of the groups out in turn: the first of each group, then the second of each.

    Zhang et al., "ShuffleNet" (2018), section 3.1.
    """

    groups: int = arg(positive, doc="how many groups the channels fall into")

    torch_layout = "first"
    computes = False
    examples = (
        Example("channel_shuffle(2)", (3, 4, 6), (3, 4, 6)),
        Example("channel_shuffle(3)", (5, 6), (5, 6)),
        Example("channel_shuffle(2)", (2, 3, 2, 4), (2, 3, 2, 4)),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        needs_grid(self.kind, x)
        help = f"`groups` must divide {x[-1]}"
        _must_divide(x[-1], self.groups, f"the {x[-1]} channels", "groups", help)
        return x

    def torch(self, at: At) -> Use:
        make = call("nn.ChannelShuffle", self.groups)
        return Use((function(call("F.channel_shuffle", X(), self.groups), make),))

    def keras(self, at: At) -> Use:
        return Use((Apply(call("ChannelShuffle", self.groups), helpers=(_KERAS_SHUFFLE,)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        x = xs[0]
        y: Array = x.reshape(*x.shape[:-1], self.groups, -1).swapaxes(-1, -2).reshape(x.shape)
        return y
