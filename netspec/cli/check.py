"""`netspec check`: figures on standard output in the form asked for, diagnostics on standard error."""

from __future__ import annotations

import os

from ..base.record import TYPE_CHECKING, Record
from ..elaborate.net import SettingError
from ..files import STDIN, ReadError
from ..report.report import BYTES, COUNTS, report
from . import MISUSED, OK, WRONG
from .options import UsageError, whole
from .parser import Parser
from .specs import add_net_options, examine, spec_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..api import Verdict
    from ..report.report import Report
    from .options import CommandLine
    from .screen import Console

_ABOUT = """Shapes, parameters and cost of every layer. MACs are multiply-accumulates of convolutions and matrix
products for one sample; activations are the numbers that all layers put out, for the batch of --batch."""
_OTHER_NAMES = {"layer": "name", "kind": "type", "output": "output_shape", "shape": "output_shape"} | {
    "parameters": "params",
    "sees": "receptive_field",
}
_WITH_COLUMNS = ("table", "csv", "markdown")


class Checked(Record):
    """One file with what became of it."""

    verdict: Verdict
    report: Report | None


def run(words: list[str], screen: Console) -> int:
    options = _options(words, screen)
    show = FORMATS[options.format]
    found, status = [], OK
    for path, inside in options.files:
        try:
            verdict = examine(path, options)
        except (ReadError, SettingError) as error:
            screen.complain(str(error))
            status = MISUSED
            continue
        if inside and verdict.is_library:
            screen.note(f"{path} has no net: it is there for others")
            continue
        checked = verdict.checked
        shown = checked if show is not None or not screen.quiet else None  # a net may have millions of rows
        made = None if shown is None else report(shown, options.batch, options.dtype, options.target)
        found.append(Checked(verdict, made))
        status = max(status, OK if verdict.ok else WRONG)
        if show is None:
            _table(found[-1], len(found) > 1, options, screen)
            screen.diagnostics(verdict.diagnostics)
    if show is not None:
        show(found, options, screen)
        screen.diagnostics(d for c in found for d in c.verdict.diagnostics)
    return status


def _options(words: list[str], screen: Console) -> CommandLine:
    parser = Parser("check", screen, _ABOUT)
    parser.add_argument("files", metavar="FILE", nargs="+", help="a spec, a folder of them, or - for standard input")
    add_net_options(parser)
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    parser.add_argument("--columns", metavar="NAME,NAME", help="the columns of a table, CSV or Markdown")
    parser.add_argument("--depth", metavar="N", type=whole(0), help="levels of blocks that are opened (default: all)")
    parser.add_argument("--batch", metavar="N", type=whole(1), default=1, help="samples that activations count")
    parser.add_argument("--dtype", choices=BYTES, default="float32", help="the type that bytes are counted in")
    parser.add_argument("--target", choices=COUNTS, help="say how this framework counts the parameters, too")
    options = parser.read(words)
    if options.files.count(STDIN) > 1:
        raise UsageError("standard input can be read only once")
    options.several = len(options.files) > 1 or os.path.isdir(options.files[0])
    options.files = spec_files(options.files)
    options.columns = _columns(options.columns, options.format)
    return options


def _columns(text: str | None, format: str) -> tuple[str, ...] | None:
    """The columns asked for. Raises UsageError for one that there is not."""
    if text is None:
        return None
    if format not in _WITH_COLUMNS:
        raise UsageError(f"--columns goes with the formats {', '.join(_WITH_COLUMNS)}, not with {format}")
    from ..base.diagnostics import did_you_mean
    from ..report.tables import COLUMNS

    found = []
    for word in text.split(","):
        name = _OTHER_NAMES.get(word.strip(), word.strip())
        if name not in COLUMNS:
            help = did_you_mean(name, [*COLUMNS, *_OTHER_NAMES]) or f"there are {', '.join(COLUMNS)}"
            raise UsageError(f"there is no column `{name}`; {help}")
        found.append(name)
    return tuple(found)


# --- the forms -----------------------------------------------------------------------------------------------------


def _table(checked: Checked, apart: bool, options: CommandLine, screen: Console) -> None:
    if checked.report is None or screen.quiet:
        return
    from ..report.tables import USUAL, table

    text = table(checked.report, options.columns or USUAL, options.depth, screen.paints, screen.ascii)
    screen.result("\n" + text if apart else text)


def _json(found: Sequence[Checked], options: CommandLine, screen: Console) -> None:
    from ..report.json import document, dumps

    made = [document(c.verdict.source.name, c.report, c.verdict.diagnostics, c.verdict.ok) for c in found]
    if options.several:
        screen.record(dumps(made))
    elif made:
        screen.record(dumps(made[0]))


def _csv(found: Sequence[Checked], options: CommandLine, screen: Console) -> None:
    from ..report.tables import PLAIN, csv

    reports = [c.report for c in found if c.report is not None]
    screen.record(csv(reports, options.columns or PLAIN, options.depth, options.several))


def _markdown(found: Sequence[Checked], options: CommandLine, screen: Console) -> None:
    from ..report.tables import USUAL, markdown

    reports = [c.report for c in found if c.report is not None]
    if reports:
        screen.result("\n\n".join(markdown(r, options.columns or USUAL, options.depth) for r in reports))


def _github(found: Sequence[Checked], options: CommandLine, screen: Console) -> None:
    from ..report.annotations import github

    text = github([d for c in found for d in c.verdict.diagnostics])
    if text:
        screen.record(text)


def _sarif(found: Sequence[Checked], options: CommandLine, screen: Console) -> None:
    from .. import _version
    from ..report.annotations import sarif
    from ..report.json import dumps

    screen.record(dumps(sarif([d for c in found for d in c.verdict.diagnostics], _version())))


# None is the table, which is shown file by file
FORMATS: dict[str, Callable[[Sequence[Checked], CommandLine, Console], None] | None] = {
    "table": None,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
    "github": _github,
    "sarif": _sarif,
}
