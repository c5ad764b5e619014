"""The layouts that PyTorch code of the usual kind gives values: for each, the axes in the order in which it has them.

Where the code of netspec moves axes to suit a layer, people leave them; only what a layer must have counts. So maps
have their channels first, sequences last, and what a reshape makes has the layout that the layers behind it want. What
puts axes in another order does so among the spatial ones of a map; where it moves the channels, the order is the one
that it says.
"""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...layers.shapes import regrouped_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from ...base.dims import Shape
    from ...layers.base import Layer
    from ...layers.shapes import Labels
    from .instances import Instances, LayerUse

    # None where nothing tells
    Axes: TypeAlias = "tuple[int, ...] | None"

# sequences of maps have at least so many axes
_SEQUENCES_OF_MAPS = 4


def outside(shape: Shape) -> str:
    """The layout of an input or output of a net."""
    return "first" if len(shape) >= 3 else "last"


def plain(rank: int) -> tuple[int, ...]:
    """The language's own order."""
    return tuple(range(rank))


def channels_first(rank: int) -> tuple[int, ...]:
    return (rank - 1, *range(rank - 1))


def usual_layouts(net: Instances) -> list[Axes]:
    """The layout of each value. What nothing wants in a layout has that of a value that it meets."""
    met: dict[int, Axes] = {}
    while True:
        wishes = _wishes(net, met)
        found = _layouts(net, wishes)
        fresh = {value: layout for value, layout in meetings(net, found) if value not in wishes}
        if not fresh:
            return found
        met |= fresh


def _layouts(net: Instances, wishes: dict[int, Axes]) -> list[Axes]:
    found: list[Axes] = [plain(len(shape)) for shape in net.shapes]
    for value in net.inputs:
        shape = net.shapes[value]
        found[value] = wishes.get(value, _as_a_port(shape))
    for use in net.uses:
        for place, value in enumerate(use.outputs):
            if len(net.shapes[value]) > 1 and value not in net.of_cells:
                found[value] = _made(net, use, place, found, wishes)
    return found


def meetings(net: Instances, found: Sequence[Axes]) -> Iterator[tuple[int, Axes]]:
    """The values that meet one in a layout that is not the language's, with that layout."""
    for use in net.uses:
        if len(use.inputs) < 2 or use.map is None or _needed(use.step.layer, len(net.shapes[use.outputs[0]])):
            continue
        for place in use.flowing:
            for other in use.flowing:
                layout = moved(use.map.inputs[other], found[use.inputs[other]], use.map.inputs[place])
                if layout is not None and layout != plain(len(layout)) and use.step.inputs[other].batched:
                    yield use.inputs[place], layout


def _as_a_port(shape: Shape) -> tuple[int, ...]:
    rank = len(shape)
    return channels_first(rank) if outside(shape) == "first" else plain(rank)


def _needed(layer: Layer, rank: int) -> Axes:
    """The layout that a layer must have for a value, if any."""
    if layer.follows or layer.layout == "any" or rank < 2:
        return None
    if layer.layout == "last":
        return plain(rank)
    if layer.results and rank >= _SEQUENCES_OF_MAPS:
        return 0, *(axis + 1 for axis in channels_first(rank - 1))
    return channels_first(rank)


# --- what is wanted -------------------------------------------------------------------------------------------------


def _wishes(net: Instances, met: dict[int, Axes]) -> dict[int, Axes]:
    """The layouts that the users of values want; None where they do not agree. `met` are wishes to begin with."""
    found = {**met, **{value: plain(len(net.shapes[value])) for value in net.of_cells}}
    for use in reversed(net.uses):
        for place in use.flowing:
            value = use.inputs[place]
            rank = len(net.shapes[value])
            if rank < 2:
                continue
            needed = _needed(use.step.layer, rank)
            after = use.outputs[0]
            if needed is None and use.map is not None and not use.map.groups and after in found:
                needed = _before(use, found[after], place)
            if needed is not None and found.setdefault(value, needed) != needed:
                found[value] = None
    return found


def _before(use: LayerUse, wish: Axes, place: int) -> Axes:
    """The layout for what goes in that gives what comes out the layout that is wanted."""
    assert use.map is not None  # asked for such layers only
    if not permutes(use) or wish is None:
        return moved(use.map.outputs[0], wish, use.map.inputs[place])
    rank = len(wish)
    if wish == plain(rank) or _keeps_channels(use):
        return wish
    before = moved(use.map.outputs[0], wish, use.map.inputs[place])
    return before if before == plain(rank) else None


