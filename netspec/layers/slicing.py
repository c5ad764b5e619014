"""Parts of a value: `x[::2, ::2, :]`, `x[..., 0:64]`, `x[..., [0, 1, 2]]`, `x[0]`."""

from __future__ import annotations

from ..base.dims import DimExpr, ceil_div, never_negative, show, symbols
from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Index, Made, X, call, unless
from .arguments import Reader, Violation, arg, describe
from .base import Apply, At, Example, Use, function, layer, module
from .measured import KERAS_CUT, KERAS_LENGTH, Measured, measured
from .shapes import AxisMap, index_items, is_full, torch_order
from .shaping import Arrangement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from typing_extensions import Self

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array
    from .shapes import Label

    Bound: TypeAlias = "Dim | Measured | None"


class Cut(Record):
    """`start:stop:step` on one axis; None where nothing is written. A bound may hang on symbols. `sure` says that the
    axis is known to reach as far, whatever its size.
    """

    start: Bound = None
    stop: Bound = None
    step: int | None = None
    sure: bool = False

    def __str__(self) -> str:
        start, stop = ("" if n is None else str(n) for n in (self.start, self.stop))
        return f"{start}:{stop}" + ("" if self.step is None else f":{self.step}")

    @property
    def unknown(self) -> tuple[DimExpr, ...]:
        """The bounds that hang on symbols."""
        bounds = (n.size if isinstance(n, Measured) else n for n in (self.start, self.stop))
        return tuple(n for n in bounds if isinstance(n, DimExpr))

    def with_bounds(self, change: Callable[[Bound], Any]) -> slice:
        """The slice of Python, with something done to its bounds."""
        return slice(change(self.start), change(self.stop), self.step)

    def left(self, axis: int, n: Dim) -> Dim:
        """What is left of an axis of a size. Raises Violation."""
        start, stop = (b.size if isinstance(b, Measured) else b for b in (self.start, self.stop))
        if isinstance(n, int) and not self.unknown:
            found: Dim = len(range(*self.with_bounds(lambda bound: bound).indices(n)))
        elif isinstance(stop, int) and stop >= 0 and not self.sure and not never_negative(n - stop):
            raise Violation(
                "unknown-size",
                f"what {self} leaves of axis {axis} depends on its size, {n}",
                "items",
                help=f"give it a value with `--set`, for example `--set {(*symbols(n), 'T')[0]}=64`",
            )
        else:
            found = ceil_div(_from_start(stop, n, n) - _from_start(start, n, 0), self.step or 1)
        if isinstance(found, int) and found < 1:
            raise Violation("window-too-large", f"nothing is left of axis {axis}: {self} of {n} places", "items")
        return found


FULL = Cut()
# start, stop and step
_BOUNDS = 3
_HOW = "write `x[0, 2:8, ...]`"


def _whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or isinstance(value, DimExpr)


