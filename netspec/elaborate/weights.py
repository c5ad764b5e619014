"""`weight W [n, m] init=zeros`: learned numbers of one's own in a body."""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label, did_you_mean
from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING
from ..ir.types import Step, Tensor, applied
from ..layers.arguments import Violation, Word
from ..layers.base import bind
from ..syntax import tree
from .inputs import declared
from .lookup import unknown
from .session import POISON, Poison, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..ir.types import OutputPort
    from .scope import Context, Scope


def declare_weight(scope: Scope, node: tree.WeightDeclaration) -> None:
    """Bind the name to a new value that no sample changes. The flow stays as it is."""
    sizes = tuple(size_of(scope, size, "weight") for size in node.sizes)
    options = _options(scope, node)
    value = (
        POISON if POISON in sizes or options is None else declared(scope, sizes, "float32", node.span, batched=False)
    )
    if options is None or isinstance(value, Poison):
        scope.bind(node.name, POISON)
        return
    values, frozen = options
    from ..layers.parameter import Parameter

    try:
        made = bind(Parameter, {"sizes": sizes, **{n: v[0] for n, v in values.items()}})
    except Violation as violation:
        place = values[violation.argument][1]
        scope.bind(node.name, scope.session.fault(violation.code, violation.message, place, help=violation.help))
        return
    name, given = scope.name_for("weight", node.name)
    written = {n: v[2] for n, v in values.items()}
    scope.add(Step(name, given, made, (), (value,), node.span, written, frozen), 1)
    scope.bind(node.name, value)


def size_of(scope: Scope, size: tree.Node, what: str) -> Any:
    """A size of a weight or state."""
    if isinstance(size, tree.Ellipsis):
        return scope.session.fault("wrong-value", f"a {what} must say all its axes", size.span)
    value = scope.evaluate(size)
    if isinstance(value, Word) and isinstance(size, tree.Name):
        return unknown(scope, size, number=True)
    whole = isinstance(value, int | DimExpr) and not isinstance(value, bool)
    if value is POISON or (whole and (isinstance(value, DimExpr) or value >= 1)):
        return value
    return scope.session.fault(
        "wrong-value", f"a size is a whole number of at least 1, not {kind_of(value)}", size.span
    )


def _options(scope: Scope, node: tree.WeightDeclaration) -> tuple[dict[str, Any], bool] | None:
    """What is said of it by name, as arguments are, and whether it is held still. None where something is wrong."""
    found: dict[str, Any] = {}
    for option in node.options:
        name = option.name
        value = scope.evaluate(option.value)
        if value is POISON:
            return None
        if name.text in found:
            first = found[name.text][2].span
            scope.session.fault(
                "duplicate-argument", f"`{name.text}` is given twice", name.span, others=((first, "here already"),)
            )
            return None
        if name.text not in ("init", "frozen"):
            help = did_you_mean(name.text, ("init", "frozen")) or "it takes init and frozen"
            scope.session.fault("unknown-argument", f"a weight has no `{name.text}`", name.span, help=help)
            return None
        found[name.text] = (value, option.value.span, option.value)
    frozen = found.pop("frozen", (False,))
    if not isinstance(frozen[0], bool):
        message = f"`frozen` must be true or false, not {kind_of(frozen[0])}"
        scope.session.fault("wrong-value", message, frozen[1])
        return None
    return found, frozen[0]


def look_up(at: Context, table: Tensor, items: Sequence[Any], node: tree.Subscript) -> Any:
    """`table[tokens]`: rows of a weight, or of what is made of weights, at the places that a value holds."""
    scope, (places, *more) = at.scope, items
    if more or not isinstance(places, Tensor):
        return scope.session.fault("not-a-value", "places that are values stand alone in an index", node.span)
    if table.batched:
        message = "only a table that is the same for every sample is read at places that are values"
        help = "read a `weight`; `einsum` with a `one_hot` of the places reads any value"
        return scope.session.fault("not-a-value", message, node.value.span, help=help)
    if not places.dtype.startswith("int"):
        message = f"places are whole numbers, but this value holds others ({places.dtype})"
        return scope.session.fault("wrong-dtype", message, node.items[0].span)
    from ..layers.lookup import Lookup

    try:
        shape = Lookup().shape(table.shape, places.shape)
    except Violation as violation:
        return scope.session.fault(violation.code, violation.message, node.value.span)
    name, given = scope.name_for("lookup", at.chosen)
    value = scope.tensor(shape, table.dtype, node.span, places.batched)
    scope.add(Step(name, given, Lookup(), (table, places), (value,), node.span, {}), 1)
    return value


# --- weights that nothing takes --------------------------------------------------------------------------------------


def check_used(scope: Scope, outputs: Sequence[OutputPort]) -> None:
    """Warn of weights that nothing takes: they would be counted, and never learn."""
    steps = list(applied(scope.items))
    declared = [s for s in steps if isinstance(s, Step) and not s.inputs]
    if not declared or scope.session.faults.failed:
        return
    starts = {s.start.number for s in scope.states.values() if isinstance(s.start, Tensor)}
    used = {t.number for s in steps for t in s.inputs} | {r.value.number for r in outputs} | starts
    for step in declared:
        if step.output.number not in used:
            scope.session.faults.add(
                Diagnostic(
                    "never-used",
                    f"the weight `{step.given}` is never used",
                    Label(step.span, "it is counted, and learns nothing"),
                    help="use it, or leave it out",
                    severity="warning",
                )
            )


def constant(outputs: Sequence[OutputPort]) -> Tensor | None:
    """An output that is made of weights alone."""
    return next((r.value for r in outputs if not r.value.batched), None)
