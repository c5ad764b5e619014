"""`netspec import`: a spec from a model."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..importing.reading import READERS, read_model
from . import OK, WRONG
from .output import add_output, put
from .parser import Parser

if TYPE_CHECKING:
    from .screen import Console

_ABOUT = """A spec from a model, as a person would write it: modules become blocks, what is repeated becomes a loop, and
names stay. Nothing in the model is executed. It is proved, step by step, to be the model. What was not understood is
listed with its place, the rest is written, and the exit status is 1."""


def run(words: list[str], screen: Console) -> int:
    parser = Parser("import", screen, _ABOUT)
    parser.add_argument("model", metavar="MODEL", help=f"a file that ends in {' or '.join(READERS)}")
    add_output(parser, "a file for the spec (default: standard output)")
    options = parser.read(words)
    from ..importing.writer import write_spec

    found = write_spec(read_model(options.model))
    put(found.text.encode(), options.output, options.model, screen)
    for note in found.notes:
        screen.note(note)
    if found.faults:
        screen.complain(f"not understood in {options.model}:", *(f"  {fault}" for fault in found.faults))
        return WRONG
    return OK
