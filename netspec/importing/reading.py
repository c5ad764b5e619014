"""The readers of models: which one reads what, by the end of a name."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from .refusing import UnreadModel

if TYPE_CHECKING:
    from .graph import ImportedModel

# by what the name of a model ends in: the module of its reader, and the function there, which takes the path
READERS = {
    ".keras": ("keras_file", "read_archive"),
    ".json": ("keras_file", "read_json"),
    ".pt2": ("aten.reading", "read_pt2"),
}
# what is not read, with what to do instead
_OTHERWISE = {
    ".h5": "save the model as .keras, or write `model.to_json()` to a file",
    ".hdf5": "save the model as .keras, or write `model.to_json()` to a file",
    ".pt": "a pickled module is code; export it: `torch.export.save(torch.export.export(model, inputs), 'model.pt2')`",
    ".net": "it is a spec already",
    ".pb": "save the model as .keras",
}
_OTHERWISE[".pth"] = _OTHERWISE[".pt"]
_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def read_model(name: str) -> ImportedModel:
    """The graph of a model: a file, by the end of its name. Raises UnreadModel and ReadError."""
    lower = name.lower()
    for suffix, (module, function) in READERS.items():
        if lower.endswith(suffix):
            reader = __import__(f"{__package__}.{module}", fromlist=(function,))
            found: ImportedModel = getattr(reader, function)(name)
            return found
    listed = ", ".join(READERS)
    for suffix, advice in _OTHERWISE.items():
        if lower.endswith(suffix):
            raise UnreadModel(f"{name} is not read; {advice}")
    if _CLASS.fullmatch(name):
        raise UnreadModel(
            f"{name} is a class in code, which is not read; export it: `torch.export.save`, or Keras's `save`"
        )
    raise UnreadModel(f"{name} does not say what it holds: models are read from {listed}")
