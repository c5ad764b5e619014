"""Expressions and pipelines: to a compile-time value, a tensor, or a hole.

`flow` is the value that a step without inputs of its own is applied to. `words` says what a bare name that nothing
binds may be: in arguments, lists and comparisons a word (`same`, `relu`); elsewhere a step, or an error.
"""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.record import TYPE_CHECKING
from ..consteval import Fault, bounded
from ..ir.types import Tensor
from ..layers import LAYERS
from ..layers.arguments import Word
from ..syntax import tree
from . import apply, operators
from .lookup import is_foreign, names_step, option_words, unknown, unknown_in_module
from .parts import part_of
from .scope import Context
from .session import NAMES, POISON, SharedStep, kind_of, no_condition
from .weights import look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..syntax.tree import Node


# --- names -------------------------------------------------------------------------------------------------------


def _bound_step(at: Context, value: SharedStep | apply.Intrinsic, node: tree.Name) -> Any:
    """What a name makes that is bound to what is applied."""
    if isinstance(value, SharedStep):
        return apply.shared(at, value, node.span)
    return apply.uncalled(at.scope, value, node)


def _name(at: Context, node: tree.Name) -> Any:
    scope, text = at.scope, node.text
    if text in scope.names:
        value = scope.names[text]
        if isinstance(value, SharedStep | apply.Intrinsic):
            return value if at.words and apply.is_shared(value) else _bound_step(at, value, node)
        return value
    if text in scope.design.constants:
        return apply.constant(scope, text)
    if text in scope.design.lost:
        return POISON
    if at.words and "." not in text:
        return Word(text)
    if names_step(scope, text):
        return apply.step(at, node, node, ())
    if at.binding and text in option_words():
        return Word(text)
    return unknown(scope, node)


# --- literals and lists --------------------------------------------------------------------------------------------


def _literal(at: Context, node: tree.Literal) -> Any:
    return node.value


def _sequence(at: Context, node: tree.TupleExpression | tree.List) -> Any:
    inner = at.unnamed()
    return _listed(at, node, tuple([inner.again(item) for item in node.items]))


def _listed(at: Context, node: Node, values: tuple[Any, ...]) -> Any:
    """A list that has been worked out; a hole where a part of it is one, or where it is too large."""
    if any(value is POISON for value in values):
        return POISON
    at.scope.session.spend_items(node.span, (values,))
    try:
        return bounded(values)
    except Fault as fault:
        return at.scope.session.fault(fault.code, fault.message, node.span)


