"""Pools with a window: maximum, average and Lp.

What is padded is never seen by a pool, so where a window starts and how many there are says all. Each framework is
told so in its own words where it has some, and by an explicit pad where not.
"""

from __future__ import annotations

from ..base.dims import product
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Infix, X, call, fill, method, unless
from .arguments import (
    Reader,
    Unsupported,
    Violation,
    arg,
    axes,
    choice,
    describe,
    flag,
    number,
    optional,
    spread,
    square,
)
from .base import Apply, At, Example, Helper, Layer, Use, function, layer
from .padding import (
    SAME_PAD,
    fixed_pads,
    is_nothing,
    keras_pad,
    keras_same_average,
    keras_widths,
    overhang,
    padding_reader,
    same_average,
    torch_pad,
)
from .shapes import channels_map
from .window import Placement, Window, before_all, needs_grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array
    from .padding import Pads
    from .shapes import AxisMap

_INFINITE = float("-inf")


class _Pool(Layer):
    """What the pools share; each declares the arguments."""

    kernel: Any
    stride: Any
    padding: Any
    rounding: str

    torch_layout = "first"

    def window(self, x: Shape) -> Window:
        rank = len(x) - 1
        kernel = spread(self.kernel, rank, "kernel")
        stride = kernel if self.stride is None else spread(self.stride, rank, "stride")
        return Window(kernel, stride, (1,) * rank, self.padding)

    @property
    def ceil(self) -> bool:
        return self.rounding == "ceil"

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        needs_grid(self.kind, x)
        window = self.window(x)
        for k, pair in zip(window.kernel, fixed_pads(self.padding, window.kernel, window.dilation) or ()):
            most = max(pair)
            if most >= k:
                raise Violation(
                    "wrong-value",
                    f"`padding` of {most} makes windows of {k} that lie wholly outside the input: {most} >= {k}",
                    "padding",
                    help=f"pad with at most {k - 1}, or use `pad` before the pool",
                )
        return (*window.sizes(x[:-1], self.ceil), x[-1])

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * product(self.window(xs[0]).kernel)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.window(x).reach

    def placement(self, x: Shape, y: Shape) -> Placement:
        window, spatial = self.window(x), x[:-1]
        amounts = window.pads(spatial)
        if amounts is not None and self.ceil and self.padding != "same":
            each = zip(spatial, window.kernel, window.stride, amounts, y)
            amounts = tuple(overhang(n, k, s, pair, out) for n, k, s, pair, out in each)
        return Placement(window, spatial, y[:-1], before_all(window, spatial, amounts), amounts)

    def axis_map(self, *xs: Shape) -> AxisMap:
        return channels_map(xs[0], self.shape(*xs), "c", "c", {})


def _sized(window: Window, name: str) -> tuple[tuple[Code, ...], dict[str, Code]]:
    """The window's size and, under that name, its stride where it is not the size."""
    size = square(window.kernel)
    return (size,), unless(size, **{name: square(window.stride)})


def _torch_pool(kind: str, window: Window, words: Mapping[str, Any]) -> Apply:
    """`kind` is the name of the module, such as `MaxPool`."""
    size, stride = _sized(window, "stride")
    name = {"MaxPool": "max_pool", "AvgPool": "avg_pool"}[kind]
    plain = call(f"F.{name}{window.rank}d", X(), *size, **stride, **words)
    return function(plain, call(f"nn.{kind}{window.rank}d", *size, **stride, **words))


_ANY_LENGTH = Helper("max_pool1d", file="torch/max_pool1d")


def _torch_maximum(place: Placement, at: At, words: Mapping[str, Any]) -> Apply:
    """The largest numbers of windows, also of sequences of no known length."""
    window = place.window
    if window.rank > 1 or (isinstance(at.spatial[0], int) and at.general < 2):
        return _torch_pool("MaxPool", window, words)
    size, stride = _sized(window, "stride")
    return function(call(_ANY_LENGTH.name, X(), *size, **stride, **words), helpers=(_ANY_LENGTH,))


