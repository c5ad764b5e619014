"""Archives: the arrays of a file by their names there.

Shapes are known before any array is read, so that a file that does not fit is refused unread. Nothing in a file is
executed: safetensors and HDF5 hold numbers only, and PyTorch's files are loaded with `weights_only=True`.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from ..base.record import TYPE_CHECKING, Record
from ..files import ReadError, open_file, reason
from ..runtime.code import MissingFramework
from ..runtime.keras_model import import_h5py

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, BinaryIO

    from ..layers.base import Array

# the types of numbers that weights are read from; bfloat16 becomes float32, which has all its numbers
READABLE = ("float16", "bfloat16", "float32", "float64")
# the member of a `.keras` file that holds its weights
_MEMBER = "model.weights.h5"


class Archive(Record):
    """The arrays of a file. `read` gives one by its name; `layers` are the names of layers that some archives tell.

    `dtypes` are the types of their numbers in the words of NumPy and PyTorch; only those in `READABLE` can be read.
    """

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]
    read: Callable[[str], Array]
    layers: Mapping[str, str] = {}


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """The archive in a file, by its suffix. Raises ReadError and MissingFramework."""
    kind = KINDS[suffix_of(path)]
    with open_file(path, path, tuple(KINDS)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it may have no end
            raise ReadError(f"{path} is a pipe or a device; weights are read from files")
        yield from kind.open(file, path)


def suffix_of(path: str) -> str:
    """What a file is, by the end of its name. Raises ReadError where it says nothing."""
    for suffix in KINDS:
        if path.lower().endswith(suffix):
            return suffix
    raise ReadError(f"{path} does not say what it holds: weights are in {', '.join(KINDS)}")


# --- safetensors --------------------------------------------------------------------------------------------------


# what safetensors calls the types of numbers; the names of others are shown as they are
_SAFE = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64", "C64": "complex64", "BOOL": "bool"}
_SAFE |= {f"{sign}{bits}": f"{name}{bits}" for sign, name in (("I", "int"), ("U", "uint")) for bits in (8, 16, 32, 64)}


def _safetensors(file: BinaryIO, path: str) -> Iterator[Archive]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise MissingFramework("safetensors", "weights") from None
    try:
        with safe_open(path, "numpy") as held:
            parts = {name: held.get_slice(name) for name in held.keys()}  # noqa: SIM118  # it is no mapping
            shapes = {name: tuple(part.get_shape()) for name, part in parts.items()}
            kinds = {name: str(part.get_dtype()) for name, part in parts.items()}
            halves = _halves(file) if "BF16" in kinds.values() else {}
            yield Archive(
                shapes,
                {name: _SAFE.get(kind, kind) for name, kind in kinds.items()},
                lambda name: _single(file, *halves[name]) if name in halves else held.get_tensor(name),
            )
    except (SafetensorError, OSError) as error:
        raise ReadError(f"{path} is no whole safetensors file: {error}") from None


def _halves(file: BinaryIO) -> dict[str, tuple[int, int, list[int]]]:
    """Where the arrays in bfloat16 begin, how many bytes they take, and their shapes."""
    import json

    length = int.from_bytes(file.read(8), "little")
    held = json.loads(file.read(length))
    held.pop("__metadata__", None)  # what the writer had to say, in words of its own
    found = {name: about for name, about in held.items() if about["dtype"] == "BF16"}
    spans = {name: about["data_offsets"] for name, about in found.items()}
    return {n: (8 + length + start, stop - start, found[n]["shape"]) for n, (start, stop) in spans.items()}


def _single(file: BinaryIO, start: int, count: int, shape: list[int]) -> Array:
    import numpy as np

    file.seek(start)
    return _widened(np.frombuffer(file.read(count), "<u2")).reshape(shape)


def _widened(halves: Array) -> Array:
    """Numbers of eight bits of exponent and seven of fraction, as the float32 that they are the upper half of."""
    import numpy as np

    found: Array = (halves.astype(np.uint32) << 16).view(np.float32)
    return found


# --- PyTorch ------------------------------------------------------------------------------------------------------


def _checkpoint(file: BinaryIO, path: str) -> Iterator[Archive]:
    import zipfile

    from ..runtime.checkpoint import NoCheckpoint, array_of, checkpoint, dtype_of, shape_of

    try:
        with zipfile.ZipFile(file) as archive:
            _unpacks(path, sum(member.file_size for member in archive.infolist()))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        pass  # an old file of PyTorch is no zip; that it is damaged comes out below
    file.seek(0)
    try:
        tensors = checkpoint(file)
    except NoCheckpoint as error:
        raise ReadError(f"{path} {error}") from None
    dtypes = {name: dtype_of(tensor) for name, tensor in tensors.items()}

    def read(name: str) -> Array:
        try:
            return array_of(tensors[name])
        except (RuntimeError, TypeError) as error:
            raise ReadError(f"{path} cannot be read at `{name}`, {dtypes[name]}: {reason(error)}") from None

    yield Archive({name: shape_of(tensor) for name, tensor in tensors.items()}, dtypes, read)


# --- Keras --------------------------------------------------------------------------------------------------------


def _hdf5(file: BinaryIO, path: str) -> Iterator[Archive]:
    h5py = import_h5py()
    try:
        held = h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError):
        raise ReadError(f"{path} is no whole HDF5 file") from None
    with held:
        sets = _datasets(held, h5py.Dataset, path)
        shapes = {name: tuple(found.shape or ()) for name, found in sets.items()}
        dtypes = {name: _dtype(found) for name, found in sets.items()}
        yield Archive(shapes, dtypes, lambda name: _numbers(sets[name], name, path), _layers(held, sets))


def _datasets(held: Any, dataset: type, path: str) -> dict[str, Any]:
    """All arrays of the file; links to other places are not followed. Raises ReadError."""
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, dataset):
            found[name] = item

    try:
        held.visititems(visit)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ReadError(f"{path} is damaged: {reason(error)}") from None
    for name, item in found.items():
        if item.external or item.is_virtual:
            raise ReadError(f"{path} is refused: `{name}` is kept in another file")
    return found


def _dtype(dataset: Any) -> str:
    """The type of its numbers. HDF5 has no bfloat16: Keras writes bytes, and says beside them what they are."""
    if dataset.shape is None:
        return "empty"
    try:
        found = dataset.dtype
    except TypeError:
        return "of a type that NumPy does not have"
    if found.kind == "V" and found.itemsize == 2 and dataset.attrs.get("dtype") == "bfloat16":
        return "bfloat16"
    return "text" if found.kind in "OSU" else str(found.name)


def _numbers(dataset: Any, name: str, path: str) -> Array:
    try:
        found: Array = dataset[()]
    except (OSError, RuntimeError) as error:
        raise ReadError(f"{path} is damaged at `{name}`: {reason(error)}") from None
    if found.dtype.kind == "V":
        return _widened(found.view("<u2"))
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def _layers(held: Any, sets: Mapping[str, Any]) -> dict[str, str]:
    """What Keras calls the layer that each group of arrays belongs to."""
    groups = {name.rpartition("/")[0] for name in sets}
    named = {group: held[group].attrs.get("name") for group in groups if group}
    return {group: name for group, name in named.items() if isinstance(name, str)}


def _keras(file: BinaryIO, path: str) -> Iterator[Archive]:
    import io
    import zipfile

    try:
        with zipfile.ZipFile(file) as archive, archive.open(_MEMBER) as member:
            limit = most_unpacked(path)
            data = member.read(limit + 1)
    except KeyError:
        raise ReadError(f"{path} is no Keras model: there is no {_MEMBER} in it") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise ReadError(f"{path} is no whole Keras file: {reason(error)}") from None
    _unpacks(path, len(data))
    yield from _hdf5(io.BytesIO(data), path)


# --- files that are archives of files -----------------------------------------------------------------------------


def most_unpacked(path: str) -> int:
    """What a file may unpack to: one that holds far more than its size is no file of weights."""
    return 16 * os.path.getsize(path) + 2**20


def _unpacks(path: str, size: int) -> None:
    if size > most_unpacked(path):
        raise ReadError(f"{path} is refused: it unpacks to more than sixteen times its size")


class Kind(Record):
    """A kind of file: how it is opened, and the forms (see `FORMS`) that it can have, the usual one first."""

    open: Callable[[BinaryIO, str], Iterator[Archive]]
    forms: tuple[str, ...]


KINDS = {
    ".safetensors": Kind(_safetensors, ("netspec", "torch", "built")),
    ".pt": Kind(_checkpoint, ("torch", "built")),
    ".pth": Kind(_checkpoint, ("torch", "built")),
    ".weights.h5": Kind(_hdf5, ("keras",)),
    ".keras": Kind(_keras, ("keras",)),
}
