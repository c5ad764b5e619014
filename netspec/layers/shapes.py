"""Arithmetic on shapes that layers of several files share."""

from __future__ import annotations

from ..base.bounds import LARGEST_SIZE, MOST_AXES
from ..base.dims import DimExpr, show, symbols
from ..base.record import TYPE_CHECKING
from .arguments import Unsupported, Violation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..base.dims import Dim, Shape


def held(shape: Shape) -> Shape:
    """A shape as it is. Raises Violation where frameworks cannot hold such a value."""
    if len(shape) > MOST_AXES:
        raise Violation("too-large", f"a value of {len(shape):,} axes comes out here; the limit is {MOST_AXES}")
    for size in shape:
        if (size if isinstance(size, int) else size.longest) > LARGEST_SIZE:
            limit = f"the limit of frameworks is {LARGEST_SIZE:,}"
            raise Violation("too-large", f"an axis of {size} comes out here; {limit}")
    return shape


def place(axis: int, x: Shape, argument: str = "axis") -> int:
    """The place of a written axis, counted from 0. Raises Violation where the shape has no such axis."""
    rank = len(x)
    if not -rank <= axis < rank:
        raise Violation(
            "wrong-axis",
            f"there is no axis {axis} in {show(x)}",
            argument,
            help=_AXES.get(rank, f"axes are counted without the batch, from 0 to {rank - 1}, or from -1 backwards"),
        )
    return axis % rank


# what is said where there are few
_AXES = {0: "", 1: "axes are counted without the batch: the only one is 0, or -1"}


def needs_rank(kind: str, x: Shape, least: int, what: str, help: str = "") -> None:
    """Raises Violation where the shape has fewer than `least` axes."""
    if len(x) < least:
        raise Violation("wrong-rank", f"{kind} needs {what}, but its input is {show(x)}", help=help)


def broadcast(kind: str, xs: Sequence[Shape]) -> Shape:
    """The common shape after NumPy's rule: axes are matched from the last one, and a size of 1 stretches.

    Raises Violation that names the first axis, from the last one, on which two shapes disagree.
    """
    result = xs[0]
    for x in xs[1:]:
        result = _pair(kind, result, x)
    return result


def _pair(kind: str, a: Shape, b: Shape) -> Shape:
    rank = max(len(a), len(b))
    wide_a, wide_b = ((1,) * (rank - len(s)) + s for s in (a, b))
    for axis in range(rank - 1, -1, -1):
        m, n = wide_a[axis], wide_b[axis]
        if m != n and m != 1 and n != 1:
            _same_length(kind, a, b, axis)
            raise Violation(
                "shape-mismatch",
                f"{kind} of {show(a)} and {show(b)}: axis {axis - rank} is {m} in one and {n} in the other",
                help=_remedy(a, b),
                label=f"{m} and {n} do not agree",
            )
    return tuple(n if m == 1 else m for m, n in zip(wide_a, wide_b))


def _same_length(kind: str, a: Shape, b: Shape, axis: int) -> None:
    """Raises Violation where two shapes disagree on an axis that is certainly that of time.

    That is the first of two whose size is a symbol: a grid has three, and of known sizes it may be a matrix of weights.
    """
    if axis != 0 or len(a) != 2 or len(b) != 2 or not count_symbols((a[0], b[0])):
        return
    label = f"{a[0]} and {b[0]} are not known to agree"
    help = "if both are as long, say so in their inputs: `[T, 3]` and `[T, 5]`; `attention` takes unequal ones"
    if symbols(a[0]) == symbols(b[0]):
        label = f"{a[0]} and {b[0]} do not agree"
        help = "what stands before one of them changes its length; `padding=same` without a stride keeps it"
    message = f"{kind} joins sequences step by step, but one has {a[0]} steps and the other {b[0]}"
    raise Violation("unequal-lengths", message, help=help, label=label)


def _remedy(a: Shape, b: Shape) -> str:
    if len(a) == len(b) and len(a) > 1 and a[:-1] == b[:-1]:
        return f"bring one of them to the other's channels, for example with `conv({b[-1]}, 1)`"
    if count_symbols((*a, *b)):
        return "sizes written with different symbols are not known to agree"
    return "sizes must be equal, or one of them 1"


def same_shapes(kind: str, xs: Sequence[Shape], free: int | None = None) -> None:
    """Raises Violation where the shapes disagree on any axis but `free`."""
    first = xs[0]
    for x in xs[1:]:
        if len(x) != len(first):
            raise Violation(
                "shape-mismatch",
                f"{kind} of {show(first)} and {show(x)}: they have {len(first)} and {len(x)} axes",
                help="`reshape`, `flatten` or a global pool changes the number of axes",
            )
        for axis, (m, n) in enumerate(zip(first, x)):
            if axis != free and m != n:
                _same_length(kind, first, x, axis)
                raise Violation(
                    "shape-mismatch",
                    f"{kind} of {show(first)} and {show(x)}: axis {axis} is {m} in one and {n} in the other",
                    help="" if free is None else f"all axes but axis {free} must agree",
                    label=f"{m} and {n} do not agree",
                )


def torch_order(rank: int, first: bool) -> tuple[int, ...]:
    """The written axes in the order in which PyTorch holds them after the batch."""
    return (rank - 1, *range(rank - 1)) if first and rank > 1 else tuple(range(rank))


def index_items(items: Sequence[Any]) -> tuple[Any, ...]:
    """The items of an index, batch first, with no needless `:` at its end; `...` where only the last one cuts."""
    kept = list(items)
    while len(kept) > 1 and kept[-1] == slice(None):
        kept.pop()
    if len(kept) == len(items) > 2 and all(item == slice(None) for item in kept[:-1]):
        return (..., kept[-1])
    return tuple(kept)


def is_full(items: Sequence[Any]) -> bool:
    """Does the index keep everything as it is?"""
    return all(item == slice(None) for item in items)


def known(framework: str, *sizes: Dim) -> tuple[int, ...]:
    """Sizes that weights hang on, which must be numbers when code is made. Raises Unsupported for a symbol."""
    found = []
    for size in sizes:
        if isinstance(size, DimExpr):
            raise Unsupported(
                f"{framework} must know the sizes of its weights, but one hangs on {size}",
                help=f"give it a value with `--set {symbols(size)[0]}=64`",
            )
        found.append(size)
    return tuple(found)


def count_symbols(sizes: Sequence[Dim]) -> int:
    """How many of the sizes are not numbers."""
    return sum(isinstance(n, DimExpr) for n in sizes)
