"""`netspec build`: framework code, on standard output or in a file."""

from __future__ import annotations

from ..base.diagnostics import SpecError
from ..base.record import TYPE_CHECKING
from ..codegen.pipeline import BACKENDS, PHASES, text_after
from . import OK, WRONG
from .options import UsageError
from .output import add_output, put
from .parser import Parser
from .specs import add_net_options, checked

if TYPE_CHECKING:
    from .screen import Console

_FORMS = (
    "the form of code, for torch: module (default), or export, whose recurrences keep lengths open in torch.export and"
    " ONNX; for keras: functional (default), sequential or subclass"
)


def run(words: list[str], screen: Console) -> int:
    parser = Parser("build", screen, "Framework code that reads as if written by hand, and needs nothing of netspec.")
    parser.add_argument("file", metavar="FILE", help="a spec, or - for standard input")
    add_net_options(parser)
    parser.add_argument("--to", choices=BACKENDS, required=True, help="the framework")
    parser.add_argument("--style", choices=[s for styles in BACKENDS.values() for s in styles], help=_FORMS)
    parser.add_argument(
        "--stop-after",
        metavar="PHASE",
        choices=PHASES,
        default=PHASES[-1],
        help=f"print what stands behind a phase of the compiler: {', '.join(PHASES[:-1])}",
    )
    add_output(parser, "a .py file (default: standard output)")
    options = parser.read(words)
    styles, style = BACKENDS[options.to], options.style or ""
    if style and style not in styles:
        raise UsageError(f"--style {style} is not for {options.to}, which has {', '.join(styles)}")
    net = checked(options.file, options, screen)
    if net is None:
        return WRONG
    try:
        text = text_after(options.stop_after, net, options.to, style)
    except SpecError as error:
        screen.diagnostics(error.diagnostics)
        return WRONG
    put(text.encode(), options.output, options.file, screen)
    return OK
