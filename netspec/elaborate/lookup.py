"""Names that nothing binds: what the author may have meant."""

from __future__ import annotations

from ..diagnostics import did_you_mean
from ..dims import DimExpr
from ..ir import Tensor
from ..layers import LAYERS
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
    values = [n for n, v in frame.names.items() if isinstance(v, Tensor)] + list(frame.names)
    known = [*values, *frame.design.constants]
    pool = known if number else [*known, *frame.design.definitions, *LAYERS, *FUNCTIONS]
    help = did_you_mean(node.text, values) or did_you_mean(node.text, pool)
    later = [i for i in tree.walk(frame.definition.body) if isinstance(i, tree.Identifier) and i.text == node.text]
    if later:
        place = later[0].span
        return machine.fault(
            "unknown-name",
            f"`{node.text}` is used before it is bound",
            node.span,
            others=((place, "it is bound only here"),),
            help=help or _listed(frame, node, number) or "bind it first, or move this line down",
        )
    return machine.fault(
        "unknown-name", f"nothing is called `{node.text}` here", node.span, help=help or _listed(frame, node, number)
    )


def _module(frame: Frame, node: tree.Name) -> Hole:
    """A file where one of its definitions should stand."""
    inside = [f"`{n}`" for n in (*frame.design.definitions, *frame.design.constants) if n.startswith(f"{node.text}.")]
    help = f"name what is meant in it: {', '.join(inside[:_MOST_LISTED])}" if inside else "it has no definitions"
    source = frame.design.modules[node.text]
    return frame.machine.fault("not-a-step", f"`{node.text}` is the file {source.name}", node.span, help=help)


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


_MOST_LISTED = 8


def option_words() -> frozenset[str]:
    """Every word that some layer takes as an option."""
    if not _WORDS:
        _WORDS.append(frozenset(w for cls in LAYERS.values() for a in cls.arguments.values() for w in a.reader.words))
    return _WORDS[0]


_WORDS: list[frozenset[str]] = []
