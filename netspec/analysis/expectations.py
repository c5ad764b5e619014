"""Expectations: conditions on the figures of a net, held against what inference found."""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label
from ..base.dims import DimExpr, largest, show
from ..base.record import TYPE_CHECKING
from ..consteval import Fault, apply_operator, call_function
from ..elaborate.apply import Intrinsic
from ..elaborate.doubts import BATCHES
from ..elaborate.inputs import NO_BATCH
from ..elaborate.lookup import loose_name, loose_name_in, unknown
from ..elaborate.rules import begin
from ..elaborate.scope import Scope
from ..elaborate.session import POISON, Session, kind_of
from ..ir.types import Figures, Outcome, Tensor
from ..layers.arguments import CONSTANTS, describe
from ..resolve.resolve import bound_names
from ..syntax import tree
from ..syntax.tree import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.dims import Dim
    from ..ir.types import Expectation, Net
    from .receptive_field import Field

    FieldOf = Callable[[Tensor], Field | None]

BYTES = 4  # of a float32, the type that figures in bytes are given for


def check_expectations(
    net: Net, totals: Figures, depth: Dim, field_of: FieldOf, faults: Collector
) -> tuple[Outcome, ...]:
    """Each `expect` line of a net with its outcome; a failed one is a fault too."""
    known = _known(net, totals, depth, field_of)
    session = begin(net.design, faults)
    found: list[Outcome | None] = []
    for expectation in net.expectations:
        span = expectation.statement.condition.span
        session.attempt(span, lambda e=expectation: found.append(_outcome(net, session, known, e)))  # type: ignore[misc]
    return tuple(o for o in found if o is not None)


def check_settings(net: Net, faults: Collector) -> None:
    """Of a net that went wrong on its way: the conditions on nothing but its parameters, since they may say why."""
    session = begin(net.design, faults)
    later = (
        bound_names(net.body.definition) | _known(net, Figures(), 0, lambda value: None).keys()
    ) - net.body.arguments.keys()
    for expectation in net.expectations:
        nodes = list(walk(expectation.statement.condition))
        inner = {n.text for n in nodes if isinstance(n, tree.Identifier)}  # those of a comprehension
        names = {n.text for n in nodes if isinstance(n, tree.Name)}
        if names & net.body.arguments.keys() and not names & (later - inner):
            _outcome(net, session, {}, expectation)


def _known(net: Net, totals: Figures, depth: Dim, field_of: FieldOf) -> dict[str, Any]:
    """What a condition can name beside the values of the net."""
    shapes = tuple(r.value.shape for r in net.body.outputs)
    return {
        **{n: v for n, v in totals.__dict__.items() if n not in ("weights", "biases", "alike")},
        "non_trainable": totals.params - totals.trainable,
        "output": shapes[0] if len(shapes) == 1 else shapes,
        "memory": Intrinsic("memory", lambda values, named: _memory(totals, values, named), "memory(batch=32)"),
        "receptive_field": Intrinsic(
            "receptive_field", lambda values, named: _receptive(field_of, values, named), "receptive_field(conv5)"
        ),
        "sequential_depth": depth,
    }


