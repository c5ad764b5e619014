"""One value as several, side by side: `q, k, v = split(x @ W, 3)`."""

from __future__ import annotations

from itertools import accumulate
from operator import add

from ..base.dims import DimExpr, floor_div, symbols
from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Made, X, call, fill, method
from .arguments import Reader, Violation, arg, describe, integer
from .base import At, Example, Use, function, layer
from .shapes import AxisMap, count_symbols, each_place, place
from .shaping import Arrangement
from .slicing import FULL, Cut, Slice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from typing_extensions import Self

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Apply, Array


class Sized(Record):
    """A part of a size that is not known, or beside one: the size, and the part as a range."""

    size: Dim
    cut: Cut

    def __str__(self) -> str:
        return str(self.size)


_PARTS = "how many equal parts, or a list of their sizes, one of which may be -1 for what is left"
_MOST = 1000


def _parts(value: Any) -> int | tuple[Dim, ...]:
    """A count of 1 or more, or sizes."""
    sizes = value if isinstance(value, tuple) else (value,)
    for size in sizes:
        whole = isinstance(size, int) and not isinstance(size, bool)
        listed = isinstance(value, tuple) and (size == -1 or isinstance(size, DimExpr))
        if not (whole and size >= 1) and not listed:
            raise ValueError(f"must be {_PARTS}, not {describe(value)}", _help(value))
    if sizes.count(-1) > 1:
        raise ValueError(f"must be {_PARTS}, not {describe(value)}", "leave one -1 and write the others out")
    count = len(value) if isinstance(value, tuple) else value
    if not 1 <= count <= _MOST:
        raise ValueError(f"must make 1 to {_MOST:,} parts, not {count:,}", "")
    return value if isinstance(value, tuple) else int(value)


def _help(value: Any) -> str:
    return f"parts are counted by a number: {value} of them is not one" if isinstance(value, DimExpr) else ""


