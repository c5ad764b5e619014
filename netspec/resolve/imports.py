"""Imports: the files that a spec names, read and parsed once each, those that others need first.

A path is relative to the file that imports it; a text that comes from no file stands in the current folder. `std/` is
the library that ships with the project. Only files in the folder of the importing file or below it are read, and those
in the folders that are allowed beside it.
"""

from __future__ import annotations

import os
from itertools import pairwise

from ..base.diagnostics import Diagnostic, Label, nearest
from ..base.record import TYPE_CHECKING, Record
from ..files import LIBRARY, LIBRARY_FOLDER, ReadError, nearest_file, read_as
from ..syntax import tree
from ..syntax.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..base.diagnostics import Collector
    from ..base.source import Source, Span
    from ..syntax.tree import Spec

    Import = tree.Import | tree.ImportNames


class Loaded(Record):
    """A file, and for each of its imports, by its place, the file that it leads to; None where that cannot be had."""

    spec: Spec
    targets: Mapping[Span, Source | None]


class ImportTarget(Record):
    """Where an import leads: the real path of the file, and what it is called in messages."""

    path: str
    shown: str


class Refused(Exception):
    """An import cannot be had: a code, why, and what to do."""


def gather(root: Spec, faults: Collector, allowed: Sequence[str] = ()) -> list[Loaded]:
    """A spec and all files that it leads to, the spec last. `allowed` are folders from which any file may be imported.

    Faults: `import-failed`, `import-outside`, `import-cycle`, and what is wrong with the text of the files.
    """
    folders = tuple(map(os.path.realpath, allowed))
    found: dict[str, Spec] = {_key(root.source): root}
    edges: dict[str, dict[Span, str | None]] = {}
    todo = list(found.items())
    real: dict[str, str] = {}  # where folders really are
    while todo:
        key, spec = todo.pop()
        here: dict[Span, str | None] = {}
        edges[key] = here
        for node in imports_of(spec):
            at = node.path.span
            try:
                place = _place(spec.source, str(node.path.value), folders, real)
                if place.path not in found:
                    found[place.path] = _parsed(place, str(node.path.value), faults, real)
                    todo.append((place.path, found[place.path]))
                here[at] = place.path
            except Refused as refused:
                code, message, help = refused.args
                faults.add(Diagnostic(code, message, Label(at), (), help))
                here[at] = None
    return [
        Loaded(found[key], {at: None if to is None else found[to].source for at, to in edges[key].items()})
        for key in _ordered(_key(root.source), edges, found, faults)
    ]


def imports_of(spec: Spec) -> Iterator[Import]:
    return (d for d in spec.definitions if isinstance(d, tree.Import | tree.ImportNames))


def library() -> list[str]:
    """The files of the library."""
    return sorted(name for name in os.listdir(LIBRARY_FOLDER) if name.endswith(".net"))


def in_library(name: str) -> str:
    """How the library's block of a name is brought in, as a help line; empty where it has none."""
    if not _homes:
        for file in library():
            lines = read_as(os.path.join(LIBRARY_FOLDER, file), LIBRARY + file).text.split("\n")
            blocks = [line.removeprefix("block ") for line in lines if line.startswith("block ")]
            _homes.update((block.partition("(")[0].partition(" ")[0], file) for block in blocks)
    return f'it is in the library: `from "{LIBRARY}{_homes[name]}" import {name}`' if name in _homes else ""


# the files of the library's blocks, by name, once somebody has asked
_homes: dict[str, str] = {}


def _key(source: Source) -> str:
    """What a file is known by, however it was reached."""
    return os.path.realpath(source.path) if source.path is not None else ""


# --- places --------------------------------------------------------------------------------------------------------


