"""The options that commands share, read with argparse."""

from __future__ import annotations

import argparse
import os

from ..api import Verdict, check
from ..base.diagnostics import did_you_mean
from ..base.record import TYPE_CHECKING
from ..elaborate.net import SettingError, read_setting
from ..files import read_source, specs_below
from .screen import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from ..ir.types import CheckedNet
    from .screen import Console


class UsageError(Exception):
    """The command was used wrongly."""


class Exit(Exception):
    """All that was asked for, such as the help, has been shown."""


def _layout(prog: str) -> argparse.HelpFormatter:
    """The help as wide as the terminal; argparse would import `shutil` to ask for that, at each option it is told."""
    try:
        wide = os.get_terminal_size().columns
    except OSError:
        wide = 100
    return argparse.HelpFormatter(prog, width=min(wide, 100) - 2)


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def __init__(self, command: str, screen: Console, about: str) -> None:
        super().__init__(f"netspec {command}", description=about, allow_abbrev=False, formatter_class=_layout)
        self.screen = screen
        self.add_argument("-q", "--quiet", action="store_true", help="say only what is wrong")
        self.add_argument("--color", choices=COLOURS, default="auto", help="colour the output (default: on a terminal)")

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; `{self.prog} --help` shows how it is called")

    def print_help(self, file: Any = None) -> None:
        self.screen.result(self.format_help().rstrip())

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Exit

    def read(self, words: list[str]) -> argparse.Namespace:
        """The options of a command line; the screen is set to what they say. Raises Misuse and Finished."""
        found, odd = self.parse_known_intermixed_args(words)
        if odd:
            self._odd(odd[0])
        self.screen.colour = found.color
        self.screen.quiet = found.quiet
        return found

    def _odd(self, word: str) -> NoReturn:
        """A word that has no place on the command line."""
        if not word.startswith("-"):
            self.error(f"there is no place for `{word}`")
        name = word.partition("=")[0]
        hint = did_you_mean(name, self._option_string_actions)
        if hint:
            raise UsageError(f"there is no option {name}; {hint}")
        self.error(f"there is no option {name}")


def add_net_options(parser: Parser) -> None:
    """The options that pick a net of a file and set its parameters."""
    parser.add_argument("--net", metavar="NAME", help="the net to take (default: the last one of the file)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="give a value to a parameter or a symbolic size; may be repeated",
    )
    parser.add_argument(
        "--include",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder outside of the spec's own from which it may import; may be repeated",
    )


def folders(paths: list[str]) -> list[str]:
    """The folders of all `--include DIR`. Raises Misuse."""
    for path in paths:
        if not os.path.isdir(path):
            raise UsageError(f"--include {path}: there is no such folder")
    return paths


def settings(pairs: list[str]) -> dict[str, Any]:
    """The values of all `--set NAME=VALUE`. Raises Misuse."""
    found = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip().isidentifier():
            raise UsageError(f"--set takes NAME=VALUE, such as --set classes=10, not `{pair}`")
        try:
            found[name.strip()] = read_setting(text)
        except SettingError as error:
            raise UsageError(f"--set {name.strip()}: {error}") from None
    return found


def spec_files(paths: list[str]) -> list[tuple[str, bool]]:
    """The files, and whether each comes from a folder, which stands for the specs in it. Raises ReadError."""
    found: list[tuple[str, bool]] = []
    for path in paths:
        inside = os.path.isdir(path)
        found += [(file, inside) for file in (specs_below(path) if inside else [path])]
    return found


def examine(path: str, options: argparse.Namespace) -> Verdict:
    """Read a file and check the net that the options ask for. Raises ReadError and SettingError."""
    return check(read_source(path), options.net, settings(options.set), folders(options.include))


def checked(path: str, options: argparse.Namespace, screen: Console) -> CheckedNet | None:
    """The net that the options ask for, with what is to be said of it on the screen; None where it is wrong."""
    verdict = examine(path, options)
    screen.diagnostics(verdict.diagnostics)
    return verdict.checked if verdict.ok else None


def needs_numpy(extra: str) -> None:
    """Raises Misuse where NumPy is not installed; it comes with that extra."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise UsageError(f"NumPy is not installed; `pip install netspec-lang[{extra}]` brings it") from None


def whole(least: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` up, for argparse."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least:
            return int(text)
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number of at least {least}")

    return read


def above_zero(text: str) -> float:
    """A number, for argparse."""
    try:
        found = float(text)
    except ValueError:
        found = 0
    if 0 < found < float("inf"):
        return found
    raise argparse.ArgumentTypeError(f"`{text}` is not a number above 0")
