"""Transposed convolution: the way back from a convolution's output to the size of its input."""

from __future__ import annotations

from ..base.dims import product
from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Index, X, call, unless
from .activations import activation_reader, keras_activation, reference_activation, torch_activation
from .arguments import Reader, Unsupported, Violation, arg, axes, count, flag, positive, spread, square
from .base import Apply, At, Example, Use, Weight, WeightLayout, function, layer, module
from .padding import compact, cropping_reader, explicit_pads, flat, is_nothing, reached
from .shapes import conv_map
from .weighted import Weighted
from .window import divides, known_channels, misread_channels, needs_grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from .base import Array, Weights
    from .padding import Pads
    from .shapes import AxisMap


def _extra(value: Any) -> Any:
    return tuple(count.read(v) for v in value) if isinstance(value, tuple) and value else count.read(value)


_extra_reader = Reader(_extra, "a whole number of at least 0, or one for each axis")


class _Axis(Record):
    """One axis of a transposed convolution.

    The full result of n cells has (n - 1)*stride + span cells. `before` and `after` are cut off its ends, then
    `extra` cells are added at its end (cells that were cut off where there are such, the bias alone where not).
    """

    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    extra: int

    @property
    def span(self) -> int:
        return reached(self.kernel, self.dilation)

    def out(self, n: Dim) -> Dim:
        return (n - 1) * self.stride + (self.span - self.before - self.after + self.extra)

    @property
    def is_same(self) -> bool:
        """Is it what Keras's `same` does: n*stride cells, half of the surplus cut from each end, the odd cell last?"""
        surplus = max(self.span - self.stride, 0)
        return self.before == surplus // 2 and self.extra - self.after - self.before == self.stride - self.span

    def torch(self) -> tuple[int, int, int, int]:
        """PyTorch's padding and output padding, and what is to be cut from both ends after that.

        PyTorch cuts the same from both ends, and adds less than a stride.
        """
        more = self.before - self.after + self.extra
        if more < 0:
            return self.before, 0, 0, -more
        if more == 0 or more < max(self.stride, self.dilation):
            return self.before, more, 0, 0
        return self.after, self.extra, self.before - self.after, 0

    def keras_surplus(self, extra: int | None) -> int:
        """How many cells Keras's `valid` has behind the last one wanted; fewer than 0 where it has too few.

        Without an output padding it gives n*stride + max(span - stride, 0) cells.
        """
        added = max(self.stride - self.span, 0) if extra is None else extra
        return added + self.after - self.extra


