"""`docs/runtimes.md`, from the table of what was found."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.files import zoo_names

from .ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, str]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runtimes.md"
# what a person has written: which runtime does what, whose fault it is, and the way around
_KNOWN = Path(__file__).with_name("known.md")
_MARKS = {"equal": "=", "converted": "v", "differs": "≠", "refused": "r", "no time": "t", "no code": "c"}


def page(rows: Sequence[Row]) -> str:
    """The page, for rows of the table."""
    specs = [row for row in rows if _is_spec(row)]
    layers = [row for row in rows if not _is_spec(row)]
    parts = {
        "": _KNOWN.read_text(encoding="utf-8").rstrip(),
        "## Layers": f"Each example of each layer as a net of its own.\n\n{_totals(layers)}",
        "## Specs of the zoo": _zoo(specs),
        "## What differs or is refused": _others(rows),
    }
    return "\n\n".join(part for title, text in parts.items() for part in (title, text) if part) + "\n"


def _is_spec(row: Row) -> bool:
    return row["net"].startswith("zoo:")


def _used(rows: Sequence[Row]) -> list[str]:
    """The ways that there are rows for, in the order of all ways."""
    found = {row["way"] for row in rows}
    return [way for way in WAYS if way in found]


def _totals(rows: Sequence[Row]) -> str:
    """How often each way came to what."""
    counts = Counter((row["way"], row["verdict"]) for row in rows)
    versions = {row["way"]: row["versions"] for row in rows}
    seen = [verdict for verdict in _MARKS if any(row["verdict"] == verdict for row in rows)]
    lines = [f"| runtime | versions | {' | '.join(seen)} |", f"|---|---|{'---:|' * len(seen)}"]
    for way in _used(rows):
        found = " | ".join(str(counts[way, verdict]) for verdict in seen)
        lines.append(f"| {WAYS[way].title} | {versions[way]} | {found} |")
    return "\n".join(lines)


def _zoo(rows: Sequence[Row]) -> str:
    """The totals, and what became of each spec."""
    verdicts = {(row["net"].split()[0], row["way"]): _mark(row) for row in rows}
    # a spec that was made shallow for some ways stands in one line all the same
    nets = {row["net"].split()[0]: row["net"] for row in sorted(rows, key=_is_whole)}
    ways = _used(rows)
    lines = [f"| spec | {' | '.join(f'`{way}`' for way in ways)} |", f"|---|{':-:|' * len(ways)}"]
    lines += [
        f"| `{net}` | {' | '.join(verdicts.get((spec, way), '') for way in ways)} |"
        for spec, net in sorted(nets.items())
    ]
    told = ", ".join(f"`{way}` {WAYS[way].title}" for way in ways)
    seen = {row["net"].split()[0] for row in rows}
    left = ", ".join(f"`{name}`" for name in zoo_names() if f"zoo:{name}" not in seen)
    marks = ", ".join(f"`{mark}` {verdict}" for verdict, mark in _MARKS.items())
    return (
        "Each with the settings that stand beside it, which make it small, on two batches and, where it has symbols, at"
        f" two sizes.\n\n{_totals(rows)}\n\nBy spec: {marks}; `≈` equal in float64 or with smaller kernels, where"
        " rounding in float32 grows too far; `*` with the blocks of a deep net repeated once; empty: not run, since"
        " the net is dear even so. The style"
        f" for exports was asked of nets with recurrences. Run nowhere: {left or 'none'}. The ways are {told}.\n\n"
        + "\n".join(lines)
    )


def _mark(row: Row) -> str:
    exact = row["verdict"] == "equal" and row["message"].startswith("in float32")
    return ("≈" if exact else _MARKS[row["verdict"]]) + ("" if _is_whole(row) else "*")


def _is_whole(row: Row) -> bool:
    return "repeats=1" not in row["net"]


def _others(rows: Sequence[Row]) -> str:
    """What is not equal, by runtime; nets with the same message in one line."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row["verdict"] in ("differs", "refused", "no time"):
            message = re.sub(r" at line \d+ of the code.*", "", row["message"])
            told = row["error"] or message.replace("|", "\\|")
            found.setdefault((row["way"], row["verdict"], told), []).append(f"`{row['net']}`")
    lines = ["| runtime | net | what | by |", "|---|---|---|---|"]
    for (way, verdict, told), nets in found.items():
        lines.append(f"| {WAYS[way].title} | {', '.join(nets)} | {verdict} | {told} |")
    return "\n".join(lines)
