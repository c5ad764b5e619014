"""One block applied: its parameters filled in, its body elaborated once for given arguments and shapes."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..base.source import Span
from ..ir.types import BlockCall, Body, Tensor
from ..syntax import tree
from .arguments import bind_arguments, take_end, take_inputs, unbound
from .given import Given, Signature
from .layering import value_key
from .lookup import loose_name_in, unknown
from .scope import Scope
from .session import DEEPEST, NEW_BODY, POISON, Poison, Unsound, kind_of
from .weights import check_used

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    from ..layers.cell_uses import CellUse
    from ..syntax.tree import Definition, Node
    from .cutting import End
    from .scope import Context


def apply_block(at: Context, node: Node, callee: tree.Name, definition: Definition, given: Given) -> Any:
    """A block or net as a step at this place, or in a cell another cell."""
    scope = at.scope
    plan = scope.session.plan(definition)
    if definition.word == "cell" and scope.definition.word != "cell":
        return _without_scan(at, node, callee, definition)
    end = None
    if definition.word == "net" and "upto" in given.named and "upto" not in plan.parameters:
        taken = take_end(at, given)
        if isinstance(taken, Poison):
            return POISON
        end, given = taken
    names = [name for name in plan.ports if name not in plan.parameters]
    ports, given = _split(given, names)
    bound = bind_block(at, callee, definition, given, (*names, *(["upto"] if definition.word == "net" else [])))
    inputs = _inputs(at, callee, definition, given, ports) if bound is not None else None
    if bound is None or inputs is None:
        return POISON
    body = body_of(scope, definition, bound.values, inputs, callee.span, end)
    if not isinstance(body, Body):
        return POISON
    if definition.word == "cell":
        from .cells import step_of_cell

        call, outputs = step_of_cell(scope, node.span, body, inputs, caller(at, node, callee, body, bound, given))
    else:
        results = (r.value for r in body.outputs)
        outputs = tuple(scope.tensor(t.shape, t.dtype, node.span, t.batched, t.flattened) for t in results)
        call = caller(at, node, callee, body, bound, given)(inputs, outputs, None)
    scope.add(call, body.size + 1)
    scope.padding.called(inputs, outputs, node.span)
    return outputs[0] if len(outputs) == 1 else outputs


class Bound(Record):
    """The parameters of a block: their values, and how those were written that are given."""

    values: Mapping[str, Any]
    written: Mapping[str, Node]


def bind_block(
    at: Context, callee: tree.Name, definition: Definition, given: Given, also: tuple[str, ...] = ()
) -> Bound | None:
    """The parameters filled in; `also` are arguments that are taken elsewhere. None where they do not fit."""
    scope = at.scope
    plan = scope.session.plan(definition)
    declared = plan.parameters
    if len(declared) < len(definition.parameters):
        return None  # two of one name, which resolve tells of
    loose = _unbound(at, given, len(declared))
    if loose is not None:
        unknown(scope, loose)
        return None
    values = bind_arguments(at, callee, Signature(tuple(declared), listed=(*declared, *also)), given)
    if values is None:
        return None
    required = [n for n, p in declared.items() if p.default is None and n not in values]
    if required:
        _missing_parameter(at, callee, definition, required, given)
        return None
    if plan.defaults is None:
        plan.defaults = _fixed_defaults(scope, definition)
    arguments = _filled(scope, callee.span, definition, {n: v[0] for n, v in values.items()})
    return None if arguments is None else Bound(arguments, {n: v[2] for n, v in values.items()})


def _unbound(at: Context, given: Given, takes: int) -> tree.Name | None:
    """A misspelt value: a bare name without a meaning among more arguments than there are parameters, or among values.

    Elsewhere it may be a word that the block asks for.
    """
    if len(given.positional) > takes:
        loose = unbound(at, given, [False] * len(given.positional))
        return None if loose is None else loose[1]
    mixed = [(v, n) for v, n in given.positional if isinstance(v, tuple) and any(isinstance(t, Tensor) for t in v)]
    return next(filter(None, (loose_name_in(at.scope, value, node) for value, node in mixed)), None)


def caller(
    at: Context, node: Node, callee: tree.Name, body: Body, bound: Bound, given: Given
) -> Callable[[tuple[Tensor, ...], tuple[Tensor, ...], CellUse | None], BlockCall]:
    """What makes the call of a body from its inputs, its outputs and, for a cell, its use."""
    scope = at.scope
    name, chosen = scope.name_for(callee.text.rpartition(".")[2], given.label if given.label is not None else at.chosen)
    instance = scope.shared.instance if scope.shared is not None else None

    def make(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], use: CellUse | None) -> BlockCall:
        return BlockCall(
            name, chosen, body, bound.values, inputs, outputs, node.span, bound.written, given.frozen, instance, use
        )

    return make


def _without_scan(at: Context, node: Node, callee: tree.Name, definition: Definition) -> Poison:
    return at.scope.session.fault(
        "cell-without-scan",
        f"`{callee.text}` is a cell, which does one step of many",
        node.span,
        others=((definition.name.span, "declared here"),),
        help=f"run it over a sequence: `scan({node.span.text})`",
    )


def _split(given: Given, names: list[str]) -> tuple[dict[str, tuple[Any, tree.Keyword]], Given]:
    """The inputs that are given by name, and the other arguments."""
    ports = {name: pair for name, pair in given.named.items() if name in names}
    if not ports:
        return ports, given
    return ports, given.replace(named={name: pair for name, pair in given.named.items() if name not in ports})


def _inputs(
    at: Context,
    callee: tree.Name,
    definition: Definition,
    given: Given,
    named: Mapping[str, tuple[Any, tree.Keyword]],
) -> tuple[Tensor, ...] | None:
    """The values that go in, in the order of the inputs: those given by name, and the others by their order."""
    for name, (value, keyword) in named.items():
        if isinstance(value, str) and isinstance(keyword.value, tree.Name):
            unknown(at.scope, keyword.value)
            return None
        if not isinstance(value, Tensor):
            message = f"`{name}` is an input of `{callee.text}`; it takes a value of the net, not {kind_of(value)}"
            at.scope.session.fault("not-a-value", message, keyword.value.span, help=f"give it a value: `{name}=x`")
            return None
    plan = at.scope.session.plan(definition)
    others = take_inputs(at, callee, given.tensors, plan.inputs, len(named))
    if others is None or not named:
        return others
    rest = iter(others)
    return tuple(named[name][0] if name in named else next(rest) for name in plan.ports)


def _missing_parameter(
    at: Context, callee: tree.Name, definition: Definition, names: list[str], given: Given
) -> Poison:
    plan = at.scope.session.plan(definition)
    first = next(iter(plan.parameters))
    as_value = given.flowing and not plan.ports and any(is_led(definition, name) for name in (first, *names))
    help = f"a value is no parameter: declare it in the {definition.word}, `input {first}`" if as_value else ""
    listed = " and ".join(f"`{n}`" for n in names)
    return at.scope.session.fault(
        "missing-argument",
        f"{definition.word} `{callee.text}` needs {listed}",
        callee.span,
        others=((definition.name.span, "declared here"),),
        help=help,
    )


def is_led(definition: Definition, name: str) -> bool:
    """Does a pipeline begin with a name?"""
    pipelines = [n for n in tree.walk(definition.body) if isinstance(n, tree.Pipeline)]
    return any(isinstance(p.stages[0], tree.Name) and p.stages[0].text == name for p in pipelines)


def _filled(scope: Scope, span: Span, definition: Definition, values: dict[str, Any]) -> dict[str, Any] | None:
    """All parameters; None where a value is missing, or where a default leads back to its own definition."""
    filling = scope.session.filling
    if any(d is definition for d in filling):
        _recursion(scope, definition, span)
        return None
    filling.append(definition)
    try:
        return fill_defaults(scope, definition, values)
    finally:
        filling.pop()


def fill_defaults(scope: Scope, definition: Definition, values: dict[str, Any]) -> dict[str, Any] | None:
    """All parameters in their order. A default may use the parameters before it."""
    session = scope.session
    found: dict[str, Any] = {}
    home = session.home(definition)
    for name, parameter in session.plan(definition).parameters.items():
        if name in values:
            found[name] = values[name]
        elif parameter.default is not None:
            found[name] = scope.evaluate_in(home, found, parameter.default)
        if found.get(name) is POISON:
            return None
        if isinstance(found.get(name), tuple) and any(isinstance(v, Tensor) for v in found[name]):
            session.fault(
                "not-a-value",
                f"`{name}` is a parameter; values of the net go to the inputs of a {definition.word}",
                definition.name.span,
            )
            return None
    return found


def _recursion(scope: Scope, definition: Definition, span: Span) -> Poison:
    """A definition within itself; resolve has said so, unless a value has the same name."""
    session = scope.session
    if not session.faults.has("recursion"):
        name = definition.name.text
        session.fault("recursion", f"`{name}` cannot lead back to itself", span, f"`{name}` is used within itself")
    return POISON


def _fixed_defaults(scope: Scope, definition: Definition) -> dict[str, Any]:
    """The defaults that are literals, words or constants."""
    home, declared = scope.session.home(definition), scope.session.plan(definition).parameters
    found = {}
    for name, parameter in declared.items():
        node = parameter.default
        if node is not None and _is_fixed(node, declared):
            found[name] = scope.evaluate_in(home, {}, node)
    return found


def _is_fixed(node: Node, declared: Collection[str]) -> bool:
    """Is it a literal or a name that is no parameter, with or without a sign?"""
    while isinstance(node, tree.Unary):
        node = node.operand
    return isinstance(node, tree.Literal) or (isinstance(node, tree.Name) and node.text not in declared)


def finish(scope: Scope) -> Body:
    """The body that a scope has come to, with what it has used noted and what it lacks reported."""
    body = scope.body()
    if scope.definition.word == "cell":
        from .cells import finish as finish_cell

        body = finish_cell(scope, body)
    scope.session.uses.note(body, scope.items, scope.flows)
    check_used(scope, body.outputs)
    scope.padding.check(scope.session.faults)
    return body


def body_of(
    scope: Scope,
    definition: Definition,
    arguments: Mapping[str, Any],
    inputs: tuple[Tensor, ...],
    span: Span,
    end: End | None,
) -> Body | Poison:
    """The block, net or cell elaborated for these arguments and shapes, up to its end, once."""
    session = scope.session
    shapes = tuple((t.shape, t.dtype, t.batched, t.flattened) for t in inputs)
    session.spend_items(span, arguments.values())
    key = (definition.name.span, value_key(arguments), shapes, end and end.name)
    known = session.cache.bodies.get(key)
    if known is not None:
        session.errors += key in session.cache.broken
        if session.ends_early and session.errors:
            raise Unsound
        return known
    if len(session.chain) >= DEEPEST:
        session.too_large(span, f"blocks are nested more than {DEEPEST} deep")
    if any(d is definition for d, _ in session.chain):
        return _recursion(scope, definition, span)
    session.chain.append((definition, span))
    session.spend(span, NEW_BODY)
    errors = session.errors
    try:
        inner = Scope(session, definition, arguments, inputs, end)
        if not session.plan(definition).ports:
            inner.flow = inner.implicit_input()
        if end is None:
            inner.run(definition.body)
        else:
            inner.run_upto(definition.body, end)
        body = finish(inner)
        whole = body.outputs and not (inner.flow is POISON and not inner.declared_output)
        if not body.outputs and inner.flow is None:
            session.fault(
                "no-flow",
                f"{definition.word} `{definition.name.text}` gives nothing",
                definition.name.span,
                help="end it with a step, or write `output name`",
            )
        session.cache.bodies[key] = body if whole else POISON
    except Unsound:
        session.cache.bodies[key] = POISON
        session.cache.broken.add(key)
        raise
    finally:
        session.chain.pop()
    if end is not None and end.overrun:
        end.missed(session, definition)
    if session.errors > errors:
        session.cache.broken.add(key)
    return session.cache.bodies[key]
