"""Steps: a layer, a block, a shared instance or a function, applied at its place."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.dims import show
from ..base.record import TYPE_CHECKING, Record
from ..base.source import Span
from ..consteval import FUNCTIONS, Fault, call_function
from ..ir.types import BlockCall, Step, Tensor, layers_of, taken
from ..layers import LAYERS
from ..layers.arguments import Violation
from ..layers.base import bind
from ..resolve.resolve import dotted, unknown_callee
from ..syntax import tree
from .arguments import read_arguments, settled_words, take_inputs, tensors_in
from .blocks import apply_block
from .doubts import doubt_flow
from .given import Settled
from .holding import bind_plain, deep, take_held
from .layering import layer, violated
from .lookup import loose_name, names_step, unknown
from .misfits import lost_in_join
from .operators import join_numbers, with_numbers
from .session import POISON, Poison, SharedStep, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..ir.types import Instance, Item
    from ..layers.base import Layer
    from ..syntax.tree import Node
    from .given import Given
    from .scope import Context, Scope


class Intrinsic(Record):
    """A function of what is known of a net, such as `memory(batch=32)` in an expectation."""

    name: str
    compute: Callable[[tuple[Any, ...], Mapping[str, Any]], Any]
    # how it is called
    example: str


def uncalled(scope: Scope, bound: Intrinsic, node: Node) -> Poison:
    """Such a function where its value should stand."""
    message = f"`{bound.name}` is a function, and what it is asked of stands in brackets"
    return scope.session.fault("missing-argument", message, node.span, help=f"write `{bound.example}`")


def _intrinsic(at: Context, bound: Intrinsic, node: Node, arguments: tuple[Node, ...]) -> Any:
    nodes = [a.value if isinstance(a, tree.Keyword) else a for a in arguments]
    found = [at.plain(n, words=True) for n in nodes]
    if POISON in found:
        return POISON
    for value, written, argument in zip(found, nodes, arguments):
        loose = loose_name(at.scope, value, written)
        if loose is not None:
            named_so = isinstance(argument, tree.Keyword)
            return unknown(at.scope, loose, number=True) if named_so else _no_value(at, loose)
    named = {a.name.text: v for a, v in zip(arguments, found) if isinstance(a, tree.Keyword)}
    values = tuple(v for a, v in zip(arguments, found) if not isinstance(a, tree.Keyword))
    try:
        return bound.compute(values, named)
    except Fault as fault:
        return at.scope.session.fault(fault.code, fault.message, node.span, help=fault.help)


def _no_value(at: Context, node: tree.Name) -> Poison:
    """A bare word where a value of the net should stand."""
    values = [n for n, v in at.scope.names.items() if isinstance(v, Tensor)]
    help = did_you_mean(node.text, values) or "name the step with `as`"
    return at.scope.session.fault("unknown-name", f"no value is called `{node.text}`", node.span, help=help)


def is_shared(value: object) -> bool:
    return isinstance(value, SharedStep)


def constant(scope: Scope, name: str) -> Any:
    """The value of a `const`, worked out at its first use."""
    session = scope.session
    node = scope.design.constants[name]
    key = node.name.span
    if key in session.constants:
        return session.constants[key]
    if key in session.pending:
        return session.fault("recursion", f"`const {node.name.text}` needs its own value", key)
    session.pending.add(key)
    value = scope.evaluate_in(session.home(node), {}, node.value)
    session.pending.discard(key)
    session.constants[key] = value
    return value


def named(scope: Scope, node: Node) -> Node:
    """`b.stage` of `import ... as b` as the one name that it is; anything else as it stands."""
    found = dotted(scope.design, node)
    bound = found is None or found.text.partition(".")[0] in scope.names
    return node if bound or found is None else found


def step(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Any:
    """`callee(arguments)` at this place."""
    scope, name = at.scope, callee.text
    bound = scope.names.get(name)
    if bound is POISON:
        return POISON
    if isinstance(bound, Intrinsic):
        return _intrinsic(at, bound, node, arguments)
    if bound is not None and is_shared(bound):
        return shared(at, bound, node.span, arguments)
    settled = scope.session.cache.settled.get(id(node))
    if settled is not None and scope.names.keys().isdisjoint(settled.words):
        return _apply_layer(at, node, callee, settled.cls, settled.given, settled.values)
    cls = deep(at, LAYERS.get(name), arguments)
    definition = scope.defined(name)
    if cls is None and definition is None:
        return _function(at, node, callee, arguments)
    if cls is not None and definition is None and (rule := _rule_of(at, cls, arguments)) is not None:
        return rule(at, node, callee, arguments)
    before = len(scope.items)
    held = take_held(at, cls, arguments)
    if held is None:
        return POISON
    ports = scope.session.plan(definition).ports if definition is not None else ()
    given = read_arguments(at, held.rest, join=cls is not None and cls.arity != 1, cls=cls, ports=ports)
    if given is None:
        return POISON
    if cls is not None and definition is None and given.flowing and not given.tensors:
        return _empty(at, callee, given)
    if definition is None and given.tensors and at.piped and not _takes_flow(at, cls, given, before):
        return lost_in_join(at, callee, arguments)
    if cls is not None and definition is None and with_numbers(cls, given):
        return join_numbers(at, node, cls, given)
    if definition is not None:
        return apply_block(at, node, callee, definition, given)
    if name in FUNCTIONS and not given.tensors and given.positional and not at.piped:
        return _function(at, node, callee, arguments)
    assert cls is not None
    values = bind_plain(at, callee, cls, given, held)
    if values is None:
        return POISON
    words = settled_words(arguments, scope.names) if not held.values else None
    if words is not None:
        scope.session.cache.settled[id(node)] = Settled(node, words, cls, given, values)
    return _apply_layer(at, node, callee, cls, given, values, held.inputs)


def _rule_of(at: Context, cls: type[Layer], arguments: tuple[Node, ...]) -> Callable[..., Any] | None:
    """What reads a call in place of the rule for layers; few nets have such calls, so it is loaded here."""
    if not (cls.calls or cls.holds):
        return None
    if cls.calls == "each_step":
        return _each_step
    from .scans import is_scan, scan

    return scan if is_scan(at, cls, arguments) else None


def _each_step(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Any:
    from .each import each_step

    return each_step(at, node, callee, arguments, _applied)


def _empty(at: Context, callee: tree.Name, given: Given) -> Poison:
    """A join of lists that hold nothing."""
    place = given.flowing[0].span
    message = (
        f"`{callee.text}` joins values, and there are none in {'this list' if len(given.flowing) == 1 else 'these'}"
    )
    help = f"`identity` is what flows in: `{callee.text}(identity, {place.text})`"
    return at.scope.session.fault("wrong-arity", message, place, help=help)


def _applied(at: Context, node: Node) -> Any:
    """A step, with arguments or without, at a place."""
    if isinstance(node, tree.Braces):
        return at.scope.subflow(node, at.flow, at.chosen)
    callee = named(at.scope, node.callee if isinstance(node, tree.CallExpression) else node)
    if not isinstance(callee, tree.Name):
        message = "a layer, a block or a net should stand here"
        return at.scope.session.fault("not-a-step", message, node.span, help="write `each_step(conv(8, 3x3))`")
    return step(at, node, callee, node.arguments if isinstance(node, tree.CallExpression) else ())


def _takes_flow(at: Context, cls: type[Layer] | None, given: Given, before: int) -> bool:
    """Is what flows in used by the layer, or by its arguments, evaluated since there were so many items?

    Joins of any number of values take those that are given, and nothing else.
    """
    if cls is None or cls.arity is not None or cls.most is not None:
        return True
    flow = at.flow if isinstance(at.flow, tuple) else (at.flow,)
    return any(t in flow for t in (*given.tensors, *taken(at.scope.items[before:])))


def _apply_layer(
    at: Context,
    node: Node,
    callee: tree.Name,
    cls: type[Layer],
    given: Given,
    values: Mapping[str, Any],
    by_name: tuple[Tensor, ...] = (),
) -> Any:
    plain = {n: values[n][0] for n in values if n in cls.arguments}
    inputs = take_inputs(at, callee, given.tensors, cls.arity)
    if inputs is None:
        return _arguments_alone(at, cls.kind, plain, node.span, values)
    if len(given.tensors) == 1:
        doubt_flow(at, node, callee.text, given)
    return layer(at, cls.kind, plain, (*inputs, *by_name), node.span, values, given)


def _arguments_alone(
    at: Context, kind: str, values: Mapping[str, Any], span: Span, written: Mapping[str, tuple[Any, Span, Node]]
) -> Poison:
    """The arguments of a step whose input is a hole: what is wrong with them is wrong whatever flows in."""
    try:
        bind(LAYERS[kind], values)
    except Violation as violation:
        return violated(at, kind, violation, (), span, written)
    return POISON


def _function(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Any:
    session, design, name = at.scope.session, at.scope.design, callee.text
    if name not in FUNCTIONS:
        if name in design.constants:
            return session.fault("not-a-step", f"`{name}` is a constant; it cannot be called", callee.span)
        if name in at.scope.names:
            return session.fault(
                "not-a-step", f"`{name}` is {kind_of(at.scope.names[name])}; it cannot be called", callee.span
            )
        if not design.excuses(name):
            session.report(unknown_callee(callee, at.scope.names, design, session.faults.patient))
        return POISON
    values = tuple(at.plain(a, words=True) for a in arguments if not isinstance(a, tree.Keyword))
    if POISON in values:
        return POISON
    places = [a for a in arguments if not isinstance(a, tree.Keyword)]
    loose = next(filter(None, (loose_name(at.scope, value, node) for value, node in zip(values, places))), None)
    if loose is not None:
        return unknown(at.scope, loose, number=name not in LAYERS)
    if len(values) < len(arguments):
        return session.fault("unknown-argument", f"`{name}` takes no named arguments", node.span)
    if any(isinstance(v, Tensor) for v in values):
        return session.fault(
            "not-a-value",
            f"`{name}` works on numbers that are known when the spec is compiled, not on values of the net",
            node.span,
            help=f"its first size is `{arguments[0].span.text}.shape[0]`" if name == "len" else "",
        )
    session.spend_items(node.span, values)
    try:
        result = call_function(name, values)
    except Fault as fault:
        return session.fault(fault.code, fault.message, node.span, help=fault.help)
    session.spend_items(node.span, (result,))
    return result


# --- shared instances ----------------------------------------------------------------------------------------------


def shared(at: Context, bound: SharedStep, span: Span, arguments: tuple[Node, ...] = ()) -> Any:
    """A use of `layer name = step`: the same weights each time."""
    scope = at.scope
    flow = at.flow
    if arguments:
        given = read_arguments(at, arguments, join=True)
        if given is None:
            return POISON
        fixed = [node for node in arguments if node not in given.flowing]
        if fixed:
            return scope.session.fault(
                "wrong-arity",
                f"`{bound.instance.name}` has its arguments already; it takes values only",
                fixed[0].span,
                others=((bound.instance.span, "given here"),),
                help=_declared_with(bound, fixed),
            )
        before = () if not at.piped else at.flow if isinstance(at.flow, tuple) else (at.flow,)
        flow = (*before, *given.tensors)
    if scope.shared is not None:
        return scope.session.fault(
            "recursion", f"`{bound.instance.name}` cannot be made of a shared layer", bound.step.span
        )
    scope.shared, names, scope.names = bound, scope.names, dict(bound.names)
    try:
        node = bound.step
        callee = _shared_callee(scope, node)
        if not isinstance(callee, tree.Name):
            return POISON
        result = step(at.on(flow), node, callee, node.arguments if isinstance(node, tree.CallExpression) else ())
    finally:
        scope.shared, scope.names = None, names
    if result is POISON:
        return POISON
    if tensors_in(result) is None:
        message = f"`layer` needs a layer, a block or a net, and this is {kind_of(result)}"
        return scope.session.fault("not-a-step", message, bound.step.span, help="bind a number with `name = ...`")
    return result if _same_weights(scope, bound.instance, span) else POISON


def _declared_with(bound: SharedStep, arguments: list[Node]) -> str:
    """Where arguments belong that a use of a shared layer was given."""
    if not all(isinstance(node, tree.Keyword) for node in arguments):
        return ""
    callee, own = (
        (bound.step.callee, bound.step.arguments) if isinstance(bound.step, tree.CallExpression) else (bound.step, ())
    )
    listed = ", ".join(node.span.text for node in (*own, *arguments))
    return f"say it there: `layer {bound.instance.name} = {callee.span.text}({listed})`"


def _shared_callee(scope: Scope, node: Node) -> tree.Name | Poison:
    """What a `layer` is made of."""
    callee = named(scope, node.callee if isinstance(node, tree.CallExpression) else node)
    if isinstance(callee, tree.Name):
        if names_step(scope, callee.text):
            return callee
        if callee.text not in scope.names and callee.text not in FUNCTIONS:
            return unknown(scope, callee)
    return scope.session.fault(
        "not-a-step", "`layer` needs a layer, a block or a net", node.span, help="write `layer enc = dense(64)`"
    )


def _same_weights(scope: Scope, instance: Instance, span: Span) -> bool:
    """Does the use that was added last ask for the same weights as the first use did?"""
    use = scope.items[-1]
    assert isinstance(use, Step | BlockCall)
    first, there = scope.uses.setdefault(instance, (use, span))
    if first is use:
        return True
    if any(layer.remembers for layer in layers_of((use,))):
        message = f"`{instance.name}` is stateful: it keeps one state, so it can stand in one place only"
        help = "leave out `stateful`, or declare a second `layer`"
        scope.session.fault("wrong-value", message, span, "the second use", ((there, "the first"),), help)
        return False
    if _weight_shapes(first) == _weight_shapes(use):
        return True
    before, now = (", ".join(show(t.shape) for t in u.inputs) for u in (first, use))
    scope.session.fault(
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
        return tuple(w.shape for w in item.weights)
    inner = item.body.items if isinstance(item, BlockCall) else item.items
    return tuple(_weight_shapes(i) for i in inner)
