"""Command lines that are not plain, read with argparse: the help, short forms, and what is wrong with a word."""

from __future__ import annotations

import argparse
import os

from ..base.diagnostics import did_you_mean
from ..base.record import TYPE_CHECKING
from .options import BadValue, CommandLine, Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn

    from .options import OptionDeclaration
    from .screen import Console


def read(
    command: str, about: str, declared: Iterable[OptionDeclaration], words: Sequence[str], screen: Console
) -> CommandLine:
    """The options of a command line. Raises UsageError and Exit."""
    reader = _UsageReader(command, about, screen)
    for option in declared:
        how = option.how
        reader.add_argument(*option.names, **({**how, "type": _told(how["type"])} if "type" in how else how))
    found, odd = reader.parse_known_intermixed_args(words)
    if odd:
        reader.odd(odd[0])
    return CommandLine(**vars(found))


def _layout(prog: str) -> argparse.HelpFormatter:
    """The help as wide as the terminal; argparse would import `shutil` to ask for that, at each option it is told."""
    try:
        wide = os.get_terminal_size().columns
    except OSError:
        wide = 100
    return argparse.HelpFormatter(prog, width=min(wide, 100) - 2)


class _UsageReader(argparse.ArgumentParser):
    """A reader that raises instead of ending the process."""

    def __init__(self, command: str, about: str, screen: Console) -> None:
        super().__init__(f"netspec {command}", description=about, allow_abbrev=False, formatter_class=_layout)
        self.screen = screen

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; `{self.prog} --help` shows how it is called")

    def print_help(self, file: Any = None) -> None:
        self.screen.result(self.format_help().rstrip())

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Exit

    def odd(self, word: str) -> NoReturn:
        """Say that a word has no place on the command line."""
        if not word.startswith("-"):
            self.error(f"there is no place for `{word}`")
        name = word.partition("=")[0]
        hint = did_you_mean(name, self._option_string_actions)
        if hint:
            raise UsageError(f"there is no option {name}; {hint}")
        self.error(f"there is no option {name}")


def _told(reads: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader of values whose message argparse shows as it is."""

    def read(text: str) -> Any:
        try:
            return reads(text)
        except BadValue as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
