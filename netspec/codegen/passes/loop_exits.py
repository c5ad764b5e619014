"""Loop-closed values: what follows a loop takes the variable that the loop carries, not what its last turn made.

The two are one value as long as there is a turn. Where an argument counts the turns there may be none, and only the
variable holds something then. Mostly both stand under one name, and nothing is to be done; they do not where the turn
still asks for the old value once the new one is made, as in `last, before = step(last, before), last`. Compilers call
the form LCSSA (loop-closed SSA).
"""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Call, Raw
from ..ir import Choice, Loop, ModuleChain, uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Sequence as Seq
    from typing import TypeAlias

    from ..ir import Node, Template
    from ..styles import Style

    # of a loop: a value that it leaves, and the variable to take for it
    Variables: TypeAlias = Callable[[Loop], Iterable[tuple[int, int]]]


def close_loops(template: Template, _style: Style) -> Template:
    """The template with the variables of loops in the place of what they last were, as far as that matters."""
    return _with(template, _apart)


def close_all(template: Template) -> Template:
    """The same for all variables of loops: two templates that differ in nothing else become one."""
    return _with(template, _carried)


def _with(template: Template, variables: Variables) -> Template:
    nodes, instead = _closed(template.nodes, {}, variables)
    if not instead:
        return template.replace(nodes=nodes)
    outputs = tuple((name, instead.get(value, value)) for name, value in template.outputs)
    return template.replace(nodes=nodes, outputs=outputs, first=tuple(instead.get(v, v) for v in template.first))


def _closed(
    nodes: Seq[Node], instead: Mapping[int, int], variables: Variables
) -> tuple[tuple[Node, ...], dict[int, int]]:
    """Nodes one behind the other, and what to take behind them in place of which value."""
    known, found = dict(instead), []
    for node in nodes:
        found.append(_renamed(node, known, variables))
        if isinstance(node, Loop):
            known.update(variables(node))
    return tuple(found), known


def _renamed(node: Node, instead: Mapping[int, int], variables: Variables) -> Node:
    """A node that takes other values, with what is in it closed as well."""
    if isinstance(node, Loop):
        inner, within = _closed(node.nodes, instead, variables)
        carried = tuple((_of(first, instead), _of(later, within), own) for first, later, own in node.carried)
        return node.replace(nodes=inner, carried=carried)
    if isinstance(node, Choice):
        branches = [_closed(inner, instead, variables) for _, inner in node.branches]
        phis = tuple(
            (tuple(_of(value, within) for value, (_, within) in zip(operands, branches)), own)
            for operands, own in node.phis
        )
        return node.replace(
            branches=tuple((c, inner) for (c, _), (inner, _) in zip(node.branches, branches)), phis=phis
        )
    inputs = tuple(instead.get(value, value) for value in node.inputs)
    if isinstance(node, ModuleChain):
        return node.replace(nodes=_closed(node.nodes, instead, variables)[0], inputs=inputs)
    return node.replace(inputs=inputs) if inputs != node.inputs else node


def _of(value: int | None, instead: Mapping[int, int]) -> int | None:
    return None if value is None else instead.get(value, value)


def _may_be_empty(loop: Loop) -> bool:
    """True if an argument says how many turns there are."""
    items = loop.items
    while isinstance(items, Call) and items.func in ("enumerate", "zip") and items.args:
        items = items.args[0]
    if isinstance(items, Call):
        return any(type(arg) is not int for arg in items.args)
    return isinstance(items, Raw)


def _apart(loop: Loop) -> Iterator[tuple[int, int]]:
    """What the last turn leaves in a variable that cannot share a name with it, and the variable."""
    return (pair for pair in _carried(loop) if _may_be_empty(loop) and _asked_late(loop, *pair))


def _carried(loop: Loop) -> Iterator[tuple[int, int]]:
    """What the last turn makes for a variable, and the variable; what was in another variable is not made."""
    variables = {own for _, _, own in loop.carried}
    for first, later, own in loop.carried:
        if first is not None and later is not None and later not in variables:
            yield later, own


def _asked_late(loop: Loop, later: int, own: int) -> bool:
    """True if a turn asks for a variable when its next value is there already."""
    if any(after == own for _, after, other in loop.carried if other != own):
        return True
    made = False
    for node in loop.nodes:
        if made and any(value == own for _, value in uses((node,))):
            return True
        made = made or later in node.leaves
    return False
