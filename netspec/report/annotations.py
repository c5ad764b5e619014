"""Diagnostics for other programs: GitHub workflow commands, and SARIF 2.1.0 for code scanning."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..base.render import clean
from ..codes import CODES
from .report import place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..base.diagnostics import Diagnostic, Label

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """One workflow command a diagnostic, without a line end after the last."""
    return "\n".join(map(_command, diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    at = place(diagnostic.primary.span)
    properties = {
        "file": at["file"],
        "line": at["line"],
        "endLine": at["end_line"],
        "col": at["column"],
        "endColumn": at["end_column"],
        "title": f"{diagnostic.severity}[{diagnostic.code}]",
    }
    listed = ",".join(f"{name}={_quoted(str(value), ':,')}" for name, value in properties.items())
    text = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    return f"::{diagnostic.severity} {listed}::{_quoted(text)}"


def _quoted(text: str, more: str = "") -> str:
    """The text with the signs that end a property or a command written as codes, and no others that a log obeys."""
    text = "\n".join(map(clean, text.split("\n")))
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def sarif(diagnostics: Sequence[Diagnostic], version: str) -> dict[str, Any]:
    """A log of one run."""
    used = list(dict.fromkeys(d.code for d in diagnostics))
    driver = {"name": "netspec", "version": version, "rules": [_rule(code) for code in used]}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(d, used.index(d.code)) for d in diagnostics],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    told = CODES[code]
    return {"id": code, "shortDescription": {"text": told.title}, "fullDescription": {"text": told.text}}


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    text = diagnostic.message + (f"\n{diagnostic.help}" if diagnostic.help else "")
    found = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": text},
        "locations": [_location(diagnostic.primary)],
    }
    if diagnostic.others:
        found["relatedLocations"] = [_location(label) for label in diagnostic.others]
    return found


def _location(label: Label) -> dict[str, Any]:
    from urllib.parse import quote

    at = place(label.span)
    region = {
        "startLine": at["line"],
        "startColumn": at["column"],
        "endLine": at["end_line"],
        "endColumn": at["end_column"],
    }
    uri = quote(at["file"].replace("\\", "/"), safe="/:")
    found: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    return {**found, "message": {"text": label.text}} if label.text else found
