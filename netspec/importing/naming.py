"""Names that a spec may have: each once, none of them a word of the language or of a layer."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from ..consteval import FUNCTIONS
from ..layers.base import LAYERS
from ..syntax import tables
from ..syntax.situation import DEFINITION_WORDS, IMPORT_WORDS, STATEMENT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z_]\w*")
_LONGEST = 200
_TAKEN = frozenset((*tables.WORDS, "identity", "expect"))
# words of the language that mean something only where a statement begins; `for` and `if` do so in expressions, too
_SOFT = frozenset((*DEFINITION_WORDS, *IMPORT_WORDS, *STATEMENT_WORDS)) - {"for", "if"}


def is_name(text: str) -> bool:
    """Can a step or value be called so as it is?"""
    return bool(_NAME.fullmatch(text)) and text.isascii() and len(text) <= _LONGEST and text not in _TAKEN - _SOFT


def reserved(text: str) -> bool:
    """Does a name mean something already?"""
    return text in _TAKEN or text in LAYERS or text in FUNCTIONS


def cleaned(text: str, usual: str) -> str:
    """A name that is near to a text."""
    found = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:_LONGEST]
    if not found:
        return usual
    found = f"{usual}_{found}" if found[0].isdigit() else found
    return f"{found}_" if reserved(found) else found


class NameSupply:
    """The names of one body."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def new(self, stem: str) -> str:
        """A name that is not taken: `y`, `y2`, ..."""
        number, name = 1 - reserved(stem), stem
        while name in self.taken or reserved(name):
            number += 1
            name = f"{stem}{number}" if not stem[-1:].isdigit() else f"{stem}_{number}"
        self.taken.add(name)
        return name

    def chosen(self, text: str) -> str:
        """A name near to a text that is not taken."""
        return self.new(cleaned(text, "w"))
