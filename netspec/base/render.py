"""Diagnostics as text: the message, the lines it speaks of, and what to do.

What is shown of a spec is made safe and straight first: tabs become spaces, control characters become visible, and the
marks below count the columns that a terminal gives each character, so that they stand right under wide letters too.
"""

from __future__ import annotations

from functools import lru_cache

from .record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .diagnostic import Diagnostic, Label
    from .source import Source

TAB = 4
# a line wider than this is cut around what is marked
WIDEST = 120
_BEFORE = 40  # what is kept in front of the mark then
_CUT = "..."
# places that a diagnostic shows beside its own
_MOST_PLACES = 20
# diagnostics that are shown at once
_MOST_SHOWN = 50
# characters on each side of a mark that are laid out, and those of a message that are shown
_LONG = 1_000

_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "strong": "1",
    "gutter": "34",
    "primary": "1;31",
    "other": "36",
    "help": "32",
    "dim": "2",
    "good": "32",
    "bad": "31",
}


def paint(text: str, style: str, colour: bool) -> str:
    """The text in a style, where colour is wanted."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if colour and text else text


# --- characters --------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """The text with control characters made visible, so that none reaches the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in " \u3000\xa0" or _joins(c) else _visible(c) for c in text)


def _joins(character: str) -> bool:
    return character in "\u200c\u200d"


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


# what stands before the commands that GitHub, Azure and TeamCity look for anywhere in a line of a log
_COMMANDS = ("##[", "##vso[", "##teamcity[")


def inert(line: str) -> str:
    """A line with a blank put into what a service would take for a command when it reads the log of a run.

    A GitHub workflow command is a line that begins with `::`, whatever blanks stand before it.
    """
    if "::" in line and line.lstrip().startswith("::"):
        line = line.replace("::", ": :", 1)
    return inert_part(line)


def inert_part(text: str) -> str:
    """The same of a text that begins no line."""
    for command in _COMMANDS if "##" in text else ():
        text = text.replace(command, f"{command[:-1]} [")
    return text


def _short(text: str) -> str:
    """What is said, safe to show; the end of it left out where it goes on and on."""
    return clean(text if len(text) <= _LONG else text[:_LONG] + _CUT)


