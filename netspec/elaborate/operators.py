"""Operators: arithmetic of compile-time values, layers where values of the net take part."""

from __future__ import annotations

from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING
from ..consteval import Fault, apply_operator, call_function
from ..ir.types import Tensor
from ..layers import LAYERS
from ..layers.arguments import describe
from ..layers.signs import ARITHMETIC, COMPARISONS
from ..syntax import tree
from .layering import layer
from .lookup import loose_name, unknown
from .makers import too_many
from .misfits import no_flow
from .session import POISON, SharedStep, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..layers.base import Layer
    from ..syntax.tree import Node
    from .given import Given
    from .scope import Context


def unary(at: Context, node: tree.Unary) -> Any:
    value = at.plain(node.operand, words=node.operator == "not")
    if value is POISON:
        return POISON
    if node.operator == "not" and isinstance(value, Tensor):
        return layer(at, "logical_not", {}, (value,), node.span)
    if node.operator == "not":
        if isinstance(value, bool):
            return not value
        return at.scope.session.fault(
            "wrong-value", f"`not` needs true or false, not {kind_of(value)}", node.operand.span
        )
    if isinstance(value, Tensor):
        return value if node.operator == "+" else layer(at, "scale", {"factor": -1}, (value,), node.span)
    if isinstance(value, bool) or not isinstance(value, int | float | DimExpr):
        message = f"`{node.operator}` needs a number or a value of the net, not {kind_of(value)}"
        return at.scope.session.fault("wrong-value", message, node.operand.span)
    return value * -1 if node.operator == "-" else value


def chain(at: Context, node: tree.Chain) -> Any:
    first = node.operators[0]
    if first in ("and", "or"):
        return _logic(at, node, first)
    if first in _COMPARISONS:
        return _comparison(at, node)
    left = _operand(at, node.operands[0])
    last = len(node.operators) - 1
    for place, (operator, right) in enumerate(zip(node.operators, node.operands[1:])):
        inner = at.called(at.chosen if place == last else None)
        sides = _before(node, place), right
        left = _operate(inner, node, operator, left, _operand(at, right), sides)
    return left


def _before(node: tree.Chain, place: int) -> Node:
    """The part of a chain that stands left of an operator."""
    if place == 0:
        return node.operands[0]
    return tree.Chain(node.span, node.operands[: place + 1], node.operators[:place])


_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in", "not in"))


def _operand(at: Context, node: Node) -> Any:
    """An operand: a bare name that nothing binds is a step where it can be one, and no word."""
    if isinstance(node, tree.Name) and node.text not in at.scope.names and at.flow is None and node.text in LAYERS:
        return unknown(at.scope, node)
    return at.plain(node, words=False)


def _operate(at: Context, node: Node, operator: str, left: Any, right: Any, sides: tuple[Node, Node]) -> Any:
    if left is POISON or right is POISON:
        return POISON
    lists = [value for value in (left, right) if isinstance(value, tuple)]
    if len(lists) == 1 and any(isinstance(value, Tensor) for value in lists[0]):
        what = f"`{operator}` does not take {kind_of(left)} and {kind_of(right)}"
        told = too_many(at.scope, node.span, f"`{operator}` takes one value on each side", lists[0])
        other = next(value for value in (left, right) if not isinstance(value, tuple))
        many = operator == "*" and type(other) is int and other > 0
        help = f"a step is done several times by `repeat {other} {{ ... }}`" if many else ""
        if operator == "+" and isinstance(other, Tensor):
            help = _GROWS
        return at.scope.session.fault("not-a-value", what, node.span, help=help) if told is None else POISON
    tensors = isinstance(left, Tensor), isinstance(right, Tensor)
    if any(tensors):
        return _tensor_operation(at, node, operator, left, right, sides)
    if operator == "@":
        return at.scope.session.fault("not-a-value", "`@` multiplies values of the net, not numbers", node.span)
    at.scope.session.spend_items(node.span, (left, right))
    try:
        return apply_operator(operator, left, right)
    except Fault as fault:
        return at.scope.session.fault(fault.code, fault.message, node.span, help=fault.help)