@layer("split")
class Split(Arrangement):
    """The parts of x that stand side by side along an axis: as many equal ones as are asked for, or those of the sizes
    in a list.

    The parts have names of their own, `a, b = split(x, 2)`, or stand in a list, `heads = split(x, 8)`.
    """

    parts: int | tuple[Any, ...] = arg(Reader(_parts, _PARTS), doc="what to split it into")
    axis: int = arg(integer, -1, doc="the axis along which they stand; -1 is the channels")

    free = True
    lists = True
    # behind what is split, values whose sizes say those of parts
    sized_by = tuple(range(1, 9))
    examples: ClassVar[tuple[Example, ...]] = (
        Example("split(3)", (5, 6), ((5, 2),) * 3),
        Example("split([4, 1, 3])", (5, 2, 8), ((5, 2, 4), (5, 2, 1), (5, 2, 3))),
        Example("split([2, 3], axis=0)", (5, 4, 3), ((2, 4, 3), (3, 4, 3))),
        Example("split(2, axis=1)", (5, 4, 3), ((5, 2, 3),) * 2),
        Example("split([1, -1], axis=0)", (5, 4), ((1, 4), (4, 4))),
        Example("split([-1, 2])", (6,), ((4,), (2,))),
        Example("split(1)", (4, 3), ((4, 3),)),
    )

    @property
    def by_step(self) -> bool:
        return self.axis == -1 or self.axis > 0

    @property
    def count(self) -> int:
        """How many parts there are."""
        return self.parts if isinstance(self.parts, int) else len(self.parts)

    def _sizes(self, x: Shape) -> tuple[Dim, ...]:
        """The sizes of the parts along the axis. Raises Violation."""
        at = place(self.axis, x)
        n = x[at]
        if isinstance(self.parts, int):
            each = floor_div(n, self.parts)
            if each * self.parts != n:
                raise self._uneven(n)
            return (each,) * self.parts
        if any(isinstance(part, Sized) for part in self.parts):
            return tuple(part.size for part in self.parts)
        total: Dim = 0
        for size in self.parts:
            total = total + (0 if size == -1 else size)
        rest = n - total
        if (-1 not in self.parts and rest != 0) or (isinstance(rest, int) and rest < self.parts.count(-1)):
            raise self._misfit(n, total, -1 in self.parts)
        return tuple(rest if size == -1 else size for size in self.parts)

    def _uneven(self, n: Dim) -> Violation:
        if isinstance(n, DimExpr):
            help = f"write the axis as `{self.parts}*{symbols(n)[0].lower()}` in the input, or split at sizes"
            message = f"axis {self.axis} has {n} places, which are not known to make {self.parts} equal parts"
            return Violation("unknown-size", message, "parts", help)
        help = f"a list gives each part its own size: `split([{n // 2}, -1])`" if n > 1 else ""
        message = f"axis {self.axis} has {n} places, which do not make {self.parts} equal parts"
        return Violation("shape-mismatch", message, "parts", help)

    def _misfit(self, n: Dim, total: Dim, open_: bool) -> Violation:
        unknown = isinstance(n, DimExpr) or isinstance(total, DimExpr)
        message = f"the sizes of the parts add up to {total}, but axis {self.axis} has {n} places"
        help = "nothing is left for -1" if open_ else "write -1 for one of them: what is left"
        return Violation("unknown-size" if unknown else "shape-mismatch", message, "parts", help)

    def shapes(self, *xs: Shape) -> tuple[Shape, ...]:
        x, at = xs[0], place(self.axis, xs[0])
        return tuple((*x[:at], size, *x[at + 1 :]) for size in self._sizes(x))

    def shape(self, *xs: Shape) -> Shape:
        return self.shapes(*xs)[0]

    def hands_on(self, *xs: Shape) -> bool:
        return self.count == 1

    # --- parts of sizes that are not known ---------------------------------------------------------------------------

    def _slices(self, x: Shape) -> tuple[Slice, ...]:
        """Each part as a slice; none where a framework splits by itself, the parts being equal or of known sizes."""
        sizes = self._sizes(x)
        if isinstance(self.parts, int) or not count_symbols(sizes):
            return ()
        ends = tuple(accumulate(sizes, add))
        cuts = [Cut(start, stop, sure=True) for start, stop in zip((None, *ends), ends)]
        cuts = [part.cut if isinstance(part, Sized) else cut for part, cut in zip(self.parts, cuts)]
        return tuple(Slice(items=(*[FULL] * place(self.axis, x), cut)) for cut in cuts)

    def asks(self, *xs: Shape) -> tuple[DimExpr, ...]:
        return tuple(n for part in self._slices(xs[0]) for n in part.asks(*xs))

    def measured(self, *xs: Shape) -> Self:
        slices = self._slices(xs[0])
        at = place(self.axis, xs[0])
        sized = zip(self._sizes(xs[0]), slices)
        parts = tuple(Sized(size, part.measured(*xs).items[at]) for size, part in sized)
        return self.replace(parts=parts) if slices else self

    # --- the frameworks --------------------------------------------------------------------------------------------

    def _use(self, code: Code) -> Use:
        """All parts at once."""
        outputs = tuple(range(self.count))
        return Use((function(code, gives=outputs),), outputs)

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, at = each_place(xs[0]), place(self.axis, xs[0])
        parts = tuple((f"part{number}", size) for number, size in enumerate(self._sizes(xs[0])))
        outputs = tuple((*places[:at], part, *places[at + 1 :]) for part, _ in parts)
        others = ((None,) * len(x) for x in xs[1:])
        return AxisMap((places, *others), outputs, {}, (), ((at, parts),))

    def torch(self, at: At) -> Use:
        if self.count == 1:
            return Use((function(X()),))
        slices = self.measured(*at.inputs)._slices(at.x)
        if slices:
            return self._use(tuple(part.torch(at).steps[0].call for part in slices))
        if isinstance(self.parts, int):
            return self._use(method(X(), "chunk", self.parts, dim=at.axis(self.axis)))
        return self._use(method(X(), "split", self._sizes(at.x), dim=at.axis(self.axis)))

    def keras(self, at: At) -> Use:
        if self.count == 1:
            return Use((function(X()),))
        slices = self.measured(*at.inputs)._slices(at.x)
        if slices:
            return self._keras_slices(at, slices)
        parts: Any = self.parts
        if isinstance(parts, tuple):
            parts = list(accumulate(self._sizes(at.x)[:-1], add))
        return self._use(call("ops.split", X(), parts, axis=at.axis(self.axis)))

    def _keras_slices(self, at: At, slices: tuple[Slice, ...]) -> Use:
        """A slice for each part, which may be a layer; the parts are values behind the inputs."""
        first = len(at.inputs)
        steps: list[Apply] = []
        for slot, part in enumerate(slices, first):
            for number, step in enumerate(part.keras(at).steps):
                code = step.call if not number else fill(step.call, [X(slot)], Made())
                steps.append(step.replace(call=code, gives=slot, name=f"part{slot - first}" if step.stateful else ""))
        return Use(tuple(steps), tuple(range(first, first + len(slices))))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array | tuple[Array, ...]:
        import numpy as np

        if self.count == 1:
            return xs[0]
        if isinstance(self.parts, tuple) and any(isinstance(part, Sized) for part in self.parts):
            at = self.axis % (xs[0].ndim - 1)
            return tuple(Slice(items=(*[FULL] * at, part.cut)).reference(xs, w) for part in self.parts)
        ends = list(accumulate(self._sizes(xs[0].shape[1:]), add))
        return tuple(np.split(xs[0], ends[:-1], self.axis if self.axis < 0 else self.axis + 1))


@layer("chunk")
class Chunk(Split):
    """The parts of x that stand side by side along an axis: another word for `split`."""

    examples = (
        Example("chunk(2)", (5, 4, 6), ((5, 4, 3),) * 2),
        Example("chunk([2, -1], axis=0)", (5, 4), ((2, 4), (3, 4))),
    )
