"""Archives: the arrays of a file by their names there.

Shapes are known before any array is read, so that a file that does not fit is refused unread. Nothing in a file is
executed: safetensors and HDF5 hold numbers only, and PyTorch's files are loaded with `weights_only=True`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from ..files import ReadError, open_file, reason
from ..models.code import MissingFramework
from ..record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, BinaryIO

    from ..layers.base import Array

# the member of a `.keras` file that holds its weights
_MEMBER = "model.weights.h5"


class Archive(Record):
    """The arrays of a file. `read` gives one by its name; `layers` are the names of layers that some archives tell."""

    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], Array]
    layers: Mapping[str, str] = {}


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """The archive in a file, by its suffix. Raises ReadError and MissingFramework."""
    kind = KINDS[suffix_of(path)]
    with open_file(path, path, tuple(KINDS)) as file:
        yield from kind.open(file, path)


def suffix_of(path: str) -> str:
    """What a file is, by the end of its name. Raises ReadError where it says nothing."""
    for suffix in KINDS:
        if path.lower().endswith(suffix):
            return suffix
    raise ReadError(f"{path} does not say what it holds: weights are in {', '.join(KINDS)}")


# --- safetensors --------------------------------------------------------------------------------------------------


def _safetensors(file: BinaryIO, path: str) -> Iterator[Archive]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise MissingFramework("safetensors", "weights") from None
    try:
        with safe_open(path, "numpy") as held:
            parts = {name: held.get_slice(name) for name in held.keys()}  # noqa: SIM118  # it is no mapping
            shapes = {name: tuple(part.get_shape()) for name, part in parts.items()}
            kinds = {name: part.get_dtype() for name, part in parts.items()}
            halves = _halves(file) if "BF16" in kinds.values() else {}
            yield Archive(
                shapes, lambda name: _single(file, *halves[name]) if name in halves else held.get_tensor(name)
            )
    except (SafetensorError, OSError) as error:
        raise ReadError(f"{path} is no whole safetensors file: {error}") from None


def _halves(file: BinaryIO) -> dict[str, tuple[int, int, list[int]]]:
    """Where the arrays in bfloat16 begin, how many bytes they take, and their shapes."""
    import json

    length = int.from_bytes(file.read(8), "little")
    found = {name: held for name, held in json.loads(file.read(length)).items() if held.get("dtype") == "BF16"}
    spans = {name: held["data_offsets"] for name, held in found.items()}
    return {n: (8 + length + start, stop - start, found[n]["shape"]) for n, (start, stop) in spans.items()}


def _single(file: BinaryIO, start: int, count: int, shape: list[int]) -> Array:
    """Numbers of eight bits of exponent and seven of fraction, as the float32 that they are the upper half of."""
    import numpy as np

    file.seek(start)
    halves = np.frombuffer(file.read(count), "<u2")
    found: Array = (halves.astype(np.uint32) << 16).view(np.float32).reshape(shape)
    return found


# --- PyTorch ------------------------------------------------------------------------------------------------------


def _checkpoint(file: BinaryIO, path: str) -> Iterator[Archive]:
    from ..models.torch_model import NoCheckpoint, checkpoint

    try:
        tensors = checkpoint(file)
    except NoCheckpoint as error:
        raise ReadError(f"{path} {error}") from None
    yield Archive({name: tuple(tensor.shape) for name, tensor in tensors.items()}, lambda name: tensors[name].numpy())


# --- Keras --------------------------------------------------------------------------------------------------------


def _hdf5(file: BinaryIO, path: str) -> Iterator[Archive]:
    import h5py  # it comes with Keras

    try:
        held = h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError):
        raise ReadError(f"{path} is no whole HDF5 file") from None
    with held:
        sets = _datasets(held, h5py.Dataset, path)
        shapes = {name: tuple(found.shape) for name, found in sets.items()}
        yield Archive(shapes, lambda name: _numbers(sets[name], name, path), _layers(held, sets))


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
    return {name: item for name, item in found.items() if item.dtype.kind in "fiub"}


def _numbers(dataset: Any, name: str, path: str) -> Array:
    try:
        found: Array = dataset[()]
    except (OSError, RuntimeError) as error:
        raise ReadError(f"{path} is damaged at `{name}`: {reason(error)}") from None
    return found


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
            # a member that unpacks to far more than the file holds is no file of weights
            limit = 16 * os.path.getsize(path) + 2**20
            data = member.read(limit + 1)
    except KeyError:
        raise ReadError(f"{path} is no Keras model: there is no {_MEMBER} in it") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise ReadError(f"{path} is no whole Keras file: {reason(error)}") from None
    if len(data) > limit:
        raise ReadError(f"{path} is refused: it unpacks to more than sixteen times its size")
    yield from _hdf5(io.BytesIO(data), path)


class Kind(Record):
    """A kind of file: how it is opened, and the forms (see `FORMS`) that it can have, the usual one first."""

    open: Callable[[BinaryIO, str], Iterator[Archive]]
    forms: tuple[str, ...]


KINDS = {
    ".safetensors": Kind(_safetensors, ("netspec", "torch")),
    ".pt": Kind(_checkpoint, ("torch",)),
    ".pth": Kind(_checkpoint, ("torch",)),
    ".weights.h5": Kind(_hdf5, ("keras",)),
    ".keras": Kind(_keras, ("keras",)),
}
