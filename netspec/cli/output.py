"""`-o OUT`: where a result goes."""

from __future__ import annotations

import os

from ..base.record import TYPE_CHECKING
from ..files import STDIN, write_file
from .options import UsageError

if TYPE_CHECKING:
    from .parser import Parser
    from .screen import Console


def add_output(parser: Parser, about: str) -> None:
    parser.add_argument("-o", "--output", metavar="OUT", help=about)


def put(data: bytes, output: str | None, spec: str, screen: Console) -> None:
    """Write a result to its file, or to standard output where none is named. Raises WriteError and UsageError."""
    if output is None or output == STDIN:
        screen.data(data)
        return
    if os.path.exists(output) and os.path.exists(spec) and os.path.samefile(output, spec):
        raise UsageError(f"{output} is the spec itself; name another file")
    write_file(output, data)
    screen.note(f"wrote {output}")
