"""A compiler for a small language of neural networks: shapes, counts, diagrams, PyTorch and Keras code.

`import netspec` loads nothing; each name below is looked up where it lives when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .api import Network, UnknownNet, from_keras, load, parse
    from .base.diagnostics import Diagnostic, SpecError
    from .elaborate.net import SettingError
    from .files import ReadError

    __version__: str

__all__ = [
    "Diagnostic",
    "Network",
    "ReadError",
    "SettingError",
    "SpecError",
    "UnknownNet",
    "from_keras",
    "load",
    "parse",
]

_HOMES = {
    "Diagnostic": "base.diagnostics",
    "Network": "api",
    "ReadError": "files",
    "SettingError": "elaborate.net",
    "SpecError": "base.diagnostics",
    "UnknownNet": "api",
    "from_keras": "api",
    "load": "api",
    "parse": "api",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _version()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


def _version() -> str:
    """The version of the installed distribution; a bare checkout has none."""
    from importlib import metadata

    try:
        return metadata.version("netspec-lang")
    except metadata.PackageNotFoundError:
        return "0+checkout"