def width(text: str) -> int:
    """The columns that a terminal gives a text."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(1024)
def _columns(character: str) -> int:
    if character < "\u0300" or "\u2500" <= character <= "\u257f":  # Latin, and the lines of tables
        return 1
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


class Shown(Record):
    """A line as it is printed: its text, and the column at which each character of the source begins."""

    text: str
    columns: tuple[int, ...]

    def column(self, offset: int) -> int:
        """The printed column of a place in the line; past the end, one column for each."""
        last = len(self.columns) - 1
        return self.columns[offset] if offset <= last else self.columns[last]


def show_line(line: str) -> Shown:
    """Lay out a line of the source."""
    if line.isascii() and line.isprintable():
        return Shown(line, tuple(range(len(line) + 1)))
    parts, columns, place = [], [0], 0
    for character in line:
        part = " " * (TAB - place % TAB) if character == "\t" else clean(character)
        place += width(part)
        parts.append(part)
        columns.append(place)
    return Shown("".join(parts), tuple(columns))


def _cut(text: str, start: int, end: int) -> str:
    """The printed columns `start` to `end` of a text; half of a wide character counts as out."""
    if text.isascii():
        return text[start:end]
    kept, place = [], 0
    for character in text:
        after = place + _columns(character)
        if place >= start and after <= end:
            kept.append(character)
        elif place < start < after:
            kept.append(" ")
        place = after
    return "".join(kept)


# --- regions -----------------------------------------------------------------------------------------------------


class _Mark(Record):
    """A region as it falls on its first line: where its characters begin and end there, and what is said of it."""

    line: int
    start: int
    end: int
    text: str
    main: bool

    def columns(self, shown: Shown, first: int) -> tuple[int, int]:
        """The columns of the region where a line is shown from its character `first` on."""
        start = shown.column(self.start - first)
        return start, max(shown.column(self.end - first), start + 1)


def _mark(source: Source, label: Label, main: bool) -> _Mark:
    span = label.span
    line, column = source.position(span.start)
    size = len(source.line(line))
    begin = min(column - 1, size)
    return _Mark(line, begin, min(begin + max(span.end - span.start, 0), size), _short(label.text), main)


def _snippet(source: Source, number: int, marks: Sequence[_Mark], gutter: int, colour: bool) -> list[str]:
    """One line of the source and a line under it for each mark."""
    text = source.line(number)
    # of a line that goes on and on only what is around the marks is laid out
    begin = max(marks[0].start - _LONG, 0) if len(text) > 2 * _LONG else 0
    shown = show_line(text[begin : begin + 2 * _LONG])
    places = [mark.columns(shown, begin) for mark in marks]
    first, last = 0, width(shown.text)
    if last > WIDEST:
        first = max(places[0][0] - _BEFORE, 0)
        last = min(first + WIDEST, last)
    lead = _CUT if first or begin else ""
    tail = _CUT if last < width(shown.text) or begin + 2 * _LONG < len(text) else ""
    bar = paint(f"{number:>{gutter}} |", "gutter", colour)
    lines = [f"{bar} {lead}{_cut(shown.text, first, last)}{tail}".rstrip()]
    empty = paint(" " * gutter + " |", "gutter", colour)
    for mark, (start, end) in zip(marks, places):
        pad = " " * (len(lead) + start - first)
        size = max(min(end, last) - start, 1)
        style, sign = ("primary", "^") if mark.main else ("other", "-")
        under = sign * size + (f" {mark.text}" if mark.text else "")
        lines.append(f"{empty} {pad}{paint(under, style, colour)}")
    return lines


def _groups(marks: Sequence[_Mark]) -> list[list[_Mark]]:
    """Marks of one line together, in the order of the file; apart where they are too far apart to show at once."""
    groups: list[list[_Mark]] = []
    for mark in sorted(marks, key=lambda m: (m.line, m.start)):
        group = groups[-1] if groups else []
        if group and group[0].line == mark.line and mark.end - group[0].start <= WIDEST - _BEFORE:
            group.append(mark)
        else:
            groups.append([mark])
    return groups


def _regions(source: Source, marks: Sequence[_Mark], gutter: int, colour: bool) -> list[str]:
    """The marked lines of one source; `...` where lines between them are left out."""
    lines: list[str] = []
    before = 0
    for group in _groups(marks):
        number = group[0].line
        if before and number > before + 1:
            lines.append(paint(" " * gutter + "...", "gutter", colour))
        lines += _snippet(source, number, group, gutter, colour)
        before = number
    return lines


# --- a diagnostic ------------------------------------------------------------------------------------------------


def render_all(diagnostics: Sequence[Diagnostic], colour: bool = False) -> str:
    """Diagnostics as a person reads them; of very many some, errors first, and how many are left out."""
    errors = [d for d in diagnostics if d.severity == "error"]
    others = [d for d in diagnostics if d.severity != "error"]
    kept = {id(d) for d in [*errors, *others][:_MOST_SHOWN]}
    texts = [render(d, colour) for d in diagnostics if id(d) in kept]
    counts = {"error": len(errors[_MOST_SHOWN:]), "warning": len(errors) + len(others) - _MOST_SHOWN}
    counts["warning"] = max(counts["warning"] - counts["error"], 0)
    left = " and ".join(f"{n:,} {word}{'s' * (n > 1)}" for word, n in counts.items() if n)
    return "\n\n".join([*texts, f"{left} more; `--format json` lists all"] if left else texts)


def render(diagnostic: Diagnostic, colour: bool = False) -> str:
    """A diagnostic as a person reads it, without a line end after it."""
    labels = [(diagnostic.primary, True), *((label, False) for label in diagnostic.others[:_MOST_PLACES])]
    sources: dict[int, tuple[Source, list[_Mark]]] = {}
    for label, main in labels:
        source = label.span.source
        sources.setdefault(id(source), (source, []))[1].append(_mark(source, label, main))
    gutter = max(len(str(m.line)) for _, marks in sources.values() for m in marks)
    head = paint(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity, colour)
    lines = [f"{head}{paint(f': {_short(diagnostic.message)}', 'strong', colour)}"]
    arrow, empty = "-->", paint(" " * gutter + " |", "gutter", colour)
    for source, marks in sources.values():
        line, column = source.position(_first(labels, source).span.start)
        place = f"{clean(source.name)}:{line}:{column}"
        lines += [f"{' ' * gutter}{paint(arrow, 'gutter', colour)} {place}", empty]
        lines += _regions(source, marks, gutter, colour)
        arrow = ":::"
    return "\n".join([*lines, *_advice(diagnostic, gutter, colour)])


def _first(labels: Sequence[tuple[Label, bool]], source: Source) -> Label:
    return next(label for label, _ in labels if label.span.source is source)


def _advice(diagnostic: Diagnostic, gutter: int, colour: bool) -> list[str]:
    """What to do, and where in the net this is, each on its line."""
    told = [("help", diagnostic.help)] if diagnostic.help else []
    told += [("note", note) for note in diagnostic.notes]
    left = len(diagnostic.others) - _MOST_PLACES
    told += [("note", f"{left:,} more places are left out")] * (left > 0)
    if not told:
        return []
    pad = " " * (gutter + 1)
    lines = [paint(f"{pad}|", "gutter", colour)]
    for word, text in told:
        body = f"\n{pad}        ".join(map(_short, text.split("\n")))
        lines.append(f"{pad}{paint('=', 'gutter', colour)} {paint(word, 'help', colour)}: {body}")
    return lines
