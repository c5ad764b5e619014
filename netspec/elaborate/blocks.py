"""One block applied: its parameters filled in, its body elaborated once for given arguments and shapes."""

from __future__ import annotations

from ..ir import Body, Tensor
from ..ir import Call as BlockCall
from ..record import TYPE_CHECKING
from ..source import Span
from ..syntax import tree
from .arguments import Given, bind_arguments, take_end, take_inputs
from .layering import value_key
from .lookup import unknown
from .machine import DEEPEST, HOLE, NEW_BODY, Hole, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..syntax.tree import Definition, Node
    from .cutting import End
    from .evaluate import Context
    from .frame import Frame


def apply_block(at: Context, node: Node, callee: tree.Name, definition: Definition, given: Given) -> Any:
    """A block, or a net, as a step at this place."""
    frame = at.frame
    plan = frame.machine.plan(definition)
    declared = plan.parameters
    if len(declared) < len(definition.parameters):
        return HOLE  # two of one name, which resolve tells of
    end = None
    if definition.word == "net" and "upto" in given.named and "upto" not in declared:
        taken = take_end(at, given)
        if isinstance(taken, Hole):
            return HOLE
        end, given = taken
    ports, given = _split(given, [name for name in plan.ports if name not in declared])
    also = (*(name for name in plan.ports if name not in declared), *(["upto"] if definition.word == "net" else []))
    values = bind_arguments(at, callee, list(declared), given, also=also)
    if values is None:
        return HOLE
    required = [n for n, p in declared.items() if p.default is None and n not in values]
    if required:
        return _missing_parameter(at, callee, definition, required)
    inputs = _inputs(at, callee, definition, given, ports)
    if inputs is None:
        return HOLE
    if plan.defaults is None:
        plan.defaults = _fixed_defaults(frame, definition)
    arguments = _with_defaults(frame, definition, {n: v[0] for n, v in values.items()})
    if arguments is None:
        return HOLE
    body = _body(frame, definition, arguments, inputs, callee.span, end)
    if not isinstance(body, Body):
        return HOLE
    name, chosen = frame.name_for(callee.text.rpartition(".")[2], given.label if given.label is not None else at.chosen)
    results = (r.value for r in body.outputs)
    outputs = tuple(frame.tensor(t.shape, t.dtype, node.span, t.batched, t.flattened) for t in results)
    written = {n: v[2] for n, v in values.items()}
    instance = frame.shared.instance if frame.shared is not None else None
    call = BlockCall(name, chosen, body, arguments, inputs, outputs, node.span, written, given.frozen, instance)
    frame.add(call, body.size + 1)
    frame.padding.called(inputs, outputs, node.span)
    return outputs[0] if len(outputs) == 1 else outputs


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


def _missing_parameter(at: Context, callee: tree.Name, definition: Definition, names: list[str]) -> Hole:
    listed = " and ".join(f"`{n}`" for n in names)
    return at.frame.machine.fault(
        "missing-argument",
        f"{definition.word} `{callee.text}` needs {listed}",
        callee.span,
        others=((definition.name.span, "declared here"),),
    )


def _with_defaults(frame: Frame, definition: Definition, values: dict[str, Any]) -> dict[str, Any] | None:
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
    if not any(d.code == "recursion" for d in machine.faults.all):
        name = definition.name.text
        machine.fault("recursion", f"`{name}` cannot lead back to itself", span, f"`{name}` is used within itself")
    return HOLE


def _fixed_defaults(frame: Frame, definition: Definition) -> dict[str, Any]:
    """The defaults that are literals, words or constants."""
    home, declared = frame.machine.home(definition), frame.machine.plan(definition).parameters
    found = {}
    for name, parameter in declared.items():
        node = parameter.default
        if isinstance(node, tree.Literal) or (isinstance(node, tree.Name) and node.text not in declared):
            found[name] = frame.evaluate_in(home, {}, node)
    return found


def _body(
    frame: Frame,
    definition: Definition,
    arguments: Mapping[str, Any],
    inputs: tuple[Tensor, ...],
    span: Span,
    end: End | None,
) -> Body | Hole:
    """The block or net elaborated for these arguments and shapes, up to its end, once."""
    from .frame import Frame

    machine = frame.machine
    shapes = tuple((t.shape, t.dtype, t.batched, t.flattened) for t in inputs)
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
        if not any(isinstance(s, tree.Input) for s in definition.body.statements):
            inner.flow = inner.implicit_input()
        if end is None:
            inner.run(definition.body)
        else:
            inner.run_upto(definition.body, end)
        body = inner.finish()
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