@layer("conv_transpose", style="conv")
class ConvTranspose(Weighted):
    """Each cell adds `filters` learned windows, scaled by itself, to a grid that is `stride` times as fine.

    `padding=valid` keeps all: n*stride + max(kernel - stride, 0) cells. `padding=same` cuts that to n*stride, half
    of the surplus from each end, the odd cell from the last. Numbers cut that many cells from each end of the full
    (n - 1)*stride + kernel, and `output_padding` then adds cells at the last end, as in PyTorch.
    Zeiler et al., "Deconvolutional networks" (2010); Dumoulin & Visin (2016), chapter 4.
    """

    filters: int = arg(positive, doc="number of filters, the channels that come out")
    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(axes, 1, doc="how many times finer the result is")
    padding: Any = arg(cropping_reader, "valid", doc="what is cut from the ends of the full result")
    output_padding: Any = arg(_extra_reader, 0, doc="cells added at the last end; goes with a padding in numbers")
    dilation: Any = arg(axes, 1, doc="distance between the taps of the window")
    groups: int = arg(positive, 1, doc="split the channels into groups that do not see one another")
    bias: bool = arg(flag, True, doc="add a learned number to each filter")
    activation: Any = arg(activation_reader, None, doc="applied to the result")

    torch_layout = "first"
    examples = (
        Example("conv_transpose(3, 2x2, stride=2)", (5, 4, 2), (10, 8, 3), weights=27),
        Example("conv_transpose(3, 3, stride=2, padding=same, activation=relu)", (5, 4, 2), (10, 8, 3), weights=57),
        Example("conv_transpose(3, 4, stride=2, padding=same)", (5, 3, 2), (10, 6, 3), weights=99),
        Example("conv_transpose(3, 5, stride=2, padding=same, bias=false)", (5, 3, 2), (10, 6, 3), weights=150),
        Example("conv_transpose(3, 4, stride=2, padding=1)", (5, 4, 2), (10, 8, 3), weights=99),
        Example("conv_transpose(3, 3, stride=2, padding=1, output_padding=1)", (5, 2), (10, 3), weights=21),
        Example("conv_transpose(3, 3, stride=2, padding=0, output_padding=1)", (5, 4, 2), (12, 10, 3), weights=57),
        Example("conv_transpose(3, 3x2, stride=3x4)", (4, 3, 2), (12, 12, 3), weights=39),
        Example("conv_transpose(3, 2, l1=0.1, l2=0.01, init=he_normal)", (4, 3, 2), (5, 4, 3), weights=27),
        Example("conv_transpose(2, 2, stride=3, padding=same)", (4, 3), (12, 2), weights=14),
        Example("conv_transpose(3, 3, padding=((0, 2), (2, 0)))", (5, 4, 2), (5, 4, 3), weights=57),
        Example("conv_transpose(3, 3x2, dilation=2x1)", (5, 4, 2), (9, 5, 3), weights=39),
        Example("conv_transpose(3, 2, dilation=3, padding=same)", (5, 2), (5, 3), weights=15),
        Example("conv_transpose(3, 3, stride=2x1x2, padding=same)", (3, 2, 2, 2), (6, 2, 4, 3), weights=165),
        Example(
            "conv_transpose(4, 3, stride=2, padding=1, output_padding=1x0, dilation=2, groups=2)",
            (4, 3, 2),
            (10, 7, 4),
            weights=40,
            refused=("keras",),
        ),
    )

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        return misread_channels(cls.word, values, x, places)

    def _axes(self, rank: int) -> tuple[_Axis, ...]:
        kernel = spread(self.kernel, rank, "kernel")
        stride = spread(self.stride, rank, "stride")
        dilation = spread(self.dilation, rank, "dilation")
        extra = spread(self.output_padding, rank, "output_padding")
        if isinstance(self.padding, str):
            return tuple(self._worded(*each) for each in zip(kernel, stride, dilation))
        cuts = explicit_pads(self.padding, rank)
        return tuple(_Axis(k, s, d, *cut, e) for k, s, d, cut, e in zip(kernel, stride, dilation, cuts, extra))

    def _worded(self, kernel: int, stride: int, dilation: int) -> _Axis:
        span = reached(kernel, dilation)
        surplus = max(span - stride, 0) if self.padding == "same" else 0
        return _Axis(kernel, stride, dilation, surplus // 2, surplus - surplus // 2, max(stride - span, 0))

    def _check_extra(self, rank: int) -> None:
        extra = spread(self.output_padding, rank, "output_padding")
        if isinstance(self.padding, str) and any(extra):
            raise Violation(
                "wrong-value",
                f"`output_padding` goes with a padding in numbers: `padding={self.padding}` sets the size itself",
                "output_padding",
                help="leave it out, or write `padding=0`",
            )
        for a in self._axes(rank):
            if not isinstance(self.padding, str) and a.extra >= max(a.stride, a.dilation):
                raise Violation(
                    "wrong-value",
                    f"`output_padding` must be less than the stride or the dilation, "
                    f"but {a.extra} >= max({a.stride}, {a.dilation})",
                    "output_padding",
                    help=f"use at most {max(a.stride, a.dilation) - 1}",
                )

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        rank = needs_grid(self.kind, x)
        divides(self.groups, x[-1], self.filters)
        self._check_extra(rank)
        found = []
        for n, a in zip(x[:-1], self._axes(rank)):
            out = a.out(n)
            if isinstance(out, int) and out <= 0:
                raise Violation(
                    "window-too-large",
                    f"nothing is left of {n}: ({n} - 1)*{a.stride} + {a.span} - {a.before} - {a.after} = {out}",
                    "padding",
                    help=f"`padding` may cut at most {(n - 1) * a.stride + a.span + a.extra - 1} cells in all",
                )
            found.append(out)
        return (*found, self.filters)

    def weights(self, *xs: Shape) -> Weights:
        x = xs[0]
        rank = len(x) - 1
        kernel = (*spread(self.kernel, rank, "kernel"), x[-1], self.filters // self.groups)
        here = WeightLayout("weight", (rank, rank + 1, *range(rank)))
        there = WeightLayout("kernel", (*range(rank), rank + 1, rank))
        found = [self.kernel_weight("kernel", kernel, here, there)]
        if self.bias:
            found.append(Weight("bias", (self.filters,), WeightLayout("bias"), WeightLayout("bias"), "bias"))
        return tuple(found)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        x = xs[0]
        return product(x) * product(spread(self.kernel, len(x) - 1, "kernel")) * (self.filters // self.groups)

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0 if self.activation is None else product(y)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of the input, an output sees the cells whose window covers it: one for each stride within the span."""
        found = self._axes(len(x) - 1)
        return tuple(a.span - a.stride + 1 for a in found), (1,) * len(found)

    def finer(self, x: Shape) -> tuple[int, ...]:
        return spread(self.stride, len(x) - 1, "stride")

    def axis_map(self, *xs: Shape) -> AxisMap | None:
        return conv_map(xs[0], self.shape(*xs), self.groups)

    def torch(self, at: At) -> Use:
        found = self._axes(len(at.spatial))
        paddings, extras, fronts, ends = zip(*(a.torch() for a in found))
        make = call(
            f"nn.ConvTranspose{len(found)}d",
            known_channels(at, "PyTorch"),
            self.filters,
            square(tuple(a.kernel for a in found)),
            **unless(1, stride=square(tuple(a.stride for a in found))),
            **unless(0, padding=square(paddings)),
            **unless(0, output_padding=square(extras)),
            **unless(1, groups=self.groups),
            **unless(True, bias=self.bias),
            **unless(1, dilation=square(tuple(a.dilation for a in found))),
        )
        cut = torch_crop(tuple(zip(fronts, ends)))
        return Use((module(make, fresh=True), *cut, *torch_activation(self.activation, at)))

    def keras(self, at: At) -> Use:
        known_channels(at, "Keras")
        found = self._axes(len(at.spatial))
        self._refuse_in_keras(found)
        inside, cut = self._keras_ends(found)
        fused, after = keras_activation(self.activation, at)
        make = call(
            f"layers.Conv{len(found)}DTranspose",
            self.filters,
            square(tuple(a.kernel for a in found)),
            **unless(1, strides=square(tuple(a.stride for a in found))),
            **inside,
            **unless(1, dilation_rate=square(tuple(a.dilation for a in found))),
            **fused,
            **unless(True, use_bias=self.bias),
            **self.keras_words(self.weights(at.x)[0]),
        )
        return Use((module(make), *keras_crop(cut), *after))

    def _refuse_in_keras(self, found: tuple[_Axis, ...]) -> None:
        if self.groups > 1:
            raise Unsupported(
                "Keras's transposed convolution has no groups",
                "groups",
                help="split the channels and join the parts with `concat`, or build for PyTorch",
            )
        if max(a.stride for a in found) > 1 and max(a.dilation for a in found) > 1:
            raise Unsupported(
                "Keras has no transposed convolution that is both strided and dilated",
                "dilation",
                help="leave out one of them, or build for PyTorch",
            )

    def _keras_ends(self, found: tuple[_Axis, ...]) -> tuple[dict[str, Any], Pads]:
        """Keras's `padding=` and `output_padding=`, and what is to be cut off after that."""
        ends = tuple((a.before, a.keras_surplus(None)) for a in found)
        if all(a.is_same for a in found) and (self.padding == "same" or not is_nothing(ends)):
            return {"padding": "same"}, ()
        if all(end >= 0 for _, end in ends):
            return {}, ends
        extras = tuple(max(a.extra - a.after, 0) for a in found)
        if any(e >= a.stride for e, a in zip(extras, found)):
            raise Unsupported(
                "Keras's output padding must be less than the stride",
                "output_padding",
                help="leave `output_padding` out, or build for PyTorch",
            )
        ends = tuple((a.before, a.keras_surplus(e)) for a, e in zip(found, extras))
        return {"output_padding": square(extras)}, ends

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import spread_out

        x = xs[0]
        found = self._axes(x.ndim - 2)
        y = spread_out(
            x,
            w["kernel"],
            tuple(a.stride for a in found),
            tuple((a.before, a.after - a.extra) for a in found),
            tuple(a.dilation for a in found),
            self.groups,
        )
        return reference_activation(self.activation, y + w["bias"] if self.bias else y)


def torch_crop(amounts: Pads) -> tuple[Apply, ...]:
    """A cut at both ends of the spatial axes for PyTorch (channels-first), or nothing where all amounts are 0.

    The module that cuts is a pad by fewer than 0 cells.
    """
    if is_nothing(amounts):
        return ()
    items = (slice(None), slice(None), *(cut(pair) for pair in amounts))
    make = call(f"nn.ZeroPad{len(amounts)}d", tuple(-n for n in flat(amounts)))
    return (function(Index(X(), items), make),)


def cut(pair: tuple[int, int]) -> slice:
    """The slice that leaves out cells at both ends."""
    before, after = pair
    return slice(before or None, -after if after else None)


def keras_crop(amounts: Pads) -> tuple[Apply, ...]:
    """A cut at both ends of the spatial axes for Keras, or nothing where all amounts are 0."""
    if is_nothing(amounts):
        return ()
    return (Apply(call(f"layers.Cropping{len(amounts)}D", compact(amounts))),)
