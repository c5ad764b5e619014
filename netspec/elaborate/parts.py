"""Parts of a value of the net: `x[1:, 0]`, and the axes that `x[:, none]` puts in."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .layering import layer
from .session import POISON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..base.source import Span
    from ..ir.types import Tensor
    from .scope import Context


def part_of(at: Context, value: Any, items: Sequence[Any], span: Span) -> Any:
    """A slice, and behind it a step for each new axis."""
    new = [item for item in items if item is None]
    if not new:
        return layer(at, "slice", {"items": tuple(items)}, (value,), span)
    kept = tuple(item for item in items if item is not None)
    places = _places(items, value)
    unnamed = at.called(None)
    if any(item is not ... and item != (None, None, None) for item in kept):
        value = layer(unnamed, "slice", {"items": kept}, (value,), span)
    for number, place in enumerate(places, 1):
        if value is POISON:
            return POISON
        value = layer(at if number == len(places) else unnamed, "expand", {"axis": place}, (value,), span)
    return value


def _places(items: Sequence[Any], value: Tensor) -> list[int]:
    """Where the new axes stand in what comes out, in order. Of a number no axis is left."""
    found, place = [], 0
    for item in items:
        if item is None:
            found.append(place)
        if item is ...:
            place += len(value.shape) - sum(other is not None and other is not ... for other in items)
        else:
            place += item is None or isinstance(item, tuple)
    return found
