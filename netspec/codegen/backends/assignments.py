"""The expressions of one layer: some make one value, some several that are unpacked; what nobody asks is left out."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record
from ...layers.forms import numbers_in
from ...pycode.expr import Bare, Raw, X, fill, rebuild
from ...pycode.names import taken_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...layers.base import Gives
    from ...pycode.expr import Code


class Assignment(Record):
    """An expression that makes some of a layer's values: one of that number, or several as they are unpacked.

    `stays` says that it calls what has weights, which Keras makes at the first call.
    """

    gives: Gives | None
    code: Code
    stays: bool = False


class Draft:
    """The pieces of one layer on the way, with what stands for each of its values at the present place."""

    def __init__(self, arguments: list[Code]) -> None:
        self.values = list(arguments)
        self.pieces: list[Assignment] = []
        # is value 0 an expression that no piece holds yet, so that the next one can stand around it?
        self.is_open = False
        self.stays = False

    def add(self, code: Code, gives: Gives, made: Code = None, stays: bool = False) -> None:
        """One more expression over the values; `made` is the module that it calls, and `stays` if that has weights."""
        numbers = numbers_in(gives)
        if 0 not in numbers or (self.is_open and _times_first(code) > 1):
            self.cut()
        filled = fill(code, self.values, made)
        self.stays = stays or (self.stays and self.is_open)
        if gives == 0:
            self.values[:1] = [filled]
            self.is_open = True
            return
        self.pieces.append(Assignment(gives, filled, self.stays))
        self.values += [None] * (max(numbers) + 1 - len(self.values))
        for number in numbers:
            self.values[number] = X(number)
        self.is_open = False

    def cut(self) -> None:
        """End the line."""
        if self.is_open:
            self.pieces.append(Assignment(0, self.values[0], self.stays))
            self.values[0] = X()
            self.is_open = False

    def done(self) -> list[Assignment]:
        self.cut()
        return self.pieces


def _times_first(code: Code) -> int:
    """How often an expression takes value 0."""
    found = []
    rebuild(code, lambda part: found.append(part) if part == X() else part)
    return len(found)


def in_a_row(count: int) -> Gives:
    return 0 if count == 1 else tuple(range(count))


def live(pieces: list[Assignment], wanted: set[int]) -> list[Assignment]:
    """The pieces that what is wanted hangs on, without the parts that nobody takes. The first one always stays."""
    found: list[Assignment] = []
    for number in range(len(pieces) - 1, -1, -1):
        piece = _without(pieces[number], wanted)
        if piece is None or (number and not piece.stays and not wanted.intersection(numbers_in(piece.gives))):
            continue
        found.append(piece)
        wanted = wanted.difference(numbers_in(piece.gives)) | (taken_by(piece.code) if number else set())
    return found[::-1]


def _without(piece: Assignment, wanted: set[int]) -> Assignment | None:
    """The piece without what nobody takes; None where nothing is left of it."""
    if not isinstance(piece.code, tuple) or not isinstance(piece.gives, tuple):
        return piece.replace(gives=_only(piece.gives, wanted))
    kept = [(n, code) for n, code in zip(piece.gives, piece.code) if isinstance(n, int) and n in wanted]
    if len(kept) < 2:
        return piece.replace(gives=kept[0][0], code=kept[0][1]) if kept else None
    return piece.replace(gives=tuple(number for number, _ in kept), code=tuple(code for _, code in kept))


def _only(gives: Gives | None, wanted: set[int]) -> Gives | None:
    """What is unpacked, without what nobody takes."""
    if not isinstance(gives, tuple):
        return gives if gives in wanted else None
    return tuple(_only(part, wanted) if wanted & {*numbers_in(part)} else None for part in gives)


def targets(gives: Gives | None, names: Mapping[int, str]) -> str:
    """What stands on the left: `y, (h, _)`."""
    if gives is None:
        return "_"
    if isinstance(gives, int):
        return names[gives]
    parts = [f"({targets(p, names)})" if isinstance(p, tuple) and len(p) > 1 else targets(p, names) for p in gives]
    return f"({parts[0]},)" if len(parts) == 1 else ", ".join(parts)


def with_names(code: Code, names: Mapping[int, str]) -> Code:
    return rebuild(code, lambda part: Raw(names[part.index]) if isinstance(part, X) else part)


def bare(code: Code) -> Code:
    """A tuple as it stands behind an equals sign."""
    return Bare(code) if isinstance(code, tuple) and len(code) > 1 else code
