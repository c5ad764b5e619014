"""Outputs that have come to their ends say nothing: a softmax of which one share is 1 hides all that leads to it."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.paths import paths_of, weight_path
from ..ir.types import BlockCall, applied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..ir.types import Body, Net
    from ..layers.base import Array


def saturated(outputs: Sequence[Array]) -> list[int]:
    """The places of those outputs that are 0 and 1 all over, but for rounding."""
    import numpy as np

    def at_ends(array: Array) -> bool:
        return array.size > 0 and bool((np.minimum(abs(array), abs(array - 1)) < 1e-9).all())

    return [place for place, array in enumerate(outputs) if array.dtype.kind == "f" and at_ends(array)]


def calmer(net: Net, weights: Mapping[str, Array], places: Iterable[int], by: float = 32.0) -> dict[str, Array]:
    """The weights, with those of the last layers before some outputs divided by a number."""
    last = {*_last(net.body, [net.body.outputs[place].value.number for place in places], "")}
    return {path: array / array.dtype.type(by) if path in last else array for path, array in weights.items()}


def _last(body: Body, wanted: Iterable[int], prefix: str) -> Iterator[str]:
    """The paths of the weights of the last layers that lead to some values of a body."""
    makers = {t.number: item for item in applied(body.items) for t in item.outputs}
    paths, seen, todo = paths_of(body), set[int](), list(wanted)
    while todo:
        number = todo.pop()
        item = makers.get(number)
        if item is None or number in seen:
            continue
        seen.add(number)
        path = prefix + paths[id(item)]
        if isinstance(item, BlockCall):
            given = zip(item.outputs, item.body.outputs)
            ends = [r.value.number for t, r in given if t.number == number or item.use is not None]
            yield from _last(item.body, ends, f"{path}.")
        elif any(w.role != "statistic" for w in item.weights):
            yield from (weight_path(path, w) for w in item.weights if w.role != "statistic")
        else:
            todo.extend(t.number for t in item.inputs)