def _tensor_operation(at: Context, node: Node, operator: str, left: Any, right: Any, sides: tuple[Node, Node]) -> Any:
    """Two values with an operator between them, or a value and a number; `sides` are what was written."""
    first = isinstance(left, Tensor)
    if first and isinstance(right, Tensor) and operator in ARITHMETIC:
        return layer(at, ARITHMETIC[operator], {}, (left, right), node.span)
    value, number, said = (left, right, sides[1]) if first else (right, left, sides[0])
    if isinstance(number, bool) or not isinstance(number, int | float):
        code = "unknown-size" if isinstance(number, DimExpr) else "not-a-value"
        what = "two values" if isinstance(number, Tensor) else f"a value and {kind_of(number)}"
        help = _GROWS if operator == "+" and isinstance(number, tuple) else ""
        return at.scope.session.fault(code, f"`{operator}` does not take {what}", node.span, help=help)
    if operator == "/" and not first:
        value = layer(at if number == 1 else at.called(None), "reciprocal", {}, (value,), node.span)
        if number == 1 or value is POISON:
            return value
    with_number = _WITH_NUMBER.get((operator, first))
    by_nothing = operator == "/" and first and (number == 0 or 1 / abs(number) == float("inf"))
    if with_number is None or by_nothing:
        message = f"`{operator}` does not take a value and {describe(number)}"
        return at.scope.session.fault("not-a-value", message, node.span, help=_HELPS.get(operator, ""))
    kind, argument, change = with_number
    amount, written = change(number, said)
    return layer(at, kind, {argument: amount}, (value,), node.span, {argument: (amount, node.span, written)})


def _as_it_is(number: float, said: Node) -> tuple[float, Node]:
    return number, said


def _turned(number: float, said: Node) -> tuple[float, Node]:
    return -number, tree.Unary(said.span, "-", said)


def _inverse(number: float, said: Node) -> tuple[float, Node]:
    return 1 / number, tree.Chain(said.span, (tree.Literal(said.span, 1), said), ("/",))


# by the operator, and whether the value stands before it: a layer, its argument, and what that is of the number
_WITH_NUMBER: dict[tuple[str, bool], tuple[str, str, Callable[[float, Node], tuple[float, Node]]]] = {
    ("*", True): ("scale", "factor", _as_it_is),
    ("*", False): ("scale", "factor", _as_it_is),
    ("+", True): ("shift", "amount", _as_it_is),
    ("+", False): ("shift", "amount", _as_it_is),
    ("-", True): ("shift", "amount", _turned),
    ("-", False): ("complement", "of", _as_it_is),
    ("/", True): ("scale", "factor", _inverse),
    ("/", False): ("scale", "factor", _as_it_is),
    ("**", True): ("power", "exponent", _as_it_is),
}


# --- joins of values and numbers -----------------------------------------------------------------------------------

# by the kind of a join: the operator that it is of a value and a number, or the end of `clip` that the number is
_WITH_NUMBERS = {"add": "+", "mul": "*", "sub": "-", "div": "/", "pow": "**", "maximum": "low", "minimum": "high"}


def with_numbers(cls: type[Layer], given: Given) -> bool:
    """Are there numbers among what a join is given, `maximum(x, 0)`, and is it one that takes some?"""
    numbers = [value for value, _ in given.positional]
    plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers)
    return cls.kind in _WITH_NUMBERS and bool(numbers) and plain and not given.named


def join_numbers(at: Context, node: Node, cls: type[Layer], given: Given) -> Any:
    """A join from the left to the right, each number as an operator takes it."""
    tensors = iter(given.tensors)
    numbers = dict(zip(given.places, given.positional))
    many = len(given.tensors) + len(numbers)
    operands = [numbers[place] if place in numbers else (next(tensors), node) for place in range(many)]
    if not given.tensors:
        flow = at.flow if isinstance(at.flow, tuple) else (at.flow,)
        operands = [*((value, node) for value in flow), *operands]
    values = [value for value, _ in operands]
    if POISON in values or None in values:
        return POISON if POISON in values else no_flow(at, tree.Name(node.span, cls.kind)) or POISON
    if cls.arity is not None and len(operands) != cls.arity:
        message = f"`{cls.kind}` takes {cls.arity} values, not {len(operands)}"
        return at.scope.session.fault("wrong-arity", message, node.span)
    left = operands[0]
    for place, right in enumerate(operands[1:], 2):
        here = at.called(given.label or at.chosen if place == len(operands) else None)
        left = _joined(here, node, cls.kind, left, right)
        if left[0] is POISON:
            break
    return left[0]


