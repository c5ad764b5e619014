"""What a spec is made of before it is text: calls whose numbers can still become parameters, names, and signs.

A body is a flat tuple of pieces. Two bodies that differ in numbers only have the same pieces but for these numbers, so
that blocks and loops are found by going over two tuples side by side.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..layers.arguments import REQUIRED, Word, describe
from ..layers.base import LAYERS
from ..layers.initialisers import Initialiser
from ..layers.signs import ARITHMETIC
from .graph import ImportedStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    Piece: TypeAlias = "str | CallPiece | TailPiece | NumberPiece | LabelPiece"
    Pieces: TypeAlias = "tuple[Piece, ...]"

_SIZES = frozenset(("kernel", "stride", "dilation", "factor", "size"))
# what people give by its place, though it has a default
_FIRST = frozenset(("rate", "slope", "alpha", "axis"))
# what every step takes, behind all else
OF_ALL = ("frozen", "name")


class ParameterText(Record):
    """The text of a value that is no number: a parameter, or something made of one."""

    text: str


class CallPiece(Record):
    """A layer or block with its arguments, those at their default included; `operands` are names of values.

    `block` says that it is a block; its parameters are in `pairs`, and all of them are given.
    """

    kind: str
    pairs: tuple[tuple[str, Any], ...]
    operands: tuple[str, ...] = ()
    block: bool = False


class TailPiece(Record):
    """The arguments of a join behind its values: `, axis=0`."""

    call: CallPiece


class NumberPiece(Record):
    """A number that stands by itself, such as that of the turns of a loop."""

    value: Any
    hint: str


class LabelPiece(Record):
    """`as name` behind a step: of a layer that is called so in the model, or of a value that is named later.

    Without `text` it is there only where the value is named.
    """

    value: int
    text: str = ""


class BodyLine(Record):
    """A part of a body that stands by itself: a step that takes what flows (`arrow`), or a statement.

    `flows` says that what flows changes. `label` is the name that a step has in the model; `scope` says that it names
    the braces which the atom is.
    """

    pieces: Pieces
    arrow: bool = False
    flows: bool = True
    label: str = ""
    value: int = -1
    scope: bool = False
    loop: bool = False

    @property
    def apart(self) -> bool:
        """Does it stand on lines of its own?"""
        return self.loop or (self.scope and bool(self.label))

    @property
    def name(self) -> str:
        return f" as {self.label}" if self.label and not self.loop else ""


class BlockSignature(Record):
    """The parameters of a block by name, with their defaults; REQUIRED where there is none."""

    parameters: Mapping[str, Any]


def complete(kind: str, args: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """All arguments of a layer by name, in its order, those at their default included; then what every step takes."""
    if kind not in LAYERS or kind == "slice":
        return tuple(args)
    declared = LAYERS[kind].arguments
    names = list(declared)
    placed = dict(zip(names, (value for name, value in args if not name)))
    given = {**placed, **{name: value for name, value in args if name}}
    found = {name: given.get(name, default_of(kind, name)) for name in declared}
    found = normal(kind, found)
    for name, value in found.items():
        if isinstance(value, ImportedStep):
            found[name] = CallPiece(value.kind, complete(value.kind, value.args))
    return (*found.items(), *((name, given[name]) for name in OF_ALL if given.get(name)))


def normal(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a layer where several say the same: no padding is `valid`, a pool goes on by its window."""
    found = dict(given)
    if found.get("padding") == 0 and not isinstance(found["padding"], bool):
        found["padding"] = default_of(kind, "padding")
    stride = found.get("stride")
    if stride is not None and default_of(kind, "stride") is None and _one(stride) == _one(found["kernel"]):
        found["stride"] = None
    return found


def default_of(kind: str, name: str) -> Any:
    """The default of an argument of a layer, a word as the language has it."""
    found = LAYERS[kind].arguments[name].default
    return Word(found) if isinstance(found, str) else found


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


# --- text ---------------------------------------------------------------------------------------------------------


def lines_of(atoms: Sequence[BodyLine], signatures: Mapping[str, BlockSignature]) -> str:
    """The statements of a body as text: steps that follow one another as chains."""
    text, chain = "", False
    for atom in atoms:
        if text:
            text += " -> " if chain and atom.arrow and not atom.apart else "\n"
        text += text_of(atom.pieces, signatures) + atom.name
        chain = atom.flows and not atom.apart
    return text


