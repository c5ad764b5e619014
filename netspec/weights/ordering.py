"""Arrays in the order that PyTorch code of the usual kind has for their numbers, and back."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from ..codegen.orders.axis_order import AxisOrder, WeightOrder
    from ..layers.base import Array


def in_usual_order(order: WeightOrder, array: Array) -> Array:
    """The array there, from the language's."""
    for axis, along in enumerate(order.along):
        if along is not None:
            array = array.take(_places(along), axis)
    return array.transpose(order.axes) if order.axes else array


def in_languages_order(order: WeightOrder, array: Array) -> Array:
    """The language's array, from the one there."""
    if order.axes:
        array = array.transpose(tuple(order.axes.index(axis) for axis in range(len(order.axes))))
    for axis, along in enumerate(order.along):
        if along is not None:
            array = array.take(_places(along).argsort(), axis)
    return array


def _places(order: AxisOrder) -> Array:
    """For each place there the language's. Raises ValueError where sizes are not known."""
    import numpy as np

    found, start = [], 0
    for block in order.blocks:
        sizes = tuple(n for n in block.sizes if isinstance(n, int))
        if len(sizes) < len(block.sizes):
            raise ValueError(f"the order of {block.size} numbers hangs on symbols; `--set` gives them sizes")
        many = int(np.prod(sizes))
        found.append(start + np.arange(many).reshape(sizes).transpose(block.order).ravel())
        start += many
    return np.concatenate(found)
