"""Names that nothing binds: what the author may have meant."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING
from ..consteval import FUNCTIONS
from ..ir.types import Tensor
from ..layers import LAYERS
from ..layers.arguments import CONSTANTS, Word
from ..resolve.resolve import exports, meant_by, unknown_callee
from ..syntax import tree
from .session import POISON, Poison

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .scope import Scope


def names_step(scope: Scope, name: str) -> bool:
    """Is a name that of a layer, or of a block, cell or net that the file knows?"""
    return name in LAYERS or name in scope.design.definitions


def unknown(scope: Scope, node: tree.Name, number: bool = False) -> Poison:
    """A name that nothing binds: the nearest value in scope, else the nearest layer.

    `number` says that a compile-time value is wanted, not one of the net.
    """
    session = scope.session
    if node.text in scope.design.modules:
        return _module(scope, node)
    if scope.design.excuses(node.text):
        return POISON
    if "." in node.text:
        return session.report(unknown_callee(node, [], scope.design, session.faults.patient))
    if node.text in CONSTANTS:
        help = f"write `{CONSTANTS[node.text]}`"
        return session.fault("unknown-name", f"nothing is called `{node.text}` here", node.span, help=help)
    if names_step(scope, node.text):
        message = f"`{node.text}` is a step, and a value should stand here"
        return session.fault("not-a-value", message, node.span, help=applied_help(scope, node))
    if not session.faults.patient:
        return session.fault("unknown-name", f"nothing is called `{node.text}` here", node.span)
    bound = _binder(scope, node.text)
    if bound is not None:
        help = did_you_mean(node.text, _values(scope)) or _listed(scope, node, number)
        return _bound_elsewhere(scope, node, bound, help)
    help = _meant(scope, node, number) or _listed(scope, node, number)
    return session.fault("unknown-name", f"nothing is called `{node.text}` here", node.span, help=help)


def applied_help(scope: Scope, node: tree.Name) -> str:
    """What to write for a step where the value that it makes should stand."""
    values = [name for name, value in scope.names.items() if isinstance(value, Tensor)]
    flows = isinstance(scope.flow, Tensor) and "identity" not in scope.names
    start = "identity" if flows or not values else values[-1]
    step = f"{node.text}(...)" if _needs_arguments(scope, node.text) else node.text
    made, text = f"{start} -> {step}", node.span.source.text
    before, behind = text[: node.span.start].rstrip()[-1:], text[node.span.end :].lstrip()[:1]
    written = made if before in _OPENS and behind in _CLOSES else f"({made})"
    help = f"for what it makes of {'what flows here' if start == 'identity' else f'`{start}`'} write `{written}`"
    return f"steps are joined by `->`; {help}" if before == ">" else help


# what stands before and behind something that needs no brackets
_OPENS, _CLOSES = "(,[=", "),]"


def _needs_arguments(scope: Scope, name: str) -> bool:
    definition = scope.defined(name)
    if definition is None:
        return name in LAYERS and bool(LAYERS[name].required)
    return any(parameter.default is None for parameter in definition.parameters)


def _binder(scope: Scope, name: str) -> tree.Identifier | None:
    """The first place in the body that binds a name. The body is gone over once, for all names that nothing binds."""
    body, known = scope.definition.body, scope.session.binders
    if id(body) not in known:
        found: dict[str, tree.Identifier] = {}
        for place in tree.binders(body):
            found.setdefault(place.text, place)
        known[id(body)] = found
    return known[id(body)].get(name)


def loose_name(scope: Scope, value: Any, node: tree.Node) -> tree.Name | None:
    """The node where it is a bare name that nothing binds, which was read as a word."""
    if not isinstance(value, Word) or not isinstance(node, tree.Name):
        return None
    return None if node.text in scope.names or node.text in scope.design.constants else node


def loose_name_in(scope: Scope, value: Any, node: tree.Node) -> tree.Name | None:
    """Such a name: the node itself, or the first one in a list."""
    if not isinstance(value, tuple) or not isinstance(node, tree.TupleExpression | tree.List):
        return loose_name(scope, value, node)
    found = (loose_name_in(scope, part, item) for part, item in zip(value, node.items))
    return next((name for name in found if name is not None), None)


def unknown_step(scope: Scope, nodes: Iterable[tree.Node]) -> bool:
    """Report the first bare name among arguments that means nothing, where one of them should be a step."""
    for node in nodes:
        if isinstance(node, tree.Name) and _means_nothing(scope, node.text):
            unknown(scope, node)
            return True
    return False


def _means_nothing(scope: Scope, name: str) -> bool:
    design = scope.design
    return not any(name in known for known in (scope.names, design.constants, design.definitions, LAYERS))


def _values(scope: Scope) -> list[str]:
    """All names that are bound, those of values of the net first."""
    return [n for n, v in scope.names.items() if isinstance(v, Tensor)] + list(scope.names)


def _meant(scope: Scope, node: tree.Name, number: bool) -> str:
    """What the author may have meant: a name of the spec that is near, a word of the field, or a layer that is near."""
    from ..layers.vocabulary import FIGURES, TRAINED, TRAINING

    text, own = node.text, [*_values(scope), *scope.design.constants]
    figure = FIGURES.get(text.lower().replace("_", ""))
    if figure in scope.names:
        return f"here it is `{figure}`"
    if number:
        return did_you_mean(text, [*own, *_LITERALS]) or (TRAINED if text in TRAINING else "")
    if text in _BEGINS:
        return f"`{text}` begins a statement: {_BEGINS[text]}"
    return _around(node) or meant_by(text, own, scope.design.definitions) or _named_by_arrow(node)


def _around(node: tree.Name) -> str:
    """What to write where the signs around an unknown name are those of another language."""
    behind = node.span.source.text[node.span.end : node.span.end + _SIGN].lstrip()
    return f"a name is bound by `=`: `{node.text} = ...`" if behind.startswith("<-") else ""


def _named_by_arrow(node: tree.Name) -> str:
    """What to write for an arrow that leads to a name that means nothing."""
    before = node.span.source.text[max(node.span.start - _SIGN, 0) : node.span.start].rstrip()
    return f"a step is named behind it: `... as {node.text}`" if before.endswith("->") else ""


# how far a sign may stand from a name
_SIGN = 12


def _bound_elsewhere(scope: Scope, node: tree.Name, place: tree.Identifier, help: str) -> Poison:
    """A name that something else in the body binds: further down, or where it does not leave."""
    message, label = f"`{node.text}` is used before it is bound", "it is bound only here"
    if place.span.start < node.span.start:
        inside = [n for n in tree.walk(scope.definition.body.statements) if isinstance(n, tree.If | tree.Braces)]
        around = [n for n in inside if n.span.start < place.span.start and n.span.end <= node.span.start]
        if any(isinstance(n, tree.If) and n.span.end > place.span.end for n in around):
            message, label = f"`{node.text}` is not bound here", "it is bound only where this branch is taken"
        elif around:
            message, label = f"`{node.text}` stays inside of `{{ }}`", "it is bound in here"
            help = "bind what the braces give: `name = { ... }`, or `{ ... } as name`"
    help = help or "bind it first, or move this line down"
    return scope.session.fault("unknown-name", message, node.span, others=((place.span, label),), help=help)


def _module(scope: Scope, node: tree.Name) -> Poison:
    """A file where one of its definitions should stand."""
    source = scope.design.modules[node.text]
    inside = [f"`{node.text}.{name}`" for name in exports(scope.design.files[source])]
    help = f"name what is meant in it: {', '.join(inside[:_MOST_LISTED])}" if inside else "it has no definitions"
    return scope.session.fault("not-a-step", f"`{node.text}` is the file {source.name}", node.span, help=help)


def is_foreign(scope: Scope, node: tree.Attribute) -> bool:
    """Is this a name in a module of another language, such as `nn.Conv2d`?"""
    root: tree.Node = node
    while isinstance(root, tree.Attribute):
        root = root.value
    design = scope.design
    if not isinstance(root, tree.Name) or any(
        root.text in known for known in (scope.names, design.constants, design.modules, design.lost)
    ):
        return False
    from ..layers.vocabulary import MODULES

    return root.text in MODULES


def unknown_in_module(scope: Scope, node: tree.Attribute) -> Poison:
    from ..layers.foreign import help_for

    name = node.name.text
    help = f"here it is `{name}`" if name in LAYERS or name in FUNCTIONS else ""
    if node.span.text.startswith(_OWN_PARTS):
        help = f"a layer of its own is `layer {name} = conv(8, 3x3)`, and `{name}(x)` applies it"
    help = help_for(node.span.text) or help or did_you_mean(name, LAYERS) or "`netspec layers` lists the layers"
    return scope.session.fault("unknown-name", f"`{node.span.text}` is no layer of the language", node.span, help=help)


# what the parts of a model stand behind elsewhere
_OWN_PARTS = ("self.", "this.")


def _listed(scope: Scope, node: tree.Name, number: bool) -> str:
    """The names that could stand there, where they are few."""
    kinds = (int, float, str, tuple, DimExpr) if number else Tensor
    known = [f"`{name}`" for name, value in scope.names.items() if isinstance(value, kinds)]
    if number and not known:
        return f"write a number, or bind the name first: `{node.text} = 10`"
    if not known and not number and isinstance(scope.flow, Tensor) and not scope.session.plan(scope.definition).ports:
        return "what comes in is `identity`; `input x` gives it a name"
    what = "number or word" if number else "value"
    if len(known) == 1:
        return f"the only {what} here is {known[0]}"
    plural = what.replace(" or ", "s and ") + "s"
    return f"the {plural} here are {', '.join(known)}" if 1 < len(known) <= _MOST_LISTED else ""


_MOST_LISTED = 9
# words that begin a statement, and are names where they do not
_BEGINS = {
    "output": "`output name`, or `output name = pipeline`",
    "state": "`state name [units]`",
    "weight": "`weight name [8, 4]`",
}
# words that are values of the language
_LITERALS = ("true", "false", "none")


def option_words() -> frozenset[str]:
    """Every word that some layer takes as an option."""
    if not _WORDS:
        _WORDS.append(frozenset(w for cls in LAYERS.values() for a in cls.arguments.values() for w in a.reader.words))
    return _WORDS[0]


_WORDS: list[frozenset[str]] = []
