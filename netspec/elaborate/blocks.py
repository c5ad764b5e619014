"""One block applied: its parameters filled in, its body elaborated once for given arguments and shapes."""

from __future__ import annotations

from ..ir import Body, Tensor
from ..ir import Call as BlockCall
from ..record import TYPE_CHECKING
from ..source import Span
from ..syntax import tree
from .arguments import Given, bind_arguments, take_inputs
from .layering import value_key
from .machine import DEEPEST, HOLE, NEW_BODY, Hole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..syntax.tree import Definition, Node
    from .evaluate import Context
    from .frame import Frame


def apply_block(at: Context, node: Node, callee: tree.Name, definition: Definition, given: Given) -> Any:
    frame = at.frame
    plan = frame.machine.plan(definition)
    declared = plan.parameters
    if len(declared) < len(definition.parameters):
        return HOLE  # two of one name, which resolve tells of
    values = bind_arguments(at, callee, list(declared), given)
    if values is None:
        return HOLE
    required = [n for n, p in declared.items() if p.default is None and n not in values]
    if required:
        return _missing_parameter(at, callee, definition, required)
    inputs = take_inputs(at, callee, given.tensors, plan.inputs)
    if inputs is None:
        return HOLE
    if plan.defaults is None:
        plan.defaults = _fixed_defaults(frame, definition)
    arguments = _with_defaults(frame, definition, {n: v[0] for n, v in values.items()})
    if arguments is None:
        return HOLE
    body = _body(frame, definition, arguments, inputs, callee.span)
    if not isinstance(body, Body):
        return HOLE
    name, chosen = frame.name_for(callee.text.rpartition(".")[2], given.label if given.label is not None else at.chosen)
    outputs = tuple(frame.tensor(r.value.shape, r.value.dtype, node.span, r.value.batched) for r in body.outputs)
    written = {n: v[2] for n, v in values.items()}
    instance = frame.shared.instance if frame.shared is not None else None
    call = BlockCall(name, chosen, body, arguments, inputs, outputs, node.span, written, given.frozen, instance)
    frame.add(call, body.size + 1)
    return outputs[0] if len(outputs) == 1 else outputs


def _missing_parameter(at: Context, callee: tree.Name, definition: Definition, names: list[str]) -> Hole:
    listed = " and ".join(f"`{n}`" for n in names)
    return at.frame.machine.fault(
        "missing-argument",
        f"block `{callee.text}` needs {listed}",
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
                f"`{name}` is a parameter; values of the net go to the inputs of a block",
                definition.name.span,
            )
            return None
    return found


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
    frame: Frame, definition: Definition, arguments: Mapping[str, Any], inputs: tuple[Tensor, ...], span: Span
) -> Body | Hole:
    """The block elaborated for these arguments and shapes, once."""
    from .frame import Frame

    machine = frame.machine
    shapes = tuple((t.shape, t.dtype, t.batched) for t in inputs)
    key = (definition.name.span, value_key(arguments), shapes)
    known = machine.bodies.get(key)
    if known is not None:
        return known
    if len(machine.chain) >= DEEPEST:
        machine.too_large(span, f"blocks are nested more than {DEEPEST} deep")
    if any(d is definition for d, _ in machine.chain):
        return HOLE  # a cycle, reported by resolve
    machine.chain.append((definition, span))
    machine.spend(span, NEW_BODY)
    try:
        inner = Frame(machine, definition, arguments, inputs)
        if not any(isinstance(s, tree.Input) for s in definition.body.statements):
            inner.flow = inner.implicit_input()
        inner.run(definition.body)
        body = inner.finish()
        whole = body.outputs and not (inner.flow is HOLE and not inner.declared_output)
        if not body.outputs and inner.flow is None:
            machine.fault(
                "no-flow",
                f"block `{definition.name.text}` gives nothing",
                definition.name.span,
                help="end it with a step, or write `output name`",
            )
        machine.bodies[key] = body if whole else HOLE
    finally:
        machine.chain.pop()
    return machine.bodies[key]
