"""`docs/runtimes.md`, from the table of what was found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from .ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runtimes.md"
# what a person has written: which runtime does what, whose fault it is, and the way around
_KNOWN = Path(__file__).with_name("known.md")
_VERDICTS = ("equal", "differs", "refused", "no code")


def page(rows: Sequence[Mapping[str, str]]) -> str:
    """The page, for rows of the table."""
    known = _KNOWN.read_text(encoding="utf-8")
    return (
        f"{known.rstrip()}\n\n## What was run\n\n{_totals(rows)}\n\n## What differs or is refused\n\n{_others(rows)}\n"
    )


def _totals(rows: Sequence[Mapping[str, str]]) -> str:
    counts = Counter((row["way"], row["verdict"]) for row in rows)
    versions = {row["way"]: row["versions"] for row in rows}
    lines = ["| runtime | versions | equal | differs | refused | no code |", "|---|---|---:|---:|---:|---:|"]
    for way in (way for way in WAYS if way in versions):
        found = " | ".join(str(counts[way, verdict]) for verdict in _VERDICTS)
        lines.append(f"| {WAYS[way].title} | {versions[way]} | {found} |")
    return "\n".join(lines)


def _others(rows: Sequence[Mapping[str, str]]) -> str:
    """What is not equal, by runtime."""
    lines = ["| runtime | net | what | by |", "|---|---|---|---|"]
    for way in WAYS:
        for row in rows:
            if row["way"] == way and row["verdict"] in ("differs", "refused"):
                told = row["error"] or row["message"].replace("|", "\\|")
                lines.append(f"| {WAYS[way].title} | `{row['net']}` | {row['verdict']} | {told} |")
    return "\n".join(lines)