def _keras_pool(kind: str, window: Window, words: Mapping[str, Any], *helpers: Helper) -> Apply:
    size, stride = _sized(window, "strides")
    return Apply(call(f"{kind}Pooling{window.rank}D", *size, **stride, **words), helpers=helpers)


_ROUNDING = choice("floor", "ceil")
_ROUNDING_DOC = "`ceil` adds a last window that hangs over the end, if it starts inside the input"


@layer("maxpool", style="pool")
class MaxPool(_Pool):
    """The largest number in each window, channel by channel. What is padded is never the largest.

    Ranzato et al. (2007); overlapping windows: Krizhevsky et al. (2012), section 3.4.
    """

    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(optional(axes), None, doc="step from one window to the next; by default the window")
    padding: Any = arg(padding_reader, "valid", doc="what is added around the input")
    rounding: str = arg(_ROUNDING, "floor", doc=_ROUNDING_DOC)

    examples = (
        Example("maxpool(2)", (6, 5, 3), (3, 2, 3)),
        Example("maxpool(3x3, stride=2, padding=1)", (6, 5, 3), (3, 3, 3)),
        Example("maxpool(3x3, stride=2, padding=same)", (6, 7, 3), (3, 4, 3)),
        Example("maxpool(2x3, stride=1, padding=same)", (6, 5, 3), (6, 5, 3)),
        Example("maxpool(3, stride=2, rounding=ceil)", (6, 7, 3), (3, 3, 3)),
        Example("maxpool(2, stride=3, padding=((0, 1), (1, 0)), rounding=ceil)", (7, 6, 2), (3, 3, 2)),
        Example("maxpool(1, stride=3, rounding=ceil)", (5, 2), (2, 2)),
        Example("maxpool(3, stride=1, padding=causal)", (7, 2), (7, 2)),
        Example("maxpool(2x2x1, padding=((0, 1), (0, 0), (0, 0)))", (3, 4, 2, 2), (2, 2, 2, 2)),
    )

    def torch(self, at: At) -> Use:
        place = self.placement(at.x, at.y).fit_for(at)
        words = place.torch_words()
        before = place.torch_pad(_INFINITE) if words is None else ()
        return Use((*before, _torch_maximum(place, at, words or {})))

    def keras(self, at: At) -> Use:
        place = self.placement(at.x, at.y)
        words = place.keras_words()
        before = keras_pad(place.pads or (), _INFINITE) if words is None else ()
        return Use((*before, _keras_pool("layers.Max", place.window, words or {})))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import pooled

        x = xs[0]
        place = self.placement(x.shape[1:], self.shape(x.shape[1:]))
        window = place.window
        return pooled(x, lambda v, last: v.max(last), window.kernel, window.stride, place.pads or (), _INFINITE)


