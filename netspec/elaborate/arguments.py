"""The arguments of a call: read, held against the declaration, values of the net apart from numbers."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..base.source import Span
from ..ir.types import Tensor
from ..layers import LAYERS
from ..layers.arguments import Word
from ..syntax import tree
from .cutting import End
from .given import Given, Signature
from .lookup import loose_name
from .makers import too_many
from .misfits import bare_help, declared, given_twice, no_flow, place_for
from .session import POISON, Poison, SharedStep, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..layers.base import Layer
    from ..syntax.tree import Node
    from .scope import Context


def read_arguments(
    at: Context,
    arguments: tuple[Node, ...],
    join: bool,
    cls: type[Layer] | None = None,
    ports: Sequence[str] = (),
) -> Given | None:
    """Evaluate the arguments of a layer, or of a block with these inputs. None where one of them is a hole."""
    scope = at.scope
    shared, scope.shared = scope.shared, None  # what a shared layer is given is no part of it
    try:
        return _read_arguments(at, arguments, join, cls, ports)
    finally:
        scope.shared = shared


def _read_arguments(
    at: Context, arguments: tuple[Node, ...], join: bool, cls: type[Layer] | None, ports: Sequence[str]
) -> Given | None:
    tensors: list[Tensor] = []
    flowing: list[Node] = []
    positional: list[tuple[Any, Node]] = []
    named: dict[str, tuple[Any, tree.Keyword]] = {}
    places: list[int] = []
    frozen, label, broken = False, None, False
    for node in arguments:
        keyword = node if isinstance(node, tree.Keyword) else None
        value = _words(at, cls, keyword) if keyword is not None else None
        if value is None:
            own = keyword.value if keyword is not None else node
            flows = keyword.name.text in ports if keyword is not None else join or _is_applied(at, own, cls)
            value = at.plain(own, words=not flows)
        if value is POISON:
            broken = True
        elif keyword is None:
            found = () if join and value == () else tensors_in(value)
            if found is None:
                places.append(len(tensors) + len(positional))
                positional.append((value, node))
            else:
                tensors.extend(found)
                flowing.append(node)
        elif keyword.name.text in named:
            first = named[keyword.name.text][1].name.span
            given_twice(at, keyword, first)
            broken = True
        elif keyword.name.text == "frozen":
            frozen = value
            broken = not _of_kind(at, keyword, value, bool, "true or false") or broken
        elif keyword.name.text == "name":
            label = tree.Identifier(keyword.value.span, str(value))
            broken = not _of_kind(at, keyword, value, str, 'a name, as in `name="stem"`') or broken
        else:
            named[keyword.name.text] = (value, keyword)
    if broken:
        return None
    return Given(tuple(tensors), tuple(flowing), tuple(positional), tuple(places), named, frozen, label)


def _is_applied(at: Context, node: Node, cls: type[Layer] | None) -> bool:
    """Does an argument, alone or in a list, stand for what a step makes of what flows in?

    `identity` does. So does a shared layer by its name where a layer takes it: unlike others, that name is no word.
    """
    if isinstance(node, tree.Name):
        names = [node.text]
    elif isinstance(node, tree.TupleExpression | tree.List):
        names = [part.text for part in node.items if isinstance(part, tree.Name)]
    else:
        return False
    bound = at.scope.names
    if "identity" in names and "identity" not in bound:
        return True
    return cls is not None and any(isinstance(bound.get(name), SharedStep) for name in names)


def _words(at: Context, cls: type[Layer] | None, keyword: tree.Keyword) -> Any:
    """The words that an argument asks for, though values of the net may bear the same names: `return=(last, state)`.

    None where it is something else.
    """
    if cls is None or keyword.name.text not in cls.arguments:
        return None
    known, node = cls.arguments[keyword.name.text].reader.words, keyword.value
    parts = node.items if isinstance(node, tree.TupleExpression) else (node,)
    texts = [part.text for part in parts if isinstance(part, tree.Name)]
    hidden = [text for text in texts if isinstance(at.scope.names.get(text), Tensor)]
    if not hidden or len(texts) < len(parts) or not set(texts) <= set(known):
        return None
    return tuple(map(Word, texts)) if isinstance(node, tree.TupleExpression) else Word(texts[0])


def settled_words(arguments: tuple[Node, ...], names: Mapping[str, Any]) -> frozenset[str] | None:
    """The bare words among arguments that are literals and words; None where other arguments are there."""
    words = set()
    for node in arguments:
        value = node.value if isinstance(node, tree.Keyword) else node
        if value is not node and isinstance(value, tree.Name) and value.text not in names:
            words.add(value.text)
        elif not isinstance(value, tree.Literal):
            return None
    return frozenset(words)


def _of_kind(at: Context, keyword: tree.Keyword, value: Any, kind: type, doc: str) -> bool:
    """Is one of the arguments that every step takes what it should be?"""
    if isinstance(value, kind) and (not isinstance(value, str) or value.strip()):
        return True
    at.scope.session.fault(
        "wrong-value", f"`{keyword.name.text}` must be {doc}, not {kind_of(value)}", keyword.value.span
    )
    return False


def tensors_in(value: Any) -> tuple[Tensor, ...] | None:
    """The tensors of a value, or of a list of them; None for a compile-time value."""
    if isinstance(value, Tensor):
        return (value,)
    if isinstance(value, tuple) and value and all(isinstance(v, Tensor) for v in value):
        return value
    return None


def take_end(at: Context, given: Given) -> tuple[End | None, Given] | Poison:
    """`upto=` of a net as a step, and the arguments without it."""
    value, keyword = given.named["upto"]
    others = given.replace(named={name: pair for name, pair in given.named.items() if name != "upto"})
    if isinstance(value, Tensor) and isinstance(keyword.value, tree.Name):
        value = keyword.value.text  # a value of this net has the same name
    if value is None:
        return None, others
    if isinstance(value, str):
        return End(value, keyword.value.span), others
    what = f'`upto` must be the name of a value in the net, as in `upto="layer4"`, not {kind_of(value)}'
    return at.scope.session.fault("wrong-value", what, keyword.value.span)


def bind_arguments(
    at: Context, callee: tree.Name, takes: Signature, given: Given
) -> dict[str, tuple[Any, Span, Node]] | None:
    """Each argument with its value, its span and how it was written. None where they do not fit the signature."""
    session, names, good = at.scope.session, takes.names, True
    found: dict[str, tuple[Any, Span, Node]] = {}
    if takes.places:
        return _by_place(at, callee, given, takes.places)
    if takes.gathers and given.positional:
        nodes = tuple(node for _, node in given.positional)
        span = Span(nodes[0].span.source, nodes[0].span.start, nodes[-1].span.end)
        found[takes.gathers] = (tuple(value for value, _ in given.positional), span, tree.TupleExpression(span, nodes))
    elif len(given.positional) > len(names):
        extra = given.positional[len(names)][1]
        many = f"{len(names)} argument{'s' * (len(names) > 1)} by place"
        most = f"no more than {many}: {', '.join(names)}" if names else "no arguments"
        session.fault("wrong-arity", f"`{callee.text}` takes {most}", extra.span, help=bare_help(callee.text))
        good = False
    if not takes.gathers:
        found.update((name, (value, node.span, node)) for name, (value, node) in zip(names, given.positional))
    for name, (value, keyword) in given.named.items():
        if name in found:
            places = ", ".join(takes.names[: len(given.positional)])
            given_twice(at, keyword, found[name][1], f"by place, those given here are {places}")
            good = False
        elif name not in names and name not in takes.named:
            message, help = f"`{callee.text}` has no argument `{name}`", place_for(at, callee, takes, keyword, value)
            session.fault("unknown-argument", message, keyword.name.span, help=help)
            good = False
        else:
            found[name] = (value, keyword.value.span, keyword.value)
    return found if good else None


def _by_place(
    at: Context, callee: tree.Name, given: Given, places: tuple[str, ...]
) -> dict[str, tuple[Any, Span, Node]] | None:
    """The same where a number may stand in the place of a value: `where(x > 0, x, 0)`."""
    before = len(at.flow) if isinstance(at.flow, tuple) else 1
    names, values, numbers = tuple(dict.fromkeys(filter(None, places))), [], []
    for place, (value, node) in zip(given.places, given.positional):
        name = places[place + before * at.piped] if place + before * at.piped < len(places) else None
        if name:
            values.append((name, value, node))
        else:
            numbers.append((value, node))
    if numbers:
        message = f"a value of the net should stand here, not {kind_of(numbers[0][0])}"
        at.scope.session.fault("not-a-value", message, numbers[0][1].span)
        return None
    found = bind_arguments(at, callee, Signature(names), given.replace(positional=(), places=()))
    if found is not None:
        for name, value, node in values:
            found[name] = (value, node.span, node)
    return found


def unbound(at: Context, given: Given, words: Sequence[bool]) -> tuple[int, tree.Name] | None:
    """The first bare name without a meaning that stands where no word can; `words` says so of each place.

    It is a misspelt value or number, and whatever else does not fit follows from it.
    """
    for place, ((value, node), word) in enumerate(zip(given.positional, words)):
        loose = None if word else loose_name(at.scope, value, node)
        if loose is not None:
            return place, loose
    return None


def take_inputs(
    at: Context, callee: tree.Name, tensors: tuple[Tensor, ...], arity: int | None, named: int = 0
) -> tuple[Tensor, ...] | None:
    """The values that a step works on: those given, the flow before them where one is missing.

    `named` is how many of its `arity` inputs were given by name.
    """
    if arity is None:
        return _any_number(at, callee, tensors)
    takes = f"`{callee.text}` takes {arity} value{'s' * (arity != 1)}"
    if len(tensors) + named > arity:
        if too_many(at.scope, callee.span, takes, tensors) is not None:
            return None
        several = LAYERS[callee.text].several if callee.text in LAYERS else ""
        at.scope.session.fault(
            "wrong-arity",
            f"{takes}, not {len(tensors) + named}",
            callee.span,
            others=declared(at, callee),
            help=several,
        )
        return None
    if len(tensors) + named == arity:
        return tensors
    if at.flow is POISON:
        return None
    if at.flow is None and not tensors and not named:
        no_flow(at, callee)
        return None
    flow = at.flow if isinstance(at.flow, tuple) else () if at.flow is None else (at.flow,)
    many = len(flow) + len(tensors) + named
    if many == arity:
        return (*flow, *tensors)
    if many > arity and too_many(at.scope, callee.span, takes, flow) is not None:
        return None
    at.scope.session.fault(
        "wrong-arity",
        f"{takes}, but {many} {'is' if many == 1 else 'are'} given",
        callee.span,
        others=declared(at, callee),
        help=f"give them by name: `{callee.text}(a, b)`" if many < arity else "",
    )
    return None


def _any_number(at: Context, callee: tree.Name, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """The values of a layer that takes several. Where it takes a few and one flows in, that is the first."""
    cls = LAYERS[callee.text]
    flow = at.flow if isinstance(at.flow, tuple) else (at.flow,) if at.flow is not None else ()
    if tensors and not (flow and cls.most is not None and (at.piped or len(tensors) < cls.least)):
        return tensors
    if not flow:
        no_flow(at, callee)
    return None if POISON in flow or not flow else (*flow, *tensors)
