"""Operators of two values or a value and a number, reductions, and what works along one axis."""

from __future__ import annotations

import math

from ...base.record import TYPE_CHECKING
from .layout import HeldValue, NoCounterpart, placed
from .program import TensorRef
from .table import first, given, reads
from .windows import globally, is_flattened, on_grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .building import Building
    from .program import ProgramNode


# --- two values -----------------------------------------------------------------------------------------------------


def joined(made: Building, kind: str, refs: Sequence[Any], dtype: str = "") -> HeldValue:
    """An operator that is done number by number, with broadcasting over the framework's axes."""
    return together(made, kind, [made.held(ref) for ref in refs], dtype)


def together(made: Building, kind: str, values: Sequence[HeldValue], dtype: str = "") -> HeldValue:
    if len(values) == 2 and values[0].axes == values[1].axes and values[0].sizes == values[1].sizes:
        number = made.emit(kind, [v.number for v in values], (values[0].sizes,))[0]
        return values[0].replace(number=number, dtype=dtype or values[0].dtype)
    rank = max(v.rank for v in values)
    lead = max(values, key=lambda v: (v.batch_axis is not None, v.rank, len(v.sizes)))
    batch = lead.batch_axis
    batch = None if batch is None else batch + rank - lead.rank
    fitted, order, front = _fitted(made, values, lead, rank)
    sizes = _broadcast([v.sizes for v in fitted])
    number = made.emit(kind, [v.number for v in fitted], (sizes,))[0]
    axes = made.axes_of(HeldValue(0, (), lead.axes), order, front) if front else None
    if axes is None:
        axes = placed(order, batch, 0)
    return HeldValue(number, sizes, axes, dtype or lead.dtype, lead.place)


def _fitted(
    made: Building, values: Sequence[HeldValue], lead: HeldValue, rank: int
) -> tuple[list[HeldValue], tuple[int, ...], int]:
    """The values with their axes as those of `lead` lie, and this order of the framework's axes."""
    shift = rank - lead.rank
    order = (*range(shift), *(t + shift for t in lead.order()))
    batch = None if lead.batch_axis is None else lead.batch_axis + shift
    front = len(lead.lead)
    if front and any(v.lead != lead.lead and v.batch_axis is not None for v in values):
        raise NoCounterpart("samples that are joined with different axes")
    return [_as_in(made, v, order, batch, rank) for v in values], order, front


def _as_in(made: Building, held: HeldValue, order: tuple[int, ...], batch: int | None, rank: int) -> HeldValue:
    """A value with its axes in an order of the result's axes; axes of one cell where the result has others behind."""
    shift = rank - held.rank
    if held.batch_axis is not None and held.batch_axis + shift != batch:
        raise NoCounterpart("values whose samples lie along different axes")
    own = [t - shift for t in order if t >= shift]
    if held.batch_axis is None and batch is not None and batch >= shift:
        place = batch - shift
        if held.size(place, made.batch) != 1:
            raise NoCounterpart("numbers that differ from sample to sample")
        held = held.replace(axes=(*held.axes[:place], *held.axes[place + 1 :]))
        own = [t - (t > place) for t in own]
    held = made.arranged(held, own, lead=True) if own or held.batch_axis is not None else _scalar(made, held)
    present = [t - shift for t in order if t >= shift]
    wanted = [held.sizes[len(held.lead) + present.index(t)] for t in present]
    missing = [n for n, t in enumerate(order) if t < shift]
    if missing:  # axes that it does not have stand in front, unless the order puts them between others
        firsts = [n for n, t in enumerate(order) if t >= shift]
        if firsts and missing[-1] > firsts[0]:
            full = tuple(wanted[present.index(t - shift)] if t >= shift else 1 for t in order)
            while full and full[0] == 1:
                full = full[1:]
            return made.one("reshape", held, full, {"sizes": full}) if full != held.sizes else held
    if held.batch_axis is None:
        sizes = held.sizes
        while len(sizes) > 1 and sizes[0] == 1:
            sizes = sizes[1:]
        if sizes != held.sizes:
            return made.one("reshape", held, sizes, {"sizes": sizes})
    return held


def _scalar(made: Building, held: HeldValue) -> HeldValue:
    return made.one("reshape", held, (1,), {"sizes": (1,)}) if held.sizes else held


