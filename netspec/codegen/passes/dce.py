"""Dead-code elimination: variables of loops, phis and steps without weights whose results nobody takes, and with them
the parameters that nothing asks for any more."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Raw
from ...pycode.names import free_names
from ..ir import Choice, Invoke, Leaf, Loop, definitions, inside, opened, uses
from ..lowering.reachability import keeps_statistics

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from collections.abc import Sequence as Seq

    from ...ir.types import Instance
    from ...pycode.expr import Code
    from ..ir import Node, Template


def eliminate_dead_code(template: Template) -> Template:
    """The template without steps and variables that lead to no weights and no output, and without the parameters that
    only these asked for. Branches keep their steps.

    Uses of shared weights that lead nowhere go as well, as long as another use stays.
    """
    nodes = _live_nodes(template.nodes, [*(value for _, value in template.outputs), *template.first])
    found = template.replace(nodes=nodes)
    fewer = sum(1 for _ in inside(nodes)) < sum(1 for _ in inside(template.nodes))
    return _without_idle_words(found) if fewer else found


def _live_nodes(nodes: tuple[Node, ...], outputs: Seq[int]) -> tuple[Node, ...]:
    all_nodes = list(_outside_branches(nodes))
    alone = _Live(nodes, outputs, all_nodes)
    idle = {id(node): node for node in all_nodes if alone.lacks(node) and _may_go(node)}
    live = _Live(nodes, outputs, idle.values())
    _keep_weights(nodes, idle, live)
    return tuple(found for node in nodes for found in _pruned(node, live.values, idle.keys()))


def _without_idle_words(template: Template) -> Template:
    """The template without parameters, sizes and named numbers that none of its nodes asks for."""
    codes = [code for node in opened(template.nodes) for code in node.codes]
    asked = set[str]().union(
        *map(free_names, codes), *(free_names(size) for sizes in template.shapes for size in sizes)
    )
    named: dict[str, Code] = {}
    for name, code in reversed([*template.locals.items()]):
        if name in asked:
            named = {name: code, **named}
            asked |= free_names(code)
    parameters = tuple(p for p in template.parameters if p.name in asked)
    gone = template.words - {*named, *(p.name for p in parameters)}
    return template.replace(
        parameters=parameters,
        locals=named,
        sizes={name: place for name, place in template.sizes.items() if name in asked},
        values={key: {n: v for n, v in values.items() if n not in gone} for key, values in template.values.items()},
        guards=tuple(guard for guard in template.guards if free_names(Raw(guard)).isdisjoint(gone)),
        added=template.added - gone,
    )


class _Live:
    """The values that outputs, and steps that stay in any case, hang on; `idle` are the steps that may go."""

    def __init__(self, nodes: tuple[Node, ...], outputs: Iterable[int], idle: Iterable[Leaf | Invoke]) -> None:
        few = list(idle)
        self.values: set[int] = set()
        variables = {own: operands for node in inside(nodes) for own, operands in node.variables}
        self.sources = {**variables, **{output: node.inputs for node in few for output in node.outputs}}
        self.add([*outputs, *_taken(nodes, {id(node) for node in few})])

    def add(self, values: Iterable[int]) -> None:
        todo = list(values)
        while todo:
            value = todo.pop()
            self.values.add(value)
            todo.extend(v for v in self.sources.pop(value, ()) if v is not None)

    def lacks(self, node: Leaf | Invoke) -> bool:
        return self.values.isdisjoint(node.outputs)


def _may_go(node: Leaf | Invoke) -> bool:
    """Is nothing lost but what it makes? Running statistics are those of all uses."""
    if node.shared is None:
        return not _has_weights(node)
    return not any(leaf.step is not None and keeps_statistics(leaf.step) for leaf in _leaves(node))


def _keep_weights(nodes: tuple[Node, ...], idle: dict[int, Leaf | Invoke], live: _Live) -> None:
    """Take the first use of shared weights from what may go where no other use would stay.

    From the last to the first, since what a use takes may be another use.
    """
    uses: dict[Instance, list[Leaf | Invoke]] = {}
    for node in inside(nodes) if any(node.shared is not None for node in idle.values()) else ():
        if isinstance(node, Leaf | Invoke) and node.shared is not None:
            uses.setdefault(node.shared, []).append(node)
    for same in reversed(uses.values()):
        if all(id(node) in idle and live.lacks(node) for node in same):
            live.add(same[0].inputs)
            del idle[id(same[0])]


def _outside_branches(nodes: Iterable[Node]) -> Iterator[Leaf | Invoke]:
    for node in nodes:
        if isinstance(node, Leaf | Invoke):
            yield node
        elif isinstance(node, Loop):
            yield from _outside_branches(node.nodes)


def _leaves(node: Leaf | Invoke) -> Iterator[Leaf]:
    """The layers of a call, and those of the calls in it, those of each block once."""
    todo: list[Node] = [node]
    seen: set[int] = set()
    while todo:
        found = todo.pop()
        if isinstance(found, Leaf):
            yield found
        elif isinstance(found, Invoke) and id(found.template) not in seen:
            seen.add(id(found.template))
            todo.extend(opened(found.template.nodes))


def _has_weights(node: Leaf | Invoke) -> bool:
    return any(apply.stateful for leaf in _leaves(node) for apply in leaf.applies)


def needed(nodes: Iterable[Node], wanted: Iterable[int]) -> tuple[Node, ...]:
    """The nodes that some values hang on."""
    live, kept = set(wanted), []
    for node in reversed(tuple(nodes)):
        if live.intersection(definitions((node,))):
            kept.append(node)
            live.update(value for _, value in uses((node,)))
    return tuple(reversed(kept))


def _taken(nodes: Iterable[Node], idle: Collection[int]) -> Iterator[int]:
    """What the steps that stay in any case take."""
    for node in inside(nodes):
        if not isinstance(node, Loop | Choice) and id(node) not in idle:
            yield from node.inputs


def _pruned(node: Node, live: set[int], idle: Collection[int]) -> Iterator[Node]:
    """The node without what leads to nothing, if anything is left of it."""
    if not isinstance(node, Loop | Choice):
        if id(node) not in idle or live.intersection(node.outputs):
            yield node
        return
    found = node.with_parts(tuple(tuple(n for i in part for n in _pruned(i, live, idle)) for part in node.parts))
    if isinstance(found, Choice):
        yield found.replace(phis=tuple(phi for phi in found.phis if phi[1] in live))
    elif found.nodes or not live.isdisjoint(found.leaves):
        yield found.replace(carried=tuple(v for v in found.carried if v[2] in live))
