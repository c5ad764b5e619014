"""Each layer done over by its definition, on what a framework had made of the layers before it.

So a layer that is wrong is told from one that is right for what comes in, where rounding has grown or an edge is near.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..reference import Reference
from .expose import is_shown
from .verdict import apart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..ir.types import BlockCall, CheckedNet, Step
    from ..layers.base import Array


def own_errors(
    net: CheckedNet, weights: Mapping[str, Array], inputs: Sequence[Array], values: Sequence[Array]
) -> list[float]:
    """How far each value that a framework has made is from the definition, given the values before it.

    `values` are those that `expose` shows, in its order.
    """
    replay = _Replay(net, weights, values)
    replay.listed(*inputs)
    return replay.own


class _Replay(Reference):
    """The reference of a net, which goes on from a framework's values. What a cell does is one step."""

    def __init__(self, net: CheckedNet, weights: Mapping[str, Array], values: Sequence[Array]) -> None:
        super().__init__(net, weights)
        self.own: list[float] = []
        self._values = iter(values)
        self._cells = 0

    def _step(self, step: Step, path: str, held: dict[int, Array]) -> tuple[Array, ...]:
        results = super()._step(step, path, held)
        return results if self._cells or not is_shown(step) else tuple(map(self._exchanged, results))

    def _call(self, call: BlockCall, prefix: str, held: dict[int, Array]) -> None:
        is_cell = call.use is not None
        self._cells += is_cell
        super()._call(call, prefix, held)
        self._cells -= is_cell
        if is_cell and not self._cells and is_shown(call):
            held.update((t.number, self._exchanged(held[t.number])) for t in call.outputs)

    def _exchanged(self, wanted: Array) -> Array:
        """The framework's value in the place of the one that the definition gives."""
        value = next(self._values)
        self.own.append(apart(value, wanted))
        return value.astype(wanted.dtype) if value.shape == wanted.shape else wanted