def _place(source: Source, written: str, allowed: Sequence[str], known: dict[str, str]) -> ImportTarget:
    """Where an import leads; folders that are `known` are not looked up again. Raises Refused where it may not lead
    there."""
    if not written or "\0" in written:
        raise Refused("import-failed", "an import needs the path of a file", "")
    if written.startswith(LIBRARY):
        folder, shown, path = LIBRARY_FOLDER, "", written.removeprefix(LIBRARY)
    elif source.path is None:
        folder, shown, path = os.getcwd(), "", written
    else:
        folder, shown, path = os.path.dirname(os.path.abspath(source.path)), os.path.dirname(source.name), written
    real = _real(os.path.join(folder, path), known)
    if any(real.startswith(inside.rstrip(os.sep) + os.sep) for inside in (_real_folder(folder, known), *allowed)):
        return ImportTarget(real, os.path.normpath(os.path.join(shown, written)))
    if written.startswith(LIBRARY):
        raise Refused("import-outside", f"{written} leads out of the library", "")
    where = os.path.normpath(os.path.join(shown, os.path.dirname(written)))
    message = f"{written} is outside of the folder of {source.name}"
    raise Refused("import-outside", message, f"`--include {where}` allows it")


def _real(path: str, known: dict[str, str]) -> str:
    """The real path of a file."""
    folder, name = os.path.split(path)
    if name in ("", os.curdir, os.pardir):
        return os.path.realpath(path)
    found = os.path.join(_real_folder(folder, known), name)
    return os.path.realpath(found) if os.path.islink(found) else found


def _real_folder(folder: str, known: dict[str, str]) -> str:
    if folder not in known:
        known[folder] = os.path.realpath(folder)
    return known[folder]


# the files of the library, which ship with the project and which many specs of one process import
_library: dict[str, Spec] = {}


def _parsed(place: ImportTarget, written: str, faults: Collector, known: dict[str, str]) -> Spec:
    """A file, parsed. Raises Refused."""
    if place.path in _library:
        return _library[place.path]
    spec = parse(_read(place, written, faults.patient), faults)
    if os.path.dirname(place.path) == _real_folder(LIBRARY_FOLDER, known) and not faults.all:
        _library[place.path] = spec
    return spec


def _read(place: ImportTarget, written: str, patient: bool) -> Source:
    """The text of a file. Raises Refused, which says what may be meant where one is `patient`."""
    if not os.path.exists(place.path):
        raise Refused("import-failed", f"there is no file {place.shown}", _near(place, written) if patient else "")
    try:
        return read_as(place.path, place.shown)
    except ReadError as error:
        raise Refused("import-failed", str(error), "") from None


def _near(place: ImportTarget, written: str) -> str:
    """The file that was most likely meant, as it would be written."""
    near = nearest_file(place.path)
    if near is not None:
        return f"did you mean `{os.path.join(os.path.dirname(written), near)}`?"
    if written.startswith(LIBRARY):
        return f"the library has {', '.join(LIBRARY + name for name in library())}"
    name = os.path.basename(written)
    in_library = name if name in library() else nearest(name, library())
    return f"did you mean `{LIBRARY}{in_library}`?" if in_library else ""


# --- order ---------------------------------------------------------------------------------------------------------


def _ordered(
    root: str, edges: Mapping[str, dict[Span, str | None]], specs: Mapping[str, Spec], faults: Collector
) -> list[str]:
    """Each file behind those that it imports. An import that leads back is cut off, with a fault that shows the way."""
    order: list[str] = []
    done: set[str] = set()
    path = {root: iter(list(edges[root].items()))}
    while path:
        here = next(reversed(path))
        at, target = next(path[here], (None, None))
        if at is None:
            done.add(here)
            order.append(here)
            del path[here]
        elif target in path:
            edges[here][at] = None
            way = list(path)
            _report_cycle([*way[way.index(target) :], target], at, edges, specs, faults)
        elif target is not None and target not in done:
            path[target] = iter(list(edges[target].items()))
    return order


def _report_cycle(
    ring: Sequence[str],
    last: Span,
    edges: Mapping[str, Mapping[Span, str | None]],
    specs: Mapping[str, Spec],
    faults: Collector,
) -> None:
    """`ring` begins and ends with the same file; `last` is the import that closes it."""
    names = [specs[key].source.name for key in ring]
    places = [next(at for at, to in edges[a].items() if to == b) for a, b in pairwise(ring[:-1])]
    labels = [Label(at, f"{b} is imported here") for at, b in zip([*places, last], names[1:])]
    faults.add(
        Diagnostic(
            "import-cycle",
            f"files cannot import one another: {' -> '.join(names)}",
            labels[0],
            tuple(labels[1:]),
            "put what both need into a file of its own",
        )
    )
