"""Names that nothing binds: what the author may have meant."""

from __future__ import annotations

from ..diagnostics import did_you_mean
from ..dims import DimExpr
from ..ir import Tensor
from ..layers import LAYERS
from ..layers.arguments import CONSTANTS
from ..layers.foreign import FIGURES, MODULES, layer_for
from ..record import TYPE_CHECKING
from ..resolve import unknown_callee
from ..syntax import tree
from .functions import FUNCTIONS
from .machine import HOLE, Hole

if TYPE_CHECKING:
    from .frame import Frame


def unknown(frame: Frame, node: tree.Name, number: bool = False) -> Hole:
    """A name that nothing binds: the nearest value in scope, else the nearest layer.

    `number` says that a compile-time value is wanted, not one of the net.
    """
    machine = frame.machine
    if node.text in frame.design.modules:
        return _module(frame, node)
    if frame.design.excuses(node.text):
        return HOLE
    if "." in node.text:
        machine.faults.add(unknown_callee(node, [], frame.design))
        return HOLE
    if node.text in CONSTANTS:
        help = f"write `{CONSTANTS[node.text]}`"
        return machine.fault("unknown-name", f"nothing is called `{node.text}` here", node.span, help=help)
    values = [n for n, v in frame.names.items() if isinstance(v, Tensor)] + list(frame.names)
    known = [*values, *frame.design.constants, *(_LITERALS if number else ())]
    pool = known if number else [*known, *frame.design.definitions, *LAYERS, *FUNCTIONS]
    bound = [i for i in tree.walk(frame.definition.body) if isinstance(i, tree.Identifier) and i.text == node.text]
    if bound:
        return _bound_elsewhere(frame, node, bound[0], did_you_mean(node.text, values) or _listed(frame, node, number))
    layer = layer_for(node.text) if not number else None
    figure = FIGURES.get(node.text)
    help = did_you_mean(node.text, values) or (f"here it is `{layer}`" if layer else did_you_mean(node.text, pool))
    if figure in frame.names:
        help = f"here it is `{figure}`"
    elif node.text in _BEGINS:
        help = f"`{node.text}` begins a statement: {_BEGINS[node.text]}"
    return machine.fault(
        "unknown-name", f"nothing is called `{node.text}` here", node.span, help=help or _listed(frame, node, number)
    )


def _bound_elsewhere(frame: Frame, node: tree.Name, place: tree.Identifier, help: str) -> Hole:
    """A name that something else in the body binds: further down, or where it does not leave."""
    message, label = f"`{node.text}` is used before it is bound", "it is bound only here"
    if place.span.start < node.span.start:
        inside = [n for n in tree.walk(frame.definition.body.statements) if isinstance(n, tree.If | tree.Body)]
        around = [n for n in inside if n.span.start < place.span.start and n.span.end <= node.span.start]
        if any(isinstance(n, tree.If) and n.span.end > place.span.end for n in around):
            message, label = f"`{node.text}` is not bound here", "it is bound only where this branch is taken"
        elif around:
            message, label = f"`{node.text}` stays inside of `{{ }}`", "it is bound in here"
            help = "bind what the braces give: `name = { ... }`, or `{ ... } as name`"
    help = help or "bind it first, or move this line down"
    return frame.machine.fault("unknown-name", message, node.span, others=((place.span, label),), help=help)


def _module(frame: Frame, node: tree.Name) -> Hole:
    """A file where one of its definitions should stand."""
    inside = [f"`{n}`" for n in (*frame.design.definitions, *frame.design.constants) if n.startswith(f"{node.text}.")]
    help = f"name what is meant in it: {', '.join(inside[:_MOST_LISTED])}" if inside else "it has no definitions"
    source = frame.design.modules[node.text]
    return frame.machine.fault("not-a-step", f"`{node.text}` is the file {source.name}", node.span, help=help)


def is_foreign(frame: Frame, node: tree.Attribute) -> bool:
    """Is this a name in a module of another language, such as `nn.Conv2d`?"""
    root: tree.Node = node
    while isinstance(root, tree.Attribute):
        root = root.value
    known = frame.names.keys() | frame.design.constants.keys() | frame.design.modules.keys() | frame.design.lost
    return isinstance(root, tree.Name) and root.text in MODULES and root.text not in known


def unknown_in_module(frame: Frame, node: tree.Attribute) -> Hole:
    name = node.name.text
    layer = layer_for(name) or (name if name in LAYERS else None)
    help = f"here it is `{layer}`" if layer else did_you_mean(name, LAYERS) or "`netspec layers` lists the layers"
    return frame.machine.fault("unknown-name", f"`{node.span.text}` is no layer of the language", node.span, help=help)


def _listed(frame: Frame, node: tree.Name, number: bool) -> str:
    """The names that could stand there, where they are few."""
    kinds = (int, float, str, tuple, DimExpr) if number else Tensor
    known = [f"`{name}`" for name, value in frame.names.items() if isinstance(value, kinds)]
    if number and not known:
        return f"write a number, or bind the name first: `{node.text} = 10`"
    what = "number or word" if number else "value"
    if len(known) == 1:
        return f"the only {what} here is {known[0]}"
    plural = what.replace(" or ", "s and ") + "s"
    return f"the {plural} here are {', '.join(known)}" if 1 < len(known) <= _MOST_LISTED else ""


_MOST_LISTED = 9
# words that begin a statement, and are names where they do not
_BEGINS = {"output": "`output name`, or `output name = pipeline`", "state": "`state name [units]`"}
# words that are values of the language
_LITERALS = ("true", "false", "none")


def option_words() -> frozenset[str]:
    """Every word that some layer takes as an option."""
    if not _WORDS:
        _WORDS.append(frozenset(w for cls in LAYERS.values() for a in cls.arguments.values() for w in a.reader.words))
    return _WORDS[0]


_WORDS: list[frozenset[str]] = []
