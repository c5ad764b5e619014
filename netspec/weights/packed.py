"""Queries, keys and values: the projections of an attention, which files hold as one array or as three.

`nn.MultiheadAttention` packs the three into `in_proj_weight`; other code calls one matrix `qkv`, or has a layer for
each. What a net wants packed is put together from its parts, and what it wants apart is cut.
"""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..layers.base import Array
    from .archives import Archive

# what is written for the three, and the array that each belongs to
_APART = (
    ("{}query.{}", "{}key.{}", "{}value.{}"),
    ("{}q.{}", "{}k.{}", "{}v.{}"),
    ("{}q_proj.{}", "{}k_proj.{}", "{}v_proj.{}"),
    ("{}q_proj_{}", "{}k_proj_{}", "{}v_proj_{}"),
    ("{}q_lin.{}", "{}k_lin.{}", "{}v_lin.{}"),
)
_PACKED = "{}in_proj_{}", "{}in_proj.{}", "{}qkv.{}", "{}to_qkv.{}"
# the projection of what comes out
_OUT = "{}out_proj.{}", "{}output.{}"
_ENDS = r"(?P<stem>|.*\.){}(?P<array>weight|bias)"


class PackedSource(Record):
    """What an array is made of: others of these names, and the third of them that it is; -1 for all. `beside` must be
    there, too."""

    parts: tuple[str, ...]
    piece: int = -1
    beside: tuple[str, ...] = ()


class Rearranged(Record):
    """An archive that has what a net wants packed, or apart, where its file has it the other way; `names` are those of
    its arrays by ours, and `notes` say what was done."""

    archive: Archive
    names: Mapping[str, str]
    notes: tuple[str, ...] = ()


def rearranged(archive: Archive, wanted: Mapping[str, tuple[int, ...]], names: Mapping[str, str]) -> Rearranged:
    """What a net wants, of an archive whose arrays have these names by ours."""
    made = {ours: source for ours in wanted if ours not in names for source in _sources(archive, names, ours)}
    stems = {_stem(ours) for ours in made}
    for ours in wanted:
        for source in _outputs(ours) if ours not in names and _stem(ours) in stems else ():
            if source.parts[0] in names:
                made[ours] = source
    if not made:
        return Rearranged(archive, names)
    theirs = {ours: tuple(names[part] for part in source.parts) for ours, source in made.items()}
    shapes, dtypes = dict(archive.shapes), dict(archive.dtypes)
    for ours, source in made.items():
        shapes[ours] = _shape(archive, theirs[ours], source.piece) or ()
        dtypes[ours] = archive.dtypes[theirs[ours][0]]
    used = {name for parts in theirs.values() for name in parts}
    found = {ours: name for ours, name in names.items() if name not in used}

    def read(name: str) -> Array:
        if name not in made:
            return archive.read(name)
        return _read([archive.read(part) for part in theirs[name]], made[name].piece)

    first = next(iter(made))
    more = f" and {len(made) - 1} more" if len(made) > 1 else ""
    note = f"queries, keys and values are packed otherwise: `{first}` from `{'`, `'.join(theirs[first])}`{more}"
    held = archive.replace(shapes=shapes, dtypes=dtypes, read=read)
    return Rearranged(held, found | {ours: ours for ours in made}, (note,))


def _sources(archive: Archive, names: Mapping[str, str], ours: str) -> list[PackedSource]:
    """The first source of an array whose parts are there."""
    for source in _ways(ours):
        there = all(part in names for part in (*source.parts, *source.beside))
        if there and _shape(archive, [names[part] for part in source.parts], source.piece) is not None:
            return [source]
    return []


def _ways(ours: str) -> Iterator[PackedSource]:
    """What an array may be made of."""
    for packed in _PACKED:
        for ends in _found(packed, ours):
            yield from (PackedSource(tuple(part.format(*ends) for part in parts)) for parts in _APART)
            yield from (PackedSource((other.format(*ends),)) for other in _PACKED if other != packed)
    for parts in _APART:
        for piece, part in enumerate(parts):
            for ends in _found(part, ours):
                yield from (PackedSource((other.format(*ends),), piece) for other in _PACKED)
                apart = [tuple(one.format(*ends) for one in other) for other in _APART if other != parts]
                yield from (PackedSource((other[piece],), beside=other) for other in apart)


def _outputs(ours: str) -> Iterator[PackedSource]:
    """What the projection of an attention's result may be called."""
    for out in _OUT:
        for ends in _found(out, ours):
            yield from (PackedSource((other.format(*ends),)) for other in _OUT if other != out)


def _stem(ours: str) -> str:
    """The name of the attention that an array belongs to."""
    patterns = (*_PACKED, *_OUT, *(part for parts in _APART for part in parts))
    return next((stem for pattern in patterns for stem, _ in _found(pattern, ours)), ours)


def _found(pattern: str, name: str) -> Iterator[tuple[str, str]]:
    """What stands before and behind the words of a pattern in a name."""
    words = pattern.split("{}")[1]
    found = re.fullmatch(_ENDS.format(re.escape(words)), name)
    if found is not None:
        yield found["stem"], found["array"]


def _shape(archive: Archive, names: Sequence[str], piece: int) -> tuple[int, ...] | None:
    """The shape of what is made of arrays; None where they do not fit."""
    shapes = [archive.shapes[name] for name in names]
    if len({shape[1:] for shape in shapes}) != 1 or not shapes[0]:
        return None
    rows = sum(shape[0] for shape in shapes)
    if piece >= 0 and rows % len(_APART[0]):
        return None
    return (rows if piece < 0 else rows // len(_APART[0]), *shapes[0][1:])


def _read(arrays: list[Array], piece: int) -> Array:
    import numpy as np

    whole: Array = np.concatenate(arrays)
    size = len(whole) // len(_APART[0])
    return whole if piece < 0 else whole[piece * size : (piece + 1) * size]