def permutes(use: LayerUse) -> bool:
    """Does it put the axes in another order?"""
    if use.map is None or len(use.inputs) != 1:
        return False
    before, after = use.map.inputs[0], use.map.outputs[0]
    return before != after and len(before) == len(after) and None not in before and set(before) == set(after)


def _keeps_channels(use: LayerUse) -> bool:
    assert use.map is not None  # as above
    return use.map.inputs[0][-1] == use.map.outputs[0][-1]


def moved(labels: Labels, layout: Axes, onto: Labels) -> Axes:
    """The layout of other axes with the same labels. Axes without one stand in front; None where one is strange."""
    if layout is None:
        return None
    ranks = {labels[axis]: place for place, axis in enumerate(layout) if labels[axis] is not None}
    if any(label is not None and label not in ranks for label in onto):
        return None
    bare = [axis for axis, label in enumerate(onto) if label is None]
    return (*bare, *sorted((a for a in range(len(onto)) if onto[a] is not None), key=lambda a: ranks[onto[a]]))


# --- what is made ---------------------------------------------------------------------------------------------------


def _made(net: Instances, use: LayerUse, place: int, found: Sequence[Axes], wishes: dict[int, Axes]) -> Axes:
    layer, value = use.step.layer, use.outputs[place]
    rank = len(net.shapes[value])
    needed = _needed(layer, rank)
    if needed is not None:
        widest = max((net.shapes[use.inputs[p]] for p in use.flowing), key=len, default=())
        return needed if layer.keeps_channels(widest) else plain(rank)
    if not use.inputs:
        return plain(rank)
    if layer.regroups:
        return _regrouped(net, use, found, wishes)
    if layer.follows and value in wishes and layer.computes:
        return wishes[value]
    if permutes(use):
        before = found[use.inputs[0]]
        return (
            None
            if before not in (plain(rank), channels_first(rank))
            else before
            if _keeps_channels(use)
            else plain(rank)
        )
    return _handed_on(net, use, place, found)


def _handed_on(net: Instances, use: LayerUse, place: int, found: Sequence[Axes]) -> Axes:
    """The layout of what goes in, if all of it agrees. A norm over some axes of what has the channels first is written
    in several ways."""
    rank, layer = len(net.shapes[use.outputs[place]]), use.step.layer
    batched = [p for p in use.flowing if use.step.inputs[p].batched] or use.flowing
    most = max(len(net.shapes[use.inputs[p]]) for p in batched)
    layouts = set()
    for p in batched:
        before = found[use.inputs[p]]
        if len(net.shapes[use.inputs[p]]) < most:
            continue
        if use.map is not None:
            layouts.add(moved(use.map.inputs[p], before, use.map.outputs[place]))
        else:
            layouts.add(before if most == rank and layer.keeps_channels(net.shapes[use.inputs[p]]) else None)
    if len(layouts) != 1:
        return None
    (layout,) = layouts
    some = layer.follows and layer.computes and use.map is not None and not all_axes(use)
    return None if some and layout != plain(rank) else layout


def all_axes(use: LayerUse) -> bool:
    """Does a norm go over all axes?"""
    assert use.map is not None  # norms have one
    return all(len(labels) == len(use.map.inputs[0]) for labels in use.map.weights.values()) and bool(use.map.weights)


def _regrouped(net: Instances, use: LayerUse, found: Sequence[Axes], wishes: dict[int, Axes]) -> Axes:
    value = use.outputs[0]
    rank = len(net.shapes[value])
    if value in wishes:
        return wishes[value]
    if value in net.outputs:
        return _as_a_port(net.shapes[value])
    assert use.map is not None  # what regroups has one
    before, rank_before = found[use.inputs[0]], len(use.map.inputs[0])
    keeps = rank_before > 1 and use.map.inputs[0][-1] == use.map.outputs[0][-1]
    return channels_first(rank) if keeps and before == channels_first(rank_before) else plain(rank)


def sequences(
    x: Shape, y: Shape, before: tuple[int, ...], made: tuple[int, ...], after: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """In which sequence axes are to be taken so that those of x, in the layout `before`, are read as those of y, in the
    layout `after`, and the sequence in which these come out: the one `made` where that can be."""
    groups = [(sorted(a, key=before.index), sorted(b, key=after.index)) for a, b in regrouped_axes(x, y)]
    placed = sorted(groups, key=lambda group: made.index(group[1][0]) if group[1] else len(made))
    given = tuple(axis for _, group in placed for axis in group)
    if given != made:
        placed, given = groups, tuple(axis for _, group in groups for axis in group)
    return tuple(axis for group, _ in placed for axis in group), given
