"""The arithmetic of sliding windows in NumPy: what the references are written with.

Arrays have a batch axis, the channels last, and hold float64. Only the `reference` facets import this module.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .base import Array
    from .padding import Pads


def padded(x: Array, amounts: Pads, value: float = 0.0, mode: str = "constant") -> Array:
    """The array with cells added to its spatial axes."""
    widths = ((0, 0), *amounts, (0, 0))
    if mode == "constant":
        return np.pad(x, widths, constant_values=value)
    y: Array = np.pad(x, widths, mode=mode)  # type: ignore[call-overload]  # the mode is one of NumPy's words
    return y


def windows(x: Array, kernel: tuple[int, ...], stride: tuple[int, ...], amounts: Pads, value: float = 0.0) -> Array:
    """Every window on the padded array: (batch, outputs..., channels, kernel...)."""
    axes = tuple(range(1, len(kernel) + 1))
    whole: Any = padded(x, amounts, value)
    view: Array = np.lib.stride_tricks.sliding_window_view(whole, kernel, axes)
    steps = (slice(None), *(slice(None, None, n) for n in stride))
    return view[steps]


def _mixed(cells: Array, tap: Array) -> Array:
    """The channels of each cell times a matrix for each group: (..., channels) and (groups, in, out)."""
    groups, inner, outer = tap.shape
    parts = cells.reshape(-1, groups, inner).swapaxes(0, 1)
    y: Array = (parts @ tap).swapaxes(0, 1)
    return y.reshape(*cells.shape[:-1], groups * outer)


def convolve(
    x: Array, kernel: Array, stride: tuple[int, ...], amounts: Pads, dilation: tuple[int, ...], groups: int = 1
) -> Array:
    """Cross-correlation; the kernel is (spatial..., channels of a group, filters)."""
    *sizes, inner, filters = kernel.shape
    whole = padded(x, amounts)
    batch, *cells = whole.shape[:-1]
    outs = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(cells, sizes, stride, dilation)]
    y = np.zeros((batch, *outs, filters))
    for tap in product(*map(range, sizes)):
        one = kernel[tap].reshape(inner, groups, filters // groups).swapaxes(0, 1)
        seen = (
            slice(None),
            *(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, outs, stride)),
        )
        y += _mixed(whole[seen], one)
    return y


def spread_out(
    x: Array, kernel: Array, stride: tuple[int, ...], cuts: Pads, dilation: tuple[int, ...], groups: int = 1
) -> Array:
    """Transposed convolution: each cell adds a copy of the kernel, scaled by itself, to the result.

    The kernel is (spatial..., channels, filters of a group). `cuts` are cut off both ends of the full result; fewer
    than 0 adds zeros.
    """
    *sizes, channels, inner = kernel.shape
    batch, *cells = x.shape[:-1]
    full = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(cells, stride, dilation, sizes)]
    longer = [n + max(-after, 0) for n, (_, after) in zip(full, cuts)]
    y = np.zeros((batch, *longer, groups * inner))
    for tap in product(*map(range, sizes)):
        one = kernel[tap].reshape(groups, channels // groups, inner)
        hit = (
            slice(None),
            *(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, cells, stride)),
        )
        y[hit] += _mixed(x, one)
    kept = (slice(None), *(slice(before, n - after) for n, (before, after) in zip(full, cuts)))
    return y[kept]


def pooled(
    x: Array,
    reduce: Callable[[Array, tuple[int, ...]], Array],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    amounts: Pads,
    value: float = 0.0,
) -> Array:
    """`reduce(windows, axes)` over each window."""
    rank = len(kernel)
    return reduce(windows(x, kernel, stride, amounts, value), tuple(range(-rank, 0)))


def unevenly_pooled(x: Array, reduce: Callable[..., Array], size: tuple[int, ...]) -> Array:
    """`reduce` over windows that share an axis of n cells evenly: from floor(i*n/size) to ceil((i+1)*n/size)."""
    for axis, out in enumerate(size, 1):
        n = x.shape[axis]
        bounds = [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]
        parts = [reduce(x.take(range(a, b), axis), axis=axis, keepdims=True) for a, b in bounds]
        x = np.concatenate(parts, axis)
    return x


def interpolated(x: Array, axis: int, factor: int) -> Array:
    """Linear interpolation along an axis, cells taken as areas (half-pixel centres), the edges held."""
    n = x.shape[axis]
    places = ((np.arange(n * factor) + 0.5) / factor - 0.5).clip(0, n - 1)
    low = np.floor(places).astype(int)
    share = (places - low).reshape(-1, *(1,) * (x.ndim - 1 - axis))
    y: Array = x.take(low, axis) * (1 - share) + x.take(np.minimum(low + 1, n - 1), axis) * share
    return y


def folded(x: Array, block: int) -> Array:
    """Blocks of cells become channels, the cells of a block in order, each with all its channels together."""
    rank = x.ndim - 2
    split = [part for n in x.shape[1:-1] for part in (n // block, block)]
    y = x.reshape(len(x), *split, x.shape[-1])
    outer, inner = range(1, 2 * rank + 1, 2), range(2, 2 * rank + 1, 2)
    moved = y.transpose(0, *outer, *inner, 2 * rank + 1)
    folds: Array = moved.reshape(len(x), *(n // block for n in x.shape[1:-1]), -1)
    return folds


def unfolded(x: Array, block: int) -> Array:
    """Channels become blocks of cells: the inverse of `folded`."""
    rank = x.ndim - 2
    sizes = x.shape[1:-1]
    y = x.reshape(len(x), *sizes, *(block,) * rank, -1)
    pairs = [axis for i in range(rank) for axis in (1 + i, 1 + rank + i)]
    moved = y.transpose(0, *pairs, 2 * rank + 1)
    cells: Array = moved.reshape(len(x), *(n * block for n in sizes), moved.shape[-1])
    return cells
