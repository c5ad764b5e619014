"""The specs and settings that a command line names."""

from __future__ import annotations

import os

from ..api import Verdict, check
from ..base.record import TYPE_CHECKING
from ..elaborate.net import SettingError, read_setting
from ..elaborate.session import MOST_INSTANCES
from ..files import read_source, specs_below
from .options import UsageError, whole

if TYPE_CHECKING:
    from typing import Any

    from ..ir.types import CheckedNet
    from .options import CommandLine
    from .parser import Parser
    from .screen import Console


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
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole(1),
        default=MOST_INSTANCES,
        help=f"refuse a net of more instances of layers and blocks (default: {MOST_INSTANCES:,})",
    )


def folders(paths: list[str]) -> list[str]:
    """The folders of all `--include DIR`. Raises UsageError."""
    for path in paths:
        if not os.path.isdir(path):
            raise UsageError(f"--include {path}: there is no such folder")
    return paths


def settings(pairs: list[str]) -> dict[str, Any]:
    """The values of all `--set NAME=VALUE`. Raises UsageError."""
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


def examine(path: str, options: CommandLine) -> Verdict:
    """Read a file and check the net that the options ask for. Raises ReadError and SettingError."""
    return check(read_source(path), options.net, settings(options.set), folders(options.include), options.limit)


def checked(path: str, options: CommandLine, screen: Console) -> CheckedNet | None:
    """The net that the options ask for, with what is to be said of it on the screen; None where it is wrong."""
    verdict = examine(path, options)
    screen.diagnostics(verdict.diagnostics)
    return verdict.checked if verdict.ok else None


def needs_numpy(extra: str) -> None:
    """Raises UsageError where NumPy is not installed; it comes with that extra."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise UsageError(f"NumPy is not installed; `pip install netspec-lang[{extra}]` brings it") from None
