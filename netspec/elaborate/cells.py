"""Within a cell: what it remembers, what that will be, how it begins, and cells that are steps of it."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.dims import show
from ..base.record import TYPE_CHECKING
from ..ir.types import BlockCall, Instance, OutputPort, Port, State, Step, Tensor, applied
from ..layers.base import bind
from ..layers.cell_uses import Open, StateUpdate
from ..layers.cells import Start
from ..syntax import tree
from .inputs import declared
from .scope import Remembered
from .session import POISON, Poison, kind_of
from .weights import size_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..base.source import Span
    from ..ir.types import Body, Item
    from .scope import Scope


def declare_state(scope: Scope, node: tree.StateDeclaration) -> None:
    name = node.name.text
    if not in_cell(scope, node.span, "state"):
        scope.bind(node.name, POISON)
        return
    if name in scope.states:
        first = scope.states[name].span
        said = f"the state `{name}` is declared twice"
        scope.session.fault("duplicate-name", said, node.name.span, "the second time", ((first, "declared here"),))
        return
    sizes = tuple(size_of(scope, size, "state") for size in node.sizes)
    start = _start(scope, node, sizes)
    value = POISON if POISON in sizes or start is POISON else declared(scope, sizes, "float32", node.span)
    if isinstance(value, Poison):
        scope.bind(node.name, POISON)
        scope.missed.add(name)
        return
    scope.states[name] = Remembered(name, value, node.name.span, start, node.sizes)
    scope.names[name] = value


def in_cell(scope: Scope, span: Span, word: str) -> bool:
    """Is this a cell? Reported where it is not."""
    definition = scope.definition
    if definition.word == "cell":
        return True
    scope.session.fault(
        "misplaced-state",
        f"`{word}` stands in a `cell`, but {definition.name.text} is a {definition.word}",
        span,
        others=((definition.name.span, "declared here"),),
        help="write the equations of a step as `cell name { ... }`, and run them with `scan(name)`",
    )
    return False


def _start(scope: Scope, node: tree.StateDeclaration, sizes: tuple[Any, ...]) -> Any:
    """What a state is at first: a number, or a value that no input has a part in."""
    session, given = scope.session, node.start
    for option in node.options:
        name = option.name.text
        if name != "init" or given is not None:
            code, said = "unknown-argument", f"a state has no `{name}`"
            if name == "init":
                code, said = "duplicate-argument", f"`{node.name.text}` begins twice"
            return session.fault(code, said, option.name.span, help="write `init=0.1` or `= value`")
        given = option.value
    if given is None:
        return 0
    value = scope.evaluate(given)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is POISON or (number and given is not node.start):
        return value
    if isinstance(value, Tensor) and not value.batched and value.shape == sizes and given is node.start:
        return value
    if number:
        return value
    help = f"fill it with a number, `init=0.1`, or declare `weight {node.name.text}0 [...]` for it"
    said = f"a state begins with a number or with a weight of its shape, {show(sizes)}, not {kind_of(value)}"
    if isinstance(value, Tensor) and value.batched:
        said = "a state begins before anything has come in, so no input has a part in how"
    return session.fault("wrong-state", said, given.span, help=help)


def advance(scope: Scope, node: tree.NextStatement) -> None:
    """`next name = value`"""
    if not in_cell(scope, node.span, "next"):
        return
    names = node.target.names
    for name in names:
        if name.text not in scope.states:
            _unknown(scope, name)
    values = tuple(scope.evaluate(v, words=False) for v in node.values)
    value = values[0] if len(values) == 1 else values
    if not node.target.unpacks:
        _advance(scope, names[0], value, node)
    elif isinstance(value, tuple) and len(value) == len(names):
        for name, one in zip(names, value):
            _advance(scope, name, one, node)
    else:
        if value is not POISON:
            said = f"{len(names)} states cannot take {len(value) if isinstance(value, tuple) else 1} values"
            scope.session.fault("wrong-arity", said, node.target.span)
        for name in names:
            _advance(scope, name, POISON, node)


def _advance(scope: Scope, name: tree.Identifier, value: Any, node: tree.NextStatement) -> None:
    state = scope.states.get(name.text)
    if state is None:
        return
    if state.later is not None:
        again = state.later_span == name.span
        scope.session.fault(
            "two-nexts",
            f"`next {name.text}` is said {'in each turn of a loop' if again else 'twice'}",
            name.span,
            "" if again else "the second time",
            () if again else ((state.later_span, "here already"),),
            "a state has one next value; choose it with `where(...)`, or at compile time with `if`",
        )
    else:
        state.later_span = name.span
        state.later = value if value is POISON or _fits(scope, state, value, node) else POISON
        if isinstance(state.later, Tensor):
            scope.labels.setdefault(state.later.number, name.text)


def _fits(scope: Scope, state: Remembered, value: Any, node: tree.NextStatement) -> bool:
    """Can a value be what a state will be?"""
    span = node.values[0].span if len(node.values) == 1 else node.span
    declared = ((state.span, f"declared as {show(state.value.shape)} here"),)
    if not isinstance(value, Tensor):
        said = f"`next {state.name}` is a value of the net, not {kind_of(value)}"
        scope.session.fault("not-a-value", said, span, others=declared)
    elif value.shape != state.value.shape:
        scope.session.fault(
            "unequal-next",
            f"`next {state.name}` is {show(value.shape)}, but the state `{state.name}` is {show(state.value.shape)}",
            span,
            f"this is {show(value.shape)}",
            declared,
            "what a step leaves is what the next one begins with, so both have one shape",
        )
    elif not value.dtype.startswith("float") or not value.batched:
        what = value.dtype if value.batched else "made of weights alone, the same for every sample"
        help = "put `cast(float)` behind it" if value.batched else "something that comes in must have a part in it"
        said = f"`next {state.name}` holds real numbers for each sample, but this is {what}"
        scope.session.fault("wrong-dtype", said, span, others=declared, help=help)
    else:
        return True
    return False


def _unknown(scope: Scope, name: tree.Identifier) -> None:
    """Report a state that is not declared, or only further down; what hangs on it is not told of again."""
    if name.text in scope.missed or scope.names.get(name.text) is POISON:
        return
    scope.missed.add(name.text)
    scope.names.setdefault(name.text, POISON)
    nodes = tree.walk(scope.definition.body)
    declared = [node for node in nodes if isinstance(node, tree.StateDeclaration) and node.name.text == name.text]
    if declared:
        others, help = ((declared[0].span, "it is declared only here"),), "states stand above the equations: move it up"
        said = f"`next {name.text}` stands before the state is declared"
        scope.session.fault("unknown-name", said, name.span, others=others, help=help)
        return
    help = did_you_mean(name.text, scope.states) or f"declare it: `state {name.text} [units]`"
    scope.session.fault("unknown-name", f"there is no state `{name.text}` here", name.span, help=help)


def next_value(scope: Scope, node: tree.Next) -> Any:
    """`next name` in an expression."""
    if not in_cell(scope, node.span, "next"):
        return POISON
    state = scope.states.get(node.name.text)
    if state is None:
        _unknown(scope, node.name)
        return POISON
    if state.later is None and scope.missed:
        return POISON
    if state.later is None:
        help = f"write `next {state.name} = ...` above this line"
        return scope.session.fault("unknown-name", f"`next {state.name}` is not known yet", node.span, help=help)
    return state.later


# --- a cell as a step of another -----------------------------------------------------------------------------------


def step_of_cell(
    scope: Scope, span: Span, body: Body, inputs: tuple[Tensor, ...], make: Callable[..., BlockCall]
) -> tuple[BlockCall, tuple[Tensor, ...]]:
    """One step of a cell within another one, whose state holds the inner one's; and what comes out. `make` makes the
    call of inputs, outputs and use."""
    names = tuple(state.name for state in body.states)
    values = tuple(scope.tensor(s.value.shape, s.value.dtype, span) for s in body.states)
    outputs = tuple(scope.tensor(r.value.shape, r.value.dtype, span) for r in body.outputs)
    call = make((*inputs, *values), outputs, StateUpdate(names))
    if call.shared is None:
        call = call.replace(shared=Instance(call.name, span))
    laters = outputs[len(outputs) - len(values) :]
    for name, value, later in zip(names, values, laters):
        inner = f"{call.name}_{name}"
        while inner in scope.states:
            inner += "_"
        scope.states[inner] = Remembered(inner, value, span, call=call)
        scope.states[inner].later = later
        scope.labels.setdefault(value.number, inner)
        scope.labels.setdefault(later.number, inner)
    return call, outputs[: len(outputs) - len(values)]


# --- the end ---------------------------------------------------------------------------------------------------------


def finish(scope: Scope, body: Body) -> Body:
    """The body of a cell, with its states. Without outputs where something is wrong with one."""
    held = list(scope.states.values())
    # a `next` that is at fault may be the one that is missing
    for name in [state.name for state in held if state.later is None and not scope.missed]:
        scope.session.fault(
            "state-without-next",
            f"nothing says what the state `{name}` will be",
            scope.states[name].span,
            help=f"write `next {name} = ...`; if it stays as it is, `next {name} = {name}`",
        )
    result = body.outputs[0].value if body.outputs else None
    if not scope.declared_output and any(result is port.value for port in body.inputs):
        said = f"the cell {scope.definition.name.text} does not say what comes out of it"
        help = f"write `output next {held[0].name}`" if held else "write `output name`"
        scope.session.fault("no-flow", said, scope.definition.name.span, help=help)
        result = None
    if result is None or scope.missed or any(not isinstance(state.later, Tensor) for state in held):
        return body.replace(outputs=())
    if not result.batched:
        said = f"what the cell {scope.definition.name.text} gives is made of weights alone, the same at every step"
        scope.session.fault("wrong-arity", said, result.span, help="something that comes in must have a part in it")
        return body.replace(outputs=())
    if not held:
        help = "write `block`; a block of layers on vectors works at each step of a sequence as it is"
        said = f"the cell {scope.definition.name.text} has no state, so nothing goes from step to step"
        scope.session.fault("no-state", said, scope.definition.name.span, help=help)
        return body.replace(outputs=())
    return _with_states(scope, body, held, result)


def _with_states(scope: Scope, body: Body, held: list[Remembered], result: Tensor) -> Body:
    like = body.inputs[0].value
    starts: list[Step | BlockCall] = []
    found: dict[str, Tensor] = {}
    for state in held:
        if state.name in found:
            continue
        if state.call is None:
            starts.append(_start_step(scope, like, state))
            found[state.name] = starts[-1].outputs[0]
        else:
            starts.append(_opening(scope, state.call, like))
            for inner, start in zip([s for s in held if s.call is state.call], starts[-1].outputs):
                found[inner.name] = start
                scope.labels[start.number] = inner.name
    states = tuple(State(s.name, s.value, s.later, found[s.name]) for s in held)
    outputs = (*body.outputs, *(OutputPort(s.name, s.later) for s in states))
    items, begins = _split(body.items, {r.value.number for r in outputs}, {t.number for s in starts for t in s.inputs})
    return body.replace(
        inputs=(*body.inputs, *(Port(s.name, s.value) for s in states)),
        outputs=outputs,
        items=items,
        states=states,
        begins=begins,
        starts=(*starts, _start_step(scope, like, _shown(result, held))),
    )


def _split(items: tuple[Item, ...], later: set[int], first: set[int]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """The items of a step, and those that only the first state hangs on."""
    ahead, before = _leading(items, later), _leading(items, first)
    begins = [id(item) in before and id(item) not in ahead for item in items]
    return (
        tuple(item for item, begin in zip(items, begins) if not begin),
        tuple(item for item, begin in zip(items, begins) if begin),
    )


def _leading(items: tuple[Item, ...], wanted: set[int]) -> set[int]:
    """The items that values hang on, by identity."""
    found: set[int] = set()
    for item in reversed(items):
        steps = list(applied((item,)))
        if any(t.number in wanted for step in steps for t in step.outputs):
            wanted = wanted.union(t.number for step in steps for t in step.inputs)
            found.add(id(item))
    return found


def _shown(result: Tensor, held: list[Remembered]) -> Remembered:
    """The output as something that begins: like the state that is shown, if it is one."""
    sizes = next((s.sizes for s in held if s.later.number == result.number), ())
    return Remembered("", result, result.span, 0, sizes)


def _start_step(scope: Scope, like: Tensor, state: Remembered) -> Step:
    shape, start = state.value.shape, state.start
    number = 0 if isinstance(start, Tensor) else start
    made = bind(Start, {"sizes": shape, "value": number, "whole": not like.dtype.startswith("float")})
    inputs = (like, start) if isinstance(start, Tensor) else (like,)
    output = scope.tensor(shape, "float32", like.span)
    if state.name:
        scope.labels[output.number] = state.name
    written = {"sizes": state.sizes[0]} if len(state.sizes) == 1 else {}
    return Step("start", "", made, inputs, (output,), like.span, written)


def _opening(scope: Scope, call: BlockCall, like: Tensor) -> BlockCall:
    outputs = tuple(scope.tensor(s.value.shape, "float32", call.span) for s in call.body.states)
    use = Open(tuple(s.name for s in call.body.states))
    return call.replace(inputs=(like,), outputs=outputs, use=use)
