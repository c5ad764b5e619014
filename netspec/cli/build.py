"""`netspec build`: framework code, on standard output or in a file."""

from __future__ import annotations

from ..base.diagnostics import SpecError
from ..base.record import TYPE_CHECKING
from ..codegen.backends import keras, torch
from ..codegen.styles import TORCH
from . import OK, WRONG
from .options import Misuse, Parser, add_net_options, checked
from .output import add_output, put

if TYPE_CHECKING:
    from .screen import Screen

_EMIT = {"torch": torch.emit, "keras": keras.emit}
# the first is what is written unless another is asked for
_STYLES = {"torch": TORCH, "keras": tuple(keras.STYLES)}
_FORMS = (
    "the form of code, for torch: module (default), or export, whose recurrences keep lengths open in torch.export and"
    " ONNX; for keras: functional (default), sequential or subclass"
)


def run(words: list[str], screen: Screen) -> int:
    parser = Parser("build", screen, "Framework code that reads as if written by hand, and needs nothing of netspec.")
    parser.add_argument("file", metavar="FILE", help="a spec, or - for standard input")
    add_net_options(parser)
    parser.add_argument("--to", choices=_STYLES, required=True, help="the framework")
    parser.add_argument("--style", choices=[s for styles in _STYLES.values() for s in styles], help=_FORMS)
    add_output(parser, "a .py file (default: standard output)")
    options = parser.read(words)
    style = options.style or _STYLES[options.to][0]
    if style not in _STYLES[options.to]:
        raise Misuse(f"--style {style} is not for {options.to}, which has {', '.join(_STYLES[options.to])}")
    net = checked(options.file, options, screen)
    if net is None:
        return WRONG
    try:
        text = _EMIT[options.to](net, style)
    except SpecError as error:
        screen.diagnostics(error.diagnostics)
        return WRONG
    put(text.encode(), options.output, options.file, screen)
    return OK
