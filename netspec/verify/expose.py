"""A net in which every value is an output, so that a layer at fault can be named."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.paths import path_of
from ..ir.types import OutputPort, Region, Step, applied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.dims import Shape
    from ..ir.types import BlockCall, Body, CheckedNet, Item, Tensor

    # a value with the path of the step that makes it, and its place among what that makes
    Shown = tuple[str, int, Tensor]


def expose(net: CheckedNet) -> tuple[CheckedNet, list[tuple[str, int, Shape]]]:
    """The net with the values of all its steps for outputs, behind its own.

    With it the path of each value's step, the value's place among what the step makes, and its shape.
    """
    body, shown = _Exposing().body(net.net.body)
    return net.replace(net=net.net.replace(body=body)), [(path, place, tensor.shape) for path, place, tensor in shown]


def is_shown(item: Step | BlockCall) -> bool:
    """Are the values of a step, or of a cell, those of samples, and not just handed on?"""
    return item.outputs[0].batched and not (isinstance(item, Step) and item.hands_on)


class _Exposing:
    """Bodies that have been changed; what was one body stays one."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Body, list[Shown]]] = {}

    def body(self, body: Body) -> tuple[Body, list[Shown]]:
        if id(body) not in self.known:
            lines = _Instrumenter(self, body)
            items = lines.items(body.items, "")
            results = (OutputPort(f"value{k}", tensor) for k, (_, _, tensor) in enumerate(lines.shown))
            self.known[id(body)] = body.replace(items=items, outputs=(*body.outputs, *results)), lines.shown
        return self.known[id(body)]


class _Instrumenter:
    """One body on the way."""

    def __init__(self, exposing: _Exposing, body: Body) -> None:
        self.exposing = exposing
        made = (t.number for item in applied(body.items) for t in item.outputs)
        self.fresh = 1 + max(made, default=0) + len(body.inputs)
        self.shown: list[Shown] = []

    def items(self, items: Sequence[Item], prefix: str) -> tuple[Item, ...]:
        return tuple(self._item(item, prefix) for item in items)

    def _item(self, item: Item, prefix: str) -> Item:
        if isinstance(item, Region):
            return item.replace(items=self.items(item.items, f"{prefix}{item.name}." if item.name else prefix))
        path = path_of(item, prefix, "")
        if isinstance(item, Step) or item.use is not None:  # what a cell does is seen in what it gives
            if is_shown(item):
                self.shown += [(path, place, tensor) for place, tensor in enumerate(item.outputs)]
            return item
        body, shown = self.exposing.body(item.body)
        tensors = []
        for inner, place, tensor in shown:
            tensors.append(tensor.replace(number=self.fresh))
            self.shown.append((f"{path}.{inner}", place, tensors[-1]))
            self.fresh += 1
        return item.replace(body=body, outputs=(*item.outputs, *tensors))
