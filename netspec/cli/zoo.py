"""`netspec zoo`: the specs that ship with netspec, with their figures and the published ones."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..files import ZOO
from ..zoo import applications, entries, fits, measured
from . import OK
from .output import add_output, put
from .parser import Parser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..zoo import Entry
    from .screen import Console

_ABOUT = f"""The specs that ship with netspec, their figures, and behind each what was published of it.
`{ZOO}NAME` stands for such a spec wherever a command takes a file: netspec check {ZOO}resnet50."""
_HEADS = ("name", "settings", "parameters", "published", "MACs", "published", "what it is")
_PAGE = f"""# The zoo

The networks that ship with netspec, made by `netspec zoo --format markdown -o docs/zoo.md`. `{ZOO}NAME` stands for one
wherever a command takes a file: `netspec check {ZOO}resnet50`. Each spec holds its figures in `expect` lines.

MACs are multiply-accumulates of convolutions and matrix products for one sample. Parameters are all learned numbers,
those that a spec holds still among them; some authors leave these out, some count the running means and variances of
batch norm, too. A published figure agrees with ours where one of these counts rounds to it or is cut off at it. Where
none does (≠), the comment in the spec says why, or that it is not known.

| name | parameters | published | MACs | published | source of the figures |
| --- | ---: | ---: | ---: | ---: | --- |
"""
# where the pictures are, from the page on
_PICTURES = "pictures/zoo"
_VERIFIED = """
## How far their forms agree

What `netspec verify` found: the largest difference between the PyTorch model, the Keras model and NumPy with the same
random weights, relative to the largest number of the output, of the layer or of the gradient. Outputs and layers are
in float32, gradients in float64; a layer above 1e-4 agrees in float64. Where rounding grows past 1e-2, all is in
float64. The largest nets saw small images: the weights are the same. The seconds were taken on two cores that had other
work. `python -m bench.zoo verify` runs it and takes hours, so a row can be older than its spec, and a net that has none
was not run yet.

| name | with | outputs | layers | gradients | seconds |
| --- | --- | ---: | ---: | ---: | ---: |"""

_KERAS = """
## What Keras has as well

With these settings a spec is the network that Keras ships: a test gives Keras's own model random weights, carries them
over to the models that we generate, matched by structure, and compares the outputs in float64. They agree to 1e-9 of
the largest number; in Keras's form of inception_resnet_v2 to 1e-6, since its layer for a factor keeps that in float32.

| keras.applications | spec | settings |
| --- | --- | --- |"""


def run(words: list[str], screen: Console) -> int:
    parser = Parser("zoo", screen, _ABOUT)
    parser.add_argument("names", metavar="NAME", nargs="*", help="a spec, such as resnet50 (default: all)")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    add_output(parser, "a file (default: standard output)")
    options = parser.read(words)
    found = entries([name.removeprefix(ZOO) for name in options.names] or None)
    put((FORMATS[options.format](found) + "\n").encode(), options.output, "", screen)
    return OK


def _table(found: Sequence[Entry]) -> str:
    """Words to the left, figures to the right."""
    rows = [_HEADS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [cell.rjust(w) if 2 <= i < 6 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _row(entry: Entry) -> tuple[str, ...]:
    found, told = entry.counted, entry.published
    params, macs = (told.params, told.macs) if told is not None else ("", "")
    return found.name, found.settings, _figure(found.params), params, _figure(found.macs), macs, found.title


def _figure(count: int | str) -> str:
    return count if isinstance(count, str) else f"{count:,}"


def _markdown(found: Sequence[Entry]) -> str:
    """A page: the table, and what each net is with its source."""
    lines: list[str] = []
    seen: list[Entry] = []
    for entry in found:
        name = f"[{entry.name}](../specs/{entry.name}.net)"
        lines.append(f"| {name}{f' `{entry.settings}`' if entry.settings else ''} | {' | '.join(_figures(entry))} |")
        if not any(other.name == entry.name for other in seen):
            seen.append(entry)
    told = (
        f"**{e.name}**: {e.counted.title}. {e.counted.origin}\n\n![{e.name}]({_PICTURES}/{e.name}.svg)\n" for e in seen
    )
    names = [entry.name for entry in seen]
    lines += [*_twins(names), *_measurements(names)]
    return _PAGE + "\n".join([*lines, "", "## Where they come from", "", *told]).rstrip("\n")


def _figures(entry: Entry) -> tuple[str, ...]:
    found, told = entry.counted, entry.published
    params, macs, source = (told.params, told.macs, told.source) if told is not None else ("", "", "")
    return (
        _exact(found.params),
        params if not params or fits(params, *entry.counts) else f"≠ {params}",
        _exact(found.macs),
        macs if not macs or fits(macs, found.macs) else f"≠ {macs}",
        source,
    )


def _exact(count: int | str) -> str:
    """A count; one with symbols as code, since Markdown would take its `*` for emphasis."""
    return f"`{count}`" if isinstance(count, str) else _figure(count)


def _twins(names: Sequence[str]) -> list[str]:
    """The table of the nets that Keras has as well, or nothing where it has none of these."""
    rows = [a for a in applications() if a.net in names]
    told = [f"| {a.application} | {a.net} | {f'`{a.settings}`' if a.settings else ''} |" for a in rows]
    return [_KERAS, *told] if told else []


def _measurements(names: Sequence[str]) -> list[str]:
    """The table of what was found when the nets were verified, or nothing where none was."""
    known = measured()
    rows = [known[name] for name in names if name in known]
    told = ({**row.__dict__, "settings": f"`{row.settings}`" if row.settings else ""} for row in rows)
    return [_VERIFIED, *(f"| {' | '.join(cells.values())} |" for cells in told)] if rows else []


FORMATS: dict[str, Callable[[Sequence[Entry]], str]] = {"table": _table, "markdown": _markdown}
