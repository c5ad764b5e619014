"""Arguments that are no numbers or words: values of the net, given by name, and a step that a layer applies in its own
way."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..ir.types import Tensor
from ..layers import LAYERS
from ..layers.arguments import Values, Violation
from ..layers.base import bind
from ..syntax import tree
from .arguments import bind_arguments, read_arguments, tensors_in, unbound
from .given import Given, Signature
from .layering import violated
from .lookup import unknown, unknown_step
from .misfits import EVERYWHERE, missing
from .session import POISON, SharedStep

if TYPE_CHECKING:
    from typing import Any

    from ..base.source import Span
    from ..layers.base import Layer
    from ..syntax.tree import Node
    from .scope import Context

    Bound = dict[str, tuple[Any, Span, Node]]


class Held(Record):
    """What a call gives beside numbers and words.

    `rest` are its other arguments. `values` are the arguments that were taken, with those of a step that is held among
    them, so that a fault in one finds its place; `inputs` are the values of the net behind them.
    """

    rest: tuple[Node, ...]
    values: Bound
    inputs: tuple[Tensor, ...]


NOTHING = Held((), {}, ())


def deep(at: Context, cls: type[Layer] | None, arguments: tuple[Node, ...]) -> type[Layer] | None:
    """`stack(3, lstm(64))` is a layer of its own; `stack(a, b)` joins values."""
    if cls is None or cls.kind != "stack" or not any(_is_count(at, node) for node in arguments):
        return cls
    steps = [a for a in arguments if not (isinstance(a, tree.Keyword) and a.name.text in EVERYWHERE)]
    braces = _is_count(at, arguments[0]) and any(isinstance(node, tree.Braces) for node in arguments[1:])
    return LAYERS["stacked"] if braces or any(_held_class(at, node) for node in steps) else cls


def _is_count(at: Context, node: Node) -> bool:
    """Is it known without looking at values of the net? `3`, `depth`, `2 * depth`, `n=3`"""
    if isinstance(node, tree.Keyword) and node.name.text != "n":
        return False
    names = [part for part in tree.walk(node) if isinstance(part, tree.Name)]
    known = all(
        name.text in at.scope.design.constants or isinstance(at.scope.names.get(name.text), int) for name in names
    )
    return known and not any(isinstance(part, tree.CallExpression | tree.Braces) for part in tree.walk(node))


def _held_class(at: Context, node: Node) -> type[Layer] | None:
    """The layer that a step names, if it is one."""
    shared = shared_step(at, node)
    node = shared.step if shared is not None else node.value if isinstance(node, tree.Keyword) else node
    callee = node.callee if isinstance(node, tree.CallExpression) else node
    if not isinstance(callee, tree.Name) or (callee.text in at.scope.names and shared is None):
        return None
    cls = LAYERS.get(callee.text)
    return deep(at, cls, node.arguments) if isinstance(node, tree.CallExpression) else cls


def shared_step(at: Context, node: Node) -> SharedStep | None:
    """The shared layer that an argument is, by its bare name."""
    node = node.value if isinstance(node, tree.Keyword) else node
    bound = at.scope.names.get(node.text) if isinstance(node, tree.Name) else None
    return bound if isinstance(bound, SharedStep) else None


def refuse_shared(at: Context, around: str, node: Node, shared: SharedStep) -> None:
    """What holds a step makes layers of it, and those are not the one that is shared."""
    name = shared.instance.name
    message = f"`{around}` makes its own layers of what it holds, and `{name}` is one layer, which is shared"
    declared = ((shared.instance.span, "declared here"),)
    help = f"write the step itself: `{shared.step.span.text}`"
    at.scope.session.fault("not-a-step", message, node.span, others=declared, help=help)


def take_held(at: Context, cls: type[Layer] | None, arguments: tuple[Node, ...]) -> Held | None:
    """Take those arguments out. None where one of them is at fault."""
    if cls is None or not (cls.holds or cls.by_name):
        return Held(arguments, {}, ())
    rest: list[Node] = []
    values: Bound = {}
    inputs: dict[str, tuple[Tensor, ...]] = {}
    step = _step_among(at, cls, arguments) if cls.holds else None
    for node in arguments:
        if node is step:
            own = node.value if isinstance(node, tree.Keyword) else node
            found = _step(at, cls, own)
            if found is None:
                return None
            made, inner = found
            values |= {**inner.values, cls.holds: (made, own.span, own)}
            inputs |= {"": inner.inputs}
        elif isinstance(node, tree.Keyword) and node.name.text in cls.by_name and node.name.text not in values:
            value = at.plain(node.value, words=False)
            if value is POISON:
                return None
            tensors = tensors_in(value)
            inputs[node.name.text] = tensors or ()
            values[node.name.text] = (Values(len(tensors)) if tensors else value, node.value.span, node.value)
        else:
            rest.append(node)
    ordered = (inputs.get(name, ()) for name in ("", *cls.by_name))
    return Held(tuple(rest), values, tuple(t for tensors in ordered for t in tensors))


def _step_among(at: Context, cls: type[Layer], arguments: tuple[Node, ...]) -> Node | None:
    """The argument that is the step: given by name, or the one that is a recurrent layer, or at least a step."""
    for node in arguments:
        if isinstance(node, tree.Keyword) and node.name.text == cls.holds:
            return node
    steps = [node for node in arguments if not isinstance(node, tree.Keyword) and _held_class(at, node) is not None]
    fitting = [node for node in steps if (_held_class(at, node) or cls).style == cls.style]
    braces = [node for node in arguments if isinstance(node, tree.Braces)]
    return next(iter([*fitting, *steps[-1:], *braces]), None)


def _step(at: Context, around: type[Layer], node: Node) -> tuple[Layer, Held] | None:
    """A step as an argument: the layer, not applied to anything, and what was taken out of its arguments."""
    session, cls, shared = at.scope.session, _held_class(at, node), shared_step(at, node)
    callee = node.callee if isinstance(node, tree.CallExpression) else node
    if shared is not None:
        refuse_shared(at, around.word, node, shared)
        return None
    if cls is None or not isinstance(callee, tree.Name):
        said = "a layer should stand here, such as `lstm(64)`"
        session.fault("not-a-step", said, node.span, help=_without_braces(around, node))
        return None
    held = take_held(at, cls, node.arguments if isinstance(node, tree.CallExpression) else ())
    given = read_arguments(at, held.rest, join=False, cls=cls) if held is not None else None
    if held is None or given is None or not is_part(at, callee, held.rest, given):
        return None
    values = bind_plain(at, callee, cls, given, held)
    if values is None:
        return None
    try:
        made = bind(cls, {name: values[name][0] for name in values if name in cls.arguments})
        return made, held.replace(values=values)
    except Violation as violation:
        violated(at, cls.kind, violation, (), node.span, values)
        return None


def _without_braces(around: type[Layer], node: Node) -> str:
    """What to write for `{ ... }` where the layer itself is needed."""
    if not isinstance(node, tree.Braces):
        return ""
    if len(node.statements) == 1:
        return f"leave the braces out: `{node.statements[0].span.text}`"
    return f"`{around.word}` makes several of one layer; `repeat 2 {{ ... }}` does several steps, one after the other"


def is_part(at: Context, callee: tree.Name, arguments: tuple[Node, ...], given: Given) -> bool:
    """Is a step all that the layer around it says? That has the name, is held still, and takes the values."""
    keywords = [a for a in arguments if isinstance(a, tree.Keyword) and a.name.text in EVERYWHERE]
    for place in (*given.flowing, *keywords):
        what = f"`{place.name.text}`" if isinstance(place, tree.Keyword) else "values"
        message = f"`{callee.text}` is part of the layer around it, and takes no {what} of its own"
        help = f"give {what} to the layer around it"
        at.scope.session.fault("unknown-argument", message, place.span, help=help)
    return not given.flowing and not keywords


def bind_plain(at: Context, callee: tree.Name, cls: type[Layer], given: Given, held: Held) -> Bound | None:
    """All arguments of a layer, those that were taken out among them. None where they do not fit or one is missing."""
    takes = _signature(at, cls, held)
    if cls.holds and cls.holds not in held.values and unknown_step(at.scope, (node for _, node in given.positional)):
        return None
    names = [_name_at(takes, place) for place in range(len(given.positional))]
    loose = unbound(at, given, [bool(name) and bool(cls.arguments[name].reader.words) for name in names])
    if loose is not None:
        # where all arguments have a place, one that must be there is a number
        place, node = loose
        unknown(at.scope, node, number=all(names) and names[place] in cls.required)
        return None
    values = bind_arguments(at, callee, takes, given)
    if values is None:
        return None
    values = {**held.values, **values}
    required = [name for name in cls.required if name not in values]
    if required:
        missing(at, callee, cls, required, given.flowing)
        return None
    return values


def _name_at(takes: Signature, place: int) -> str:
    """The argument that a place stands for; empty past the last one."""
    return takes.gathers or (takes.names[place] if place < len(takes.names) else "")


# by class, those that take no step
_SIGNATURES: dict[type[Layer], Signature] = {}


def _signature(at: Context, cls: type[Layer], held: Held) -> Signature:
    known = _SIGNATURES.get(cls)
    if known is not None:
        return known
    apart = {cls.holds, *cls.by_name}
    own = [argument for argument in cls.arguments.values() if argument.name not in apart]
    found = Signature(
        tuple(argument.name for argument in own if not argument.last),
        tuple(argument.name for argument in own if argument.last),
        cls.gathers,
        cls.places,
        tuple(cls.arguments),
        _inner(at, held.values[cls.holds][2]) if cls.holds in held.values else {},
    )
    if not cls.holds:
        _SIGNATURES[cls] = found
    return found


def _inner(at: Context, step: Node) -> dict[str, str]:
    """By argument, the step that takes it: a layer or cell that is held, or what that holds."""
    callee, arguments = (step.callee, step.arguments) if isinstance(step, tree.CallExpression) else (step, ())
    cls, definition = _held_class(at, step), at.scope.defined(callee.span.text)
    if cls is None:
        own = at.scope.session.plan(definition).parameters if definition is not None else {}
        return dict.fromkeys(own, callee.span.text)
    within = _step_among(at, cls, arguments) if cls.holds else None
    found = {} if within is None else _inner(at, within.value if isinstance(within, tree.Keyword) else within)
    return {**found, **dict.fromkeys(cls.arguments, callee.span.text)}
