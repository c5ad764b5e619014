"""What the commands write to: results to standard output, all else to standard error."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from ..diagnostics import Diagnostic

COLOURS = ("auto", "always", "never")


class Screen:
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
        """Text for standard output."""
        _write(sys.stdout, text + "\n")

    def data(self, data: bytes) -> None:
        """Bytes for standard output, such as code in UTF-8 whatever the terminal speaks."""
        raw = getattr(sys.stdout, "buffer", None)
        if raw is None:
            _write(sys.stdout, data.decode("utf-8", "replace"))
            return
        sys.stdout.flush()
        raw.write(data)
        raw.flush()

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics, after all results so far."""
        from ..render import render

        texts = [render(d, self._colourful(sys.stderr)) for d in found]
        if texts:
            self.flush()
            _write(sys.stderr, "\n" * self._told + "\n\n".join(texts) + "\n")
            self._told = True

    def complain(self, text: str) -> None:
        """Why the command cannot do what was asked."""
        from ..render import clean, paint

        lines = "\n".join(map(clean, text.split("\n")))
        self._aside(f"{paint('netspec:', 'error', self._colourful(sys.stderr))} {lines}")

    def note(self, text: str) -> None:
        """Progress, unless it is not wanted."""
        if not self.quiet:
            self._aside(f"netspec: {text}")

    def _aside(self, text: str) -> None:
        try:
            self.flush()
        finally:
            _write(sys.stderr, text + "\n")

    def flush(self) -> None:
        if sys.stdout is not None:
            sys.stdout.flush()

    def abandon(self) -> None:
        """Nobody reads standard output any more: let what is still in its buffer go nowhere."""
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (AttributeError, OSError, ValueError):
            return  # there is no file behind it


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
