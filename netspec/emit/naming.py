"""Names of the spec as names in Python."""

from __future__ import annotations

import keyword
from unicodedata import normalize

# what generated code itself calls
BUILTINS = frozenset(("abs", "enumerate", "float", "int", "len", "list", "math", "max", "min", "range"))
BUILTINS |= frozenset(("round", "sum", "super", "tuple", "zip"))


def safe(name: str, reserved: frozenset[str] | set[str] = frozenset()) -> str:
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