def _broadcast(shapes: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    rank = max(map(len, shapes))
    full = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*full))


def number_in(value: Any) -> float | int | None:
    """A plain number among arguments."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


@reads("add", "sub", "rsub")
def _add(made: Building, node: ProgramNode) -> HeldValue:
    left, right = first(node), given(node, "other")
    alpha = given(node, "alpha", 1)
    number, start = number_in(right), number_in(left)
    if number is not None:
        amount = number * alpha
        if node.target == "rsub":
            return made.one("complement", made.held(left), None, {"of": number})
        return shifted(made, made.held(left), amount if node.target == "add" else -amount)
    if start is not None:
        x = _times(made, made.held(right), alpha)
        return shifted(made, x, start) if node.target == "add" else made.one("complement", x, None, {"of": start})
    values = [made.held(left), _times(made, made.held(right), alpha)]
    if node.target == "rsub":
        values.reverse()
    return together(made, "+" if node.target == "add" else "-", values)


def shifted(made: Building, held: HeldValue, amount: float) -> HeldValue:
    return made.one("shift", held, None, {"amount": amount}) if amount else held


def _times(made: Building, held: HeldValue, factor: float) -> HeldValue:
    return held if factor == 1 else made.one("scale", held, None, {"factor": factor})


@reads("mul")
def _mul(made: Building, node: ProgramNode) -> HeldValue:
    left, right = first(node), given(node, "other")
    for number, ref in ((number_in(right), left), (number_in(left), right)):
        if number is not None:
            return _times(made, made.held(ref), number)
    return joined(made, "*", (left, right))


@reads("div", "true_divide")
def _div(made: Building, node: ProgramNode) -> HeldValue:
    left, right = first(node), given(node, "other")
    if given(node, "rounding_mode") is not None:
        raise NoCounterpart("a division that is rounded")
    number = number_in(right)
    if number is not None:
        return _times(made, made.held(left), 1 / number)
    if number_in(left) is not None:
        return _times(made, made.one("reciprocal", made.held(right)), number_in(left) or 0)
    return joined(made, "/", (left, right))


@reads("pow")
def _pow(made: Building, node: ProgramNode) -> HeldValue:
    exponent = number_in(given(node, "exponent"))
    if exponent is not None:
        return made.one("power", made.held(first(node)), None, {"exponent": exponent})
    return joined(made, "**", (first(node), given(node, "exponent")))


_JOINS = {"maximum": "maximum", "minimum": "minimum", "logical_and": "logical_and", "logical_or": "logical_or"}


@reads(*_JOINS)
def _join(made: Building, node: ProgramNode) -> HeldValue:
    return joined(made, _JOINS[node.target], (first(node), given(node, "other")))


_COMPARED = {"eq": "equal", "ne": "not_equal", "gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal"}


@reads(*_COMPARED)
def _compared(made: Building, node: ProgramNode) -> HeldValue:
    kind, other = _COMPARED[node.target], given(node, "other")
    if number_in(other) is not None:
        return made.one(kind, made.held(first(node)).replace(dtype="bool"), None, {"to": other})
    return joined(made, kind, (first(node), other), "bool")


@reads("where", "masked_fill")
def _where(made: Building, node: ProgramNode) -> HeldValue:
    masks = node.target == "masked_fill"
    condition = made.held(given(node, "mask" if masks else "condition"))
    then, other = (given(node, "value"), first(node)) if masks else (given(node, "self"), given(node, "other"))
    values = [made.held(v) for v in (then, other) if isinstance(v, TensorRef)]
    numbers = {n: number_in(v) for n, v in (("then", then), ("otherwise", other)) if not isinstance(v, TensorRef)}
    found = together(made, "where", [condition, *values], values[0].dtype if values else "float32")
    if any(n is None or math.isinf(n) for n in numbers.values()):
        raise NoCounterpart("a choice between values of which one is no finite number")
    made.steps[-1] = made.steps[-1].replace(args=tuple(numbers.items()))
    return found


# --- along axes -----------------------------------------------------------------------------------------------------

_REDUCED = {"mean": "mean", "sum": "sum", "amax": "max", "amin": "min", "var": "var", "std": "std"}


def _dims(node: ProgramNode, held: HeldValue, name: str = "dim") -> list[int]:
    value = given(node, name)
    dims = range(held.rank) if value is None or value == () else value if isinstance(value, tuple | list) else (value,)
    return [held.axis(n) for n in dims]


@reads(*_REDUCED)
def _reduced(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    dims, keeps, kind = _dims(node, held), bool(given(node, "keepdim", False)), _REDUCED[node.target]
    if kind in ("var", "std"):
        kept = given(node, "correction", 1 if given(node, "unbiased", True) else 0)
        if kept != 0:
            raise NoCounterpart("a variance without bias")
    if held.batch_axis in dims:
        raise NoCounterpart("an operation over the samples of a batch")
    pooled = {"mean": "global_avgpool", "max": "global_maxpool"}.get(kind)
    if pooled and held.rank >= 4 and sorted(dims) == list(range(2, held.rank)) and not held.lead:
        x = on_grid(made, first(node))
        if keeps and not is_flattened(made, node):
            return _kept(made, x, pooled)
        found = globally(made, node, x, pooled, drops=True)
        return found if keeps else found.replace(axes=found.axes[:2])
    return reduced(made, held, kind, dims, keeps)


def _kept(made: Building, x: HeldValue, kind: str) -> HeldValue:
    sizes = (*(1 for _ in x.sizes[:-1]), x.sizes[-1])
    return made.one(kind, x, sizes, {"keepdims": True})


def reduced(made: Building, held: HeldValue, kind: str, dims: Sequence[int], keeps: bool) -> HeldValue:
    """A reduction over axes of the framework."""
    gone = sorted(a for t in dims for a in held.axes[t])
    if keeps and any(len(held.axes[t]) != 1 for t in dims):
        held = made.plain(held, lead=True)
        gone = sorted(a for t in dims for a in held.axes[t])
    axis = gone[0] if len(gone) == 1 else tuple(gone)
    axis = axis - len(held.sizes) if isinstance(axis, int) and axis == len(held.sizes) - 1 else axis
    if keeps:
        sizes = tuple(1 if n in gone else size for n, size in enumerate(held.sizes))
        return made.one(kind, held, sizes, {"axis": axis, "keepdims": True})
    left = [n for n in range(len(held.sizes)) if n not in gone]
    found = made.one(kind, held, tuple(held.sizes[n] for n in left), {"axis": axis})
    renamed = {-1: -1, **{n: place for place, n in enumerate(left)}}
    axes = tuple(tuple(renamed[a] for a in parts) for t, parts in enumerate(held.axes) if t not in dims)
    return found.replace(axes=axes)


@reads("max", "min")
def _largest(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    held = made.held(first(node))
    if isinstance(given(node, "other"), TensorRef):
        return (joined(made, f"{node.target}imum", (first(node), given(node, "other"))),)
    if any(name in made.users for name in node.results[1:]) or given(node, "dim") is None:
        raise NoCounterpart("the places of the largest numbers")
    return (reduced(made, held, node.target, _dims(node, held), bool(given(node, "keepdim", False))), None)


def along(made: Building, node: ProgramNode, kind: str, args: dict[str, Any] | None = None, dim: int = -1) -> HeldValue:
    """A step along one axis, which keeps sizes."""
    held = made.held(first(node))
    axis = held.axis(given(node, "dim", dim))
    if len(held.axes[axis]) != 1 or held.axes[axis][0] < 0:
        held = made.plain(held, lead=True)
    place = held.axes[axis][0]
    if place < 0:
        raise NoCounterpart("an operation over the samples of a batch")
    ours = None if place == len(held.sizes) - 1 else place
    return made.one(kind, held, None, {**(args or {}), "axis": ours})


@reads("softmax", "_softmax")
def _softmax(made: Building, node: ProgramNode) -> HeldValue:
    return along(made, node, "softmax")


@reads("log_softmax", "_log_softmax")
def _log_softmax(made: Building, node: ProgramNode) -> HeldValue:
    return along(made, node, "log_softmax")


@reads("glu")
def _glu(made: Building, node: ProgramNode) -> HeldValue:
    found = along(made, node, "glu")
    place = found.axes[found.axis(given(node, "dim", -1))][0]
    half = made.shape(TensorRef(node.results[0]))[found.axis(given(node, "dim", -1))]
    return found.replace(sizes=tuple(half if n == place else size for n, size in enumerate(found.sizes)))
