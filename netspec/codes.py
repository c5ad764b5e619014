"""What each diagnostic means: the one list of codes, read from `codes.md`."""

from __future__ import annotations

import os

from .base.record import Record

_FENCE = "```"


class DiagnosticKind(Record):
    """A kind of diagnostic. The examples are whole specs; `build` names the framework, or the form of its code, that
    refuses the wrong one, which is found by a check otherwise."""

    title: str
    text: str
    wrong: str
    right: str
    build: str = ""


def _read(page: str) -> dict[str, DiagnosticKind]:
    """The sections `## code` of a page: a title, a paragraph, and the fenced examples."""
    found = {}
    for section in page.split("\n## ")[1:]:
        prose, *fences = section.split(f"\n{_FENCE}net ")
        name, title, *text = prose.strip().split("\n\n")
        examples = {}
        for fence in fences:
            words, _, example = fence.partition("\n")
            kind, _, build = words.partition(" ")
            examples[kind] = build, example.partition(_FENCE)[0]
        (build, wrong), (_, right) = examples["wrong"], examples["right"]
        found[name] = DiagnosticKind(title, " ".join(" ".join(text).split()), wrong, right, build)
    return found


with open(os.path.join(os.path.dirname(__file__), "codes.md"), encoding="utf-8") as _file:
    CODES = _read(_file.read())
