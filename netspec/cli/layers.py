"""`netspec layers`: the reference of the layers."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from . import OK
from .options import UsageError
from .pages import LISTING, kept
from .parser import Parser

if TYPE_CHECKING:
    from .screen import Console


def run(words: list[str], screen: Console) -> int:
    parser = Parser("layers", screen, "The layers of the language; with NAME, all that there is to know of one.")
    parser.add_argument("name", metavar="NAME", nargs="?", help="a layer, such as conv")
    name = parser.read(words).name
    screen.result(kept(LISTING if name is None else name) or _made(name))
    return OK


def _made(name: str) -> str:
    """The page of a layer that came after the pages were made. Raises UsageError where there is no such layer."""
    from ..layers import LAYERS

    if name not in LAYERS:
        from ..base.diagnostics import did_you_mean
        from ..layers.foreign import help_for

        hint = help_for(name) or did_you_mean(name, LAYERS) or "`netspec layers` lists them"
        raise UsageError(f"there is no layer `{name}`; {hint}")
    from .manual import page

    return page(LAYERS[name])
