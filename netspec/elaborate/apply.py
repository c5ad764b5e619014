"""Steps: a layer, a block, a shared instance or a function, applied to its arguments."""

from __future__ import annotations

from ..diagnostics import did_you_mean
from ..dims import show
from ..ir import Body, Step, Tensor
from ..ir import Call as BlockCall
from ..layers import LAYERS
from ..layers.base import Violation, Word, bind
from ..record import TYPE_CHECKING, Record
from ..resolve import unknown_callee
from ..source import Span
from ..syntax import tree
from .functions import FUNCTIONS, Fault, call_function
from .machine import DEEPEST, HOLE, ITEMS, NEW_BODY, NEW_LAYER, Hole, kind_of
from .names import parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..ir import Instance, Item
    from ..layers.base import Layer
    from ..syntax.tree import Definition, Identifier, Node
    from .evaluate import Context
    from .frame import Frame, SharedStep

_EVERYWHERE = ("frozen", "name")


class Given(Record):
    """The arguments of a call, evaluated: tensors apart from compile-time values."""

    tensors: tuple[Tensor, ...]
    positional: tuple[tuple[Any, Node], ...]
    named: Mapping[str, tuple[Any, tree.Keyword]]
    frozen: bool
    label: Identifier | None


class Intrinsic(Record):
    """A function of what is known of a net, such as `memory(batch=32)` in an expectation."""

    name: str
    compute: Callable[[tuple[Any, ...], Mapping[str, Any]], Any]


def _intrinsic(at: Context, bound: Intrinsic, node: Node, arguments: tuple[Node, ...]) -> Any:
    named = {a.name.text: at.plain(a.value, words=True) for a in arguments if isinstance(a, tree.Keyword)}
    values = tuple(at.plain(a, words=True) for a in arguments if not isinstance(a, tree.Keyword))
    if HOLE in values or HOLE in named.values():
        return HOLE
    words = [v for v in values if isinstance(v, Word)]
    if words:
        return unknown_word(at, words[0], arguments[0])
    try:
        return bound.compute(values, named)
    except Fault as fault:
        return at.frame.machine.fault(fault.code, fault.message, node.span, help=fault.help)


def unknown_word(at: Context, word: Word, node: Node) -> Hole:
    """A bare word where a value of the net should stand."""
    values = [n for n, v in at.frame.names.items() if isinstance(v, Tensor)]
    help = did_you_mean(word, values) or "name the step with `as`"
    return at.frame.machine.fault("unknown-name", f"no value is called `{word}`", node.span, help=help)


def is_shared(value: object) -> bool:
    return hasattr(value, "instance")


def constant(frame: Frame, name: str) -> Any:
    """The value of a `const`, worked out at its first use."""
    machine = frame.machine
    if name in machine.constants:
        return machine.constants[name]
    node = machine.design.constants[name]
    if name in machine.pending:
        return machine.fault("recursion", f"`const {name}` needs its own value", node.name.span)
    machine.pending.add(name)
    names, frame.names = frame.names, {}
    value = frame.evaluate(node.value)
    frame.names = names
    machine.pending.discard(name)
    machine.constants[name] = value
    return value


def net_as_step(frame: Frame, node: tree.Name) -> Hole:
    """Nets inside nets."""
    return frame.machine.fault(
        "not-a-step",
        f"`{node.text}` is a net, and a net cannot be a step of another one here",
        node.span,
        help="make it a `block`",
    )