@layer("avgpool", style="pool")
class AvgPool(_Pool):
    """The average of each window, channel by channel.

    It divides by the number of cells of the input in the window; with `count_padding` the padding counts as zeros,
    but never the part of a last window that hangs over the end.
    LeCun et al. (1998), section II.B.
    """

    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(optional(axes), None, doc="step from one window to the next; by default the window")
    padding: Any = arg(padding_reader, "valid", doc="what is added around the input")
    rounding: str = arg(_ROUNDING, "floor", doc=_ROUNDING_DOC)
    count_padding: bool = arg(flag, False, doc="count the padding as zeros")

    examples = (
        Example("avgpool(2)", (6, 5, 3), (3, 2, 3)),
        Example("avgpool(3x3, stride=2, padding=1)", (6, 5, 3), (3, 3, 3)),
        Example("avgpool(3x3, stride=2, padding=1, count_padding=true)", (6, 5, 3), (3, 3, 3)),
        Example("avgpool(3x3, stride=2, padding=same)", (6, 7, 3), (3, 4, 3)),
        Example("avgpool(2x3, stride=1, padding=same)", (6, 5, 3), (6, 5, 3)),
        Example("avgpool(2, stride=1, padding=same, count_padding=true)", (6, 5, 3), (6, 5, 3)),
        Example("avgpool(3, stride=2, rounding=ceil)", (6, 7, 3), (3, 3, 3)),
        Example("avgpool(3, stride=2, padding=1, rounding=ceil, count_padding=true)", (6, 7, 3), (4, 4, 3)),
        Example("avgpool(2, padding=((0, 1), (1, 0)), rounding=ceil)", (4, 6, 2), (2, 4, 2)),
        Example("avgpool(2, padding=((0, 1), (1, 0)), rounding=ceil, count_padding=true)", (4, 6, 2), (2, 4, 2)),
        Example("avgpool(3, stride=1, padding=causal)", (7, 2), (7, 2)),
        Example("avgpool(2x2x1, padding=((0, 1), (0, 0), (0, 0)))", (3, 4, 2, 2), (2, 2, 2, 2)),
        Example("avgpool(4, padding=1)", (2, 3, 2, 2), (1, 1, 1, 2)),
    )

    def torch(self, at: At) -> Use:
        place = self.placement(at.x, at.y).fit_for(at)
        words = _average_words(place)
        amounts = place.window.pads(at.spatial)
        if self.count_padding and (amounts is None or not is_nothing(amounts)):
            if words is not None and amounts is not None and all(a == b for a, b in amounts):
                return Use((_torch_pool("AvgPool", place.window, words),))
            if amounts is None:
                return Use((*place.torch_pad(), _torch_pool("AvgPool", place.window, {})))
            return Use((*torch_pad(amounts), _torch_average(_on_padded(place, amounts))))
        return Use((_torch_average(place),))

    def keras(self, at: At) -> Use:
        place = self.placement(at.x, at.y)
        amounts = place.window.pads(at.spatial)
        if not self.count_padding:
            return Use((_keras_average(place, at),))
        if amounts is None:
            raise _needs_size("avgpool", at)
        return Use((*keras_pad(amounts), _keras_average(_on_padded(place, amounts), at)))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import padded, pooled

        x = xs[0]
        place = self.placement(x.shape[1:], self.shape(x.shape[1:]))
        if self.count_padding:
            amounts = place.window.pads(x.shape[1:-1]) or ()
            x, place = padded(x, amounts), _on_padded(place, amounts)
        window = place.window

        def total(of: Array) -> Array:
            return pooled(of, lambda v, last: v.sum(last), window.kernel, window.stride, place.pads or ())

        return total(x) / total(0 * x + 1)


def _on_padded(place: Placement, amounts: Pads) -> Placement:
    """The same windows on an input to which the amounts were added: only what hangs over is left to pad."""
    spatial = tuple(n + sum(pair) for n, pair in zip(place.spatial, amounts))
    rest = tuple((0, max(tail - after, 0)) for (_, tail), (_, after) in zip(place.pads or (), amounts))
    window = place.window.replace(padding="valid")
    return Placement(window, spatial, place.outs, (0,) * len(amounts), rest)


def _average_words(place: Placement) -> dict[str, Any] | None:
    """PyTorch's words for an average.

    In 3-D it refuses an input that is smaller than the window before it is padded, so it is told to pad only where
    the input is known to be no smaller.
    """
    words = place.torch_words()
    fits = all(isinstance(n, int) and n >= k for n, k in zip(place.spatial, place.window.kernel))
    return None if words and place.window.rank == 3 and not fits else words


def _torch_average(place: Placement) -> Apply:
    """An average of real cells: in PyTorch's words, or as the average of the padded input over that of padded ones."""
    words = _average_words(place)
    if words is not None:
        counted = {"count_include_pad": False} if "padding" in words else {}
        return _torch_pool("AvgPool", place.window, {**words, **counted})
    if place.pads is None:
        helper, window = same_average(place.window.rank), place.window
        average = call(helper.name, X(), square(window.kernel), stride=square(window.stride))
        return function(average, helpers=(SAME_PAD, helper))
    (pad,) = place.torch_pad()
    pool = _torch_pool("AvgPool", place.window, {}).call
    ones = fill(pad.call, (call("torch.ones_like", X()),))
    return function(Infix(fill(pool, (pad.call,)), "/", fill(pool, (ones,))), helpers=pad.helpers)


