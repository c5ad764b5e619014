"""Bodies that differ in numbers only: what they share, and where they differ (anti-unification)."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from .pieces import OF_ALL, BodyLine, CallPiece, LabelPiece, NumberPiece, TailPiece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeAlias

    from .pieces import Piece

    Column: TypeAlias = "tuple[Any, ...]"


class NumberPlace(Record):
    """Where a number stands: the argument of which call, or what a number by itself is for."""

    kind: str
    name: str
    block: bool = False


def skeleton(atoms: Sequence[BodyLine], labels: bool = True) -> Any:
    """What is the same in bodies that differ in numbers only; `labels` says whether names count."""
    return tuple(
        (
            tuple(_bones(p, labels) for p in a.pieces),
            a.arrow,
            a.flows,
            a.scope,
            a.loop,
            a.label if labels else bool(a.label),
        )
        for a in atoms
    )


def _bones(piece: Piece, labels: bool = True) -> Any:
    if isinstance(piece, CallPiece):
        names = tuple(
            (n, _bones(v) if isinstance(v, CallPiece) else v if n in OF_ALL else None) for n, v in piece.pairs
        )
        return "call", piece.kind, names, piece.operands, piece.block
    if isinstance(piece, TailPiece):
        return "tail", _bones(piece.call)
    if isinstance(piece, NumberPiece):
        return "number", piece.hint
    if isinstance(piece, LabelPiece):
        return "label", piece.text if labels else bool(piece.text)
    return piece


def numbers(atoms: Sequence[BodyLine]) -> list[tuple[NumberPlace, Any]]:
    """All numbers of a body in order."""
    return [found for atom in atoms for piece in atom.pieces for found in _numbers(piece)]


def _numbers(piece: Piece) -> Iterator[tuple[NumberPlace, Any]]:
    if isinstance(piece, TailPiece):
        piece = piece.call
    if isinstance(piece, NumberPiece):
        yield NumberPlace("", piece.hint), piece.value
    elif isinstance(piece, CallPiece):
        for name, value in piece.pairs:
            if isinstance(value, CallPiece):
                yield from _numbers(value)
            elif name not in OF_ALL:
                yield NumberPlace(piece.kind, name, piece.block), value


def with_numbers(atoms: Sequence[BodyLine], values: Iterator[Any]) -> tuple[BodyLine, ...]:
    """The same body with other numbers."""
    return tuple(atom.replace(pieces=tuple(_with(piece, values) for piece in atom.pieces)) for atom in atoms)


def _with(piece: Any, values: Iterator[Any]) -> Any:
    if isinstance(piece, TailPiece):
        return TailPiece(_with(piece.call, values))
    if isinstance(piece, NumberPiece):
        return piece.replace(value=next(values))
    if isinstance(piece, CallPiece):
        return piece.replace(pairs=tuple((n, _other(n, v, values)) for n, v in piece.pairs))
    return piece


def _other(name: str, value: Any, values: Iterator[Any]) -> Any:
    if isinstance(value, CallPiece):
        return _with(value, values)
    return value if name in OF_ALL else next(values)


def alike(one: Any, other: Any) -> bool:
    """Are two values one? `1` and `true` are not, nor `1` and `1.0`."""
    return type(one) is type(other) and bool(one == other)


def constant(column: Column) -> bool:
    """Is it the same everywhere?"""
    return all(alike(value, column[0]) for value in column)


def equal(one: Column, other: Column) -> bool:
    """Do two columns agree in every row?"""
    return all(map(alike, one, other))


def ratio(column: Column, base: Column) -> str:
    """What makes one column of another, `4*{}` or `{} // 2`; empty where nothing simple does."""
    pairs = list(zip(column, base))
    if not all(type(a) is int and type(b) is int and a > 0 and b > 0 for a, b in pairs):
        return ""
    a, b = pairs[0]
    if a % b == 0 and all(n == a // b * m for n, m in pairs):
        return f"{a // b}*{{}}" if a != b else "{}"
    if b % a == 0 and all(n * (b // a) == m for n, m in pairs):
        return f"{{}} // {b // a}"
    return ""
