"""`netspec build`: framework code, on standard output or in a file."""

from __future__ import annotations

from ..diagnostics import SpecError
from ..record import TYPE_CHECKING
from . import OK, WRONG
from .options import Misuse, Parser, add_net_options, examine
from .output import add_output, put

if TYPE_CHECKING:
    from ..ir import CheckedNet
    from .screen import Screen

# the first is what is written unless another is asked for
STYLES = {"torch": ("module",), "keras": ("functional", "sequential", "subclass")}


def run(words: list[str], screen: Screen) -> int:
    parser = Parser("build", screen, "Framework code that reads as if written by hand, and needs nothing of netspec.")
    parser.add_argument("file", metavar="FILE", help="a spec, or - for standard input")
    add_net_options(parser)
    parser.add_argument("--to", choices=STYLES, required=True, help="the framework")
    parser.add_argument("--style", choices=[s for styles in STYLES.values() for s in styles], help="the form of code")
    add_output(parser, "a .py file (default: standard output)")
    options = parser.read(words)
    style = options.style or STYLES[options.to][0]
    if style not in STYLES[options.to]:
        raise Misuse(f"--style {style} is not for {options.to}, which has {', '.join(STYLES[options.to])}")
    verdict = examine(options.file, options)
    screen.diagnostics(verdict.diagnostics)
    if verdict.checked is None or not verdict.ok:
        return WRONG
    try:
        text = emit(verdict.checked, options.to, style)
    except SpecError as error:
        screen.diagnostics(error.diagnostics)
        return WRONG
    put(text.encode(), options.output, options.file, screen)
    return OK


def emit(net: CheckedNet, framework: str, style: str) -> str:
    """The code of a net for a framework. Raises SpecError."""
    if framework == "torch":
        from ..emit import torch

        return torch.emit(net)
    from ..emit import keras

    return keras.emit(net, style)
