"""Orders of the places along an axis, as symbols: those of [6, 5, 4], flattened with the last axis first."""

from __future__ import annotations

from ...base.dims import product
from ...base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ...base.dims import Dim


class NoOrder(Exception):
    """There is no such order among those that can be written."""


class Block(Record):
    """Places that are counted over some axes of these sizes, the last one fastest in the language. PyTorch code counts
    them with the axes in another `order`: the i-th there is axis `order[i]` of the language."""

    sizes: tuple[Dim, ...]
    order: tuple[int, ...]

    @property
    def size(self) -> Dim:
        return product(self.sizes)

    @property
    def is_plain(self) -> bool:
        return len(self.sizes) < 2


class AxisOrder(Record):
    """The places along an axis: blocks, one behind the other."""

    blocks: tuple[Block, ...]


class WeightOrder(Record):
    """How PyTorch code of the usual kind holds a weight: the places along each axis of the language's array, where
    they stand in another order, and then the order of its axes (empty for the same)."""

    along: tuple[AxisOrder | None, ...]
    axes: tuple[int, ...] = ()

    def shape_of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the array there."""
        return tuple(shape[axis] for axis in self.axes) if self.axes else shape


def order_of(blocks: Iterable[Block]) -> AxisOrder | None:
    """The order of blocks in a row; None for the language's own."""
    found: list[Block] = []
    for block in map(_simple, blocks):
        if found and found[-1].is_plain and block.is_plain:
            found[-1] = Block((found[-1].size + block.size,), (0,))
        else:
            found.append(block)
    return None if all(block.is_plain for block in found) else AxisOrder(tuple(found))


def _simple(block: Block) -> Block:
    """The same block over as few axes as say it."""
    long = [axis for axis in block.order if block.sizes[axis] != 1]
    runs: list[list[int]] = []
    rank = {axis: place for place, axis in enumerate(sorted(long))}
    for axis in long:
        if runs and rank[axis] == rank[runs[-1][-1]] + 1:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    ordered = sorted(runs)
    sizes = tuple(product(block.sizes[axis] for axis in run) for run in ordered)
    return Block(sizes or (1,), tuple(ordered.index(run) for run in runs) or (0,))


def joined(sizes: Sequence[Dim], orders: Sequence[AxisOrder | None], first: Sequence[int]) -> AxisOrder | None:
    """The order along what axes of these sizes become together: PyTorch code holds them in the sequence `first`, and
    each of them in an order of its own. Raises NoOrder."""
    if sum(n != 1 for n in sizes) < 2:
        return next((order for order in orders if order is not None), None)
    if any(order is not None and len(order.blocks) > 1 for order in orders):
        raise NoOrder  # each of the places of one axis would hold a row of blocks
    blocks = [order.blocks[0] if order else Block((size,), (0,)) for size, order in zip(sizes, orders)]
    starts = [sum(len(block.sizes) for block in blocks[:place]) for place in range(len(blocks))]
    order = tuple(starts[place] + axis for place in first for axis in blocks[place].order)
    return order_of([Block(tuple(n for block in blocks for n in block.sizes), order)])


def in_a_row(sizes: Sequence[Dim], orders: Sequence[AxisOrder | None]) -> AxisOrder | None:
    """The order along axes one behind the other."""
    pairs = zip(sizes, orders)
    return order_of(b for size, order in pairs for b in (order.blocks if order else (Block((size,), (0,)),)))


def cut(order: AxisOrder, sizes: Sequence[Dim]) -> list[AxisOrder | None]:
    """The orders of parts of these sizes. Raises NoOrder where one begins or ends within places that are in another
    order."""
    blocks, found = list(order.blocks), []
    for size in sizes:
        taken = list(_taken(blocks, size))
        found.append(order_of(taken))
    return found


def _taken(blocks: list[Block], size: Dim) -> Iterator[Block]:
    """Blocks of a size together, off the front of some."""
    while size != 0:
        if not blocks:
            raise NoOrder
        block = blocks.pop(0)
        if block.size == size:
            yield block
            return
        rest = size - block.size
        if isinstance(rest, int) and rest > 0:
            yield block
            size = rest
        elif isinstance(rest, int) and block.is_plain:
            yield Block((size,), (0,))
            blocks.insert(0, Block((-rest,), (0,)))
            return
        else:
            raise NoOrder
