"""The layers by the names that specs have for them. The module of a layer is loaded when the layer is first asked for.

A net uses few of the 50 modules, and loading them all took a third of a whole `netspec check`. `index` says which
module has which layer. Each class enters itself; `layers.base` knows what they are.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .index import MODULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping
    from typing import Any, TypeAlias

    Base: TypeAlias = MutableMapping[str, Any]
else:
    Base = object  # `collections.abc` would cost a millisecond


class Registry(Base):
    """A mapping of names to layer classes. The order is that of the index, then that of entering."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules
        self._classes: dict[str, Any] = dict.fromkeys(modules)  # None where the module is not loaded yet

    def __getitem__(self, name: str) -> Any:
        found = self._classes[name]
        if found is None:
            __import__(f"{__package__}.{self._modules[name]}")  # the class enters itself
            found = self._classes[name]
        return found

    def __setitem__(self, name: str, cls: Any) -> None:
        self._classes[name] = cls

    def __delitem__(self, name: str) -> None:
        del self._classes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._classes else default

    def keys(self) -> Any:
        return self._classes.keys()

    def values(self) -> Any:
        return [self[name] for name in self._classes]

    def items(self) -> Any:
        return [(name, self[name]) for name in self._classes]

    def entered(self) -> list[tuple[str, Any]]:
        """The names and classes of the modules that are loaded."""
        return [(name, cls) for name, cls in self._classes.items() if cls is not None]


KINDS = Registry(MODULES)
