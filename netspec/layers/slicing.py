"""Parts of a value: `x[::2, ::2, :]`, `x[..., 0:64]`, `x[..., [0, 1, 2]]`, `x[0]`; `first`, `last`."""

from __future__ import annotations

from ..dims import DimExpr, ceil_div, show
from ..pycode import Index, X, call, method
from ..record import TYPE_CHECKING, Record
from .arguments import Reader, Violation, arg, describe, positive
from .base import Apply, At, Example, Use, function, layer
from .shapes import index_items, is_full, needs_rank, torch_order
from .shaping import Arrangement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ..dims import Dim, Shape
    from ..pycode import Code
    from .base import Array


class Cut(Record):
    """`start:stop:step` on one axis; None where nothing is written."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None

    def __str__(self) -> str:
        start, stop = ("" if n is None else str(n) for n in (self.start, self.stop))
        return f"{start}:{stop}" + ("" if self.step is None else f":{self.step}")

    @property
    def python(self) -> slice:
        return slice(self.start, self.stop, self.step)


FULL = Cut()
_HOW = "write `x[0, 2:8, ...]`"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _item(value: Any) -> Any:
    if value is ... or _whole(value):
        return value
    if not isinstance(value, tuple):
        raise ValueError(f"takes whole numbers, ranges and lists of them, not {describe(value)}", "")
    picked = value[:1] == ("pick",)
    for bound in value[picked:]:
        if not _whole(bound) and (picked or bound is not None):
            raise ValueError(f"takes whole numbers, not {describe(bound)}", "")
    if not picked and len(value) != len(Cut._fields):
        raise ValueError(f"cannot be {describe(value)}", _HOW)
    return value[1:] if picked else _cut(*value)


def _cut(start: int | None, stop: int | None, step: int | None) -> Cut:
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

    def torch(self, at: At) -> Use:
        items = self._each(at.x)
        held = torch_order(len(at.x), at.first)
        ints = any(isinstance(item, int) for item in items)
        if ints:
            code = _basic(X(), [items[axis] for axis in held])
            code = _picked(code, [items[axis] for axis in held if not isinstance(items[axis], int)])
        else:
            code = _index(X(), [_written(items[axis]) for axis in held])
        return Use((function(code),))

    def keras(self, at: At) -> Use:
        items = self._each(at.x)
        code = _basic(X(), items)
        kept = [item for item in items if not isinstance(item, int)]
        for axis, item in enumerate(kept, 1):
            if isinstance(item, tuple):
                code = call("ops.take", code, list(item), axis=-1 if axis == len(kept) else axis)
        y = self.shape(at.x)
        if all(isinstance(n, int) for n in y) and any(isinstance(i, Cut) and i != FULL for i in self._unknown(at.x)):
            code = call("ops.reshape", code, (-1, *y))  # Keras knows no size of what is cut from an unknown one
        return Use((function(code),))

    def _unknown(self, x: Shape) -> Iterator[Any]:
        """What is taken of the axes whose sizes are symbols."""
        return (item for n, item in zip(x, self._each(x)) if not isinstance(n, int))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        y = xs[0]
        axis = 1
        for item in self._each(y.shape[1:]):
            places = np.arange(y.shape[axis])[item.python] if isinstance(item, Cut) else item
            y = np.take(y, places, axis)
            axis += not isinstance(item, int)
        return y


def _written(item: Any) -> Any:
    return item.python if isinstance(item, Cut) else list(item) if isinstance(item, tuple) else item


def _index(code: Code, items: list[Any]) -> Code:
    whole = [slice(None), *items]
    return code if is_full(whole) else Index(code, index_items(whole))


def _basic(code: Code, items: Any) -> Code:
    """The ranges and numbers; lists are left whole."""
    return _index(code, [slice(None) if isinstance(item, tuple) else _written(item) for item in items])


def _picked(code: Code, items: list[Any]) -> Code:
    """The lists alone."""
    return _index(code, [list(item) if isinstance(item, tuple) else slice(None) for item in items])


def _size(axis: int, n: Dim, item: Any) -> Dim | None:
    """What is left of an axis; None where it is dropped."""
    if isinstance(item, Cut):
        return _range(axis, n, item)
    for index in item if isinstance(item, tuple) else (item,):
        if isinstance(n, int) and not -n <= index < n:
            raise Violation(
                "wrong-axis", f"there is no place {index} on axis {axis}, which has {n}", "items", label=f"0 to {n - 1}"
            )
    return len(item) if isinstance(item, tuple) else None


def _range(axis: int, n: Dim, cut: Cut) -> Dim:
    step = cut.step or 1
    if isinstance(n, int):
        found = len(range(*cut.python.indices(n)))
        if not found:
            raise Violation("window-too-large", f"nothing is left of axis {axis}: {cut} of {n} places", "items")
        return found
    start, stop = cut.start or 0, cut.stop
    if start >= 0 and (stop is None or stop < 0):
        return ceil_div(n - start + (stop or 0), step)
    if start < 0 and (stop is None or 0 > stop > start):
        return ceil_div((stop or 0) - start, step)
    raise Violation(
        "unknown-size",
        f"what {cut} leaves of axis {axis} depends on its size, {n}",
        "items",
        help=f"give it a value with `--set`, for example `--set {_name(n)}=64`",
    )


def _name(n: DimExpr) -> str:
    from ..dims import symbols

    return symbols(n)[0]


# --- single steps --------------------------------------------------------------------------------------------------


class _Step(Arrangement):
    torch_layout = "last"
    number = 0

    def shape(self, *xs: Shape) -> Shape:
        needs_rank(self.kind, xs[0], 2, "an axis of time, and features")
        return xs[0][1:]

    def reach(self, x: Shape) -> None:
        return None

    def _taken(self) -> Code:
        return Index(X(), (slice(None), self.number))

    def torch(self, at: At) -> Use:
        return Use((function(self._taken()),))

    def keras(self, at: At) -> Use:
        return Use((function(self._taken()),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = xs[0][:, self.number]
        return y


@layer("first")
class First(_Step):
    """The first step of a sequence."""

    examples = (Example("first", (5, 4), (4,)),)


@layer("last")
class Last(_Step):
    """The last step of a sequence."""

    number = -1
    examples = (Example("last", (5, 4), (4,)),)


def _steps(value: Any) -> int:
    if isinstance(value, DimExpr):
        help = f"a sum stretches a vector c: `c + 0 * x[:, 0:1]` has the {value} steps of x; or give it with `--set`"
        raise ValueError(f"must be {positive.doc}, but {value} is not known here", help)
    found: int = positive.read(value)
    return found


@layer("repeat_vector")
class RepeatVector(Arrangement):
    """A vector at each of `n` steps, as the input of a decoder."""

    n: int = arg(Reader(_steps, positive.doc), doc="how many steps")

    torch_layout = "last"
    examples = (Example("repeat_vector(3)", (4,), (3, 4)),)

    def shape(self, *xs: Shape) -> Shape:
        if len(xs[0]) != 1:
            help = "`last` or `return=last` makes a vector of a sequence, `flatten` of other values"
            raise Violation("wrong-rank", f"{self.kind} needs a vector, but its input is {show(xs[0])}", help=help)
        return (self.n, *xs[0])

    def reach(self, x: Shape) -> None:
        return None

    def torch(self, at: At) -> Use:
        return Use((function(method(method(X(), "unsqueeze", 1), "expand", -1, self.n, -1)),))

    def keras(self, at: At) -> Use:
        return Use((Apply(call("layers.RepeatVector", self.n)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.repeat(xs[0][:, None], self.n, 1)