def _keras_average(place: Placement, at: At) -> Apply:
    """An average of real cells: as a layer, or as the average of the padded input over that of padded ones."""
    words, window = place.keras_words(), place.window
    if words is not None:
        if words and (at.general == 2 or _may_be_lopsided(window)):
            return _keras_pool("SameAverage", window, words, keras_same_average(window.rank))
        return _keras_pool("layers.Average", window, words)
    widths = keras_widths(place.pads or ())

    def average(of: Code) -> Code:
        return _average_op(call("ops.pad", of, widths), window)

    return function(Infix(average(X()), "/", average(call("ops.ones_like", X()))))


def _may_be_lopsided(window: Window) -> bool:
    """Is there a size to which `padding="same"` adds more behind than before?"""
    return any(k > 1 and (s > 1 or k % 2 == 0) for k, s in zip(window.kernel, window.stride))


def _average_op(of: Code, window: Window) -> Code:
    """Keras's function, which is always told the stride: with JAX below it, it has no default."""
    return call("ops.average_pool", of, square(window.kernel), strides=square(window.stride))


def _needs_size(kind: str, at: At) -> Unsupported:
    return Unsupported(
        f"the zeros that `padding=same` adds for {kind} depend on a size that is not known: {describe(at.spatial)}",
        "padding",
        help="give the sizes values with `--set`, or pad by a number",
    )


def _power(value: Any) -> float:
    read: float = number.read(value)
    if read < 1:
        raise ValueError(f"must be a number of at least 1, not {describe(value)}", "below 1 it is no norm")
    return read


@layer("lppool", style="pool")
class LPPool(_Pool):
    """(sum |x|^p)^(1/p) over each window, channel by channel: p=1 is the sum, a large p nears the maximum.

    PyTorch's own takes no absolute value, so its odd powers differ; here they do not.
    Sermanet et al., "Convolutional neural networks applied to house numbers digit classification" (2012).
    """

    p: float = arg(Reader(_power, "a number of at least 1"), doc="the power")
    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(optional(axes), None, doc="step from one window to the next; by default the window")
    padding: Any = arg(padding_reader, "valid", doc="what is added around the input")
    rounding: str = arg(_ROUNDING, "floor", doc=_ROUNDING_DOC)

    examples = (
        Example("lppool(2, 2)", (6, 5, 3), (3, 2, 3)),
        Example("lppool(3, 3x2, stride=2)", (6, 5, 3), (2, 2, 3)),
        Example("lppool(1, 2, padding=((0, 1), (1, 0)))", (5, 6, 3), (3, 3, 3)),
        Example("lppool(1.5, 3, stride=2, rounding=ceil)", (6, 2), (3, 2)),
        Example("lppool(2, 3, stride=2, padding=same)", (6, 5, 4, 2), (3, 3, 2, 2)),
    )

    def torch(self, at: At) -> Use:
        place = self.placement(at.x, at.y)
        rank = place.window.rank
        size, stride = _sized(place.window, "stride")
        if self.p % 2 == 0:
            make = call(f"nn.LPPool{rank}d", self.p, *size, **stride)
            step = function(call(f"F.lp_pool{rank}d", X(), self.p, *size, **stride), make)
        else:
            step = function(call(f"F.lp_pool{rank}d", method(X(), "abs"), self.p, *size, **stride))
        return Use((*place.torch_pad(), step))

    def keras(self, at: At) -> Use:
        place = self.placement(at.x, at.y)
        if place.pads is None:
            raise _needs_size("lppool", at)
        inner = call("ops.abs", X())
        many = product(place.window.kernel)
        if self.p == 1:
            # Keras takes what a number is multiplied with for sparse, which a layer of one's own behind it cannot take
            step = function(_average_op(Infix(many, "*", inner), place.window))
        else:
            mean = _average_op(Infix(inner, "**", self.p), place.window)
            step = function(Infix(Infix(many, "*", mean), "**", Infix(1, "/", self.p)))
        return Use((*keras_pad(place.pads), step))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import pooled

        x = xs[0]
        place = self.placement(x.shape[1:], self.shape(x.shape[1:]))
        window = place.window
        total = pooled(abs(x) ** self.p, lambda v, last: v.sum(last), window.kernel, window.stride, place.pads or ())
        root: Array = total ** (1 / self.p)
        return root
