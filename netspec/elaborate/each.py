"""`each_step`: a layer, block or net on each step of a sequence, in a region whose samples are the steps."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.types import Region, Step, Tensor, applied, layers_of, taken
from ..layers import LAYERS
from ..layers.arguments import Violation
from ..layers.each import EachStep, Sequences, Steps
from ..resolve.resolve import dotted
from ..syntax import tree
from .arguments import read_arguments, take_inputs
from .layering import violated
from .lookup import unknown_step
from .session import POISON, SharedStep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..base.source import Span
    from ..ir.types import Item
    from ..layers.base import Layer
    from ..syntax.tree import Node
    from .given import Given
    from .scope import Context


def each_step(
    at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...], apply: Callable[[Context, Node], Any]
) -> Any:
    """`each_step(inner)` at this place; `apply` does a step where a context says."""
    inner = next((a for a in arguments if _is_step(at, a)), None)
    given = read_arguments(at, tuple(a for a in arguments if a is not inner), join=False, cls=EachStep)
    if given is None or not _fits(at, node, inner, given):
        return POISON
    inputs = take_inputs(at, callee, given.tensors, 1)
    if inputs is None or inner is None:
        return POISON
    x, step = inputs[0], _with_frozen(inner, arguments)
    label = given.label if given.label is not None else at.chosen
    scope = at.scope
    found: list[Tensor] = []
    times = x.shape[0] if x.shape else 1
    # a net cannot end within a step, where its samples are others; but it can where they are sequences again
    end, scope.end = scope.end, None
    scope.in_region("flow", "", node, lambda: found.extend(_within(at, node, x, step, label, apply)), times=times)
    scope.end = end
    if not found:
        return POISON
    region = scope.items[-1]
    assert isinstance(region, Region)
    scope.meet(region.items[-1 - len(found)].name, found[0])
    return tuple(found) if len(found) > 1 else found[0]


def _is_step(at: Context, node: Node) -> bool:
    """Does an argument say what is applied?"""
    if isinstance(node, tree.Keyword):
        return node.name.text == EachStep.holds
    if isinstance(node, tree.Braces):
        return True
    callee = _callee(at, node)
    if not isinstance(callee, tree.Name):
        return False
    bound = at.scope.names.get(callee.text)
    if bound is not None:
        return isinstance(bound, SharedStep)
    return callee.text in LAYERS or at.scope.defined(callee.text) is not None


def _callee(at: Context, node: Node) -> Node:
    """What an argument names, if it is a step; `b.stage` of an import is one name."""
    callee = node.callee if isinstance(node, tree.CallExpression) else node
    return dotted(at.scope.design, callee) or callee


def _with_frozen(inner: Node, arguments: tuple[Node, ...]) -> Node:
    """What is applied, held still where `each_step` is."""
    node = inner.value if isinstance(inner, tree.Keyword) else inner
    frozen = tuple(a for a in arguments if isinstance(a, tree.Keyword) and a.name.text == "frozen")
    if not frozen:
        return node
    callee, own = (node.callee, node.arguments) if isinstance(node, tree.CallExpression) else (node, ())
    return tree.CallExpression(node.span, callee, (*own, *frozen))


def _fits(at: Context, node: Node, inner: Node | None, given: Given) -> bool:
    """Is there one thing to apply, and nothing else but a value?"""
    fault = at.scope.session.fault
    if inner is None and unknown_step(at.scope, (n for _, n in given.positional)):
        return False
    if inner is None:
        help = "write `each_step(conv(8, 3x3))`, the name of a block with its arguments, or `{ ... }`"
        fault("not-a-step", "`each_step` applies a layer, a block or a net, and none is given", node.span, help=help)
    elif given.positional or given.named:
        help = "what it applies takes them: `each_step(dense(8, bias=false))`"
        fault("unknown-argument", "`each_step` takes no other arguments", node.span, help=help)
    elif given.frozen and isinstance(inner.value if isinstance(inner, tree.Keyword) else inner, tree.Braces):
        help = "give it to the steps inside, or make a block of them: `each_step(name, frozen=true)`"
        fault("unknown-argument", "`{ ... }` takes no `frozen`", inner.span, help=help)
    elif at.scope.shared is not None:
        help = "declare what it applies, `layer enc = dense(8)`, and write `each_step(enc)`"
        fault("not-a-step", "`layer` names one layer or block, not one on each step", node.span, help=help)
    else:
        return True
    return False


def _within(
    at: Context,
    node: Node,
    x: Tensor,
    step: Node,
    label: tree.Identifier | None,
    apply: Callable[[Context, Node], Any],
) -> tuple[Tensor, ...]:
    """The step applied to all steps of the sequence: sequences of what it gives. Nothing where it is at fault."""
    scope = at.scope
    each = _fold(at, Steps(), (x,), node)
    if each is POISON:
        return ()
    before = len(scope.items)
    given = apply(at.on(each).called(label), step)
    results = given if isinstance(given, tuple) else (given,)
    if POISON in results or not _alone(at, step, each, scope.items[before:], results):
        return ()
    sequences = tuple(_fold(at, Sequences(), (y, x), node) for y in results)
    scope.padding.called(results, sequences, node.span)
    scope.padding.note(True, (x,), sequences, node.span)
    return sequences


def _fold(at: Context, made: Layer, inputs: tuple[Tensor, ...], node: Node) -> Any:
    scope = at.scope
    try:
        shape = made.shape(*(t.shape for t in inputs))
    except Violation as violation:
        return violated(at, "each_step", violation, inputs[:1], node.span, {})
    result = scope.tensor(shape, inputs[0].dtype, node.span)
    scope.add(Step(scope.namer.automatic(made.kind), "", made, inputs, (result,), node.span, {}), 1)
    return result


def _alone(at: Context, step: Node, each: Tensor, items: Sequence[Item], results: tuple[Any, ...]) -> bool:
    """Is what is applied made of the step alone, each as a sample of its own?"""
    fault = at.scope.session.fault
    made = {t.number for item in applied(items) for t in item.outputs} | {each.number}
    other = next((t for t in taken(items) if t.batched and t.number not in made), None)
    if other is not None:
        place, help = _taken_at(at, step, other)
        message = "what `each_step` applies takes a step and nothing else, and here it takes another value of the net"
        fault("unknown-argument", message, place, help=help)
    elif any(layer.remembers for layer in layers_of(items)):
        message = "a stateful layer keeps a state for each sample, and on each step there are other samples"
        fault("wrong-value", message, step.span, help="leave out `stateful`")
    elif not all(isinstance(y, Tensor) and y.batched for y in results):
        fault("not-a-step", "what `each_step` applies gives the same at each step", step.span)
    else:
        return True
    return False


def _taken_at(at: Context, step: Node, value: Tensor) -> tuple[Span, str]:
    """Where what is applied takes another value, and what to do about that."""
    names = [node for node in tree.walk(step) if isinstance(node, tree.Name)]
    place = next((n.span for n in names if at.scope.names.get(n.text) == value), step.span)
    for option in [node for node in tree.walk(step) if isinstance(node, tree.Keyword)]:
        if option.span.start <= place.start < option.span.end:
            return place, f"leave out `{option.name.text}`: steps are samples here, and it is one for a sequence"
    return place, "`concat` that to the sequence first; `repeat_vector` makes a sequence of a vector"
