"""`netspec draw`: a diagram as DOT on standard output, or as a picture in a file."""

from __future__ import annotations

import os

from ..base.record import TYPE_CHECKING
from ..diagram.canvas import TooManyBoxes
from ..diagram.dot import DIRECTIONS, dot
from ..diagram.theme import THEMES
from . import OK, WRONG
from .options import UsageError, whole
from .output import add_output, put
from .parser import Parser
from .specs import add_net_options, checked

if TYPE_CHECKING:
    from .screen import Console

_DOT = ("dot", "gv")


def run(words: list[str], screen: Console) -> int:
    parser = Parser("draw", screen, "A diagram: blocks as frames, what is repeated drawn once with its count.")
    parser.add_argument("file", metavar="FILE", help="a spec, or - for standard input")
    add_net_options(parser)
    add_output(parser, "a file; its suffix picks the form: .dot .svg .png .pdf .html (default: DOT on standard output)")
    parser.add_argument(
        "--depth", metavar="N", type=whole(0), help="levels of blocks that are opened (default: what fits a page)"
    )
    parser.add_argument(
        "--unroll", metavar="N", type=whole(1), default=0, help="draw N steps of a recurrence (default: a loop)"
    )
    parser.add_argument("--direction", choices=DIRECTIONS, default="TB", help="top to bottom, or left to right")
    parser.add_argument("--theme", choices=THEMES, default="light", help="default: light")
    options = parser.read(words)
    suffix = _suffix(options.output)
    net = checked(options.file, options, screen)
    if net is None:
        return WRONG
    try:
        text = dot(net, options.depth, options.direction, options.theme, options.unroll)
    except TooManyBoxes as error:
        raise UsageError(str(error)) from None
    put(text.encode() if suffix in _DOT else _picture(text, suffix), options.output, options.file, screen)
    return OK


def _suffix(output: str | None) -> str:
    """The form that is asked for. Raises UsageError for one that there is not."""
    if output is None or output == "-":
        return _DOT[0]
    suffix = os.path.splitext(output)[1].lower().lstrip(".")
    from ..diagram.render import SUFFIXES

    known = (*_DOT, *SUFFIXES)
    if suffix not in known:
        shown = f"`.{suffix}` is no form of picture" if suffix else f"{output} has no suffix"
        raise UsageError(f"{shown}; there are {' '.join('.' + s for s in known)}")
    return suffix


def _picture(text: str, suffix: str) -> bytes:
    """The picture of a DOT text. Raises UsageError where there is no Graphviz."""
    from ..diagram.render import MissingGraphviz, draw

    try:
        return draw(text, suffix)
    except MissingGraphviz as error:
        raise UsageError(str(error)) from None