def _comprehension(at: Context, node: tree.Comprehension) -> Any:
    from .bindings import unpack

    items = at.plain(node.items, words=True)
    if not isinstance(items, tuple):
        if items is not POISON:
            at.scope.session.fault("wrong-value", f"a list is needed here, not {kind_of(items)}", node.items.span)
        return POISON
    names, found = at.scope.names, []
    for item in items:
        at.scope.names = dict(names)
        at.scope.session.spend(node.span, 1 + len(names) // NAMES)
        unpack(at.scope, node.target, item, node.items.span)
        if node.condition is None or at.plain(node.condition, words=True) is True:
            found.append(at.plain(node.value))
    at.scope.names = names
    return _listed(at, node, tuple(found))


def _misplaced(at: Context, node: Node) -> Any:
    return at.scope.session.fault("syntax", "this has no meaning here", node.span)


def _conditional(at: Context, node: tree.Conditional) -> Any:
    condition = at.plain(node.condition, words=True)
    if condition is POISON:
        return POISON
    if not isinstance(condition, bool):
        return no_condition(at.scope.session, condition, node.condition)
    return at.again(node.value if condition else node.otherwise)


# --- parts of values -----------------------------------------------------------------------------------------------


def _attribute(at: Context, node: tree.Attribute) -> Any:
    imported = apply.named(at.scope, node)
    if isinstance(imported, tree.Name):
        return _name(at, imported)
    if is_foreign(at.scope, node):
        return unknown_in_module(at.scope, node)
    value = at.plain(node.value, words=False)
    if value is POISON:
        return POISON
    if not isinstance(value, Tensor):
        message = f"`.{node.name.text}` belongs to values, not to {kind_of(value)}"
        return at.scope.session.fault("not-a-value", message, node.span, help=_of_a_shape(node, value))
    found = {"shape": value.shape, "channels": value.shape[-1] if value.shape else 1, "rank": len(value.shape)}
    if node.name.text in found:
        return found[node.name.text]
    help = _attribute_meant(at, node, value, found) or "a value has .shape, .channels and .rank"
    return at.scope.session.fault("unknown-name", f"a value has no `.{node.name.text}`", node.name.span, help=help)


def _of_a_shape(node: tree.Attribute, value: Any) -> str:
    """What to write for a property of what is a shape already."""
    text = node.value.span.text
    if node.name.text in ("append", "extend") and isinstance(value, tuple):
        return f"a list grows by another one: `{text} = {text} + [x]`"
    asked = {"shape": text, "channels": f"{text}[-1]", "rank": f"len({text})"}.get(node.name.text)
    return f"it is a shape already: write `{asked}`" if isinstance(value, tuple) and asked else ""


def _attribute_meant(at: Context, node: tree.Attribute, value: Tensor, found: Mapping[str, Any]) -> str:
    """What stands here for what is asked of a value elsewhere: a property, or a step on it."""
    from ..layers.foreign import help_for, layer_for
    from ..layers.vocabulary import ATTRIBUTES, SIDES

    name = node.name.text
    same = ATTRIBUTES.get(name) if name not in SIDES or len(value.shape) > 2 else None
    if same:
        return f"here it is `.{same}`"
    layer = layer_for(name) or name
    if layer in LAYERS or name in at.scope.design.definitions:
        return f"a layer is applied with an arrow: `{node.value.span.text} -> {layer}`"
    return help_for(name) or did_you_mean(name, found)


def _subscript(at: Context, node: tree.Subscript) -> Any:
    if isinstance(node.value, tree.Name) and _lacks_arguments(at, node.value):
        help = f"write `{node.value.text}({', '.join(i.span.text for i in node.items)})`"
        message = f"the arguments of `{node.value.text}` stand in round brackets"
        return at.scope.session.fault("missing-argument", message, node.span, help=help)
    value = at.plain(node.value, words=False)
    items = [_item(at, item) for item in node.items]
    if value is POISON or POISON in items:
        return POISON
    if isinstance(value, Tensor) and any(isinstance(item, Tensor) for item in items):
        return look_up(at, value, items, node)
    if isinstance(value, Tensor):
        return part_of(at, value, items, node.span)
    if not isinstance(value, tuple) or len(items) != 1:
        return at.scope.session.fault("not-a-value", f"{kind_of(value)} has no items", node.span)
    item = items[0]
    try:
        if isinstance(item, tuple):
            part = value[slice(*item)]
            at.scope.session.spend_items(node.span, (part,))
            return part
        if isinstance(item, bool) or not isinstance(item, int):
            return at.scope.session.fault(
                "wrong-value", f"a position is a whole number, not {kind_of(item)}", node.items[0].span
            )
        return value[item]
    except IndexError:
        last = len(value) - 1
        return at.scope.session.fault(
            "wrong-value",
            f"the list has {len(value)} items, so there is no item {item}",
            node.items[0].span,
            help=f"the last one is {last}, or -1" if value else "it is empty",
        )
    except (TypeError, ValueError):
        return at.scope.session.fault(
            "wrong-value", "slice bounds are whole numbers, and the step is not 0", node.items[0].span
        )


def _lacks_arguments(at: Context, node: tree.Name) -> bool:
    """Is this a layer that cannot do without arguments?"""
    return node.text not in at.scope.names and node.text in LAYERS and bool(LAYERS[node.text].required)


def _item(at: Context, node: Node) -> Any:
    if isinstance(node, tree.Ellipsis):
        return ...
    if isinstance(node, tree.SliceExpression):
        bounds = tuple(
            None if part is None else at.plain(part, words=False) for part in (node.start, node.stop, node.step)
        )
        return POISON if POISON in bounds else bounds
    value = at.plain(node, words=False)
    return ("pick", *value) if isinstance(value, tuple) else value


# --- pipelines -------------------------------------------------------------------------------------------------------


def _named(at: Context, node: tree.NamedStep) -> Any:
    inner = Context(at.scope, at.flow, False, node.name, at.binding, at.piped)
    value = inner.again(_as_step(at, node.step))
    at.scope.bind(node.name, value, mark=True)
    return value


def _as_step(at: Context, node: Node) -> Node:
    """What stands before `as` or behind `->`: a name that a layer or block has means the step there.

    So `relu as relu` in a loop means the same in each turn, though a value of that name is bound after the first.
    """
    if (
        isinstance(node, tree.Name)
        and node.text in at.scope.names
        and not apply.is_shared(at.scope.names[node.text])
        and names_step(at.scope, node.text)
    ):
        return tree.CallExpression(node.span, node, ())
    return node


def _pipeline(at: Context, node: tree.Pipeline) -> Any:
    first = node.stages[0]
    flow = Context(at.scope, at.flow, False, None, at.binding).again(first)
    for place, before in enumerate(node.stages[:-1], 1):
        values = flow if isinstance(flow, tuple) else (flow,)
        if any(v is POISON for v in values):
            flow = POISON
        elif not all(isinstance(v, Tensor) for v in values):
            from .stages import word_help

            bound = f"`{before.text}` is bound to that here" if isinstance(before, tree.Name) else ""
            help = word_help(flow, before.span.text) or bound
            message = f"{kind_of(flow)} cannot flow into a step"
            return at.scope.session.fault("not-a-value", message, before.span, help=help)
        flow = _stage(at, node.stages, place, flow)
    return flow


def _stage(at: Context, stages: tuple[Node, ...], place: int, flow: Any) -> Any:
    """A later stage: it must be a step, since a value would throw the flow away."""
    stage = stages[place]
    if not isinstance(stage, tree.NamedStep):
        stage = _as_step(at, stage)
    step = _as_step(at, stage.step) if isinstance(stage, tree.NamedStep) else stage
    scope = at.scope
    step = apply.named(scope, step)
    if isinstance(step, tree.Name) and step.text in scope.names and not apply.is_shared(scope.names[step.text]):
        value = scope.names[step.text]
        if value is POISON:
            return POISON
        if isinstance(value, Tensor) and flow is not POISON:
            from .stages import value_help

            said = f"`{step.text}` is a value, so nothing can flow into it"
            return scope.session.fault("not-a-step", said, step.span, help=value_help(scope, step.text))
    if not isinstance(step, tree.Name | tree.CallExpression | tree.Braces | tree.Conditional):
        from .stages import no_step

        return no_step(scope, stages, place)
    return Context(scope, flow, False, None, at.binding, True).again(stage)


def _body(at: Context, node: tree.Braces) -> Any:
    return at.scope.subflow(node, at.flow, at.chosen)


def _call(at: Context, node: tree.CallExpression) -> Any:
    callee = apply.named(at.scope, node.callee)
    if not isinstance(callee, tree.Name):
        if at.plain(callee, words=False) is POISON:
            return POISON
        message, value = (
            "only layers, blocks and functions can be called",
            ", ".join(a.span.text for a in node.arguments),
        )
        is_step = isinstance(callee, tree.CallExpression) and not any(
            isinstance(a, tree.Keyword) for a in node.arguments
        )
        help = f"a value is led into a step by an arrow: `{value} -> {callee.span.text}`" if is_step and value else ""
        return at.scope.session.fault("not-a-step", message, callee.span, help=help)
    return apply.step(at, node, callee, node.arguments)


def _next(at: Context, node: tree.Next) -> Any:
    from .cells import next_value

    return next_value(at.scope, node)


EXPRESSIONS: dict[type, Callable[[Context, Any], Any]] = {
    tree.Name: _name,
    tree.Next: _next,
    tree.Literal: _literal,
    tree.TupleExpression: _sequence,
    tree.List: _sequence,
    tree.Comprehension: _comprehension,
    tree.CallExpression: _call,
    tree.Keyword: _misplaced,
    tree.SliceExpression: _misplaced,
    tree.Ellipsis: _misplaced,
    tree.Subscript: _subscript,
    tree.Attribute: _attribute,
    tree.Unary: operators.unary,
    tree.Chain: operators.chain,
    tree.Conditional: _conditional,
    tree.NamedStep: _named,
    tree.Pipeline: _pipeline,
    tree.Braces: _body,
    tree.Broken: lambda at, node: POISON,
}
