"""Diagnostics are values: gathered along the way, shown at the end."""

from __future__ import annotations

from .record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


class SpecError(Exception):
    """A spec is wrong; `.diagnostics` says where and how."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = self.diagnostics[0] if self.diagnostics else None
        super().__init__(str(first and f"{first.code}: {first.message}"))


class Collector:
    """Gathers the diagnostics of one run, each place and code once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Span], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        self._seen.setdefault((diagnostic.code, diagnostic.primary.span), diagnostic)

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._seen.values(), key=lambda d: d.order))

    @property
    def failed(self) -> bool:
        return any(d.severity == "error" for d in self._seen.values())


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that the author most likely meant, or None where nothing is near."""
    import difflib  # only ever needed on the way to an error

    pool = list(dict.fromkeys(candidates))
    lowered = {c.lower().replace("_", ""): c for c in reversed(pool)}
    exact = lowered.get(word.lower().replace("_", ""))
    if exact is not None and exact != word:
        return exact
    found = difflib.get_close_matches(word, [c for c in pool if c != word], n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """A help line that names the nearest candidate, or an empty text."""
    best = nearest(word, candidates)
    return f"did you mean `{best}`?" if best else ""
