"""Layers that slide a window: convolutions and pools."""

from __future__ import annotations

from ..dims import product
from ..pycode import call, unless
from ..record import TYPE_CHECKING
from .activations import activation_reader, keras_activation, reference_activation, torch_activation
from .base import (
    Apply,
    At,
    Example,
    Layer,
    Place,
    Unsupported,
    Use,
    Violation,
    Weight,
    arg,
    axes,
    flag,
    layer,
    module,
    positive,
    spread,
    square,
)
from .padding import (
    keras_pad,
    padding_reader,
    pads,
    reached,
    torch_pad,
    torch_same_pad,
    window_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..dims import Dim, Shape
    from .base import Array, Weights


def needs_grid(kind: str, x: Shape) -> int:
    """The number of spatial axes, 1 to 3. Raises Violation for other ranks."""
    if not 2 <= len(x) <= 4:
        raise Violation(
            "wrong-rank",
            f"{kind} needs 1 to 3 spatial axes and channels, but the input is [{', '.join(map(str, x))}]",
            help="`reshape` gives it an axis more, for example `reshape(28, 28, 1)`",
        )
    return len(x) - 1


@layer("conv", style="conv")
class Conv(Layer):
    """Slide `filters` learned windows over the spatial axes (cross-correlation, as both frameworks have it).

    LeCun et al., "Gradient-based learning applied to document recognition" (1998), section II.A;
    `groups`: Krizhevsky et al. (2012); `dilation`: Yu & Koltun (2016).
    """

    filters: int = arg(positive, doc="number of filters, the channels that come out")
    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(axes, 1, doc="step from one window to the next")
    padding: Any = arg(padding_reader, "valid", doc="what is added around the input")
    dilation: Any = arg(axes, 1, doc="distance between the taps of the window")
    groups: int = arg(positive, 1, doc="split the channels into groups that do not see one another")
    bias: bool = arg(flag, True, doc="add a learned number to each filter")
    activation: Any = arg(activation_reader, None, doc="applied to the result")

    torch_layout = "first"
    examples = (
        Example("conv(6, 5x5)", (28, 28, 1), (24, 24, 6), weights=156),
        Example("conv(8, 3, stride=2, padding=same, activation=relu)", (20, 3), (10, 8), weights=80),
        Example("conv(8, 3x3, stride=2, padding=1, groups=2, bias=false)", (7, 6, 4), (4, 3, 8), weights=144),
        Example("conv(4, 3x2, padding=((0, 1), (2, 0)), dilation=2x1)", (9, 8, 3), (6, 9, 4), weights=76),
        Example("conv(4, 3x3x3, stride=2x1x2, padding=same)", (6, 5, 4, 2), (3, 5, 2, 4), weights=220),
        Example("conv(4, 3, padding=causal, dilation=2)", (9, 3), (9, 4), weights=40),
    )

    def _window(self, rank: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        return (
            spread(self.kernel, rank, "kernel"),
            spread(self.stride, rank, "stride"),
            spread(self.dilation, rank, "dilation"),
        )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        rank = needs_grid(self.kind, x)
        for argument, channels in (("groups", x[-1]), ("filters", self.filters)):
            if isinstance(channels, int) and channels % self.groups:
                what = "channels of the input" if argument == "groups" else "filters"
                raise Violation(
                    "group-mismatch",
                    f"the {channels} {what} do not divide into {self.groups} groups",
                    argument,
                    help=f"`groups` must divide both {x[-1]} and {self.filters}",
                )
        return (*window_sizes(self.padding, x[:-1], *self._window(rank)), self.filters)

    def weights(self, *xs: Shape) -> Weights:
        x = xs[0]
        rank = len(x) - 1
        kernel = (*spread(self.kernel, rank, "kernel"), x[-1] // self.groups, self.filters)
        swapped = (rank + 1, rank, *range(rank))
        found = [Weight("kernel", kernel, Place("weight", swapped), Place("kernel"))]
        if self.bias:
            found.append(Weight("bias", (self.filters,), Place("bias"), Place("bias"), "bias"))
        return tuple(found)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        x = xs[0]
        return product(y) * product(spread(self.kernel, len(x) - 1, "kernel")) * (x[-1] // self.groups)

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0 if self.activation is None else product(y)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        kernel, stride, dilation = self._window(len(x) - 1)
        return tuple(map(reached, kernel, dilation)), stride

    def torch(self, at: At) -> Use:
        rank = len(at.spatial)
        kernel, stride, dilation = self._window(rank)
        amounts = pads(self.padding, at.spatial, kernel, stride, dilation)
        before: tuple[Apply, ...] = ()
        inside: dict[str, Any] = {}
        if amounts is None:
            before = torch_same_pad(kernel, stride, dilation)
        elif all(a == b for a, b in amounts):
            inside = unless(0, square(tuple(a for a, _ in amounts)), padding=square(tuple(a for a, _ in amounts)))
        elif self.padding == "same" and set(stride) == {1}:
            inside = {"padding": "same"}
        else:
            before = torch_pad(amounts)
        make = call(
            f"nn.Conv{rank}d",
            at.channels,
            self.filters,
            square(kernel),
            **unless(1, square(stride), stride=square(stride)),
            **inside,
            **unless(1, square(dilation), dilation=square(dilation)),
            **unless(1, self.groups, groups=self.groups),
            **unless(True, self.bias, bias=self.bias),
        )
        return Use((*before, module(make), *torch_activation(self.activation, at)))

    def keras(self, at: At) -> Use:
        rank = len(at.spatial)
        kernel, stride, dilation = self._window(rank)
        if max(stride) > 1 and max(dilation) > 1:
            raise Unsupported("Keras has no convolution that is both strided and dilated", "dilation")
        before: tuple[Apply, ...] = ()
        inside: dict[str, Any] = {}
        if self.padding in ("same", "causal"):
            inside = {"padding": str(self.padding)}
        elif self.padding != "valid":
            before = keras_pad(pads(self.padding, at.spatial, kernel, stride, dilation) or ())
        fused, after = keras_activation(self.activation, at)
        make = call(
            f"layers.Conv{rank}D",
            self.filters,
            square(kernel),
            **unless(1, square(stride), strides=square(stride)),
            **inside,
            **unless(1, square(dilation), dilation_rate=square(dilation)),
            **unless(1, self.groups, groups=self.groups),
            **fused,
            **unless(True, self.bias, use_bias=self.bias),
        )
        return Use((*before, module(make), *after))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import convolve

        rank = xs[0].ndim - 2
        kernel, stride, dilation = self._window(rank)
        amounts = pads(self.padding, xs[0].shape[1:-1], kernel, stride, dilation) or ()
        y = convolve(xs[0], w["kernel"], stride, amounts, dilation, self.groups)
        return reference_activation(self.activation, y + w["bias"] if self.bias else y)