def _joined(at: Context, node: Node, kind: str, left: tuple[Any, Node], right: tuple[Any, Node]) -> tuple[Any, Node]:
    """Two operands made one, and how it would be written where it is a number."""
    how, (a, b), sides = _WITH_NUMBERS[kind], (left[0], right[0]), (left[1], right[1])
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return layer(at, kind, {}, (a, b), node.span), node
    if how not in _ENDS:
        return _operate(at, node, how, a, b, sides), tree.Chain(node.span, sides, (how,))
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        return call_function(_ENDS[how], (a, b)), tree.CallExpression(
            node.span, tree.Name(node.span, _ENDS[how]), sides
        )
    value, (number, said) = (a, right) if isinstance(a, Tensor) else (b, left)
    return layer(at, "clip", {how: number}, (value,), node.span, {how: (number, said.span, said)}), node


# an end of `clip`, and what makes one number of two
_ENDS = {"low": "max", "high": "min"}


def _logic(at: Context, node: tree.Chain, word: str) -> Any:
    for place, operand in enumerate(node.operands):
        value = at.plain(operand, words=True)
        if value is POISON:
            return POISON
        if isinstance(value, Tensor):
            return _logic_of_values(at, node, word, value, place)
        if not isinstance(value, bool):
            return at.scope.session.fault(
                "wrong-value", f"`{word}` needs true or false, not {kind_of(value)}", operand.span
            )
        if value is (word == "or"):
            return value
    return word == "and"


def _logic_of_values(at: Context, node: tree.Chain, word: str, first: Tensor, place: int) -> Any:
    """`and` and `or` of values of the net, number by number. What stands before the first of them does not decide."""
    values = [first]
    for operand in node.operands[place + 1 :]:
        value = at.plain(operand, words=True)
        if value is POISON:
            return POISON
        if not isinstance(value, Tensor):
            return at.scope.session.fault(
                "not-a-value", f"`{word}` does not take a value and {kind_of(value)}", operand.span
            )
        values.append(value)
    return layer(at, f"logical_{word}", {}, tuple(values), node.span) if len(values) > 1 else first


def _compared(at: Context, node: tree.Chain) -> list[Any]:
    """The values of a comparison. A shared layer has no order, so where one is asked for, what it makes is meant."""
    inner = at.unnamed(words=True)
    if _EQUALITIES.issuperset(node.operators):
        return [inner.again(operand) for operand in node.operands]
    names = [part.text if isinstance(part, tree.Name) else "" for part in node.operands]
    shared = [isinstance(at.scope.names.get(name), SharedStep) for name in names]
    return [inner.plain(operand, words=not applied) for operand, applied in zip(node.operands, shared)]


def _comparison(at: Context, node: tree.Chain) -> Any:
    values = _compared(at, node)
    if any(value is POISON for value in values):
        return POISON
    of_values = any(isinstance(value, Tensor) for value in values)
    if of_values or not _EQUALITIES.issuperset(node.operators):
        # words are equal or not, and nothing else can be asked of them
        for value, operand in zip(values, node.operands):
            loose = loose_name(at.scope, value, operand)
            if loose is not None:
                return unknown(at.scope, loose, number=not of_values)
    if of_values:
        return _comparison_of_values(at, node, values)
    at.scope.session.spend_items(node.span, values)
    try:
        return all(apply_operator(o, left, right) for o, left, right in zip(node.operators, values, values[1:]))
    except Fault as fault:
        return at.scope.session.fault(fault.code, fault.message, node.span, help=fault.help)


_GROWS = "a list grows by another one: `[x]`"
# what stands for operators that values do not have
_HELPS = {"//": "write `floor(x / 2)`", "%": "the rest of a division is `x - 2 * floor(x / 2)`"}
_EQUALITIES = frozenset(("==", "!=", "in", "not in"))
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _comparison_of_values(at: Context, node: tree.Chain, values: list[Any]) -> Any:
    """Values of the net compared with one another and with numbers: true or false for each number."""
    unnamed = at.called(None) if len(node.operators) > 1 else at
    found = []
    for operator, left, right in zip(node.operators, values, values[1:]):
        if not isinstance(left, Tensor):
            operator, left, right = _MIRRORED.get(operator, operator), right, left
        others = (right,) if isinstance(right, Tensor) else ()
        is_number = isinstance(right, int | float) and not isinstance(right, bool)
        if operator not in COMPARISONS or not isinstance(left, Tensor) or not (others or is_number):
            code = "unknown-size" if isinstance(right, DimExpr) else "not-a-value"
            return at.scope.session.fault(
                code, f"`{operator}` does not compare {kind_of(left)} with {kind_of(right)}", node.span
            )
        given = {} if others else {"to": right}
        found.append(layer(unnamed, COMPARISONS[operator], given, (left, *others), node.span))
    if POISON in found:
        return POISON
    return found[0] if len(found) == 1 else layer(at, "logical_and", {}, tuple(found), node.span)
