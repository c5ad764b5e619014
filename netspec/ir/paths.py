"""Paths: what the layers, calls and weights of a net are called, and the walk over all of them."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .types import BlockCall, Region, applied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..layers.base import Weight
    from .types import Body, CheckedNet, Instance, Item, Step


def path_of(item: Step | BlockCall, prefix: str, home: str) -> str:
    """The path of a step or call. `prefix` is that of its place, `home` that of the body: what is shared lives there,
    in whichever scopes it is used."""
    return (prefix if item.shared is None else home) + item.name


def weight_path(path: str, weight: Weight) -> str:
    """The path of a weight of the layer at a path. A weight of one's own is all that there is at its path."""
    return f"{path}.{weight.name}" if weight.name else path


def paths_of(body: Body) -> dict[int, str]:
    """The path within a body of each step and call, by its identity.

    What is shared has the path of its declaration, wherever it is used.
    """
    return {id(item): path for path, item in _placed(body.held, "")}


def _placed(items: Sequence[Item], prefix: str) -> Iterator[tuple[str, Step | BlockCall]]:
    for item in items:
        if isinstance(item, Region):
            yield from _placed(item.items, f"{prefix}{item.name}." if item.name else prefix)
        else:
            yield path_of(item, prefix, ""), item


def steps_of(body: Body, prefix: str = "", learning: bool = False) -> Iterator[tuple[str, Step]]:
    """All steps and their paths, in the order of the net; each use of a shared one. With `learning` those that are not
    held still."""
    for path, item in _placed(body.held, ""):
        if learning and item.frozen:
            continue
        if isinstance(item, BlockCall):
            yield from steps_of(item.body, f"{prefix}{path}.", learning)
        else:
            yield prefix + path, item


def weight_table(net: CheckedNet) -> dict[str, Weight]:
    """All weights of a net by path, in the order of the language; shared ones once."""
    found: dict[str, Weight] = {}
    for path, step in steps_of(net.net.body):
        for weight in step.weights:
            found.setdefault(weight_path(path, weight), weight)
    return found


def penalised(net: CheckedNet) -> dict[str, Weight]:
    """The weights whose size adds to the loss, by path; shared ones once, and none that are held still."""
    found: dict[str, Weight] = {}
    for path, step in steps_of(net.net.body, learning=True):
        for weight in step.weights:
            if weight.l1 or weight.l2:
                found.setdefault(weight_path(path, weight), weight)
    return found


def varied(body: Body) -> set[Instance]:
    """The shared layers that are used on inputs of several shapes."""
    shapes: dict[Instance, set[Any]] = {}
    for item in applied(body.held):
        if item.shared is not None:
            shapes.setdefault(item.shared, set()).add(tuple(t.shape for t in item.inputs))
    return {instance for instance, found in shapes.items() if len(found) > 1}
