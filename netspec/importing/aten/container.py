"""The file that `torch.export.save` writes: a zip of JSON and raw numbers. Nothing in it is executed or unpickled.

The program is `models/model.json`; `data/weights/model_weights_config.json` says which member holds each parameter and
buffer, with its type, sizes and strides. Sample inputs are pickled, and are never opened.
"""

from __future__ import annotations

import json
import zipfile

from ...base.record import TYPE_CHECKING, Record
from ...files import ReadError, open_file, reason
from ...weights.archives import most_unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SUFFIX = ".pt2"
# the types of numbers by the codes of the schema, in the words of NumPy
DTYPES = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64"}
DTYPES |= {9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16"}


class StoredTensor(Record):
    """Where the numbers of a tensor lie: a member of the file, and how they stand in it, in numbers and not bytes."""

    member: str
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int


class ExportedFile(Record):
    """What a file holds: the program as JSON, and its tensors by name."""

    path: str
    program: Mapping[str, Any]
    tensors: Mapping[str, StoredTensor]


def read_container(path: str) -> ExportedFile:
    """The program and the table of the tensors of a file. Raises ReadError."""
    try:
        with open_file(path, path, (SUFFIX,)) as file, zipfile.ZipFile(file) as archive:
            if min((m.header_offset for m in archive.infolist()), default=0) > 0:
                raise ReadError(f"{path} is damaged: its end is missing, and only a file within it is whole")
            program = _json(archive, path, "models/model.json")
            tensors = {}
            for kind in ("weights", "constants"):
                folder = f"data/{kind}/"
                table = _json(archive, path, f"{folder}model_{kind}_config.json")
                tensors.update(_stored(table, folder))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise ReadError(f"{path} is no whole file of torch.export: {reason(error)}") from None
    return ExportedFile(path, program, tensors)


def _member(archive: zipfile.ZipFile, end: str) -> zipfile.ZipInfo | None:
    """The member of a name within the one folder that the file has."""
    return next((m for m in archive.infolist() if m.filename == end or m.filename.endswith(f"/{end}")), None)


def _json(archive: zipfile.ZipFile, path: str, name: str) -> Mapping[str, Any]:
    member = _member(archive, name)
    if member is None:
        held = any(m.filename.endswith("data.pkl") for m in archive.infolist())
        what = "it holds a pickled module" if held else f"there is no {name} in it"
        help = "; torch.export.save(torch.export.export(model, (x,)), file) writes one" if "model.json" in name else ""
        raise ReadError(f"{path} is no program of torch.export: {what}{help}")
    if member.file_size > most_unpacked(path):
        raise ReadError(f"{path} is refused: {name} unpacks to {member.file_size:,} bytes")
    try:
        with archive.open(member) as file:
            found = json.loads(file.read(member.file_size + 1))
    except RecursionError:
        raise ReadError(f"{path} is damaged: {name} is nested past all use") from None
    except UnicodeDecodeError:
        raise ReadError(f"{path} is damaged: {name} is no text") from None
    if not isinstance(found, dict):
        raise ReadError(f"{path} is damaged: {name} is no table")
    return found


def _stored(table: Mapping[str, Any], folder: str) -> dict[str, StoredTensor]:
    found = {}
    for name, about in table.get("config", {}).items():
        meta = about.get("tensor_meta") or {}
        sizes, strides = (tuple(n["as_int"] for n in meta.get(key, ())) for key in ("sizes", "strides"))
        start = meta.get("storage_offset", {}).get("as_int", 0)
        found[name] = StoredTensor(folder + about["path_name"], sizes, strides, start)
    return found
