"""Rerolling: calls of one block in a row, and loops of one block, become one chain (`nn.Sequential`)."""

from __future__ import annotations

from collections import Counter

from ...base.record import TYPE_CHECKING
from ..ir import Invoke, Leaf, Loop, ModuleChain, uses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..ir import Choice, Node, Template
    from ..styles import Style

# blocks in a row that are written as one Sequential
_LONG = 4


def reroll(template: Template, style: Style) -> Template:
    """Long runs of one block, nameless and one behind the other, and loops of one block, as one Sequential, where the
    style has those."""
    if not style.sequences:
        return template
    nodes = template.nodes
    counts = Counter([*(value for _, value in uses(nodes)), *(value for _, value in template.outputs)])
    found: list[Node] = []
    place = 0
    while place < len(nodes):
        node = nodes[place]
        alone = _loop_of_one(node, counts) if isinstance(node, Loop) else None
        run = _run(nodes, place, counts)
        if alone is not None:
            found.append(alone)
        elif len(run) >= _LONG:
            found.append(ModuleChain(plural(run[0]), tuple(run), run[0].inputs, run[-1].outputs, run[-1].shape))
            place += len(run) - 1
        else:
            found.append(node)
        place += 1
    return template.replace(nodes=tuple(found))


def _run(nodes: Seq[Node], place: int, counts: Mapping[int, int]) -> list[Invoke]:
    """The calls of one block that stand from a place on, each of which only the next one takes."""
    run: list[Invoke] = []
    for k in range(place, len(nodes)):
        node = nodes[k]
        if not isinstance(node, Invoke) or node.given or node.shared is not None or node.form is not None:
            break
        if len(node.inputs) != 1 or len(node.outputs) != 1:
            break
        if run and (node.template is not run[0].template or node.inputs != run[-1].outputs):
            break
        if run and counts[run[-1].outputs[0]] != 1:
            break
        run.append(node)
    return run


def _loop_of_one(loop: Loop, counts: Mapping[int, int]) -> ModuleChain | None:
    """A loop that applies a block to the flow and does nothing else."""
    if len(loop.nodes) != 1 or len(loop.carried) != 1:
        return None
    only = loop.nodes[0]
    first, later, own = loop.carried[0]
    if not isinstance(only, Invoke) or only.shared is not None or first is None or counts[own] != 1:
        return None
    if only.form is not None:
        return None
    if only.inputs != (own,) or only.outputs != (later,):
        return None
    return ModuleChain(only.given or plural(only), (loop,), (first,), (later,), None)


def plural(node: Leaf | Invoke) -> str:
    """A name for several of a kind."""
    word = node.kind if isinstance(node, Leaf) else node.template.bodies[0].name
    return word if word.endswith("s") else word + "s"


def optional(choice: Choice) -> tuple[Any, int] | None:
    """The one module that a choice is about, where its other branch only hands something on, and which branch it is."""
    if len(choice.branches) != 2 or len(choice.phis) != 1:
        return None
    for place in (0, 1):
        nodes, others = choice.branches[place][1], choice.branches[1 - place][1]
        if len(nodes) == 1 and not others and choice.phis[0][0][place] == _module_output(nodes[0]):
            return nodes[0], place
    return None


def _module_output(node: Node) -> int | None:
    """What comes out of a node that is one module, made for it alone."""
    if isinstance(node, ModuleChain):
        return node.outputs[0]
    if isinstance(node, Invoke) and node.shared is None and len(node.outputs) == 1 and node.form is None:
        return node.outputs[0]
    if isinstance(node, Leaf) and node.inputs and node.shared is None and len(node.applies) == len(node.outputs) == 1:
        apply = node.applies[0]
        return node.outputs[0] if apply.plain and (apply.stateful or apply.call is None) else None
    return None
