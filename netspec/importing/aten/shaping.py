"""Operators that turn, cut, join and pick: most of them change how axes lie, and are no step."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from .layout import SAMPLES, HeldValue, NoCounterpart
from .program import TensorRef
from .table import first, given, reads

if TYPE_CHECKING:
    from typing import Any

    from .building import Building
    from .program import ProgramNode

_END = 2**62


def _result_sizes(made: Building, node: ProgramNode) -> tuple[Any, ...]:
    return made.shape(TensorRef(node.results[0]))


@reads(
    "view",
    "reshape",
    "_unsafe_view",
    "unsafe_view",
    "flatten",
    "unflatten",
    "squeeze",
    "view_copy",
    "reshape_as",
    "view_as",
)
def _view(made: Building, node: ProgramNode) -> HeldValue:
    return made.viewed(made.held(first(node)), _result_sizes(made, node))


@reads("unsqueeze")
def _unsqueeze(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    at = given(node, "dim") % (held.rank + 1)
    return held.replace(axes=(*held.axes[:at], (), *held.axes[at:]))


@reads("permute", "permute_copy")
def _permute(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    return held.replace(axes=tuple(held.axes[held.axis(n)] for n in given(node, "dims")))


@reads("transpose", "t", "swapaxes", "numpy_T", "mT", "adjoint")
def _transpose(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    usual = (0, 1) if node.target == "t" else (-2, -1)
    if held.rank < 2:
        return held
    a, b = (held.axis(given(node, name, n)) for name, n in zip(("dim0", "dim1"), usual))
    axes = list(held.axes)
    axes[a], axes[b] = axes[b], axes[a]
    return held.replace(axes=tuple(axes))


@reads("movedim")
def _movedim(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    source, target = ([held.axis(n) for n in _tuple(given(node, name))] for name in ("source", "destination"))
    order: list[int] = [n for n in range(held.rank) if n not in source]
    for place, axis in sorted(zip(target, source)):
        order.insert(place, axis)
    return held.replace(axes=tuple(held.axes[n] for n in order))


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


@reads("expand", "expand_as", "broadcast_to")
def _expand(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    sizes = _result_sizes(made, node)
    shift = len(sizes) - held.rank
    axes = [()] * shift + list(held.axes)
    gone = []
    for t, size in enumerate(sizes):
        have = held.size(t - shift, made.batch) if t >= shift else 1
        if have == size:
            continue
        if t != 0 or size != made.batch or held.batch_axis is not None:
            raise NoCounterpart("numbers that are repeated along an axis")
        gone = list(axes[t])
        axes[t] = (SAMPLES,)
    if not gone:
        return held.replace(axes=tuple(axes))
    return _for_samples(made, held.replace(axes=tuple(axes)), gone)


def _for_samples(made: Building, held: HeldValue, gone: list[int]) -> HeldValue:
    """A value without the axis of one cell that the framework repeats for each sample."""
    (place,) = gone
    picked = (*(slice(None) for _ in range(place)), 0)
    left = held.sizes[:place] + held.sizes[place + 1 :]
    axes = tuple(tuple(a - (a > place) if a != SAMPLES else a for a in parts) for parts in held.axes)
    return made.one("slice", held, left, {"": picked}).replace(axes=axes)


# --- parts ------------------------------------------------------------------------------------------------------------


def _single(made: Building, held: HeldValue, axis: int) -> tuple[HeldValue, int]:
    """The value with an axis of the framework as one of the language, and which one that is."""
    if len(held.axes[axis]) != 1:
        held = made.plain(held, lead=True)
    place = held.axes[axis][0]
    if place == SAMPLES or len(held.axes[axis]) != 1:
        raise NoCounterpart("a part of the samples of a batch")
    return held, place


def _items(place: int, item: Any, rank: int) -> tuple[Any, ...]:
    """What a slice takes of each axis."""
    if place == rank - 1 and rank > 1 and isinstance(item, slice):
        return (..., item)
    return (*(slice(None) for _ in range(place)), item)


@reads("select", "select_copy")
def _select(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    axis, index = held.axis(given(node, "dim")), given(node, "index")
    if not held.axes[axis]:
        return held.replace(axes=(*held.axes[:axis], *held.axes[axis + 1 :]))
    held, place = _single(made, held, axis)
    if not isinstance(index, int):
        raise NoCounterpart("an index that is a size")
    left = held.sizes[:place] + held.sizes[place + 1 :]
    found = made.one("slice", held, left, {"": _items(place, index, len(held.sizes))})
    axes = (*held.axes[:axis], *held.axes[axis + 1 :])
    return found.replace(axes=tuple(tuple(a - (a > place) for a in parts) for parts in axes))


@reads("slice", "slice_copy", "narrow")
def _slice(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    axis = held.axis(given(node, "dim", 0))
    start, end, step = given(node, "start") or 0, given(node, "end"), given(node, "step", 1)
    if node.target == "narrow":
        end = start + given(node, "length")
    size = _result_sizes(made, node)[axis]
    whole = end is None or (isinstance(end, int) and end >= _END) or end == held.size(axis, made.batch)
    if start == 0 and whole and step == 1:
        return held
    held, place = _single(made, held, axis)
    if isinstance(start, str) or isinstance(end, str):
        raise NoCounterpart("a bound that cannot be written")
    item = slice(None if start == 0 else start, None if whole else end, None if step == 1 else step)
    sizes = (*held.sizes[:place], size, *held.sizes[place + 1 :])
    return made.one("slice", held, sizes, {"": _items(place, item, len(held.sizes))})


@reads("split", "split_with_sizes", "chunk", "tensor_split", "unsafe_split", "unsafe_chunk", "unsafe_split_with_sizes")
def _split(made: Building, node: ProgramNode) -> tuple[HeldValue, ...]:
    held = made.held(first(node))
    axis = held.axis(given(node, "dim", 0))
    held, place = _single(made, held, axis)
    each = [made.shape(TensorRef(name))[axis] for name in node.results]
    if len(each) == 1:
        return (held,)
    parts = len(each) if len(set(each)) == 1 else tuple(each)
    shapes = [(*held.sizes[:place], n, *held.sizes[place + 1 :]) for n in each]
    args = {"parts": parts, "axis": None if place == len(held.sizes) - 1 else place}
    numbers = made.emit("split", (held.number,), shapes, args)
    return tuple(held.replace(number=n, sizes=shape) for n, shape in zip(numbers, shapes))


@reads("unbind")
def _unbind(made: Building, node: ProgramNode) -> tuple[HeldValue, ...]:
    held = made.held(first(node))
    axis = held.axis(given(node, "dim", 0))
    held, place = _single(made, held, axis)
    left = held.sizes[:place] + held.sizes[place + 1 :]
    axes = (*held.axes[:axis], *held.axes[axis + 1 :])
    axes = tuple(tuple(a - (a > place) for a in parts) for parts in axes)
    found = []
    for n, _ in enumerate(node.results):
        one = made.one("slice", held, left, {"": _items(place, n, len(held.sizes))})
        found.append(one.replace(axes=axes))
    return tuple(found)


@reads("flip")
def _flip(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    for dim in given(node, "dims"):
        held, place = _single(made, held, held.axis(dim))
        held = made.one("reverse", held, None, {"axis": place or None})
    return held


@reads("roll")
def _roll(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    if not given(node, "dims"):
        raise NoCounterpart("a roll over all axes")
    for shift, dim in zip(_tuple(given(node, "shifts")), _tuple(given(node, "dims"))):
        held, place = _single(made, held, held.axis(dim))
        held = made.one("roll", held, None, {"shift": shift, "axis": None if place == len(held.sizes) - 1 else place})
    return held


# --- one beside the other -------------------------------------------------------------------------------------------


def _alike(made: Building, refs: Any) -> list[HeldValue]:
    """Values with their axes in one order: that of the first that has a batch."""
    values = [made.held(ref) for ref in refs]
    lead = next((v for v in values if v.batch_axis is not None), values[0])
    if any(v.batch_axis not in (lead.batch_axis, None) for v in values):
        raise NoCounterpart("values whose samples lie along different axes")
    if made.batch == 1 and lead.batch_axis == 0:  # a weight may stand for the one sample without being expanded
        values = [_as_sample(made, v) if v.batch_axis is None and v.size(0, 1) == 1 else v for v in values]
    if any(v.batch_axis is None for v in values) and lead.batch_axis is not None:
        raise NoCounterpart("values of which some have no batch axis")
    if any(v.lead and v.lead != lead.lead for v in values):
        raise NoCounterpart("samples that are joined with different axes")
    order = lead.order()
    return [made.arranged(v, order, lead=True) for v in values]


def _as_sample(made: Building, held: HeldValue) -> HeldValue:
    """A value whose first axis of one cell is that of the batch."""
    axes = ((SAMPLES,), *held.axes[1:])
    gone = list(held.axes[0])
    return _for_samples(made, held.replace(axes=axes), gone) if len(gone) == 1 else held.replace(axes=axes)


@reads("cat", "concat", "concatenate")
def _cat(made: Building, node: ProgramNode) -> HeldValue:
    refs = first(node)
    values = _alike(made, refs)
    head = values[0]
    axis = head.axis(given(node, "dim", 0))
    if axis == head.batch_axis:
        raise NoCounterpart("samples that are joined")
    (place,) = head.axes[axis]
    whole: Any = 0
    for value in values:
        whole = whole + value.sizes[place]
    sizes = (*head.sizes[:place], whole, *head.sizes[place + 1 :])
    if len(values) == 1:
        return head
    args = {"axis": None if place == len(sizes) - 1 else place}
    return head.replace(number=made.emit("concat", [v.number for v in values], (sizes,), args)[0], sizes=sizes)


@reads("stack")
def _stack(made: Building, node: ProgramNode) -> HeldValue:
    values = _alike(made, first(node))
    head = values[0]
    at = given(node, "dim", 0) % (head.rank + 1)
    order = head.order()
    behind = [n for n, t in enumerate(order) if t >= at]
    place = (behind[0] if behind else len(order)) + len(head.lead)
    sizes = (*head.sizes[:place], len(values), *head.sizes[place:])
    number = made.emit("stack", [v.number for v in values], (sizes,), {"axis": place or None})[0]
    moved = [tuple(a + (a >= place) for a in parts) for parts in head.axes]
    return head.replace(number=number, sizes=sizes, axes=(*moved[:at], (place,), *moved[at:]))


@reads("sym_size", "sym_constrain_range_for_size", "_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range")
def _nothing(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    return (None,) * len(node.results)
