"""Names of the spec as names in Python."""

from __future__ import annotations

import builtins
import keyword
from unicodedata import normalize

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

# what generated code itself calls
BUILTINS = frozenset(("abs", "enumerate", "float", "int", "len", "list", "math", "max", "min", "range"))
BUILTINS |= frozenset(("round", "sum", "super", "tuple", "zip"))

# what no function or class of a file may be called: all else of the file, the pieces that it carries along too, would
# take it for Python's own
AT_THE_TOP = frozenset((*dir(builtins), "functools", "math", "partial"))


class Names:
    """The names of several sets, which may be large and go on growing."""

    def __init__(self, *sets: Container[str]) -> None:
        self.sets = sets

    def __contains__(self, name: object) -> bool:
        return any(name in names for names in self.sets)


def safe(name: str, reserved: Container[str] = frozenset()) -> str:
    """A name that Python takes, and that hides nothing."""
    # Python reads names in this form, so that two spellings may be one name
    plain = normalize("NFKC", name)
    cleaned = plain
    if not f"a{plain}".isidentifier():
        cleaned = "_".join("".join(c if f"a{c}".isidentifier() else " " for c in plain).split())
    if not cleaned.strip("_"):
        cleaned = "value"  # `_` is what nobody takes
    if cleaned.startswith("__"):
        # Python has `__name__` to itself, and puts the name of a class before `__name` in it
        cleaned = "_" + cleaned.strip("_")
    if not cleaned.isidentifier():
        cleaned = "_" + cleaned
    while keyword.iskeyword(cleaned) or cleaned in reserved:
        cleaned += "_"
    return cleaned
