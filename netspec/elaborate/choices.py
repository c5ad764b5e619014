"""`if`: what a condition chooses when the net is compiled."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..syntax import tree
from .session import POISON, no_condition

if TYPE_CHECKING:
    from ..syntax.tree import Node
    from .scope import Scope


def choose(scope: Scope, node: tree.If) -> None:
    """Run the branch whose condition holds."""
    choice, otherwise = 0, node
    while True:
        condition = scope.evaluate(otherwise.condition)
        if condition is POISON:
            _forget(scope, node)
            return
        if not isinstance(condition, bool):
            no_condition(scope.session, condition, otherwise.condition)
            _forget(scope, node)
            return
        if condition or not isinstance(otherwise.otherwise, tree.If):
            break
        otherwise, choice = otherwise.otherwise, choice + 1
    body = otherwise.body if condition else otherwise.otherwise
    choice = choice if condition else choice + 1

    def run() -> None:
        if isinstance(body, tree.Braces):
            scope.run(body)

    if only_expects(node):
        run()
        return
    scope.in_region("if", "", node, run, choice=choice)


def only_expects(node: tree.If) -> bool:
    """Does a condition choose between expectations only? Then nothing of the net hangs on it."""
    branch: Node | None = node
    while isinstance(branch, tree.If):
        if not all(isinstance(s, tree.Expect) for s in branch.body.statements):
            return False
        branch = branch.otherwise
    return branch is None or (
        isinstance(branch, tree.Braces) and all(isinstance(s, tree.Expect) for s in branch.statements)
    )


def _forget(scope: Scope, node: tree.If) -> None:
    """Nothing is known of what a condition decides: neither the flow nor the names that its branches bind."""
    for inner in tree.walk(node):
        if isinstance(inner, tree.Binding) and isinstance(inner.target, tree.BindingTarget):
            for name in inner.target.names:
                scope.bind(name, POISON)
        elif isinstance(inner, tree.NamedStep):
            scope.bind(inner.name, POISON)
        elif isinstance(inner, tree.Flow):
            scope.flow = POISON
