"""What the commands write to: results to standard output, all else to standard error."""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from ..base.diagnostics import Diagnostic

# what services set that keep a log: most, and Azure
_LOGS = ("CI", "TF_BUILD")
COLOURS = ("auto", "always", "never")


class Console:
    """Standard output and standard error, and how much they can show."""

    def __init__(self) -> None:
        self.colour = "auto"
        self.quiet = False
        self._told = False  # have there been diagnostics?

    # --- what can be shown -----------------------------------------------------------------------------------------

    @property
    def paints(self) -> bool:
        """Are results shown in colour?"""
        return self._colourful(sys.stdout)

    @property
    def watched(self) -> bool:
        """Do people see standard output as it is, on a terminal or in the log of a service?"""
        if sys.stdout is None:
            return False
        return sys.stdout.isatty() or (any(map(os.environ.get, _LOGS)) and not _is_file(sys.stdout))

    @property
    def ascii(self) -> bool:
        """Does standard output lack the signs that tables are drawn with?"""
        try:
            "─│└├✓✗".encode(getattr(sys.stdout, "encoding", None) or "ascii")
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    def _colourful(self, stream: TextIO | None) -> bool:
        if self.colour != "auto":
            return self.colour == "always"
        if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return stream.isatty()

    # --- writing ---------------------------------------------------------------------------------------------------

    def result(self, text: str) -> None:
        """Text for people on standard output."""
        _write(sys.stdout, _inert(text) + "\n")

    def record(self, text: str) -> None:
        """Text for programs on standard output, in which nothing may change."""
        _write(sys.stdout, text + "\n")

    def data(self, data: bytes) -> None:
        """Bytes for standard output, such as code in UTF-8 whatever the terminal speaks; as they are but for people."""
        if self.watched:
            from ..base.render import clean, inert

            data = "\n".join(inert(clean(line)) for line in data.decode("utf-8", "replace").split("\n")).encode()
        raw = getattr(sys.stdout, "buffer", None)
        if raw is None:
            _write(sys.stdout, data.decode("utf-8", "replace"))
            return
        sys.stdout.flush()
        raw.write(data)
        raw.flush()

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics, after all results so far."""
        listed = list(found)
        if listed:
            from ..base.render import render_all

            text = render_all(listed, self._colourful(sys.stderr))
            self.flush()
            _write(sys.stderr, "\n" * self._told + _inert(text) + "\n")
            self._told = True

    def complain(self, *lines: str) -> None:
        """Why the command cannot do what was asked. A line end within a line, as of a path, becomes visible."""
        from ..base.render import clean, paint

        text = "\n".join(map(clean, lines))
        self._aside(f"{paint('netspec:', 'error', self._colourful(sys.stderr))} {text}")

    def note(self, text: str) -> None:
        """Progress, unless it is not wanted."""
        if not self.quiet:
            from ..base.render import clean

            self._aside(f"netspec: {clean(text)}")

    def _aside(self, text: str) -> None:
        try:
            self.flush()
        finally:
            _write(sys.stderr, _inert(text) + "\n")

    def flush(self) -> None:
        if sys.stdout is not None:
            sys.stdout.flush()

    def abandon(self) -> None:
        """Nobody reads standard output any more: let what is still in its buffer go nowhere."""
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (AttributeError, OSError, ValueError):
            return  # there is no file behind it


def _is_file(stream: TextIO) -> bool:
    """Does a stream end in a file, where it is kept as it is?"""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # there is nothing behind it
        return False


def _inert(text: str) -> str:
    """The lines of a text with no command for a service that reads them in a log."""
    if "::" not in text and "##" not in text:
        return text
    from ..base.render import inert

    return "\n".join(map(inert, text.split("\n")))


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
