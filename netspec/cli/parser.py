"""The options of a command, declared once and read."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .options import CommandLine, OptionDeclaration
from .screen import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .screen import Console


class Parser:
    """The options of one command.

    A plain command line is read here. What is not plain (a question for help, a wrong word, a short form) goes to
    argparse, which knows all about these; loading it costs a tenth of a whole `netspec check`.
    """

    def __init__(self, command: str, screen: Console, about: str) -> None:
        self.command, self.screen, self.about = command, screen, about
        self.declared: list[OptionDeclaration] = []
        self.add_argument("-q", "--quiet", action="store_true", help="say only what is wrong")
        self.add_argument("--color", choices=COLOURS, default="auto", help="colour the output (default: on a terminal)")

    def add_argument(self, *names: str, **how: Any) -> None:
        self.declared.append(OptionDeclaration(names, how))

    def read(self, words: Sequence[str]) -> CommandLine:
        """The options of a command line; the screen is set to what they say. Raises UsageError and Exit."""
        found = self.plain(words)
        if found is None:
            from .usage import read

            found = read(self.command, self.about, self.declared, words, self.screen)
        self.screen.colour = found.color
        self.screen.quiet = found.quiet
        return found

    def plain(self, words: Sequence[str]) -> CommandLine | None:
        """The options of a command line that is plain and right; None for any other."""
        places = [d for d in self.declared if d.positional]
        known = {name: d for d in self.declared for name in d.names if not d.positional}
        given: dict[str, Any] = {}
        loose: list[str] = []
        rest = iter(words)
        for word in rest:
            if not word.startswith("-") or word == "-":
                loose.append(word)
            elif not _option(word, known, rest, given):
                return None
        if len(places) == 1 and places[0].fits(len(loose)):
            if places[0].how.get("nargs", "?") != "?":
                given[places[0].key] = loose
            elif loose:
                given[places[0].key] = loose[0]
        elif len(places) == len(loose) and not any("nargs" in d.how for d in places):
            given.update((d.key, word) for d, word in zip(places, loose))
        else:
            return None
        if any(d.how.get("required") and d.key not in given for d in self.declared):
            return None
        return CommandLine(**{**{d.key: d.default for d in self.declared}, **given})


def _option(word: str, known: dict[str, OptionDeclaration], rest: Iterator[str], given: dict[str, Any]) -> bool:
    """Take an option with its value; False where it is not plain."""
    name, sign, text = word.partition("=")
    declared = known.get(name)
    if declared is None or "nargs" in declared.how:
        return False
    if declared.flag:
        given[declared.key] = True
        return not sign
    if not sign:
        text = next(rest, "-")
        if text.startswith("-") and text != "-":
            return False
    try:
        value = declared.value(text)
    except ValueError:
        return False
    if declared.how.get("action") == "append":
        value = [*given.get(declared.key, declared.default or ()), value]
    given[declared.key] = value
    return True