def joined(atoms: Sequence[BodyLine]) -> tuple[Piece, ...]:
    """Atoms as pieces, one statement behind the other, as `lines_of` writes them."""
    found: list[Piece] = []
    chain = False
    for atom in atoms:
        if found:
            found.append(" -> " if chain and atom.arrow and not atom.apart else "\n")
        found += (*atom.pieces, *((atom.name,) if atom.name else ()))
        chain = atom.flows and not atom.apart
    return tuple(found)


def braced(atoms: Sequence[BodyLine]) -> tuple[Piece, ...]:
    """Braces around atoms, on one line where these are one statement."""
    inner = joined(atoms)
    end = "\n" if any(isinstance(p, str) and "\n" in p for p in inner) else " "
    return (f"{{{end}", *inner, f"{end}}}")


def text_of(pieces: Pieces, signatures: Mapping[str, BlockSignature]) -> str:
    """The text of pieces, one behind the other."""
    parts = []
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
        elif isinstance(piece, CallPiece):
            parts.append(call_text(piece, signatures))
        elif isinstance(piece, NumberPiece):
            parts.append(spelled(piece.value))
        elif isinstance(piece, TailPiece):
            parts += [f", {said}" for said in _of_layer(piece.call)]
        elif piece.text:
            parts.append(f" as {piece.text}")
    return "".join(parts)


def call_text(call: CallPiece, signatures: Mapping[str, BlockSignature]) -> str:
    """A call without the arguments that are at their default."""
    if call.block:
        said = _of_block(call, signatures[call.kind])
    elif call.kind in LAYERS:
        said = _of_layer(call)
    else:
        said = [f"{name}={spelled(value)}" if name else spelled(value) for name, value in call.pairs]
    inner = ", ".join((*call.operands, *said))
    word = LAYERS[call.kind].word if call.kind in LAYERS and not call.block else call.kind
    return f"{word}({inner})" if inner else word


def _of_layer(call: CallPiece) -> list[str]:
    cls = LAYERS[call.kind]
    said = []
    by_place = not call.operands
    for place, (name, value) in enumerate(call.pairs):
        argument = cls.arguments.get(name)
        if argument is not None and same(value, argument.default):
            by_place = False
            continue
        text = spelled(value, name in _SIZES)
        if name == cls.gathers:
            said += [spelled(v) for v in value] if isinstance(value, tuple) else [text]
        elif by_place and argument is not None and (argument.required or (place == 0 and name in _FIRST)):
            said.append(text)
        else:
            said.append(f"{name}={text}")
    return said


def _of_block(call: CallPiece, signature: BlockSignature) -> list[str]:
    said = []
    by_place = not call.operands
    for name, value in call.pairs:
        default = signature.parameters.get(name, REQUIRED)
        if default is not REQUIRED and same(value, default):
            by_place = False
        elif by_place and default is REQUIRED and name in signature.parameters:
            said.append(spelled(value, as_size=True))
        else:
            said.append(f"{name}={spelled(value, as_size=name not in OF_ALL)}")
    return said


def same(one: Any, other: Any) -> bool:
    """Are two values one to the language? `1` and `true` are not."""
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def spelled(value: Any, as_size: bool = False) -> str:
    """A value as the language writes it; `as_size` where `3x3` may stand for a tuple."""
    if isinstance(value, ParameterText):
        return value.text
    if isinstance(value, CallPiece):
        return call_text(value, {})
    if isinstance(value, Initialiser) and value.name == "constant":
        return spelled(value.value)
    if isinstance(value, bool) or value is None or value is REQUIRED:
        return describe(value)
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, tuple):
        whole = all(isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in value)
        if as_size and whole and len(value) > 1:
            return "x".join(map(str, value))
        return "(" + ", ".join(spelled(v) for v in value) + ("," if len(value) == 1 else "") + ")"
    return describe(value)


def _decimal(value: float) -> str:
    mantissa, exponent, power = repr(value).partition("e")
    return f"{mantissa}e{int(power)}" if exponent else mantissa


def part_text(items: Sequence[Any]) -> str:
    """What stands between the brackets of a slice."""
    return ", ".join(map(_bound, items))


def _bound(item: Any) -> str:
    if item is ...:
        return "..."
    if item is None:
        return "none"
    if isinstance(item, slice):
        start, stop = ("" if n is None else spelled(n) for n in (item.start, item.stop))
        return f"{start}:{stop}" + (f":{spelled(item.step)}" if item.step not in (None, 1) else "")
    if isinstance(item, tuple | list):
        return "[" + ", ".join(map(spelled, item)) + "]"
    return spelled(item)


def sign_of(kind: str) -> str:
    """The sign that joins two values, or nothing where it is written as a call."""
    return kind if kind in ARITHMETIC else ""
