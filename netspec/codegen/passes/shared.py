"""Things that are made once and used several times: each use must ask for the same thing."""

from __future__ import annotations

from ...base.diagnostics import Diagnostic, Label, SpecError
from ...base.record import TYPE_CHECKING
from ..ir import Invoke, Leaf, inside

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...ir.types import Instance
    from ..ir import Node, Template


def check_shared(templates: Iterable[Template], target: str) -> None:
    """Raises SpecError where uses on inputs of several sizes would need a module each."""
    for template in templates:
        made: dict[Instance, Any] = {}
        for node in inside(template.nodes):
            if isinstance(node, Leaf | Invoke) and node.shared is not None:
                form = _form(node)
                if made.setdefault(node.shared, form) != form:
                    raise _differs(node.shared, target)


def shared_calls(nodes: Iterable[Node]) -> dict[Instance, Invoke]:
    """The blocks and nets that are made once and used several times, each with its first use; not cells, which are
    layers."""
    found: dict[Instance, Invoke] = {}
    for node in inside(nodes):
        if isinstance(node, Invoke) and node.shared is not None and node.form is None:
            found.setdefault(node.shared, node)
    return found


def _form(node: Leaf | Invoke) -> Any:
    """What the constructor of a node says, and what its first use does."""
    if isinstance(node, Leaf):
        return [(apply.make, apply.rank) for apply in node.applies if apply.stateful]
    return node.template.name, node.arguments


def _differs(shared: Instance, target: str) -> SpecError:
    message = f"`{shared.name}` is used on inputs of several sizes, for which the code would have to differ"
    help = "declare a second `layer`, or bring the inputs to one size"
    return SpecError([Diagnostic(f"not-in-{target}", message, Label(shared.span), (), help)])
