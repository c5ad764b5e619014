"""`output`: what a body gives, and under which names."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.types import OutputPort, Tensor
from ..syntax import tree
from .makers import too_many
from .session import POISON, kind_of

if TYPE_CHECKING:
    from .scope import Scope


def declare_output(scope: Scope, node: tree.Output) -> None:
    scope.declared_output = True
    for item in node.items:
        value = scope.evaluate(item.value, words=False)
        if item.name is not None:
            scope.bind(item.name, value)
        name = _name(item) or (f"output{len(scope.outputs) + 1}" if len(node.items) > 1 else "output")
        if name in scope.outputs:
            help = "name one of them otherwise: `output other = ...`"
            scope.session.fault("duplicate-name", f"two outputs are called `{name}`", item.span, help=help)
        elif isinstance(value, Tensor) and scope.outputs and scope.definition.word == "cell":
            said = "one value comes out of a cell, and this is another one"
            help = "`concat` makes one of several; what the next step needs is a `state`"
            scope.session.fault("wrong-arity", said, item.span, help=help)
        elif isinstance(value, Tensor):
            scope.outputs[name] = OutputPort(name, value)
        elif value is not POISON and not _are_several(scope, item, value):
            values = item.value.items if isinstance(item.value, tree.List | tree.TupleExpression) else ()
            help = f"write `output {', '.join(v.span.text for v in values)}`" if values else ""
            scope.session.fault(
                "not-a-value", f"an output is a value, but this is {kind_of(value)}", item.span, help=help
            )


def _are_several(scope: Scope, item: tree.Produced, value: object) -> bool:
    """Are these the values of one step? Reported if so."""
    return isinstance(value, tuple) and too_many(scope, item.span, "an output is one value", value) is not None


def _name(item: tree.Produced) -> str:
    """The name of an output: its own, that of the value, or that of the last step; empty where there is none."""
    if item.name is not None:
        return item.name.text
    last = item.value.stages[-1] if isinstance(item.value, tree.Pipeline) else item.value
    if isinstance(last, tree.NamedStep):
        return last.name.text
    return item.value.text if isinstance(item.value, tree.Name) else ""
