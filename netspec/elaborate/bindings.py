"""`name = value`: names bound to values, or to the items of one."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..syntax import tree
from .makers import names_of
from .scope import Context
from .session import POISON, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..base.source import Span
    from .scope import Scope


def bind_names(scope: Scope, node: tree.Binding) -> None:
    if isinstance(node.target, tree.Unbindable):
        _unbindable(scope, node.target)
        return
    values = tuple(Context(scope, scope.flow, False, None, True).again(v) for v in node.values)
    broken = not node.target.unpacks and any(value is POISON for value in values)
    unpack(scope, node.target, POISON if broken else values[0] if len(values) == 1 else values, node.span)


def _unbindable(scope: Scope, target: tree.Unbindable) -> None:
    """Report what stands before `=` and is no name."""
    later = [part.name.text for part in tree.walk(target) if isinstance(part, tree.Next)]
    scope.missed.update(later)
    parts = [value.name.text for value in target.values if isinstance(value, tree.Attribute)]
    names = [*(f"next {name}" for name in later), *parts] or ["name"]
    if not later and all(isinstance(value, tree.Name | tree.TupleExpression) for value in target.values):
        leaves = [part.text for part in tree.walk(target) if isinstance(part, tree.Name)]
        names = [", ".join(leaves)]
        scope.names.update((leaf, POISON) for leaf in leaves if leaf not in scope.names)
    help = f"write `{names[0]} = ...`"
    if target.span.text.startswith("self."):
        help = f"a layer stands where it is used, `conv(8, 3x3) as {parts[0]}`; one that is used twice is declared: "
        help += f"`layer {parts[0]} = conv(8, 3x3)`"
    scope.session.fault("syntax", "only names can be bound", target.span, help=help)


def unpack(scope: Scope, target: tree.BindingTarget, value: Any, span: Span) -> None:
    """Bind the names of a target to a value, or to the items of it."""
    if not target.unpacks:
        scope.bind(target.names[0], value)
        return
    if isinstance(value, tuple) and len(value) == len(target.names):
        for name, item in zip(target.names, value):
            scope.bind(name, item)
        return
    if value is not POISON:
        many = isinstance(value, tuple)
        names = names_of(scope, value if many else (value,))
        count = f"{len(value)} values{': ' * bool(names)}{', '.join(names)}" if many else kind_of(value)
        help = "`return=(sequence, state)` gives the state, too" if names in (("last",), ("sequence",)) else ""
        said = f"{len(target.names)} names cannot take {count}"
        scope.session.fault("wrong-arity", said, target.span, others=((span, "from here"),), help=help)
    for name in target.names:
        scope.bind(name, POISON)


def named_after(loop: Callable[[Scope, Any], None]) -> Callable[[Scope, Any], None]:
    """A loop, and behind it the name of what comes out."""

    def run(scope: Scope, node: tree.Repeat | tree.For) -> None:
        loop(scope, node)
        if node.result is not None:
            scope.bind(node.result, scope.flow, mark=True)

    return run
