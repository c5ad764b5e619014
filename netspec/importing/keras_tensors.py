"""How Keras writes down which value goes where, in version 3 and in version 2."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .graph import ValueRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    # the layer that gives a value, which of its calls, and the place among what that gives
    History: TypeAlias = "tuple[str, int, int]"


def listed(config: Any) -> Sequence[Mapping[str, Any]]:
    """The layers of a model: Keras 1 had a bare list."""
    found: Sequence[Mapping[str, Any]] = config if isinstance(config, list) else config["layers"]
    return found


def history_of(given: Any) -> list[History]:
    """The values that a model takes or gives; they stand in lists, in a list, or by name."""
    if isinstance(given, dict):
        return [key for item in given.values() for key in history_of(item)]
    if isinstance(given, list) and len(given) == 3 and isinstance(given[0], str):
        return [(given[0], int(given[1]), int(given[2]))]
    return [key for item in given for key in history_of(item)]


def calls_of(layer: Mapping[str, Any]) -> list[Any]:
    """The calls of a layer, as they are written."""
    nodes = layer.get("inbound_nodes") or []
    return [node for node in nodes if node]


def tensors_in(node: Any) -> Iterator[History]:
    """The values that a call takes."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            name, call, place = node["config"]["keras_history"]
            yield str(name), int(call), int(place)
            return
        for item in node.values():
            yield from tensors_in(item)
    elif _is_old(node):
        yield str(node[0]), int(node[1]), int(node[2])
        if len(node) > 3:
            yield from tensors_in(node[3])
    elif isinstance(node, list):
        for item in node:
            yield from tensors_in(item)


def shapes_in(node: Any) -> Iterator[tuple[History, Sequence[Any]]]:
    """The values that a call takes with their shapes, where these are told."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            if isinstance(node["config"].get("shape"), list):
                yield next(tensors_in(node)), node["config"]["shape"]
            return
        for item in node.values():
            yield from shapes_in(item)
    elif isinstance(node, list):
        for item in node:
            yield from shapes_in(item)


def _is_old(node: Any) -> bool:
    """Is it `["conv", 0, 0]` or `["conv", 0, 0, {}]`, as Keras 2 writes it?"""
    return (
        isinstance(node, list)
        and len(node) in (3, 4)
        and isinstance(node[0], str)
        and all(isinstance(n, int) for n in node[1:3])
    )


def arguments_of(node: Any, values: Mapping[History, int]) -> tuple[list[Any], dict[str, Any]]:
    """What a call is given by place and by name; values of the model are references."""
    if isinstance(node, dict) and "args" in node:
        placed = [_filled(item, values) for item in node["args"]]
        return placed, {name: _filled(item, values) for name, item in node.get("kwargs", {}).items()}
    named: dict[str, Any] = {}
    items = [node] if _is_old(node) else node
    for item in items:
        if len(item) > 3 and isinstance(item[3], dict):
            named |= {name: _filled(value, values) for name, value in item[3].items()}
    return [_filled(item, values) for item in items], named


def _filled(item: Any, values: Mapping[History, int]) -> Any:
    if isinstance(item, dict) and item.get("class_name") == "__keras_tensor__":
        name, call, place = item["config"]["keras_history"]
        return ValueRef(values[str(name), int(call), int(place)])
    if _is_old(item):
        return ValueRef(values[item[0], item[1], item[2]])
    if isinstance(item, list):
        return [_filled(inner, values) for inner in item]
    return item
