"""What commands declare of their options, and what a command line says."""

from __future__ import annotations

from ..base.errors import UserError
from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class UsageError(UserError):
    """The command was used wrongly."""


class BadValue(ValueError):
    """The text of an option is not what it takes; the message says so."""


class Exit(Exception):
    """All that was asked for, such as the help, has been shown."""


class CommandLine:
    """What a command line says: an attribute for each option."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class OptionDeclaration:
    """An option or an argument, as `add_argument` of argparse takes it."""

    def __init__(self, names: tuple[str, ...], how: dict[str, Any]) -> None:
        self.names, self.how = names, how
        longest = max(names, key=len).lstrip("-")
        self.key: str = how.get("dest", longest.replace("-", "_"))
        self.positional = not names[0].startswith("-")
        self.flag = how.get("action") == "store_true"
        self.default = how.get("default", False if self.flag else None)

    def value(self, text: str) -> Any:
        """What a text stands for. Raises ValueError."""
        value = self.how["type"](text) if "type" in self.how else text
        if "choices" in self.how and value not in self.how["choices"]:
            raise ValueError
        return value

    def fits(self, count: int) -> bool:
        """True if it takes so many words, where it is the only one that takes any."""
        nargs = self.how.get("nargs")
        return nargs == "*" or (count >= 1 if nargs == "+" else count <= 1 if nargs == "?" else count == 1)


def whole(least: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` up."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least:
            return int(text)
        raise BadValue(f"`{text}` is not a whole number of at least {least}")

    return read


def above_zero(text: str) -> float:
    """A number above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0
    if 0 < found < float("inf"):
        return found
    raise BadValue(f"`{text}` is not a number above 0")