def _largest(values: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """`max` of figures: unlike a size of the net, a figure may be the larger of two that are not known."""
    if named:
        raise Fault("unknown-argument", "`max` takes numbers only")
    if values and all(isinstance(v, DimExpr) or type(v) is int for v in values):
        return largest(values)
    return call_function("max", values)


_FIGURES = {"max": Intrinsic("max", _largest, "max(a, b)")}


def _memory(totals: Figures, values: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Bytes of the parameters and statistics, and of all activations of a batch, as float32."""
    odd = [n for n in named if n != "batch"]
    if values or odd:
        raise Fault("unknown-argument", "`memory` takes `batch=` only", "write `memory(batch=32)`")
    batch = named.get("batch", 1)
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise Fault("wrong-value", f"`batch` is a whole number of at least 1, not {describe(batch)}")
    return BYTES * (totals.params + totals.statistics) + BYTES * totals.of_batch(batch)


def _receptive(field_of: FieldOf, values: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    if len(values) != 1 or named or not isinstance(values[0], Tensor):
        raise Fault(
            "wrong-arity",
            "`receptive_field` takes one value of the net",
            "name a step with `as` and ask for it: `receptive_field(conv5)`",
        )
    field = field_of(values[0])
    if field is None or not field.sizes:
        raise Fault("wrong-value", "this value sees the whole input, so it has no receptive field")
    return field.sizes[0] if len(set(field.sizes)) == 1 else field.sizes


def _outcome(net: Net, session: Session, known: Mapping[str, Any], expectation: Expectation) -> Outcome | None:
    condition = expectation.statement.condition
    scope = Scope(session, net.body.definition, net.body.arguments, ())
    taken = "max" in net.design.constants or "max" in net.design.definitions
    scope.names = {**({} if taken else _FIGURES), **expectation.names, **known}
    if not isinstance(condition, tree.Chain) or condition.operators[0] not in _WORDS or len(condition.operators) != 1:
        return _plain(scope, expectation)
    left, right = (scope.evaluate(operand) for operand in condition.operands)
    if left is POISON or right is POISON:
        return None
    loose = [loose_name_in(scope, value, operand) for value, operand in zip((left, right), condition.operands)]
    sides = ((left, right, *loose), (right, left, *loose[::-1]))
    for (value, other, name, both), operand in zip(sides, condition.operands):
        if name is not None and (both is not None or not _holds_words(other)):
            batch = isinstance(other, tuple) and (name.text in CONSTANTS or name.text in BATCHES)
            if batch:
                session.fault("unknown-name", f"nothing is called `{name.text}` here", name.span, help=NO_BATCH)
            else:
                unknown(scope, name, number=True)
            return None
        if isinstance(value, Tensor):
            session.fault(
                "not-a-value",
                f"{kind_of(value)} is not known when the spec is compiled",
                operand.span,
                help="ask for its `.shape`",
            )
            return None
    operator = condition.operators[0]
    try:
        ok = bool(apply_operator(operator, left, right))
    except Fault as fault:
        session.fault(fault.code, fault.message, condition.span, help=fault.help)
        return None
    if not ok:
        _failed(session, condition, operator, left, right)
    return Outcome(condition.span.text, ok, left, condition.span)


def _holds_words(value: Any) -> bool:
    """Is it a word, or a list with one, so that a word can be compared with it?"""
    return isinstance(value, str) or (isinstance(value, tuple) and any(map(_holds_words, value)))


def _plain(scope: Scope, expectation: Expectation) -> Outcome | None:
    condition = expectation.statement.condition
    value = scope.evaluate(condition)
    if value is POISON:
        return None
    loose = loose_name(scope, value, condition)
    if loose is not None:
        unknown(scope, loose, number=True)
        return None
    if not isinstance(value, bool):
        scope.session.fault(
            "wrong-value",
            f"an expectation is true or false, not {kind_of(value)}",
            condition.span,
            help="compare: `expect params == 61_706`",
        )
        return None
    if not value:
        scope.session.faults.add(
            Diagnostic("expectation-failed", f"this does not hold: {condition.span.text}", Label(condition.span))
        )
    return Outcome(condition.span.text, value, value, condition.span)


_WORDS = {
    "==": "should be",
    "!=": "should not be",
    "<": "should be below",
    "<=": "should be at most",
    ">": "should be above",
    ">=": "should be at least",
    "in": "should be one of",
    "not in": "should be none of",
}


def figure(value: Any) -> str:
    """A figure for people: thousands apart, shapes in brackets."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{int(value):,}" if value.is_integer() else f"{value:,}"
    if isinstance(value, tuple) and all(isinstance(v, int | DimExpr) and not isinstance(v, bool) for v in value):
        return show(value)
    return describe(value)


def _failed(session: Session, condition: tree.Chain, operator: str, left: Any, right: Any) -> None:
    """Both sides, and the difference where there is one."""
    what = condition.operands[0].span.text
    gap = ""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in (left, right)):
        apart = left - right
        gap = f" ({figure(abs(apart))} {'more' if apart > 0 else 'less'})" if apart else ""
    session.faults.add(
        Diagnostic(
            "expectation-failed",
            f"{what} is {figure(left)}; it {_WORDS[operator]} {figure(right)}{gap}",
            Label(condition.span, f"{what} is {figure(left)}"),
            help=_kinds_apart(left, right),
        )
    )


def _kinds_apart(left: Any, right: Any) -> str:
    """What to do where the two sides can never be equal."""
    if isinstance(left, tuple) and type(right) is int:
        return f"a shape stands in square brackets: `[{right}]`"
    if isinstance(right, str) and not isinstance(left, str | tuple):
        return f"leave the quotes out: `{right}`"
    return ""
