"""What a sound spec says in vain: values, inputs and parameters that nothing uses, and flows that are lost.

These are warnings: the net is what it says, but most likely not what is meant. A statement counts as used where it is
so in any use of its block and in any turn of its loop; a name where it stands anywhere in the body, also in a branch
that is not taken.
"""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING
from ..layers import LAYERS
from ..syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.source import Span
    from ..syntax.tree import Definition
    from .uses import Uses


def report(uses: Uses, faults: Collector) -> None:
    """Warnings of all that was never used."""
    lost = {span for span, used in uses.flows.items() if not used}
    for definition, inputs in uses.definitions.values():
        nodes = definition.nodes
        mentioned = {n.text for n in nodes if isinstance(n, tree.Name)}
        inputs = inputs | _said_by_one(nodes)
        bodies = [n.statements for n in nodes if isinstance(n, tree.Braces)]
        behind = {body[i].span: after for body in bodies for i, after in enumerate(body[1:])}
        for node in nodes:
            unused = _UNUSED.get(node.__class__)
            found = unused(node, mentioned, definition, inputs) if unused is not None else None
            if found is None and isinstance(node, tree.Flow) and node.span in lost:
                found = _lost(node, behind.get(node.span), mentioned)
            if found is not None:
                faults.add(found)


def _said_by_one(nodes: Sequence[tree.Node]) -> set[str]:
    """The inputs whose sizes are used, and stand in no other input."""
    ports = [node for node in nodes if isinstance(node, tree.Input)]
    sizes = [(port, {part.text for part in tree.walk(port) if isinstance(part, tree.Name)}) for port in ports]
    within: dict[str, int] = {}
    for name in [name for _, own in sizes for name in own]:
        within[name] = within.get(name, 0) + 1
    everywhere: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, tree.Name):
            everywhere[node.text] = everywhere.get(node.text, 0) + 1
    return {port.name.text for port, own in sizes if any(within[name] == 1 < everywhere[name] for name in own)}


def _binding(node: tree.Binding, mentioned: set[str], _definition: Definition, _inputs: set[str]) -> Diagnostic | None:
    names = [n.text for n in node.target.names] if isinstance(node.target, tree.BindingTarget) else []
    if not names or not mentioned.isdisjoint(names):
        return None
    are = "are" if len(names) > 1 else "is"
    message = f"{' and '.join(f'`{n}`' for n in names)} {are} never used"
    return _warning("unused-value", message, node.target.span, "use it, or leave the line out")


def _shared(node: tree.Shared, mentioned: set[str], _definition: Definition, _inputs: set[str]) -> Diagnostic | None:
    name = node.name.text
    if name in mentioned:
        return None
    return _warning("unused-value", f"`{name}` is never used", node.name.span, f"apply it: `-> {name}`")


def _parameter(
    node: tree.ParameterDeclaration, mentioned: set[str], definition: Definition, _inputs: set[str]
) -> Diagnostic | None:
    if node.name.text in mentioned:
        return None
    message = f"the parameter `{node.name.text}` of {definition.word} {definition.name.text} is never used"
    return _warning("unused-parameter", message, node.name.span, "whatever it is given, nothing changes")


def _input(node: tree.Input, mentioned: set[str], _definition: Definition, inputs: set[str]) -> Diagnostic | None:
    name = node.name.text
    if name in mentioned or name in inputs:
        return None
    help = f"begin with it: `{name} -> ...`, or leave it out"
    return _warning("unused-input", f"the input `{name}` is never used", node.name.span, help)


_UNUSED: dict[type, Callable[[Any, set[str], Definition, set[str]], Diagnostic | None]] = {
    tree.Binding: _binding,
    tree.Shared: _shared,
    tree.ParameterDeclaration: _parameter,
    tree.Input: _input,
}


def _lost(node: tree.Flow, after: tree.Node | None, mentioned: set[str]) -> Diagnostic | None:
    """A statement whose value goes nowhere."""
    last = node.value.stages[-1] if isinstance(node.value, tree.Pipeline) else node.value
    if isinstance(last, tree.NamedStep) and last.name.text in mentioned:
        return None
    if isinstance(after, tree.Flow) and after.span.text[:1] == "-":
        from .stages import not_going_on

        return not_going_on(after, node)
    help = "bind it with `name = ...` and use it, or go on from it"
    others = (Label(after.span, "this begins anew"),) if isinstance(after, tree.Flow) else ()
    if isinstance(after, tree.Flow):
        first = after.value.stages[0] if isinstance(after.value, tree.Pipeline) else after.value
        if isinstance(first, tree.Name) and first.text in LAYERS:
            others = (Label(first.span, f"this is the value `{first.text}`, not the layer"),)
            help = f"write `{first.text}()` for the layer, or give the value another name"
    return _warning("lost-flow", "what this gives is lost: nothing uses it", node.span, help, others)


def _warning(code: str, message: str, span: Span, help: str, others: tuple[Label, ...] = ()) -> Diagnostic:
    return Diagnostic(code, message, Label(span), others, help, severity="warning")
