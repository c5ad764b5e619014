"""Variables of loops and choices that nothing takes are not written."""

from __future__ import annotations

from ..record import TYPE_CHECKING
from .template import Choice, Loop, inside
from .variables import uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .template import Node


def prune(nodes: Iterable[Node], outputs: Iterable[int]) -> tuple[Node, ...]:
    """The nodes without variables that lead to no step and no output."""
    kept = tuple(nodes)
    sources = dict(_sources(kept))
    live, todo = set(outputs), [*outputs, *_taken(kept)]
    while todo:
        value = todo.pop()
        live.add(value)
        todo.extend(v for v in sources.pop(value, ()) if v is not None)
    return tuple(_pruned(node, live) for node in kept)


def needed(nodes: Iterable[Node], wanted: Iterable[int]) -> tuple[Node, ...]:
    """The nodes that some values hang on."""
    live, kept = set(wanted), []
    for node in reversed(tuple(nodes)):
        if live.intersection(_made((node,))):
            kept.append(node)
            live.update(value for _, value in uses((node,)))
    return tuple(reversed(kept))


def _made(nodes: Iterable[Node]) -> Iterator[int]:
    """The values that nodes make."""
    yield from (value for value, _ in _sources(nodes))
    yield from (value for node in inside(nodes) if not isinstance(node, Loop | Choice) for value in node.outputs)


def _sources(nodes: Iterable[Node]) -> Iterator[tuple[int, tuple[int | None, ...]]]:
    """What each variable is made of."""
    for node in inside(nodes):
        if isinstance(node, Loop):
            yield from ((own, (first, later)) for first, later, own in node.carried)
        elif isinstance(node, Choice):
            yield from ((own, operands) for operands, own in node.phis)


def _taken(nodes: Iterable[Node]) -> Iterator[int]:
    for node in inside(nodes):
        if not isinstance(node, Loop | Choice):
            yield from node.inputs


def _pruned(node: Node, live: set[int]) -> Node:
    if isinstance(node, Loop):
        carried = tuple(v for v in node.carried if v[2] in live)
        return node.replace(carried=carried, nodes=tuple(_pruned(n, live) for n in node.nodes))
    if isinstance(node, Choice):
        branches = tuple((condition, tuple(_pruned(n, live) for n in inner)) for condition, inner in node.branches)
        return node.replace(branches=branches, phis=tuple(phi for phi in node.phis if phi[1] in live))
    return node
