"""`netspec layers`: the reference of the layers."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..layers import LAYERS
from . import OK
from .manual import listing, page
from .options import UsageError
from .parser import Parser

if TYPE_CHECKING:
    from .screen import Console


def run(words: list[str], screen: Console) -> int:
    parser = Parser("layers", screen, "The layers of the language; with NAME, all that there is to know of one.")
    parser.add_argument("name", metavar="NAME", nargs="?", help="a layer, such as conv")
    name = parser.read(words).name
    if name is None:
        screen.result(listing())
        return OK
    if name not in LAYERS:
        from ..base.diagnostics import did_you_mean
        from ..layers.foreign import help_for

        hint = help_for(name) or did_you_mean(name, LAYERS) or "`netspec layers` lists them"
        raise UsageError(f"there is no layer `{name}`; {hint}")
    screen.result(page(LAYERS[name]))
    return OK
