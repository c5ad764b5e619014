"""Convolutions: plain, one filter for each channel, and the two parts of a separable one."""

from __future__ import annotations

from ..base.dims import product
from ..base.record import TYPE_CHECKING
from ..pycode.expr import call, unless
from .activations import activation_reader, keras_activation, reference_activation, torch_activation
from .arguments import Unsupported, arg, axes, describe, flag, positive, spread, square
from .base import Apply, At, Example, Use, Weight, WeightLayout, layer, module
from .padding import keras_pad, padding_reader, torch_pad, torch_same_pad
from .shapes import AxisMap, conv_map
from .weighted import Weighted
from .window import LARGE, Window, divides, known_channels, misread_channels, needs_grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from .base import Array, Weights


def _torch_padding(window: Window, at: At) -> tuple[tuple[Apply, ...], dict[str, Any]]:
    """The steps before a PyTorch convolution, or else its `padding=` argument."""
    amounts = window.pads(at.spatial)
    if at.general == 1 and (window.padding == "valid" or (window.padding == "same" and set(window.stride) == {1})):
        return (), unless("valid", padding=str(window.padding))
    if amounts is None or (at.general == 2 and window.padding == "same" and max(window.spans) > 1):
        return torch_same_pad(window.kernel, window.stride, window.dilation), {}
    if all(a == b for a, b in amounts):
        each = square(tuple(a for a, _ in amounts))
        return (), unless(0, padding=each)
    if window.padding == "same" and set(window.stride) == {1}:
        return (), {"padding": "same"}
    return torch_pad(amounts), {}


def _keras_padding(window: Window, at: At, words: tuple[str, ...]) -> tuple[tuple[Apply, ...], dict[str, Any]]:
    """The steps before a Keras convolution, or else its `padding=` argument, one of `words`.

    Amounts that make `same` at every size are written so. Raises Unsupported where the window is both strided and
    dilated.
    """
    if max(window.stride) > 1 and max(window.dilation) > 1:
        raise Unsupported(
            "Keras has no convolution that is both strided and dilated",
            "dilation",
            help="leave out one of them, or build for PyTorch",
        )
    if window.padding in ("valid", *words):
        return (), unless("valid", padding=str(window.padding))
    amounts = window.pads(at.spatial) or ()
    if not at.general and set(window.stride) == {1} and max(window.spans) > 1 and amounts == window.same(at.spatial):
        return (), {"padding": "same"}
    return keras_pad(amounts, written=at.general == 2), unless("valid", padding="valid")


def _torch_conv(
    window: Window, channels: int, filters: int, padding: dict[str, Any], groups: int, bias: bool, name: str = ""
) -> Apply:
    how = {**window.steps("stride"), **padding, **window.gaps("dilation"), **unless(1, groups=groups)}
    how |= unless(True, bias=bias)
    return module(call(f"nn.Conv{window.rank}d", channels, filters, square(window.kernel), **how), name, fresh=True)


class _Sliding(Weighted):
    """What the convolutions of this file share; each declares the arguments."""

    kernel: Any
    stride: Any
    padding: Any
    dilation: Any
    bias: bool
    activation: Any

    torch_layout = "first"

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        return misread_channels(cls.word, values, x, places)

    def window(self, x: Shape) -> Window:
        rank = len(x) - 1
        return Window(
            spread(self.kernel, rank, "kernel"),
            spread(self.stride, rank, "stride"),
            spread(self.dilation, rank, "dilation"),
            self.padding,
        )

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0 if self.activation is None else product(y)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.window(x).reach

    def slide(self, x: Array, kernel: Array, groups: int) -> Array:
        """The convolution of an array with a kernel, as this layer's window moves."""
        from .arrays import convolve

        window = self.window(x.shape[1:])
        amounts = window.pads(x.shape[1:-1]) or ()
        return convolve(x, kernel, window.stride, amounts, window.dilation, groups)

    def finish(self, y: Array, w: Mapping[str, Array]) -> Array:
        return reference_activation(self.activation, y + w["bias"] if self.bias else y)


