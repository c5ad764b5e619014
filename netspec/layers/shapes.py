"""Arithmetic on shapes that layers of several files share."""

from __future__ import annotations

from ..base.bounds import LARGEST_SIZE, MOST_AXES
from ..base.dims import DimExpr, show, symbols
from ..base.record import TYPE_CHECKING, Record
from .arguments import Unsupported, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from ..base.dims import Dim, Shape

    Label: TypeAlias = "str | int | None"
    Labels: TypeAlias = "tuple[Label, ...]"


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


# --- the same places -------------------------------------------------------------------------------------------------
#
# The numbers along an axis may stand in another order than the language's: what PyTorch code flattens with the channels
# first does. A layer works on them all the same if everything that holds the same places is in that order, too, such as
# the rows of a dense layer's kernel.


class AxisMap(Record):
    """A label for each axis of what goes in, what comes out and of weights, as letters in an einsum.

    Where all axes of one label are put in another order together, the layer does the same; None marks an axis whose
    order it looks at. Of weights that are not named here, all axes are such.

    `groups` says which labels of the input are read, the last one fastest, as which of the output. `rows` says that the
    places of a label are those of several others, one behind the other, each with its size; a part without a label is
    not looked at.
    """

    inputs: tuple[Labels, ...]
    outputs: tuple[Labels, ...]
    weights: Mapping[str, Labels] = {}
    groups: tuple[tuple[Labels, Labels], ...] = ()
    rows: tuple[tuple[Label, tuple[tuple[Label, Dim], ...]], ...] = ()


def each_place(x: Shape) -> Labels:
    """A label for each axis."""
    return tuple(range(len(x)))


def pointwise_map(x: Shape, outputs: int = 1, weights: Mapping[str, Labels] = {}) -> AxisMap:
    """The map of a layer that gives as many values of the shape that goes in, and does not look at places."""
    return AxisMap((each_place(x),), (each_place(x),) * outputs, weights)


def broadcast_map(xs: Sequence[Shape], y: Shape) -> AxisMap:
    """The map of what joins values number by number, as NumPy matches their axes."""
    return AxisMap(tuple(_matched(x, y) for x in xs), (each_place(y),))


def _matched(x: Shape, y: Shape) -> Labels:
    missing = len(y) - len(x)
    return tuple(axis + missing if n == y[axis + missing] else None for axis, n in enumerate(x))


def channels_map(x: Shape, y: Shape, given: Label, made: Label, weights: Mapping[str, Labels]) -> AxisMap:
    """The map of a layer that looks at all places, but takes the channels in any order and gives them so."""
    return AxisMap(((*(None,) * (len(x) - 1), given),), ((*(None,) * (len(y) - 1), made),), weights)


def conv_map(x: Shape, y: Shape, groups: int) -> AxisMap | None:
    """The map of a convolution; None where channels stand in groups."""
    if groups > 1:
        return None
    kernel = (*(None,) * (len(x) - 1), "in", "out")
    return channels_map(x, y, "in", "out", {"kernel": kernel, "bias": ("out",)})


def steps_map(x: Shape, y: Shape, weights: Mapping[str, Labels]) -> AxisMap:
    """The map of a layer that makes features `out` of features `in` at each place of the axes before them."""
    front = each_place(x)[:-1]
    return AxisMap(((*front, "in"),), ((*front, "out"),), weights)


def regroup_map(x: Shape, y: Shape) -> AxisMap:
    """The map of what reads the numbers of one shape, in order, as those of another."""
    groups = regrouped_axes(x, y)
    made = {after[0]: before[0] for before, after in groups if len(before) == len(after) == 1}
    inputs = tuple(f"x{axis}" for axis in range(len(x)))
    outputs = tuple(f"x{made[axis]}" if axis in made else f"y{axis}" for axis in range(len(y)))
    several = (pair for pair in groups if min(map(len, pair)) and max(map(len, pair)) > 1)
    labelled = ((tuple(f"x{axis}" for axis in one), tuple(f"y{axis}" for axis in other)) for one, other in several)
    return AxisMap((inputs,), (outputs,), {}, tuple(labelled))


def regrouped_axes(x: Shape, y: Shape) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Neighbouring axes of two shapes that hold the same numbers, as few as possible at once. An axis of one cell goes
    with those before it, where these are several."""
    found: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    i = j = 0
    while i < len(x) or j < len(y):
        start = i, j
        before: Dim = 1
        after: Dim = 1
        while (i, j) == start or not (before == after or (i == len(x) and j == len(y))):
            if i < len(x) and (j == len(y) or i == start[0] or (j > start[1] and _is_less(before, after))):
                before = before * x[i]
                i += 1
            else:
                after = after * y[j]
                j += 1
        group = tuple(range(start[0], i)), tuple(range(start[1], j))
        if () in group and found and len(found[-1][group[0] == ()]) > 1:
            group = found[-1][0] + group[0], found.pop()[1] + group[1]
        found.append(group)
    return found


def _is_less(before: Dim, after: Dim) -> bool:
    """Are there fewer numbers before? Where symbols leave that open, they are taken first."""
    return not isinstance(before, int) or not isinstance(after, int) or before < after
