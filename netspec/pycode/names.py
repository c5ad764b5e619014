"""What an expression takes from around it: names, and values that are to be put in."""

from __future__ import annotations

import re
from keyword import iskeyword

from ..base.record import TYPE_CHECKING
from .expr import Raw, X, each_part, rebuild

if TYPE_CHECKING:
    from .expr import Code

# a name in an expression: no attribute, and no name of an argument
WORD = re.compile(r"(?<![\w.\"'])[^\W\d]\w*\b(?!=(?!=))")


def free_names(code: Code) -> set[str]:
    """The names that an expression takes from around it."""
    if isinstance(code, Raw):
        return {word for word in WORD.findall(code.text) if not iskeyword(word)}
    found: set[str] = set()

    def visit(part: Code) -> Code:
        found.update(free_names(part))
        return part

    each_part(code, visit)
    return found


def taken_by(code: Code) -> set[int]:
    """The values that an expression takes."""
    found: set[int] = set()
    rebuild(code, lambda part: found.add(part.index) if isinstance(part, X) else part)
    return found
