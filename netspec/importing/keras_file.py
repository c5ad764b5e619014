"""Keras models in files: `.keras` archives and the JSON of `model.to_json()`. Nothing in them is executed."""

from __future__ import annotations

import json
import os
import stat

from ..base.record import TYPE_CHECKING
from ..files import LARGEST, ReadError, open_file, reason
from .keras_graph import BadModel, graph_of
from .refusing import UnreadModel

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from .graph import ImportedModel

_MEMBER = "config.json"
_SUFFIXES = (".keras", ".json")


def read_archive(path: str) -> ImportedModel:
    """The model of a `.keras` file, whose weights are left where they are. Raises UnreadModel and ReadError."""
    import zipfile

    with _opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive, archive.open(_MEMBER) as member:
                data = member.read(LARGEST + 1)
        except KeyError:
            raise UnreadModel(f"{path} is no Keras model: there is no {_MEMBER} in it") from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
            raise UnreadModel(f"{path} is no whole Keras file: {reason(error)}") from None
    return _graph(data, path)


def read_json(path: str) -> ImportedModel:
    """The model of `model.to_json()`. Raises UnreadModel and ReadError."""
    with _opened(path) as file:
        try:
            data = file.read(LARGEST + 1)
        except OSError as error:
            raise ReadError(f"{path} cannot be read: {reason(error)}") from None
    return _graph(data, path)


def _opened(path: str) -> BinaryIO:
    file = open_file(path, path, _SUFFIXES)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it may have no end
        file.close()
        raise ReadError(f"{path} is a pipe or a device; models are read from files")
    return file


def _graph(data: bytes, path: str) -> ImportedModel:
    if len(data) > LARGEST:
        raise UnreadModel(f"{path} is refused: what it says of its layers is larger than {LARGEST // 2**20} MiB")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadModel(f"{path} holds no JSON: {str(error) or 'it is nested too deeply'}") from None
    return graph_in(said, path)


def graph_in(said: Any, path: str) -> ImportedModel:
    """The graph of what a model says of itself. Raises UnreadModel."""
    try:
        return graph_of(said)
    except BadModel as error:
        raise UnreadModel(f"{path}: {error}") from None
    except RecursionError:
        raise UnreadModel(f"{path}: it is nested too deeply") from None


def keras_model(model: Any) -> ImportedModel:
    """The graph of a live Keras model, from what it says of itself. Raises UnreadModel."""
    try:
        text = model.to_json()
    except Exception as error:  # code of the model's own classes
        name = type(model).__name__
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UnreadModel(f"this {name} does not say what it is made of: {told}") from None
    return graph_in(json.loads(text), "the model")
