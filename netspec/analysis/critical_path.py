"""The sequential depth of a net: the most recurrent steps on a way from an input to an output.

Such a step waits for the state that the one before it leaves. What is no recurrence counts nothing, and a layer begins
when those before it are done: along a way depths add up, and of several ways the longest counts.
"""

from __future__ import annotations

from ..base.dims import largest
from ..base.record import TYPE_CHECKING
from ..ir.types import BlockCall, Step, applied

if TYPE_CHECKING:
    from ..base.dims import Dim
    from ..ir.types import Body, Net


def sequential_depth(net: Net) -> Dim:
    """The depth of a net; where a fault stopped it, of all that comes before."""
    chains, body = _Chains(), net.body
    if not chains.recurs(body):
        return 0
    depths: dict[int, Dim] = {port.value.number: 0 for port in body.inputs}
    chains.walk(body, depths)
    return largest([depths[result.value.number] for result in body.outputs] if net.whole else depths.values())


class _Chains:
    """How deep values are, by their numbers in their bodies."""

    def __init__(self) -> None:
        self._known: dict[int, bool] = {}

    def recurs(self, body: Body) -> bool:
        """Is there a recurrence anywhere in a body?"""
        known = self._known.get(id(body))
        if known is None:
            known = self._known[id(body)] = any(map(self._is_recurrent, applied(body.items)))
        return known

    def _is_recurrent(self, item: Step | BlockCall) -> bool:
        if isinstance(item, Step):
            return item.depth != 0
        return item.over_time or self.recurs(item.body)

    def walk(self, body: Body, depths: dict[int, Dim]) -> None:
        """Note how deep the values of a body are. What is made of weights alone waits for nothing."""
        for item in applied((*body.begins, *body.items)):
            if not item.outputs[0].batched:
                depths.update((t.number, 0) for t in item.outputs)
            elif isinstance(item, BlockCall) and not item.over_time:
                self._call(item, depths)
            else:
                before = largest([0, *(depths[t.number] for t in item.inputs)])
                after = before + (item.depth if isinstance(item, Step) else self._run(item))
                depths.update((t.number, after) for t in item.outputs)

    def _call(self, call: BlockCall, depths: dict[int, Dim]) -> None:
        body, given = call.body, [depths[t.number] for t in call.inputs]
        if not any(given) and not self.recurs(body):
            depths.update((t.number, 0) for t in call.outputs)
            return
        inner = dict(zip((port.value.number for port in body.inputs), given))
        self.walk(body, inner)
        depths.update((t.number, inner[r.value.number]) for t, r in zip(call.outputs, body.outputs))

    def _run(self, call: BlockCall) -> Dim:
        """A step of a cell is one, or as many as there are within it where it runs over sequences of its own."""
        inner: dict[int, Dim] = {port.value.number: 0 for port in call.body.inputs}
        self.walk(call.body, inner)
        return largest([1, *(inner[r.value.number] for r in call.body.outputs)]) * call.inputs[0].shape[0]
