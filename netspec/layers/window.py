"""What layers with a sliding window share: the window itself, and what they ask of their input."""

from __future__ import annotations

from math import isqrt

from ..base.dims import DimExpr, ceil_div, show, symbols
from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import unless
from .arguments import Unsupported, Violation, square
from .padding import pads, reached, same_total, torch_pad, torch_same_pad, window_count, window_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from .base import Apply, At
    from .padding import Pads


def needs_grid(kind: str, x: Shape) -> int:
    """The number of spatial axes, 1 to 3. Raises Violation for other ranks."""
    if not 2 <= len(x) <= 4:
        few = len(x) < 2
        raise Violation(
            "wrong-rank",
            f"{kind} needs 1 to 3 spatial axes and channels, but the input is {show(x)}",
            help=f"`reshape` gives it an axis more, for example `{_with_an_axis(x[0])}`" if few and x else "",
        )
    return len(x) - 1


def _with_an_axis(size: Dim) -> str:
    """A reshape of a vector that a window can slide over: an image where it may be one, else a sequence."""
    side = isqrt(size) if isinstance(size, int) else 0
    return f"reshape({side}, {side}, 1)" if side > 1 and side * side == size else f"reshape({size}, 1)"


def known_channels(at: At, framework: str) -> int:
    """The number of channels, which the weights hang on. Raises Unsupported for a symbol."""
    channels = at.channels
    if isinstance(channels, DimExpr):
        raise Unsupported(
            f"{framework} must know the number of channels to make the weights, but it is {channels}",
            help=f"give it a value with `--set {symbols(channels)[0]}=64`",
        )
    return channels


def divides(groups: int, channels: Dim, filters: int) -> None:
    """Raises Violation where the channels or the filters do not fall into equal groups."""
    for argument, number in (("groups", channels), ("filters", filters)):
        if isinstance(number, int) and number % groups:
            what = "channels of the input" if argument == "groups" else "filters"
            raise Violation(
                "group-mismatch",
                f"the {number} {what} do not divide into {groups} groups",
                argument,
                help=f"`groups` must divide both {channels} and {filters}",
            )


def misread_channels(word: str, values: Mapping[str, Any], x: Shape, places: int) -> str:
    """What to write for `conv(3, 64, 7)`: PyTorch has the channels that come in first, then filters, then the window.

    Three numbers are as likely filters, window and stride, unless the first is that of the channels and the window then
    larger than windows are, or the stride longer than steps are; windows that lie side by side, or half over one
    another, may be of any size.
    """
    filters, kernel, stride = (values.get(name) for name in ("filters", "kernel", "stride"))
    step = max(stride, default=0) if isinstance(stride, tuple) and all(isinstance(n, int) for n in stride) else stride
    if places < 3 or filters != x[-1] or type(kernel) is not int or not isinstance(step, int):
        return ""
    large = kernel >= LARGE and kernel >= 4 * step
    long = step >= _STEPS and isinstance(filters, int) and kernel > filters
    if kernel in (step, 2 * step) or not (large or long):
        return ""
    window = "x".join(map(str, stride)) if isinstance(stride, tuple) else stride
    return f"the channels that come in are known: write `{word}({kernel}, {window})`"


# windows are hardly wider, and hardly ever moved on by so many cells
LARGE, _STEPS = 16, 3


class Window(Record):
    """A window on a grid of known rank."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Any

    @property
    def rank(self) -> int:
        return len(self.kernel)

    @property
    def spans(self) -> tuple[int, ...]:
        """How many cells it reaches over."""
        return tuple(map(reached, self.kernel, self.dilation))

    @property
    def reach(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.spans, self.stride

    def sizes(self, spatial: Shape, ceil: bool = False) -> tuple[Dim, ...]:
        """The sizes that come out. Raises Violation."""
        return window_sizes(self.padding, spatial, self.kernel, self.stride, self.dilation, ceil)

    def pads(self, spatial: Shape) -> Pads | None:
        """The amounts on each side; None where they depend on a size that is still a symbol."""
        return pads(self.padding, spatial, self.kernel, self.stride, self.dilation)

    def same(self, spatial: Shape) -> Pads | None:
        """The amounts of `same`, whatever the padding is."""
        return pads("same", spatial, self.kernel, self.stride, self.dilation)

    def steps(self, name: str) -> dict[str, Any]:
        """The stride as an argument of that name, not written where it is 1."""
        return unless(1, **{name: square(self.stride)})

    def gaps(self, name: str) -> dict[str, Any]:
        """The dilation as an argument of that name, not written where it is 1."""
        return unless(1, **{name: square(self.dilation)})


class Placement(Record):
    """Where the windows of a pool lie.

    `before` is the padding on the left and `outs` the number of windows; `pads` are amounts with which windows that
    are rounded down come out so. `before` and `pads` are None where they depend on a size that is still a symbol.
    """

    window: Window
    spatial: Shape
    outs: tuple[Dim, ...]
    before: tuple[int, ...] | None
    pads: Pads | None

    def fit_for(self, at: At) -> Placement:
        """The same, for code that fits other sizes too: then the amounts of `same` are not known."""
        unknown = at.general == 2 and self.window.padding == "same" and max(self.window.spans) > 1
        return self.replace(before=None, pads=None) if unknown else self

    def counts(self, before: tuple[int, ...], ceil: bool) -> tuple[Dim, ...]:
        """How many windows there are with these amounts on both sides."""
        w = self.window
        return tuple(
            window_count(n, k, s, (b, b), ceil) for n, k, s, b in zip(self.spatial, w.kernel, w.stride, before)
        )

    def torch_words(self) -> dict[str, Any] | None:
        """PyTorch's `padding=` and `ceil_mode=` that place the windows so, or None where none do."""
        if self.before is None or any(2 * b > k for b, k in zip(self.before, self.window.kernel)):
            return None
        padding = {"padding": square(self.before)} if any(self.before) else {}
        if self.counts(self.before, False) == self.outs:
            return padding
        return {**padding, "ceil_mode": True} if self.counts(self.before, True) == self.outs else None

    def keras_words(self) -> dict[str, Any] | None:
        """Keras's `padding=` that places the windows so, or None where none does."""
        if self.window.padding == "same":
            return {"padding": "same"}
        if self.before is not None and not any(self.before) and self.counts(self.before, False) == self.outs:
            return {}
        same = self.window.same(self.spatial)
        if same is None or tuple(b for b, _ in same) != self.before:
            return None
        fits = self.outs == tuple(map(ceil_div, self.spatial, self.window.stride))
        return {"padding": "same"} if fits else None

    def torch_pad(self, value: float = 0.0) -> tuple[Apply, ...]:
        """The pad for PyTorch that leaves plain windows to be pooled."""
        w = self.window
        if self.pads is None:
            return torch_same_pad(w.kernel, w.stride, w.dilation, value)
        return torch_pad(self.pads, value)


def before_all(window: Window, spatial: Shape, amounts: Pads | None) -> tuple[int, ...] | None:
    """The padding on the left, which can be known where that on the right is not."""
    if amounts is not None:
        return tuple(before for before, _ in amounts)
    totals = [same_total(n, k, s) for n, k, s in zip(spatial, window.kernel, window.stride)]
    known = all(least // 2 == most // 2 for least, most in totals)
    return tuple(least // 2 for least, _ in totals) if known else None
