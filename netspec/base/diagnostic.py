"""What a diagnostic is."""

from __future__ import annotations

from .record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from .source import Span


class Label(Record):
    """A region of the text and what to say of it."""

    span: Span
    text: str = ""


class Diagnostic(Record):
    """One finding: a stable code, a message, the place, other places, and what to do."""

    code: str
    message: str
    primary: Label
    others: tuple[Label, ...] = ()
    help: str = ""
    notes: tuple[str, ...] = ()
    severity: str = "error"

    @property
    def order(self) -> tuple[str, int]:
        """Sort key: the order of the file."""
        return self.primary.span.source.name, self.primary.span.start
