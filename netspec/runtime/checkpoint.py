"""The tensors of PyTorch's files, which are pickles: nothing in them is executed."""

from __future__ import annotations

import os
import warnings

from ..base.record import TYPE_CHECKING
from .torch_model import import_torch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any, BinaryIO

    from ..layers.base import Array


class NoCheckpoint(Exception):
    """A file holds no tensors by name; the message goes on after the name of the file."""


# under which names a checkpoint keeps its state_dict, where it keeps other things as well
_WRAPPERS = ("state_dict", "model_state_dict", "model")
# an old file of PyTorch is a row of so many pickles, then the numbers
_PICKLES = 5
_ADVICE = "save `model.state_dict()` instead of the model"


def checkpoint(file: BinaryIO) -> dict[str, Any]:
    """The tensors of a `state_dict` that `torch.save` has written, alone or with other things of a training run.

    They are as the file says, which may be far larger than the file: see `shape_of`, `dtype_of` and `array_of`. Raises
    NoCheckpoint and MissingFramework.
    """
    torch = import_torch()
    held = _loaded(torch, file)
    for _ in _WRAPPERS:  # they may stand in one another; a dictionary may stand in itself
        wrapped = [name for name in _WRAPPERS if isinstance(held, dict) and isinstance(held.get(name), dict)]
        held = held[wrapped[0]] if wrapped else held
    if not isinstance(held, dict) or not held:
        raise NoCheckpoint("holds no state_dict: save `model.state_dict()`")
    odd = [name for name, tensor in held.items() if not (isinstance(name, str) and torch.is_tensor(tensor))]
    if odd:
        raise NoCheckpoint(f"is no state_dict: `{odd[0]}` in it is no tensor")
    return held


def _loaded(torch: Any, file: BinaryIO) -> Any:
    try:
        # the places of the numbers of a sparse tensor are checked, or making it dense could write anywhere
        with warnings.catch_warnings(), torch.sparse.check_sparse_tensor_invariants():
            warnings.simplefilter("ignore")  # what PyTorch warns of is refused below
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail anywhere in the reader of the framework
        raise NoCheckpoint(_refusal(file, str(error))) from None


# --- why a file is refused ----------------------------------------------------------------------------------------


def _refusal(file: BinaryIO, said: str) -> str:
    """Why PyTorch did not load a file, by what is in it; `said` is its own message, which names what it refuses."""
    import zipfile

    try:
        file.seek(0)
        if not zipfile.is_zipfile(file):
            file.seek(0)
            return _pickled(file, said)
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if any("/code/" in name or name.endswith("constants.pkl") for name in names):
                return f"is refused: it is a TorchScript archive, which holds code; {_ADVICE}"
            data = next((name for name in names if name.endswith("data.pkl")), "")
            with archive.open(data) as member:
                return _pickled(member, said)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, ValueError, EOFError, OSError):
        return "is no whole file of PyTorch"


def _pickled(file: IO[bytes], said: str) -> str:
    named, whole = _globals(file)
    bad = [name for name in named if f"GLOBAL {name} " in said]
    if bad:
        return f"is refused: it holds more than tensors (`{bad[0]}`), and could run code when it is loaded; {_ADVICE}"
    if whole:
        return "holds what PyTorch does not load as tensors: save `model.state_dict()` with a plain `torch.save`"
    return "is no whole file of PyTorch"


def _globals(file: IO[bytes]) -> tuple[list[str], bool]:
    """The names of code that the pickles of a file call for, and whether these are whole.

    The pickles are read as the lists of instructions that they are, and not obeyed.
    """
    import pickletools

    found: list[str] = []
    try:
        for _ in range(_PICKLES):
            words: list[str] = []
            for code, value, _place in pickletools.genops(file):
                found += _called(code.name, value, words)
            if not file.read(1):
                break
            file.seek(-1, os.SEEK_CUR)
    except (ValueError, KeyError, IndexError, MemoryError, OverflowError, EOFError, OSError):
        return found, False
    return found, True


def _called(code: str, value: Any, words: list[str]) -> Iterator[str]:
    """The name that an instruction calls for; `words` are the texts that came before it."""
    name = ""
    if code in ("GLOBAL", "INST"):
        name = str(value).replace(" ", ".")
    elif code == "STACK_GLOBAL":
        name = ".".join(words[-2:])
    elif isinstance(value, str):
        words.append(value)
    if name:
        yield name.removeprefix("__builtin__.").removeprefix("builtins.")


# --- one tensor ---------------------------------------------------------------------------------------------------


def shape_of(tensor: Any) -> tuple[int, ...]:
    """Its shape; that of a nested tensor, which has none, is empty."""
    return () if tensor.is_nested else tuple(tensor.shape)


def dtype_of(tensor: Any) -> str:
    """The type of its numbers, such as `float32`, with what else is particular about it."""
    kind = str(tensor.dtype).removeprefix("torch.")
    if tensor.is_nested:
        return f"{kind} of a nested tensor"
    return f"{kind} of a meta tensor, which has no numbers" if tensor.is_meta else kind


def array_of(tensor: Any) -> Array:
    """A tensor as NumPy holds it: dense, and bfloat16 as float32, which has all its numbers.

    Raises RuntimeError and TypeError.
    """
    torch = import_torch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensor = tensor.detach().resolve_neg()
        dense = tensor if tensor.layout == torch.strided else tensor.to_dense()
        found: Array = (dense.float() if dense.dtype == torch.bfloat16 else dense).numpy()
    return found
