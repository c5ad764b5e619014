"""The pipeline as tests drive it: text in, checked net out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netspec.api import Verdict
from netspec.api import check as check_source
from netspec.base.diagnostics import Collector, Diagnostic
from netspec.base.source import Source
from netspec.codegen import pipeline
from netspec.elaborate.net import read_setting
from netspec.ir.types import CheckedNet, CostRow
from netspec.resolve.resolve import resolve
from netspec.syntax.parser import parse

SPECS = Path(__file__).parents[2] / "specs"
DATA = Path(__file__).parents[1] / "data"


def check(
    text: str, name: str = "test.net", net: str | None = None, path: str | None = None, **settings: Any
) -> CheckedNet:
    """One net of a text, by default the last, with all its diagnostics. `path` is the file that it comes from."""
    checked = check_source(Source(name, text, path), net, settings).checked
    assert checked is not None, f"there is no net in {name}"
    return checked


def check_all(source: Source) -> tuple[list[Verdict], list[Diagnostic]]:
    """Every net of a text, and the diagnostics of all of them, each once, in the order of the text."""
    design = resolve(parse(source, Collector()), Collector())
    names = [definition.name.text for definition in design.nets] or [None]
    verdicts = [check_source(source, name) for name in names]
    # each check reads imported files anew, so a place is known by the name of its file
    found = {(d.code, d.primary.span.source.name, d.primary.span.start): d for v in verdicts for d in v.diagnostics}
    return verdicts, sorted(found.values(), key=lambda d: d.order)


def check_spec(name: str, settings: str = "") -> CheckedNet:
    """A spec that ships with the project; settings as on the command line: `groups=1`."""
    given = dict(pair.split("=") for pair in settings.split())
    path = SPECS / f"{name}.net"
    source = Source(path.name, path.read_text(encoding="utf-8"), str(path))
    checked = check_source(source, None, {k: read_setting(v) for k, v in given.items()}).checked
    assert checked is not None
    return checked


def row(net: CheckedNet, path: str) -> CostRow:
    """The row of that path."""
    found = [r for r in net.rows if r.path == path]
    assert found, f"no row {path} in {[r.path for r in net.rows]}"
    return found[0]


def codes(net: CheckedNet) -> list[str]:
    return [d.code for d in net.diagnostics if d.severity == "error"]


def torch_code(net, style=""):
    """The PyTorch code of a checked net."""
    return pipeline.emit(net, "torch", style)


def keras_code(net, style=""):
    """The Keras code of a checked net."""
    return pipeline.emit(net, "keras", style)


KERAS_STYLES = tuple(pipeline.BACKENDS["keras"])
