"""`netspec explain`: what a diagnostic means."""

from __future__ import annotations

import textwrap

from ..base.record import TYPE_CHECKING
from ..codes import CODES
from . import OK
from .options import UsageError
from .parser import Parser

if TYPE_CHECKING:
    from ..codes import DiagnosticKind
    from .screen import Console

_WIDTH = 88


def run(words: list[str], screen: Console) -> int:
    parser = Parser("explain", screen, "What a diagnostic means, with a wrong and a right example.")
    parser.add_argument("code", metavar="CODE", nargs="?", help="such as wrong-rank; without it, all are listed")
    code = parser.read(words).code
    if code is None:
        width = max(map(len, CODES))
        screen.result("\n".join(f"{name:<{width}}  {told.title}" for name, told in sorted(CODES.items())))
        return OK
    # what stands in a message is `error[wrong-rank]`: all of it may be pasted
    code = code.rpartition("[")[2].rstrip("]:").lower()
    if code not in CODES:
        from ..base.diagnostics import did_you_mean

        hint = did_you_mean(code, CODES) or "`netspec explain` lists them"
        raise UsageError(f"there is no diagnostic `{code}`; {hint}")
    screen.result(_page(code, CODES[code]))
    return OK


def _page(code: str, told: DiagnosticKind) -> str:
    parts = [f"{code}: {told.title}", textwrap.fill(" ".join(told.text.split()), _WIDTH)]
    for word, example in (("Wrong:", told.wrong), ("Right:", told.right)):
        parts += [word, textwrap.indent(example.rstrip(), "    ")]
    return "\n\n".join(parts)
