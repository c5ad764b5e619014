"""What nobody takes is not written: variables of loops and choices, and steps without weights."""

from __future__ import annotations

import re

from ..pycode import inline
from ..record import TYPE_CHECKING
from .reaching import keeps_statistics
from .template import Choice, Invoke, Leaf, Loop, Sequence, inside
from .variables import uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .template import Node


def prune(nodes: Iterable[Node], outputs: Iterable[int]) -> tuple[Node, ...]:
    """The nodes without steps and variables that lead to no weights and no output. Branches keep their steps.

    Uses of shared weights that lead nowhere go as well, as long as another use stays.
    """
    kept = tuple(nodes)
    leaves = [leaf for leaf in _outside_branches(kept) if _may_go(leaf)]
    while True:
        live = _live(kept, outputs, leaves)
        lost = _lost(kept, leaves, live)
        if lost is None:
            idle = {id(leaf) for leaf in leaves}
            return tuple(found for node in kept for found in _pruned(node, live, idle))
        leaves.remove(lost)


def _may_go(leaf: Leaf) -> bool:
    """Is nothing lost but what it makes? Running statistics are those of all uses."""
    if leaf.shared is None:
        return not _has_weights(leaf)
    return leaf.step is not None and not keeps_statistics(leaf.step)


def _live(nodes: tuple[Node, ...], outputs: Iterable[int], idle: Iterable[Leaf]) -> set[int]:
    """The values that outputs hang on, and steps that stay in any case."""
    leaves = list(idle)
    sources = {**dict(_sources(nodes)), **{output: leaf.inputs for leaf in leaves for output in leaf.outputs}}
    live, todo = set(outputs), [*outputs, *_taken(nodes, {id(leaf) for leaf in leaves})]
    while todo:
        value = todo.pop()
        live.add(value)
        todo.extend(v for v in sources.pop(value, ()) if v is not None)
    return live


def _lost(nodes: tuple[Node, ...], idle: Iterable[Leaf], live: set[int]) -> Leaf | None:
    """The first use of shared weights of which no other use would stay."""
    dead = {id(leaf): leaf for leaf in idle if live.isdisjoint(leaf.outputs)}
    stay = {n.shared for n in inside(nodes) if isinstance(n, Leaf) and n.shared is not None and id(n) not in dead}
    return next((leaf for leaf in dead.values() if leaf.shared is not None and leaf.shared not in stay), None)


def _outside_branches(nodes: Iterable[Node]) -> Iterator[Leaf]:
    for node in nodes:
        if isinstance(node, Leaf):
            yield node
        elif isinstance(node, Loop):
            yield from _outside_branches(node.nodes)


def _has_weights(leaf: Leaf) -> bool:
    return any(apply.stateful for apply in leaf.applies)


def words_of(nodes: Iterable[Node]) -> set[str]:
    """All words in the code of the nodes."""
    found: set[str] = set()
    for node in inside(nodes):
        if isinstance(node, Sequence):
            found |= words_of(node.nodes)
        else:
            found.update(word for code in _codes(node) for word in re.findall(r"[^\W\d]\w*", inline(code)))
    return found


def _codes(node: Leaf | Invoke | Loop | Choice) -> Iterator[Any]:
    if isinstance(node, Leaf):
        yield from (code for apply in node.applies for code in (apply.make, apply.call))
    elif isinstance(node, Invoke):
        yield from (value for _, value in node.arguments)
    elif isinstance(node, Loop):
        yield node.items
    else:
        yield from (condition for condition, _ in node.branches)


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


def _taken(nodes: Iterable[Node], idle: set[int]) -> Iterator[int]:
    """What the steps that stay in any case take."""
    for node in inside(nodes):
        if not isinstance(node, Loop | Choice) and id(node) not in idle:
            yield from node.inputs


def _pruned(node: Node, live: set[int], idle: set[int]) -> Iterator[Node]:
    """The node without what leads to nothing, if anything is left of it."""
    if isinstance(node, Loop):
        carried = tuple(v for v in node.carried if v[2] in live)
        nodes = tuple(found for inner in node.nodes for found in _pruned(inner, live, idle))
        if nodes or carried:
            yield node.replace(carried=carried, nodes=nodes)
    elif isinstance(node, Choice):
        branches = tuple(
            (condition, tuple(found for n in inner for found in _pruned(n, live, idle)))
            for condition, inner in node.branches
        )
        yield node.replace(branches=branches, phis=tuple(phi for phi in node.phis if phi[1] in live))
    elif id(node) not in idle or live.intersection(node.outputs):
        yield node
