"""Layers that change the grid without weights: finer, wider or narrower."""

from __future__ import annotations

from ..base.dims import show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Index, X, call, method, unless
from .arguments import Violation, arg, axes, choice, number, spread, square
from .base import Apply, At, Example, Helper, Layer, Use, function, layer
from .padding import amount_reader, compact, explicit_pads, flat, is_nothing, keras_widths
from .shapes import channels_map
from .transposed import cut, keras_crop, torch_crop
from .window import needs_grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from .base import Array
    from .padding import Pads
    from .shapes import AxisMap

_NOTHING_TORCH = Use((function(X(), call("nn.Identity")),))
_NOTHING_KERAS = Use((Apply(call("layers.Identity")),))


@layer("upsample", style="pool")
class Upsample(Layer):
    """A grid `factor` times as fine: cells repeated, or interpolated between their centres (half-pixel centres).

    Bilinear interpolation holds the edges; both frameworks do so by default.
    """

    factor: Any = arg(axes, doc="how many times as fine")
    mode: str = arg(choice("nearest", "bilinear"), "nearest", doc="repeat cells, or interpolate between them")

    torch_layout = "first"
    examples = (
        Example("upsample(2)", (3, 4, 2), (6, 8, 2)),
        Example("upsample(2x3, mode=bilinear)", (3, 4, 2), (6, 12, 2)),
        Example("upsample(3)", (4, 2), (12, 2)),
        Example("upsample(2x1x3)", (2, 3, 2, 2), (4, 3, 6, 2)),
    )

    def _factors(self, x: Shape) -> tuple[int, ...]:
        return spread(self.factor, len(x) - 1, "factor")

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        rank = needs_grid(self.kind, x)
        if self.mode == "bilinear" and rank != 2:
            raise Violation(
                "wrong-rank",
                f"`mode=bilinear` is for two spatial axes, but the input is {show(x)}",
                "mode",
                help="use `mode=nearest`",
            )
        return (*(n * f for n, f in zip(x, self._factors(x))), x[-1])

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Bilinear, a cell lies between two of the input, or on the middle of one where the factor is odd."""
        factors = self._factors(x)
        windows = tuple(f + 1 - f % 2 for f in factors) if self.mode == "bilinear" else (1,) * len(factors)
        return windows, (1,) * len(factors)

    def finer(self, x: Shape) -> tuple[int, ...]:
        return self._factors(x)

    def axis_map(self, *xs: Shape) -> AxisMap:
        return channels_map(xs[0], self.shape(*xs), "c", "c", {})

    def torch(self, at: At) -> Use:
        factor = square(self._factors(at.x))
        how = unless("nearest", mode=str(self.mode))
        make = call("nn.Upsample", scale_factor=factor, **how)
        return Use((function(call("F.interpolate", X(), scale_factor=factor, **how), make),))

    def keras(self, at: At) -> Use:
        how = unless("nearest", interpolation=str(self.mode))
        return Use((Apply(call(f"layers.UpSampling{len(at.spatial)}D", square(self._factors(at.x)), **how)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import interpolated

        y = xs[0]
        for axis, f in enumerate(self._factors(y.shape[1:]), 1):
            y = interpolated(y, axis, f) if self.mode == "bilinear" else y.repeat(f, axis)
        return y


_EDGE_PAD = Helper("edge_pad", file="keras/edge_pad")

# the language's mode, PyTorch's word, PyTorch's module, NumPy's word
_MODES = {
    "zeros": ("constant", "ConstantPad", "constant"),
    "reflect": ("reflect", "ReflectionPad", "reflect"),
    "edge": ("replicate", "ReplicationPad", "edge"),
}


@layer("pad")
class Pad(Layer):
    """Cells added at the ends of the spatial axes: a number, the input mirrored at its outermost cell, or that cell."""

    amount: Any = arg(amount_reader, doc="how many cells, as for `padding`: 1, (1, 2) or ((0, 1), (0, 1))")
    mode: str = arg(choice("zeros", "reflect", "edge"), "zeros", doc="what the new cells hold")
    value: float = arg(number, 0, doc="the number that they hold instead of zero")

    computes = False
    examples = (
        Example("pad(1)", (3, 4, 2), (5, 6, 2)),
        Example("pad((1, 2), value=0.5)", (3, 4, 2), (5, 8, 2)),
        Example("pad(((2, 1), (0, 3)), mode=reflect)", (3, 4, 2), (6, 7, 2)),
        Example("pad(((2, 1), (0, 5)), mode=edge)", (3, 4, 2), (6, 9, 2)),
        Example("pad(((3, 0),))", (4, 2), (7, 2)),
        Example("pad(1, mode=reflect)", (4, 2), (6, 2)),
        Example("pad((1, 0, 2), mode=edge)", (2, 3, 2, 2), (4, 3, 6, 2)),
        Example("pad(0)", (4, 3, 2), (4, 3, 2)),
    )

    def _amounts(self, x: Shape) -> Pads:
        return explicit_pads(self.amount, len(x) - 1, "amount")

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        needs_grid(self.kind, x)
        if self.mode != "zeros" and self.value != 0:
            raise Violation(
                "wrong-value",
                f"`value` goes with `mode=zeros`: `mode={self.mode}` takes its numbers from the input",
                "value",
                help="leave one of them out",
            )
        for n, pair in zip(x, self._amounts(x)):
            if self.mode == "reflect" and isinstance(n, int) and max(pair) >= n:
                raise Violation(
                    "wrong-value",
                    f"`mode=reflect` cannot mirror {max(pair)} cells of {n}: the outermost one is not repeated",
                    "amount",
                    help=f"pad with at most {n - 1}, or use `mode=edge`",
                )
        return (*(n + sum(pair) for n, pair in zip(x, self._amounts(x))), x[-1])

    def axis_map(self, *xs: Shape) -> AxisMap:
        return channels_map(xs[0], self.shape(*xs), "c", "c", {})

    def torch(self, at: At) -> Use:
        amounts = self._amounts(at.x)
        if is_nothing(amounts):
            return _NOTHING_TORCH
        word, kind, _ = _MODES[self.mode]
        how = {**unless("constant", mode=word), **({"value": self.value} if self.value else {})}
        if at.first:
            plain = word == "constant" and not self.value
            filling = (self.value,) if self.value else ()
            make = call(f"nn.{'ZeroPad' if plain else kind}{len(amounts)}d", flat(amounts), *filling)
            return Use((function(call("F.pad", X(), flat(amounts), **how), make),))
        if word == "constant":
            return Use((function(call("F.pad", X(), (0, 0, *flat(amounts)), **how)),))
        moved = call("F.pad", method(X(), "movedim", -1, 1), flat(amounts), **how)
        return Use((function(method(moved, "movedim", 1, -1)),))

    def keras(self, at: At) -> Use:
        amounts = self._amounts(at.x)
        if is_nothing(amounts):
            return _NOTHING_KERAS
        if self.mode == "edge":
            return Use((function(call("edge_pad", X(), amounts), helpers=(_EDGE_PAD,)),))
        if self.mode == "reflect":
            return Use((function(call("ops.pad", X(), keras_widths(amounts), mode="reflect")),))
        if self.value:
            return Use((function(call("ops.pad", X(), keras_widths(amounts), constant_values=self.value)),))
        return Use((Apply(call(f"layers.ZeroPadding{len(amounts)}D", compact(amounts))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        from .arrays import padded

        return padded(xs[0], self._amounts(xs[0].shape[1:]), self.value, _MODES[self.mode][2])


@layer("crop")
class Crop(Layer):
    """Cells cut off the ends of the spatial axes."""

    amount: Any = arg(amount_reader, doc="how many cells, as for `padding`: 1, (1, 2) or ((0, 1), (0, 1))")

    computes = False
    examples = (
        Example("crop(1)", (5, 4, 2), (3, 2, 2)),
        Example("crop(((0, 1), (2, 0)))", (5, 4, 2), (4, 2, 2)),
        Example("crop(((1, 2),))", (7, 2), (4, 2)),
        Example("crop((1, 0, 1))", (4, 2, 3, 2), (2, 2, 1, 2)),
        Example("crop(0)", (5, 4, 2), (5, 4, 2)),
    )

    def _amounts(self, x: Shape) -> Pads:
        return explicit_pads(self.amount, len(x) - 1, "amount")

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        needs_grid(self.kind, x)
        for n, (before, after) in zip(x, self._amounts(x)):
            if isinstance(n, int) and before + after >= n:
                raise Violation(
                    "window-too-large",
                    f"nothing is left of {n}: {n} - {before} - {after} = {n - before - after}",
                    "amount",
                    help=f"cut off at most {n - 1} cells in all",
                )
        return (*(n - sum(pair) for n, pair in zip(x, self._amounts(x))), x[-1])

    def torch(self, at: At) -> Use:
        amounts = self._amounts(at.x)
        if is_nothing(amounts):
            return _NOTHING_TORCH
        if at.first:
            return Use(torch_crop(amounts))
        return Use((function(Index(X(), (slice(None), *map(cut, amounts)))),))

    def keras(self, at: At) -> Use:
        return Use(keras_crop(self._amounts(at.x))) if any(map(any, self._amounts(at.x))) else _NOTHING_KERAS

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        items = (slice(None), *map(cut, self._amounts(xs[0].shape[1:])))
        return xs[0][items]
