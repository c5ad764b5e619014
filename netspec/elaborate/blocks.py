"""One block applied: its parameters filled in, its body elaborated once for given arguments and shapes."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..base.source import Span
from ..ir.types import Body, Tensor
from ..ir.types import Call as BlockCall
from ..syntax import tree
from .arguments import bind_arguments, take_end, take_inputs, unbound
from .cells import finish as finish_cell
from .cells import step_of_cell
from .frame import Frame
from .given import Given, Signature
from .layering import value_key
from .lookup import loose_name_in, unknown
from .machine import DEEPEST, HOLE, NEW_BODY, Hole, kind_of
from .weights import check_used

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    from ..layers.cells import CellUse
    from ..syntax.tree import Definition, Node
    from .cutting import End
    from .frame import Context


def apply_block(at: Context, node: Node, callee: tree.Name, definition: Definition, given: Given) -> Any:
    """A block or net as a step at this place, or in a cell another cell."""
    frame = at.frame
    plan = frame.machine.plan(definition)
    if definition.word == "cell" and frame.definition.word != "cell":
        return _without_scan(at, node, callee, definition)
    end = None
    if definition.word == "net" and "upto" in given.named and "upto" not in plan.parameters:
        taken = take_end(at, given)
        if isinstance(taken, Hole):
            return HOLE
        end, given = taken
    names = [name for name in plan.ports if name not in plan.parameters]
    ports, given = _split(given, names)
    bound = bind_block(at, callee, definition, given, (*names, *(["upto"] if definition.word == "net" else [])))
    inputs = _inputs(at, callee, definition, given, ports) if bound is not None else None
    if bound is None or inputs is None:
        return HOLE
    body = body_of(frame, definition, bound.values, inputs, callee.span, end)
    if not isinstance(body, Body):
        return HOLE
    if definition.word == "cell":
        call, outputs = step_of_cell(frame, node.span, body, inputs, caller(at, node, callee, body, bound, given))
    else:
        results = (r.value for r in body.outputs)
        outputs = tuple(frame.tensor(t.shape, t.dtype, node.span, t.batched, t.flattened) for t in results)
        call = caller(at, node, callee, body, bound, given)(inputs, outputs, None)
    frame.add(call, body.size + 1)
    frame.padding.called(inputs, outputs, node.span)
    return outputs[0] if len(outputs) == 1 else outputs


class Bound(Record):
    """The parameters of a block: their values, and how those were written that are given."""

    values: Mapping[str, Any]
    written: Mapping[str, Node]


def bind_block(
    at: Context, callee: tree.Name, definition: Definition, given: Given, also: tuple[str, ...] = ()
) -> Bound | None:
    """The parameters filled in; `also` are arguments that are taken elsewhere. None where they do not fit."""
    frame = at.frame
    plan = frame.machine.plan(definition)
    declared = plan.parameters
    if len(declared) < len(definition.parameters):
        return None  # two of one name, which resolve tells of
    loose = _unbound(at, given, len(declared))
    if loose is not None:
        unknown(frame, loose)
        return None
    values = bind_arguments(at, callee, Signature(tuple(declared), listed=(*declared, *also)), given)
    if values is None:
        return None
    required = [n for n, p in declared.items() if p.default is None and n not in values]
    if required:
        _missing_parameter(at, callee, definition, required, given)
        return None
    if plan.defaults is None:
        plan.defaults = _fixed_defaults(frame, definition)
    arguments = _filled(frame, callee.span, definition, {n: v[0] for n, v in values.items()})
    return None if arguments is None else Bound(arguments, {n: v[2] for n, v in values.items()})


def _unbound(at: Context, given: Given, takes: int) -> tree.Name | None:
    """A misspelt value: a bare name without a meaning among more arguments than there are parameters, or among values.

    Elsewhere it may be a word that the block asks for.
    """
    if len(given.positional) > takes:
        loose = unbound(at, given, [False] * len(given.positional))
        return None if loose is None else loose[1]
    mixed = [(v, n) for v, n in given.positional if isinstance(v, tuple) and any(isinstance(t, Tensor) for t in v)]
    return next(filter(None, (loose_name_in(at.frame, value, node) for value, node in mixed)), None)


def caller(
    at: Context, node: Node, callee: tree.Name, body: Body, bound: Bound, given: Given
) -> Callable[[tuple[Tensor, ...], tuple[Tensor, ...], CellUse | None], BlockCall]:
    """What makes the call of a body from its inputs, its outputs and, for a cell, its use."""
    frame = at.frame
    name, chosen = frame.name_for(callee.text.rpartition(".")[2], given.label if given.label is not None else at.chosen)
    instance = frame.shared.instance if frame.shared is not None else None

    def make(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], use: CellUse | None) -> BlockCall:
        return BlockCall(
            name, chosen, body, bound.values, inputs, outputs, node.span, bound.written, given.frozen, instance, use
        )

    return make


def _without_scan(at: Context, node: Node, callee: tree.Name, definition: Definition) -> Hole:
    return at.frame.machine.fault(
        "cell-without-scan",
        f"`{callee.text}` is a cell, which does one step of many",
        node.span,
        others=((definition.name.span, "declared here"),),
        help=f"run it over a sequence: `scan({node.span.text})`",
    )


def _split(given: Given, names: list[str]) -> tuple[dict[str, tuple[Any, tree.Keyword]], Given]:
    """The inputs that are given by name, and the other arguments."""
    ports = {name: pair for name, pair in given.named.items() if name in names}
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
            unknown(at.frame, keyword.value)
            return None
        if not isinstance(value, Tensor):
            message = f"`{name}` is an input of `{callee.text}`; it takes a value of the net, not {kind_of(value)}"
            at.frame.machine.fault("not-a-value", message, keyword.value.span, help=f"give it a value: `{name}=x`")
            return None
    plan = at.frame.machine.plan(definition)
    others = take_inputs(at, callee, given.tensors, plan.inputs, len(named))
    if others is None or not named:
        return others
    rest = iter(others)
    return tuple(named[name][0] if name in named else next(rest) for name in plan.ports)


def _missing_parameter(at: Context, callee: tree.Name, definition: Definition, names: list[str], given: Given) -> Hole:
    plan = at.frame.machine.plan(definition)
    first = next(iter(plan.parameters))
    as_value = given.flowing and not plan.ports and any(is_led(definition, name) for name in (first, *names))
    help = f"a value is no parameter: declare it in the {definition.word}, `input {first}`" if as_value else ""
    listed = " and ".join(f"`{n}`" for n in names)
    return at.frame.machine.fault(
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


def _filled(frame: Frame, span: Span, definition: Definition, values: dict[str, Any]) -> dict[str, Any] | None:
    """All parameters; None where a value is missing, or where a default leads back to its own definition."""
    filling = frame.machine.filling
    if any(d is definition for d in filling):
        _recursion(frame, definition, span)
        return None
    filling.append(definition)
    try:
        return fill_defaults(frame, definition, values)
    finally:
        filling.pop()


def fill_defaults(frame: Frame, definition: Definition, values: dict[str, Any]) -> dict[str, Any] | None:
    """All parameters in their order. A default may use the parameters before it."""
    machine = frame.machine
    found: dict[str, Any] = {}
    home = machine.home(definition)
    for name, parameter in machine.plan(definition).parameters.items():
        if name in values:
            found[name] = values[name]
        elif parameter.default is not None:
            found[name] = frame.evaluate_in(home, found, parameter.default)
        if found.get(name) is HOLE:
            return None
        if isinstance(found.get(name), tuple) and any(isinstance(v, Tensor) for v in found[name]):
            machine.fault(
                "not-a-value",
                f"`{name}` is a parameter; values of the net go to the inputs of a {definition.word}",
                definition.name.span,
            )
            return None
    return found


def _recursion(frame: Frame, definition: Definition, span: Span) -> Hole:
    """A definition within itself; resolve has said so, unless a value has the same name."""
    machine = frame.machine
    if not machine.faults.has("recursion"):
        name = definition.name.text
        machine.fault("recursion", f"`{name}` cannot lead back to itself", span, f"`{name}` is used within itself")
    return HOLE


def _fixed_defaults(frame: Frame, definition: Definition) -> dict[str, Any]:
    """The defaults that are literals, words or constants."""
    home, declared = frame.machine.home(definition), frame.machine.plan(definition).parameters
    found = {}
    for name, parameter in declared.items():
        node = parameter.default
        if node is not None and _is_fixed(node, declared):
            found[name] = frame.evaluate_in(home, {}, node)
    return found


def _is_fixed(node: Node, declared: Collection[str]) -> bool:
    """Is it a literal or a name that is no parameter, with or without a sign?"""
    while isinstance(node, tree.Unary):
        node = node.operand
    return isinstance(node, tree.Literal) or (isinstance(node, tree.Name) and node.text not in declared)


def finish(frame: Frame) -> Body:
    """The body that a frame has come to, with what it has used noted and what it lacks reported."""
    body = frame.body()
    if frame.definition.word == "cell":
        body = finish_cell(frame, body)
    frame.machine.uses.note(body, frame.items, frame.flows)
    check_used(frame, body.outputs)
    frame.padding.check(frame.machine.faults)
    return body


def body_of(
    frame: Frame,
    definition: Definition,
    arguments: Mapping[str, Any],
    inputs: tuple[Tensor, ...],
    span: Span,
    end: End | None,
) -> Body | Hole:
    """The block, net or cell elaborated for these arguments and shapes, up to its end, once."""
    machine = frame.machine
    shapes = tuple((t.shape, t.dtype, t.batched, t.flattened) for t in inputs)
    machine.spend_items(span, arguments.values())
    key = (definition.name.span, value_key(arguments), shapes, end and end.name)
    known = machine.bodies.get(key)
    if known is not None:
        return known
    if len(machine.chain) >= DEEPEST:
        machine.too_large(span, f"blocks are nested more than {DEEPEST} deep")
    if any(d is definition for d, _ in machine.chain):
        return _recursion(frame, definition, span)
    machine.chain.append((definition, span))
    machine.spend(span, NEW_BODY)
    try:
        inner = Frame(machine, definition, arguments, inputs, end)
        if not machine.plan(definition).ports:
            inner.flow = inner.implicit_input()
        if end is None:
            inner.run(definition.body)
        else:
            inner.run_upto(definition.body, end)
        body = finish(inner)
        whole = body.outputs and not (inner.flow is HOLE and not inner.declared_output)
        if not body.outputs and inner.flow is None:
            machine.fault(
                "no-flow",
                f"{definition.word} `{definition.name.text}` gives nothing",
                definition.name.span,
                help="end it with a step, or write `output name`",
            )
        machine.bodies[key] = body if whole else HOLE
    finally:
        machine.chain.pop()
    if end is not None and end.overrun:
        end.missed(machine, definition)
    return machine.bodies[key]
