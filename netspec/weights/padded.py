"""Padded sequences: which inputs of a net may be padded with 0, and random ones that are.

Of whole numbers from a large vocabulary hardly one in a sample is 0, and a mask that is true everywhere tells nothing.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.types import BlockCall, applied
from ..layers.compare import Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ..ir.types import Body, Net, Step
    from ..layers.base import Array

_NOWHERE: frozenset[int] = frozenset()


def padded_inputs(net: Net) -> list[int]:
    """The places of the inputs that are held against 0: masks, also those of `embedding(mask=true)`, are made so."""
    given = [
        frozenset([place]) if port.value.dtype.startswith("int") and port.value.shape else _NOWHERE
        for place, port in enumerate(net.body.inputs)
    ]
    trace = _Trace()
    trace.walk(net.body, given)
    return sorted(trace.found)


class _Trace:
    """Follows inputs as far as they are only handed on, and notes those that are held against 0."""

    def __init__(self) -> None:
        self.found: set[int] = set()

    def walk(self, body: Body, given: Sequence[frozenset[int]]) -> list[frozenset[int]]:
        """The inputs that each output is made of, where these are the inputs of the body."""
        known = {port.value.number: origin for port, origin in zip(body.inputs, given)}
        for item in applied(body.held):
            taken = [known.get(t.number, _NOWHERE) for t in item.inputs]
            if any(taken):
                made = self.walk(item.body, taken) if isinstance(item, BlockCall) else self._step(item, taken)
                known.update(zip((t.number for t in item.outputs), made))
        return [known.get(result.value.number, _NOWHERE) for result in body.outputs]

    def _step(self, step: Step, taken: list[frozenset[int]]) -> list[frozenset[int]]:
        if isinstance(step.layer, Comparison) and step.layer.to == 0:
            self.found |= taken[0]
        return [_NOWHERE if step.layer.computes else _NOWHERE.union(*taken)] * len(step.outputs)


def pad(array: Array, rng: np.random.Generator) -> Array:
    """The sequences of whole numbers along the last axis with random ends of 0, and here and there a 0 before its end.

    The first one keeps its first step and loses its last one; others may be all padding.
    """
    import numpy as np

    length = array.shape[-1]
    rows = array.reshape(-1, length).copy()
    places = np.arange(length)
    ends = rng.integers(0, length + 1, len(rows))
    holes = np.where(rng.random(len(rows)) < 0.5, rng.integers(0, length, len(rows)), length)
    ends[0] = rng.integers(1, max(length, 2))
    first = rows[0, 0] or rows.max()
    rows[(places >= ends[:, None]) | (places == holes[:, None])] = 0
    rows[0, 0] = first
    padded: Array = rows.reshape(array.shape)
    return padded
