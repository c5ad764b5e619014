"""Names of the spec as names in Python."""

from __future__ import annotations

import keyword
from unicodedata import normalize

# what generated code itself calls
BUILTINS = frozenset(
    ("abs", "enumerate", "float", "len", "list", "max", "min", "range", "round", "sum", "super", "tuple", "zip")
)


def safe(name: str, reserved: frozenset[str] | set[str] = frozenset()) -> str:
    """A name that Python takes, and that hides nothing."""
    # Python reads names in this form, so that two spellings may be one name
    plain = normalize("NFKC", name)
    cleaned = "".join(c if f"a{c}".isidentifier() else "_" for c in plain) or "value"
    if not cleaned.isidentifier():
        cleaned = "_" + cleaned
    while keyword.iskeyword(cleaned) or cleaned in reserved:
        cleaned += "_"
    return cleaned
