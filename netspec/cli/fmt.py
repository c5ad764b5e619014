"""`netspec fmt`: the canonical layout of specs, written back, checked for, or shown as a difference."""

from __future__ import annotations

from ..base.diagnostics import Collector
from ..base.record import TYPE_CHECKING, Record
from ..files import STDIN, ReadError, WriteError, decode, read_data, write_file
from ..syntax.printer import format_source
from . import MISUSED, OK, WRONG
from .options import UsageError
from .parser import Parser
from .specs import spec_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from .options import CommandLine
    from .screen import Console

_ABOUT = """The canonical layout: two spaces a level, a statement a line, comments where they were. A block that stands
on one line stays there while it fits in 120 columns, and a chain keeps its breaks before `->`. Files are rewritten in
place; standard input goes to standard output."""


class Formatted(Record):
    """One text before and after."""

    name: str
    before: bytes
    after: bytes

    @property
    def changed(self) -> bool:
        return self.before != self.after


def run(words: list[str], screen: Console) -> int:
    options = _options(words, screen)
    status, changed = OK, 0
    for path in dict.fromkeys(file for file, _ in spec_files(options.files)):
        try:
            found = _format(path, screen)
            if found is None:
                status = max(status, WRONG)
                continue
            changed += found.changed
            _DEED[options.check, options.diff](path, found, screen)
        except (ReadError, WriteError) as error:
            screen.complain(str(error))
            status = MISUSED
    if options.check and changed:
        screen.note(f"{changed} file{'s' * (changed > 1)} would change")
        status = max(status, WRONG)
    return status


def _options(words: list[str], screen: Console) -> CommandLine:
    parser = Parser("fmt", screen, _ABOUT)
    parser.add_argument("files", metavar="FILE", nargs="+", help="a spec, a folder of them, or - for standard input")
    parser.add_argument(
        "--check", action="store_true", help="change nothing: name the files that would change, and exit 1"
    )
    parser.add_argument("--diff", action="store_true", help="change nothing: show what would change")
    options = parser.read(words)
    if options.files.count(STDIN) > 1:
        raise UsageError("standard input can be read only once")
    return options


def _format(path: str, screen: Console) -> Formatted | None:
    """A file laid out anew, with the line ends that it has; None where it does not parse. Raises ReadError."""
    before = read_data(path)
    source = decode(path, before)
    faults = Collector()
    text = format_source(source, faults)
    screen.diagnostics(faults.all)
    if text is None:
        return None
    first, end, _ = before.partition(b"\n")
    after = text.encode()
    return Formatted(source.name, before, after.replace(b"\n", b"\r\n") if end and first.endswith(b"\r") else after)


# --- what is done with it ------------------------------------------------------------------------------------------


def _write(path: str, found: Formatted, screen: Console) -> None:
    if path == STDIN:
        screen.data(found.after)
    elif found.changed:
        write_file(path, found.after)
        screen.note(f"formatted {path}")


def _name(path: str, found: Formatted, screen: Console) -> None:
    if found.changed:
        from ..base.render import clean

        screen.result(clean(found.name))


def _diff(path: str, found: Formatted, screen: Console) -> None:
    if not found.changed:
        return
    from difflib import unified_diff

    from ..base.render import clean

    name = clean(found.name)
    before, after = (_lines(data) for data in (found.before, found.after))
    text = "".join(unified_diff(before, after, name, name)).rstrip("\n")
    if screen.paints or screen.watched:
        screen.result("\n".join(_painted(line, screen.paints) for line in text.split("\n")))
    else:
        screen.record(text)  # for `patch`, which wants the text as it is


def _lines(data: bytes) -> list[str]:
    """The lines with their ends; what has no end is told of as `diff` does."""
    text = data.decode()
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([f"{last}\n\\ No newline at end of file\n"] if last else [])


def _painted(line: str, colour: bool) -> str:
    from ..base.render import clean, paint

    return paint(clean(line), {"-": "bad", "+": "good", "@": "gutter"}.get(line[:1], "dim"), colour)


# by --check and --diff
_DEED: dict[tuple[bool, bool], Callable[[str, Formatted, Console], None]] = {
    (False, False): _write,
    (True, False): _name,
    (False, True): _diff,
    (True, True): _diff,
}