def step(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Any:
    """`callee(arguments)` at this place."""
    frame, name = at.frame, callee.text
    bound = frame.names.get(name)
    if bound is HOLE:
        return HOLE
    if isinstance(bound, Intrinsic):
        return _intrinsic(at, bound, node, arguments)
    if bound is not None and is_shared(bound):
        return shared(at, bound, node.span, arguments)
    design = frame.machine.design
    cls = LAYERS.get(name)
    definition = design.blocks.get(name)
    if cls is None and definition is None:
        return _function(at, node, callee, arguments)
    given = _arguments(at, arguments, join=cls is not None and cls.arity != 1)
    if given is None:
        return HOLE
    if definition is not None:
        return _block(at, node, callee, definition, given)
    if name in FUNCTIONS and not given.tensors and given.positional:
        return _function(at, node, callee, arguments)
    assert cls is not None
    values = _bind_arguments(at, callee, list(cls.arguments), given, cls.gathers)
    if values is None:
        return HOLE
    required = [n for n, a in cls.arguments.items() if a.required and n not in values]
    if required:
        return _missing(at, callee, required)
    plain = {n: v[0] for n, v in values.items()}
    inputs = _inputs(at, callee, given.tensors, cls.arity)
    if inputs is None:
        return _arguments_alone(at, name, plain, node.span, values)
    return layer(at, name, plain, inputs, node.span, values, given)


def _arguments_alone(
    at: Context, kind: str, values: Mapping[str, Any], span: Span, written: Mapping[str, tuple[Any, Span, Node]]
) -> Hole:
    """The arguments of a step whose input is a hole: what is wrong with them is wrong whatever flows in."""
    try:
        bind(LAYERS[kind], values)
    except Violation as violation:
        return _violated(at, kind, violation, (), span, written)
    return HOLE


def _function(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Any:
    machine, name = at.frame.machine, callee.text
    if name not in FUNCTIONS:
        if any(net.name.text == name for net in machine.design.nets):
            return net_as_step(at.frame, callee)
        if name in at.frame.names:
            return machine.fault(
                "not-a-step", f"`{name}` is {kind_of(at.frame.names[name])}; it cannot be called", callee.span
            )
        pool = [*LAYERS, *FUNCTIONS, *machine.design.blocks, *at.frame.names]
        machine.faults.add(unknown_callee(callee, pool))
        return HOLE
    values = tuple(at.plain(a, words=True) for a in arguments if not isinstance(a, tree.Keyword))
    if HOLE in values:
        return HOLE
    if len(values) < len(arguments):
        return machine.fault("unknown-argument", f"`{name}` takes no named arguments", node.span)
    if any(isinstance(v, Tensor) for v in values):
        return machine.fault(
            "not-a-value",
            f"`{name}` works on numbers that are known when the spec is compiled, not on values of the net",
            node.span,
        )
    try:
        result = call_function(name, values)
    except Fault as fault:
        return machine.fault(fault.code, fault.message, node.span, help=fault.help)
    machine.spend(node.span, sum(len(v) for v in (result, *values) if isinstance(v, tuple)) // ITEMS)
    return result


# --- arguments -------------------------------------------------------------------------------------------------------


def _arguments(at: Context, arguments: tuple[Node, ...], join: bool) -> Given | None:
    """Evaluate the arguments. None where one of them is a hole."""
    tensors: list[Tensor] = []
    positional: list[tuple[Any, Node]] = []
    named: dict[str, tuple[Any, tree.Keyword]] = {}
    frozen, label, broken = False, None, False
    for node in arguments:
        keyword = node if isinstance(node, tree.Keyword) else None
        value = at.plain(keyword.value if keyword else node, words=keyword is not None or not join)
        if value is HOLE:
            broken = True
        elif keyword is None:
            found = _tensors(value)
            if found is None:
                positional.append((value, node))
            else:
                tensors.extend(found)
        elif keyword.name.text in named:
            first = named[keyword.name.text][1].name.span
            _given_twice(at, keyword, first)
            broken = True
        elif keyword.name.text == "frozen":
            frozen = value
            broken = broken or not _of_kind(at, keyword, value, bool, "true or false")
        elif keyword.name.text == "name":
            label = tree.Identifier(keyword.value.span, str(value))
            broken = broken or not _of_kind(at, keyword, value, str, 'a name, as in `name="stem"`')
        else:
            named[keyword.name.text] = (value, keyword)
    return None if broken else Given(tuple(tensors), tuple(positional), named, frozen, label)


def _given_twice(at: Context, keyword: tree.Keyword, first: Span) -> None:
    name = keyword.name
    at.frame.machine.fault(
        "duplicate-argument", f"`{name.text}` is given twice", name.span, others=((first, "here already"),)
    )


def _of_kind(at: Context, keyword: tree.Keyword, value: Any, kind: type, doc: str) -> bool:
    """Is one of the arguments that every step takes what it should be?"""
    if isinstance(value, kind):
        return True
    at.frame.machine.fault(
        "wrong-value", f"`{keyword.name.text}` must be {doc}, not {kind_of(value)}", keyword.value.span
    )
    return False


def _tensors(value: Any) -> tuple[Tensor, ...] | None:
    """The tensors of a value, or of a list of them; None for a compile-time value."""
    if isinstance(value, Tensor):
        return (value,)
    if isinstance(value, tuple) and value and all(isinstance(v, Tensor) for v in value):
        return value
    return None


def _bind_arguments(
    at: Context, callee: tree.Name, names: list[str], given: Given, gathers: str = ""
) -> dict[str, tuple[Any, Span, Node]] | None:
    """Each argument with its value, its span and how it was written. None where they do not fit the declaration.

    `gathers` names an argument that takes all values given by position.
    """
    machine, good = at.frame.machine, True
    found: dict[str, tuple[Any, Span, Node]] = {}
    if gathers and given.positional:
        nodes = tuple(node for _, node in given.positional)
        span = Span(nodes[0].span.source, nodes[0].span.start, nodes[-1].span.end)
        found[gathers] = (tuple(value for value, _ in given.positional), span, tree.Group(span, nodes))
    elif len(given.positional) > len(names):
        extra = given.positional[len(names)][1]
        takes = f"at most {len(names)}: {', '.join(names)}" if names else "none"
        machine.fault("wrong-arity", f"`{callee.text}` takes no more arguments here ({takes})", extra.span)
        good = False
    if not gathers:
        found.update((name, (value, node.span, node)) for name, (value, node) in zip(names, given.positional))
    for name, (value, keyword) in given.named.items():
        if name in found:
            _given_twice(at, keyword, found[name][1])
            good = False
        elif name not in names:
            known = [*names, *_EVERYWHERE]
            help = did_you_mean(name, known) or f"it takes {', '.join(known)}"
            machine.fault("unknown-argument", f"`{callee.text}` has no argument `{name}`", keyword.name.span, help=help)
            good = False
        else:
            found[name] = (value, keyword.value.span, keyword.value)
    return found if good else None


def _missing(at: Context, callee: tree.Name, names: list[str]) -> Hole:
    listed = " and ".join(f"`{n}`" for n in names)
    return at.frame.machine.fault(
        "missing-argument",
        f"`{callee.text}` needs {listed}",
        callee.span,
        help=f"`netspec layers {callee.text}` shows its arguments",
    )


def _inputs(
    at: Context, callee: tree.Name, tensors: tuple[Tensor, ...], arity: int | None
) -> tuple[Tensor, ...] | None:
    """The values that a step works on: those given, the flow before them where one is missing."""
    if arity is None:
        if tensors or at.flow is HOLE:
            return tensors or None
        flow = at.flow if isinstance(at.flow, tuple) else (at.flow,) if at.flow is not None else ()
        if not flow:
            _no_flow(at, callee)
        return flow or None
    if len(tensors) > arity:
        at.frame.machine.fault(
            "wrong-arity", f"`{callee.text}` takes {arity} value{'s' * (arity != 1)}, not {len(tensors)}", callee.span
        )
        return None
    if len(tensors) == arity:
        return tensors
    if at.flow is HOLE:
        return None
    if at.flow is None:
        _no_flow(at, callee)
        return None
    flow = at.flow if isinstance(at.flow, tuple) else (at.flow,)
    if len(flow) + len(tensors) == arity:
        return (*flow, *tensors)
    at.frame.machine.fault(
        "wrong-arity",
        f"`{callee.text}` takes {arity} values, but {len(flow) + len(tensors)} is given",
        callee.span,
        help=f"give them by name: `{callee.text}(a, b)`",
    )
    return None


def _no_flow(at: Context, callee: tree.Name) -> tuple[Tensor, ...] | None:
    machine, inputs = at.frame.machine, [p.name for p in at.frame.ports]
    later = [s for s in at.frame.definition.body.statements if isinstance(s, tree.Input)]
    if not inputs and later:
        machine.fault(
            "misplaced-input",
            f"`{callee.text}` stands before the input that it should work on",
            callee.span,
            others=((later[0].span, "the input is declared only here"),),
            help="move the input up, before all steps",
        )
        return None
    help = (
        f"begin with one of the inputs: `{inputs[0]} -> {callee.text}`"
        if inputs
        else "begin with `input x [28, 28, 1]`"
    )
    machine.fault("no-flow", f"there is no value for `{callee.text}` to work on", callee.span, help=help)
    return None


# --- layers ----------------------------------------------------------------------------------------------------------


def layer(
    at: Context,
    kind: str,
    values: Mapping[str, Any],
    inputs: tuple[Tensor, ...],
    span: Span,
    written: Mapping[str, tuple[Any, Span, Node]] | None = None,
    given: Given | None = None,
) -> Any:
    """One layer applied to tensors: a new step of the body, or a hole."""
    frame = at.frame
    key = (kind, _key(values), tuple((t.shape, t.dtype) for t in inputs))
    known = frame.machine.layers.get(key)
    if known is None:
        frame.machine.spend(span, NEW_LAYER)
        try:
            known = _checked(kind, values, inputs)
        except Violation as violation:
            return _violated(at, kind, violation, inputs, span, written or {})
        frame.machine.layers[key] = known
    made, shape, dtype = known
    label = given.label if given is not None and given.label is not None else at.chosen
    name, chosen = frame.name_for(kind, label)
    result = frame.tensor(shape, dtype, span)
    shared_instance = frame.shared.instance if frame.shared is not None else None
    nodes = {n: w[2] for n, w in written.items()} if written else {}
    frozen = given is not None and given.frozen
    frame.add(Step(name, chosen, made, inputs, result, span, nodes, frozen, shared_instance), 1)
    return result


def _key(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments as a key; with their types, since 1, 1.0 and true are equal to Python."""
    return tuple((name, value, type(value)) for name, value in values.items())


def _checked(kind: str, values: Mapping[str, Any], inputs: tuple[Tensor, ...]) -> tuple[Layer, tuple[Any, ...], str]:
    cls = LAYERS[kind]
    made = bind(cls, values)
    if cls.arity is None and len(inputs) < cls.least:
        raise Violation("wrong-arity", f"`{kind}` needs at least {cls.least} values", help=f"write `{kind}(a, b)`")
    for tensor in inputs:
        is_int = tensor.dtype.startswith("int")
        if cls.takes != "any" and is_int is not (cls.takes == "int"):
            wants, has = ("whole numbers", "real numbers") if cls.takes == "int" else ("real numbers", "whole numbers")
            help = (
                "declare the input as `input x [T] int(vocabulary)`"
                if cls.takes == "int"
                else "put `embedding` or `cast(float)` before it"
            )
            raise Violation(
                "wrong-dtype", f"{kind} needs {wants}, but its input holds {has} ({tensor.dtype})", help=help
            )
    return made, made.shape(*(t.shape for t in inputs)), made.dtype(*(t.dtype for t in inputs))


def _violated(
    at: Context, kind: str, violation: Violation, inputs: tuple[Tensor, ...], span: Span, written: Mapping[str, Any]
) -> Hole:
    """The argument at fault, or else the step with the shape that flows into it; and where that comes from."""
    if violation.code == "wrong-value" and _is_unbound(kind, violation.argument, written):
        from .evaluate import unknown

        return unknown(at.frame, written[violation.argument][2], number=True)
    argument = written[violation.argument][1] if violation.argument in written else None
    place = argument if argument is not None else span
    others = []
    label = violation.label
    if argument is None and len(inputs) == 1 and not label:
        origin = inputs[0].span
        label = f"the flow here is {show(inputs[0].shape)}, from {_origin(origin)} on line {origin.line}"
    if len(inputs) > 1:
        others = [(t.span, f"this is {show(t.shape)}") for t in inputs if t.span != place]
    elif argument is not None and inputs and violation.code != "wrong-value":
        others = [(inputs[0].span, f"the input, {show(inputs[0].shape)}, comes from here")]
    return at.frame.machine.fault(violation.code, violation.message, place, label, tuple(others), violation.help)


def _is_unbound(kind: str, argument: str, written: Mapping[str, Any]) -> bool:
    """Is the fault a bare name that nothing binds, where no word is asked for?"""
    if argument not in written or LAYERS[kind].arguments[argument].reader.words:
        return False
    value, _, node = written[argument]
    return isinstance(value, Word) and isinstance(node, tree.Name)


def _origin(span: Span) -> str:
    words = span.text.split("(")[0].split()
    return " ".join(words[:2]) if words[:1] == ["input"] else (words[-1] if words else "the value")


# --- blocks ----------------------------------------------------------------------------------------------------------


def block_inputs(definition: Definition) -> int:
    """How many values a block takes; one, the flow, where it declares none."""
    return sum(isinstance(s, tree.Input) for s in definition.body.statements) or 1


def _block(at: Context, node: Node, callee: tree.Name, definition: Definition, given: Given) -> Any:
    frame = at.frame
    declared = parameters(definition)
    values = _bind_arguments(at, callee, list(declared), given)
    if values is None:
        return HOLE
    required = [n for n, p in declared.items() if p.default is None and n not in values]
    if required:
        return _missing_parameter(at, callee, definition, required)
    inputs = _inputs(at, callee, given.tensors, block_inputs(definition))
    if inputs is None:
        return HOLE
    arguments = _with_defaults(frame, definition, {n: v[0] for n, v in values.items()})
    if arguments is None:
        return HOLE
    body = _body(frame, definition, arguments, inputs, callee.span)
    if not isinstance(body, Body):
        return HOLE
    name, chosen = frame.name_for(definition.name.text, given.label if given.label is not None else at.chosen)
    outputs = tuple(frame.tensor(r.value.shape, r.value.dtype, node.span) for r in body.outputs)
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
    names = frame.names
    for name, parameter in parameters(definition).items():
        if name in values:
            found[name] = values[name]
        elif parameter.default is not None:
            frame.names = found
            found[name] = frame.evaluate(parameter.default)
            frame.names = names
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


def _body(
    frame: Frame, definition: Definition, arguments: Mapping[str, Any], inputs: tuple[Tensor, ...], span: Span
) -> Body | Hole:
    """The block elaborated for these arguments and shapes, once."""
    from .frame import Frame

    machine = frame.machine
    shapes = tuple((t.shape, t.dtype) for t in inputs)
    key = (definition.name.text, _key(arguments), shapes)
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


# --- shared instances ----------------------------------------------------------------------------------------------


def shared(at: Context, bound: SharedStep, span: Span, arguments: tuple[Node, ...] = ()) -> Any:
    """A use of `layer name = step`: the same weights each time."""
    from .evaluate import Context

    frame = at.frame
    flow = at.flow
    if arguments:
        given = _arguments(at, arguments, join=True)
        if given is None:
            return HOLE
        if given.positional or given.named:
            return frame.machine.fault(
                "wrong-arity", f"`{bound.instance.name}` has its arguments already; it takes values only", span
            )
        flow = given.tensors if len(given.tensors) > 1 else given.tensors[0]
    if frame.shared is not None:
        return frame.machine.fault(
            "recursion", f"`{bound.instance.name}` cannot be made of a shared layer", bound.step.span
        )
    frame.shared = bound
    try:
        node = bound.step
        callee = node.callee if isinstance(node, tree.Call) else node
        if not isinstance(callee, tree.Name) or (
            callee.text not in LAYERS and callee.text not in frame.machine.design.blocks
        ):
            return frame.machine.fault(
                "not-a-step", "`layer` needs a layer or a block", node.span, help="write `layer enc = dense(64)`"
            )
        inner = Context(frame, flow, False, None, False)
        result = step(inner, node, callee, node.arguments if isinstance(node, tree.Call) else ())
    finally:
        frame.shared = None
    return result if result is HOLE or _same_weights(frame, bound.instance, span) else HOLE


def _same_weights(frame: Frame, instance: Instance, span: Span) -> bool:
    """Does the use that was added last ask for the same weights as the first use did?"""
    use = frame.items[-1]
    assert isinstance(use, Step | BlockCall)
    first, there = frame.uses.setdefault(instance, (use, span))
    if first is use or _weight_shapes(first) == _weight_shapes(use):
        return True
    before, now = (", ".join(show(t.shape) for t in u.inputs) for u in (first, use))
    frame.machine.fault(
        "shape-mismatch",
        f"`{instance.name}` has its weights for {before} already, and {now} needs others",
        span,
        f"used here on {now}",
        ((there, f"used here first, on {before}"),),
        "declare a second `layer` for it",
    )
    return False


def _weight_shapes(item: Item) -> tuple[Any, ...]:
    """The shapes of all weights in an item, in order."""
    if isinstance(item, Step):
        return tuple(w.shape for w in item.layer.weights(*(t.shape for t in item.inputs)))
    inner = item.body.items if isinstance(item, BlockCall) else item.items
    return tuple(_weight_shapes(i) for i in inner)