def _even(value: Any) -> Any:
    """A number of steps without its point: `8 * 0.25` is 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _item(value: Any) -> Any:
    value = _even(value)
    if value is ... or _whole(value):
        return value
    if not isinstance(value, tuple):
        raise ValueError(f"takes whole numbers, ranges and lists of them, not {describe(value)}", "")
    picked = value[:1] == ("pick",)
    value = tuple(map(_even, value))
    for bound in value[picked:]:
        if not _whole(bound) and (picked or bound is not None):
            raise ValueError(f"takes whole numbers, not {describe(bound)}", _divided(bound))
    if not picked and len(value) != _BOUNDS:
        raise ValueError(f"cannot be {describe(value)}", _HOW)
    return value[1:] if picked else _cut(*value)


def _divided(bound: Any) -> str:
    return "`//` divides and rounds down" if isinstance(bound, float) else ""


def _cut(start: Bound, stop: Bound, step: Any) -> Cut:
    if step is not None and not isinstance(step, int):
        raise ValueError(f"takes steps that are numbers, and {step} is not known here", "")
    if step is not None and step < 1:
        raise ValueError(f"takes steps of at least 1, not {step}", "`reverse(axis)` turns an axis round")
    return Cut(start, stop, step)


def _items(value: Any) -> tuple[Any, ...]:
    """What the compiler hands over: for each axis a number, `...`, (start, stop, step) or ("pick", places...)."""
    if not isinstance(value, tuple):
        raise ValueError(f"cannot be {describe(value)}", _HOW)
    items = tuple(_item(item) for item in value)
    if sum(item is ... for item in items) > 1:
        raise ValueError("may have `...` once", "")
    if () in items:
        raise ValueError("picks no place from an empty list", "")
    if sum(isinstance(item, tuple) for item in items) > 1:
        raise ValueError("may have one list of picked places", "write two slices, one behind the other")
    return items


_NO_BATCH = "an item stands for an axis, and the batch has none"


@layer("slice")
class Slice(Arrangement):
    """A part of x, as Python slices: a number drops its axis, a range keeps it, a list picks places."""

    items: tuple[Any, ...] = arg(Reader(_items, "the items of a Python slice"), doc="what to take of each axis")

    free = True
    # behind what is cut, values whose sizes say where
    sized_by = tuple(range(1, 9))
    examples = (
        Example("x[::2, ::2, :]", (7, 6, 3), (4, 3, 3)),
        Example("x[..., 1:3]", (5, 4, 6), (5, 4, 2)),
        Example("x[..., [2, 0]]", (5, 4, 3), (5, 4, 2)),
        Example("x[1:-1]", (6, 3), (4, 3)),
        Example("x[-1]", (6, 3), (3,)),
        Example("x[:, 1, [2, 0, 2]]", (3, 4, 5), (3, 3)),
        Example("x[:, :, 1]", (3, 4, 5), (3, 4)),
        Example("x[..., 0]", (3, 4, 5, 2), (3, 4, 5)),
        Example("x[1:4]", (6,), (3,)),
        Example("x[[0, 3], 1:]", (6, 4), (2, 3)),
    )

    def _each(self, x: Shape) -> tuple[Any, ...]:
        """One item for each axis. Raises Violation where there are more than axes."""
        items = list(self.items)
        if ... not in items:
            items.append(...)
        spare = len(x) - len(items) + 1
        if spare < 0:
            raise Violation("wrong-rank", f"{len(items) - 1} items are too many for {show(x)}", "items", _NO_BATCH)
        at = items.index(...)
        items[at : at + 1] = [FULL] * spare
        return tuple(items)

    def asks(self, *xs: Shape) -> tuple[DimExpr, ...]:
        settled = self.measured(xs[0])
        return tuple(n for item in settled.items if isinstance(item, Cut) for n in item.unknown)

    def measured(self, *xs: Shape) -> Self:
        if not any(isinstance(n, DimExpr) or (isinstance(n, Cut) and n.unknown) for n in self.items):
            return self
        each = enumerate(zip(xs[0], self._each(xs[0])))
        return self.replace(items=tuple(_settled(axis, n, item, xs) for axis, (n, item) in each))

    def shape(self, *xs: Shape) -> Shape:
        sizes = (_size(axis, n, item) for axis, (n, item) in enumerate(zip(xs[0], self._each(xs[0]))))
        return tuple(n for n in sizes if n is not None)

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        *spatial, last = self._each(x) or (FULL,)
        if not all(isinstance(item, Cut) for item in spatial) or isinstance(last, int):
            return None
        return (1,) * len(spatial), tuple(item.step or 1 for item in spatial)

    def keeps_channels(self, x: Shape) -> bool:
        return not x or not isinstance(self._each(x)[-1], int)

    def axis_map(self, *xs: Shape) -> AxisMap:
        given: list[Label] = []
        made: list[Label] = []
        rows: list[Any] = []
        for axis, (n, item) in enumerate(zip(xs[0], self._each(xs[0]))):
            whole = isinstance(item, Cut) and item.step is None and not item.unknown
            given.append(axis if whole else None)
            if item == FULL or not whole:
                made += [given[-1]] if not isinstance(item, int) else []
                continue
            start = _from_start(item.start, n, 0)
            left = item.left(axis, n)
            made.append(f"{axis} cut")
            rows.append((axis, ((None, start), (made[-1], left), (None, n - start - left))))
        others = ((None,) * len(x) for x in xs[1:])
        return AxisMap((tuple(given), *others), (tuple(made),), {}, (), tuple(rows))

    def torch(self, at: At) -> Use:
        items = [_written(item, lambda n: n.torch(at)) for item in self._each(at.x)]
        held = torch_order(len(at.x), at.is_first(0))
        lead = [slice(None)] * at.lead(0)
        if any(isinstance(item, int) for item in items):
            code = _basic(X(), [*lead, *(items[axis] for axis in held)])
            code = _picked(code, [*lead, *(items[axis] for axis in held if not isinstance(items[axis], int))])
        else:
            code = _index(X(), [*lead, *(items[axis] for axis in held)])
        return Use((function(code),))

    def keras(self, at: At) -> Use:
        items, lead, cuts = self._each(at.x), at.lead(0), list(self._keras_cuts(at))
        items = tuple(FULL if isinstance(item, Cut) and item.unknown else item for item in items)
        written = [_written(item) for item in items]
        code = _basic(X(), [*([slice(None)] * lead), *written])
        if isinstance(code, Index) and len(code.items) == 1 and isinstance(code.items[0], slice):
            code = Index(code.value, (*code.items, ...))  # Keras takes several items or a number, but no slice alone
        kept = [item for item in items if not isinstance(item, int)]
        for axis, item in enumerate(kept, lead):
            if isinstance(item, tuple):
                code = call("ops.take", code, list(item), axis=-1 if axis == len(kept) + lead - 1 else axis)
        y = self.shape(*at.inputs)
        lost = cuts or any(isinstance(i, Cut) and i != FULL for i in self._unknown(at.x))
        if lost and all(isinstance(n, int) for n in y):
            code = call("ops.reshape", code, (-1,) * lead + y)  # Keras knows no size of what is cut from an unknown one
        return Use((*cuts, *([function(code)] if code != X() or not cuts else [])))

    def _keras_cuts(self, at: At) -> Iterator[Apply]:
        """A layer for each axis that is cut at a place which values say."""
        values = [X(i) for i in range(len(at.inputs))]
        for axis, item in enumerate(self._each(at.x)):
            if not isinstance(item, Cut) or not item.unknown:
                continue
            start, stop = (n.keras(at) if isinstance(n, Measured) else n for n in (item.start, item.stop))
            make = call("CutTo", axis + at.lead(0), start, stop, **unless(None, step=item.step))
            yield module(make, f"cut{axis}", (KERAS_LENGTH, KERAS_CUT), call(Made(), values))

    def _unknown(self, x: Shape) -> Iterator[Any]:
        """What is taken of the axes whose sizes are symbols."""
        return (item for n, item in zip(x, self._each(x)) if not isinstance(n, int))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        y = xs[0]
        axis = 1
        for item in self._each(y.shape[1:]):
            cut = _written(item, lambda n: n.of(xs))
            places = np.arange(y.shape[axis])[cut] if isinstance(cut, slice) else item
            y = np.take(y, places, axis)
            axis += not isinstance(item, int)
        return y


def _written(item: Any, read: Callable[[Measured], Any] = str) -> Any:
    """An item as Python has it; `read` says what stands for a bound that values say."""
    if isinstance(item, Cut):
        return item.with_bounds(lambda n: read(n) if isinstance(n, Measured) else n)
    return list(item) if isinstance(item, tuple) else item


def _index(code: Code, items: list[Any]) -> Code:
    return code if is_full(items) else Index(code, index_items(items))


def _basic(code: Code, items: list[Any]) -> Code:
    """The ranges and numbers; lists are left whole."""
    return _index(code, [slice(None) if isinstance(item, list) else item for item in items])


def _picked(code: Code, items: list[Any]) -> Code:
    """The lists alone."""
    return _index(code, [item if isinstance(item, list) else slice(None) for item in items])


# --- bounds with symbols -------------------------------------------------------------------------------------------


def _settled(axis: int, n: Dim, item: Any, xs: Sequence[Shape]) -> Any:
    """An item with each symbolic place in it counted from the end of the axis, or else as values say it."""
    if isinstance(item, DimExpr):
        return _place(axis, n, item)
    if not isinstance(item, Cut):
        return item
    start, stop = _bound(item.start, n, xs), _bound(item.stop, n, xs)
    if isinstance(item.start, DimExpr) and isinstance(start, int) and start >= 0:
        raise Violation("window-too-large", f"nothing is left of axis {axis}: {item} of {n} places", "items")
    return item.replace(start=start, stop=None if isinstance(item.stop, DimExpr) and stop == 0 else stop)


def _bound(bound: Bound, n: Dim, xs: Sequence[Shape]) -> Bound:
    """A bound from the end of an axis, 0 for the end itself, where that is known to be so many places further; else as
    it is, and with where it is read if values say it."""
    if not isinstance(bound, DimExpr):
        return bound
    gap = bound - n
    return min(gap, 0) if isinstance(gap, int) else measured(bound, xs) or bound


def _place(axis: int, n: Dim, place: DimExpr) -> int:
    gap = place - n
    if isinstance(gap, int) and gap < 0:
        return gap
    message = f"there is no place {place} on axis {axis}, which has {n}, for all sizes"
    help = f"write a range, which keeps the axis: `x[{place}:{place + 1}]`" if not isinstance(gap, int) else ""
    raise Violation("wrong-axis" if isinstance(gap, int) else "unknown-size", message, "items", help)


def _size(axis: int, n: Dim, item: Any) -> Dim | None:
    """What is left of an axis; None where it is dropped."""
    if isinstance(item, Cut):
        return item.left(axis, n)
    for index in item if isinstance(item, tuple) else (item,):
        if isinstance(n, int) and not -n <= index < n:
            raise Violation(
                "wrong-axis", f"there is no place {index} on axis {axis}, which has {n}", "items", label=f"0 to {n - 1}"
            )
    return len(item) if isinstance(item, tuple) else None


def _from_start(bound: Dim | None, n: Dim, default: Dim) -> Dim:
    """The place of a bound from the start of an axis; what is below 0 counts from its end."""
    if bound is None:
        return default
    return bound + n if never_negative(-bound) and bound != 0 else bound
