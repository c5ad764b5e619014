"""Loops: calls in a row that are equal, or differ in numbers only, become `repeat` or `for`."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from .alike import constant, equal, numbers, ratio, skeleton, with_numbers
from .naming import NameSupply
from .pieces import BodyLine, LabelPiece, NumberPiece, ParameterText, braced, lines_of, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .pieces import BlockSignature, Piece

# the longest part of a body that is looked at as the turn of a loop
_LONGEST = 40
_NUMBERED = re.compile(r"(.*?[^\d])(\d+)")


def looped(
    atoms: Sequence[BodyLine], signatures: Mapping[str, BlockSignature], taken: frozenset[str], equal_first: bool
) -> tuple[BodyLine, ...]:
    """A body with loops: turns that are equal first, or all that differ in numbers alone."""
    found = tuple(atoms)
    for equal_only in (True, False) if equal_first else (False, True):
        found = _passes(found, equal_only, signatures, taken)
    return found


def _passes(
    atoms: tuple[BodyLine, ...], equal_only: bool, signatures: Mapping[str, BlockSignature], taken: frozenset[str]
) -> tuple[BodyLine, ...]:
    for _ in range(3):
        before = atoms
        for period in range(1, min(len(atoms) // 2, _LONGEST) + 1):
            atoms = _collapsed(atoms, period, equal_only, signatures, taken)
        if atoms == before:
            break
    return atoms


def _collapsed(
    atoms: tuple[BodyLine, ...],
    period: int,
    equal_only: bool,
    signatures: Mapping[str, BlockSignature],
    taken: frozenset[str],
) -> tuple[BodyLine, ...]:
    """All runs of one period as loops."""
    bones = [skeleton((atom,), labels=False) for atom in atoms]
    found: list[BodyLine] = []
    start = 0
    while start < len(atoms):
        turns = _turns(atoms, bones, start, period, equal_only)
        loop = _loop(atoms[start : start + turns * period], period, signatures, taken) if turns > 1 else None
        if loop is None:
            found.append(atoms[start])
            start += 1
        else:
            found.append(loop)
            start += turns * period
    return tuple(found)


def _turns(atoms: Sequence[BodyLine], bones: Sequence[object], start: int, period: int, equal_only: bool) -> int:
    """How many times what begins here is done."""
    unit = atoms[start : start + period]
    if not all(atom.arrow or atom.loop or atom.scope or _is_self_contained(atom) for atom in unit[:1]):
        return 0
    turns = 1
    while True:
        here = start + turns * period
        if here + period > len(atoms) or bones[here : here + period] != bones[start : start + period]:
            return turns
        other = atoms[here : here + period]
        if _family(unit, other, turns) is None or (equal_only and not _same_numbers(unit, other)):
            return turns
        turns += 1


def _is_self_contained(atom: BodyLine) -> bool:
    return atom.flows or atom.arrow or not any(isinstance(p, str) and p.startswith("output") for p in atom.pieces)


def _same_numbers(one: Sequence[BodyLine], other: Sequence[BodyLine]) -> bool:
    return equal(tuple(v for _, v in numbers(one)), tuple(v for _, v in numbers(other)))


def _family(unit: Sequence[BodyLine], other: Sequence[BodyLine], turn: int) -> str | None:
    """The name that the turns count up: empty where they have none, None where names do not fit."""
    stem = ""
    for one, two in zip(_labels(unit), _labels(other)):
        first, second = _NUMBERED.fullmatch(one), _NUMBERED.fullmatch(two)
        if not first or not second or first[1] != second[1] or stem:
            return None
        if first[2] != "1" or int(second[2]) != turn + 1 or second[2] != str(turn + 1):
            return None
        stem = first[1]
    return stem


def _labels(atoms: Sequence[BodyLine]) -> list[str]:
    """The names of steps in a body, those within a line first."""
    inner = [[p.text for p in atom.pieces if isinstance(p, LabelPiece)] + [atom.label] for atom in atoms]
    return [name for names in inner for name in names if name]


def _relabelled(atom: BodyLine, stem: str) -> BodyLine:
    """A line of a turn, whose steps are called by what turns count up."""
    pieces = tuple(p.replace(text=stem) if isinstance(p, LabelPiece) and p.text else p for p in atom.pieces)
    return atom.replace(pieces=pieces, label=stem if atom.label else "")


def _loop(
    atoms: Sequence[BodyLine], period: int, signatures: Mapping[str, BlockSignature], taken: frozenset[str]
) -> BodyLine | None:
    """A loop, where it is shorter than what it stands for."""
    units = [atoms[n : n + period] for n in range(0, len(atoms), period)]
    unit = units[0]
    rows = [numbers(u) for u in units]
    columns = [tuple(row[n][1] for row in rows) for n in range(len(rows[0]))]
    names = NameSupply(taken)
    found: dict[str, tuple[object, ...]] = {}
    values: list[object] = []
    for (place, _), column in zip(rows[0], columns):
        values.append(_value(place.name, column, found, names))
    stem = _family(unit, units[1], 1) or ""
    body = tuple(_relabelled(a, stem) for a in with_numbers(unit, iter(values)))
    named = bool(stem) and len(body) == 1 and body[0].scope
    scope, inner = (f" as {stem}", body[0].pieces) if named else ("", braced(body))
    pieces: tuple[Piece, ...] = (*_head(found, len(units)), f"{scope} ", *inner)
    loop = BodyLine(pieces, loop=True)
    before, after = lines_of(atoms, signatures), lines_of((loop,), signatures)
    return loop if _worth(before, after, len(found)) else None


def _worth(before: str, after: str, columns: int) -> bool:
    saved = len(before) - len(after)
    return saved > (15 if columns else -10)


def _value(hint: str, column: tuple[object, ...], found: dict[str, tuple[object, ...]], names: NameSupply) -> object:
    if constant(column):
        return column[0]
    for name, known in found.items():
        made = "{}" if equal(column, known) else ratio(column, known)
        if made:
            return ParameterText(made.format(name))
    name = names.new(hint or "n")
    found[name] = column
    return ParameterText(name)


def _head(found: Mapping[str, tuple[object, ...]], turns: int) -> tuple[Piece, ...]:
    if not found:
        return ("repeat ", NumberPiece(turns, "n"))
    rows = list(zip(*found.values()))
    if len(found) == 1:
        said = ", ".join(spelled(row[0], as_size=True) for row in rows)
    else:
        said = ", ".join("(" + ", ".join(spelled(v, as_size=True) for v in row) + ")" for row in rows)
    target = next(iter(found)) if len(found) == 1 else f"({', '.join(found)})"
    return (f"for {target} in [{said}]",)