@layer("conv", style="conv")
class Conv(_Sliding):
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

    examples = (
        Example("conv(6, 5x5)", (28, 28, 1), (24, 24, 6), weights=156),
        Example("conv(8, 3, stride=2, padding=same, activation=relu)", (20, 3), (10, 8), weights=80),
        Example("conv(8, 3x3, stride=2, padding=1, groups=2, bias=false)", (7, 6, 4), (4, 3, 8), weights=144),
        Example("conv(4, 3x2, padding=((0, 1), (2, 0)), dilation=2x1)", (9, 8, 3), (6, 9, 4), weights=76),
        Example("conv(4, 3x3x3, stride=2x1x2, padding=same)", (6, 5, 4, 2), (3, 5, 2, 4), weights=220),
        Example("conv(4, 3, padding=causal, dilation=2)", (9, 3), (9, 4), weights=40),
        Example("conv(4, 4x3, padding=same)", (6, 7, 2), (6, 7, 4), weights=100),
        Example("conv(4, 3x5, padding=(1, 2))", (6, 7, 2), (6, 7, 4), weights=124),
        Example("conv(4, 3, l1=0.1, l2=0.01, init=he_normal)", (6, 7, 2), (4, 5, 4), weights=76),
        Example("conv(3, 3, stride=2, padding=1, dilation=2)", (9, 7, 2), (4, 3, 3), weights=57, refused=("keras",)),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        needs_grid(self.kind, x)
        divides(self.groups, x[-1], self.filters)
        return (*self.window(x).sizes(x[:-1]), self.filters)

    def weights(self, *xs: Shape) -> Weights:
        x, rank = xs[0], len(xs[0]) - 1
        kernel = (*self.window(x).kernel, x[-1] // self.groups, self.filters)
        torch = WeightLayout("weight", (rank + 1, rank, *range(rank)))
        found = self.kernel_weight("kernel", kernel, torch, WeightLayout("kernel"))
        bias = Weight("bias", (self.filters,), WeightLayout("bias"), WeightLayout("bias"), "bias")
        return (found, bias) if self.bias else (found,)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        x = xs[0]
        return product(y) * product(self.window(x).kernel) * (x[-1] // self.groups)

    def axis_map(self, *xs: Shape) -> AxisMap | None:
        return conv_map(xs[0], self.shape(*xs), self.groups)

    def torch(self, at: At) -> Use:
        window = self.window(at.x)
        before, inside = _torch_padding(window, at)
        channels = known_channels(at, "PyTorch")
        conv = _torch_conv(window, channels, self.filters, inside, self.groups, self.bias)
        return Use((*before, conv, *torch_activation(self.activation, at)))

    def keras(self, at: At) -> Use:
        known_channels(at, "Keras")
        window = self.window(at.x)
        before, inside = _keras_padding(window, at, ("same", "causal"))
        fused, after = keras_activation(self.activation, at)
        make = call(
            f"layers.Conv{window.rank}D",
            self.filters,
            square(window.kernel),
            **window.steps("strides"),
            **inside,
            **window.gaps("dilation_rate"),
            **unless(1, groups=self.groups),
            **fused,
            **unless(True, use_bias=self.bias),
            **self.keras_words(),
        )
        return Use((*before, module(make), *after))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return self.finish(self.slide(xs[0], w["kernel"], self.groups), w)


class _Depthwise(_Sliding):
    """What the two depthwise layers share: `multiplier` filters for each channel, channel by channel."""

    multiplier: int

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        kernel, stride = values.get("kernel"), values.get("stride")
        if "filters" in values or places < 2 or kernel != x[-1] or type(kernel) is not int or kernel < LARGE // 2:
            return super().misread(values, x, places)
        return f"each channel has its filter, so their number is not given: write `{cls.word}({describe(stride)})`"

    def depthwise_shape(self, x: Shape) -> tuple[Dim, ...]:
        return (*self.window(x).kernel, x[-1], self.multiplier)

    def depthwise_weight(self, x: Shape, name: str, torch: str, keras: str) -> Weight:
        """The kernel (spatial..., channels, multiplier). Keras has no 3-D form but a convolution in groups.

        Each output sees the taps of its own channel alone, which Keras does not heed where it counts inputs.
        """
        rank = len(x) - 1
        kernel = self.window(x).kernel
        order, one_each = (rank, rank + 1, *range(rank)), (-1, 1, *kernel)
        there = WeightLayout(keras, None, (*kernel, 1, -1)) if rank == 3 else WeightLayout(keras)
        taps = product(kernel)
        fans = (taps, taps * x[-1] * self.multiplier)
        return self.kernel_weight(name, self.depthwise_shape(x), WeightLayout(torch, order, one_each), there, fans)

    def depthwise_torch(self, at: At, bias: bool, name: str = "") -> tuple[Apply, ...]:
        window = self.window(at.x)
        before, inside = _torch_padding(window, at)
        channels = known_channels(at, "PyTorch")
        return *before, _torch_conv(window, channels, channels * self.multiplier, inside, channels, bias, name)

    def depthwise_keras(self, at: At, given: dict[str, Any], name: str = "") -> tuple[Apply, ...]:
        window = self.window(at.x)
        before, inside = _keras_padding(window, at, ("same",))
        steps = {**window.steps("strides"), **inside}
        gaps = window.gaps("dilation_rate")
        channels = known_channels(at, "Keras")
        if window.rank == 3:
            filters = channels * self.multiplier
            make = call("layers.Conv3D", filters, square(window.kernel), **steps, **gaps, groups=channels, **given)
        else:
            many = unless(1, depth_multiplier=self.multiplier)
            make = call(f"layers.DepthwiseConv{window.rank}D", square(window.kernel), **steps, **many, **gaps, **given)
        return *before, module(make, name)

    def depthwise_reference(self, x: Array, kernel: Array) -> Array:
        sizes = kernel.shape[:-2]
        return self.slide(x, kernel.reshape(*sizes, 1, -1), x.shape[-1])


@layer("depthwise_conv", style="conv")
class DepthwiseConv(_Depthwise):
    """A convolution of each channel by itself, with `multiplier` filters for each.

    The filters of the first channel come first. Sifre, "Rigid-motion scattering for image classification" (2014);
    Howard et al., "MobileNets" (2017).
    """

    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(axes, 1, doc="step from one window to the next")
    padding: Any = arg(padding_reader, "valid", doc="what is added around the input")
    dilation: Any = arg(axes, 1, doc="distance between the taps of the window")
    multiplier: int = arg(positive, 1, doc="filters for each channel")
    bias: bool = arg(flag, True, doc="add a learned number to each filter")
    activation: Any = arg(activation_reader, None, doc="applied to the result")

    examples = (
        Example("depthwise_conv(3x3)", (7, 6, 4), (5, 4, 4), weights=40),
        Example(
            "depthwise_conv(3, stride=2, padding=same, multiplier=2, activation=relu)", (8, 7, 3), (4, 4, 6), weights=60
        ),
        Example("depthwise_conv(3x2, padding=1, dilation=2x1, bias=false)", (7, 6, 3), (5, 7, 3), weights=18),
        Example("depthwise_conv(3x2, stride=2x1)", (7, 6, 3), (3, 5, 3), weights=21),
        Example("depthwise_conv(3, padding=causal, multiplier=2)", (9, 3), (9, 6), weights=24),
        Example("depthwise_conv(2, stride=2, multiplier=2)", (6, 4, 5, 3), (3, 2, 2, 6), weights=54),
        Example("depthwise_conv(2, l1=0.1, l2=0.01, init=he_normal)", (6, 4, 3), (5, 3, 3), weights=15),
        Example("depthwise_conv(2, l2=0.01, init=zeros)", (3, 3, 3, 2), (2, 2, 2, 2), weights=18),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        needs_grid(self.kind, x)
        return (*self.window(x).sizes(x[:-1]), x[-1] * self.multiplier)

    def weights(self, *xs: Shape) -> Weights:
        x = xs[0]
        kernel = self.depthwise_weight(x, "kernel", "weight", "kernel")
        bias = Weight("bias", (x[-1] * self.multiplier,), WeightLayout("bias"), WeightLayout("bias"), "bias")
        return (kernel, bias) if self.bias else (kernel,)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * product(self.window(xs[0]).kernel)

    def torch(self, at: At) -> Use:
        return Use((*self.depthwise_torch(at, self.bias), *torch_activation(self.activation, at)))

    def keras(self, at: At) -> Use:
        known_channels(at, "Keras")
        fused, after = keras_activation(self.activation, at)
        kernel = self.weights(at.x)[0]
        words = self.keras_words(kernel, "kernel" if len(at.x) == 4 else "depthwise")
        given = {**fused, **unless(True, use_bias=self.bias), **words}
        return Use((*self.depthwise_keras(at, given), *after))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return self.finish(self.depthwise_reference(xs[0], w["kernel"]), w)


@layer("separable_conv", style="conv")
class SeparableConv(_Depthwise):
    """A depthwise convolution, then a 1x1 convolution across its channels; nothing between the two.

    The bias and the activation belong to the second. Chollet, "Xception" (2017).
    """

    filters: int = arg(positive, doc="number of filters, the channels that come out")
    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(axes, 1, doc="step from one window to the next")
    padding: Any = arg(padding_reader, "valid", doc="what is added around the input")
    dilation: Any = arg(axes, 1, doc="distance between the taps of the window")
    multiplier: int = arg(positive, 1, doc="filters for each channel in the depthwise part")
    bias: bool = arg(flag, True, doc="add a learned number to each filter")
    activation: Any = arg(activation_reader, None, doc="applied to the result")

    examples = (
        Example("separable_conv(8, 3x3)", (7, 6, 4), (5, 4, 8), weights=76),
        Example(
            "separable_conv(5, 3, stride=2, padding=same, multiplier=2, activation=relu)",
            (8, 7, 3),
            (4, 4, 5),
            weights=89,
        ),
        Example("separable_conv(5, 3x2, padding=1, dilation=2x1, bias=false)", (7, 6, 3), (5, 7, 5), weights=33),
        Example("separable_conv(5, 3, padding=causal)", (9, 3), (9, 5), weights=29),
        Example("separable_conv(5, 2, stride=2, multiplier=2)", (6, 4, 5, 3), (3, 2, 2, 5), weights=83),
        Example("separable_conv(5, 2, l1=0.1, l2=0.01, init=he_uniform)", (6, 4, 3), (5, 3, 5), weights=32),
        Example("separable_conv(5, 2, l2=0.01, init=orthogonal)", (3, 3, 3, 2), (2, 2, 2, 5), weights=31),
    )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        needs_grid(self.kind, x)
        return (*self.window(x).sizes(x[:-1]), self.filters)

    def weights(self, *xs: Shape) -> Weights:
        x = xs[0]
        rank = len(x) - 1
        deep = "depthwise.kernel" if rank == 3 else "depthwise_kernel"
        wide = "pointwise.kernel" if rank == 3 else "pointwise_kernel"
        order = (rank + 1, rank, *range(rank))
        kernel = ((1,) * rank) + (x[-1] * self.multiplier, self.filters)
        found = [
            self.depthwise_weight(x, "depthwise_kernel", "depthwise.weight", deep),
            self.kernel_weight("pointwise_kernel", kernel, WeightLayout("pointwise.weight", order), WeightLayout(wide)),
        ]
        if self.bias:
            there = WeightLayout("pointwise.bias" if rank == 3 else "bias")
            found.append(Weight("bias", (self.filters,), WeightLayout("pointwise.bias"), there, "bias"))
        return tuple(found)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        channels = xs[0][-1] * self.multiplier
        return product(y[:-1]) * channels * (product(self.window(xs[0]).kernel) + self.filters)

    def torch(self, at: At) -> Use:
        window = self.window(at.x)
        channels = known_channels(at, "PyTorch") * self.multiplier
        ones = (1,) * window.rank
        point = _torch_conv(Window(ones, ones, ones, "valid"), channels, self.filters, {}, 1, self.bias, "pointwise")
        deep = self.depthwise_torch(at, False, "depthwise")
        return Use((*deep, point, *torch_activation(self.activation, at)))

    def keras(self, at: At) -> Use:
        window = self.window(at.x)
        fused, after = keras_activation(self.activation, at)
        given = {**fused, **unless(True, use_bias=self.bias)}
        known_channels(at, "Keras")
        first, second = self.weights(at.x)[:2]
        if window.rank == 3:
            deep = self.depthwise_keras(at, {"use_bias": False, **self.keras_words(first)}, "depthwise")
            wide = call("layers.Conv3D", self.filters, 1, **given, **self.keras_words(second))
            return Use((*deep, module(wide, "pointwise"), *after))
        before, inside = _keras_padding(window, at, ("same",))
        make = call(
            f"layers.SeparableConv{window.rank}D",
            self.filters,
            square(window.kernel),
            **window.steps("strides"),
            **inside,
            **window.gaps("dilation_rate"),
            **unless(1, depth_multiplier=self.multiplier),
            **given,
            **self.keras_words(first, "depthwise"),
            **self.keras_words(second, "pointwise"),
        )
        return Use((*before, module(make), *after))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        deep = self.depthwise_reference(xs[0], w["depthwise_kernel"])
        wide: Array = deep @ w["pointwise_kernel"].reshape(deep.shape[-1], -1)
        return self.finish(wide, w)
