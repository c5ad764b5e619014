"""What each phase of code generation makes of a program, as text.

A file of `phases/` has a net, and behind lines of `=====` what stands behind the phase that it is named after: for
`lower` and `outline` that alone, for a pass what stands before it, too. The first word of its name is the phase, the
first line of its text says the framework and the style. `--update-golden` writes them anew, to be read.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from checking import check

from netspec.codegen.ir import rewrite
from netspec.codegen.outline import groups
from netspec.codegen.passes.dce import eliminate_dead_code
from netspec.codegen.pipeline import BACKENDS, PHASES, stages, text_after
from netspec.codegen.printer import print_templates

FIXTURES = sorted((Path(__file__).parent / "phases").glob("*.txt"))
MARK = "=" * 80 + "\n"


def _outlined(net, backend):
    return dict(stages(net, backend))["outline"]


def _before_and_after_dce(net, backend, monkeypatch):
    """Dead code goes where a definition is made, before others call it."""
    with monkeypatch.context() as patch:
        patch.setattr(groups, "eliminate_dead_code", lambda template: template)
        found = _outlined(net, backend)
    return [print_templates(found), print_templates(rewrite(found, eliminate_dead_code))]


def _parts(path, text, monkeypatch):
    """What the file of a net should say behind the net."""
    phase = path.stem.split("_")[0]
    words = text.splitlines()[0].removeprefix("#").split()
    framework, style = (*words, "")[:2]
    net = check(text)
    assert net.ok, [d.message for d in net.diagnostics]
    if phase == "dce":
        return _before_and_after_dce(net, BACKENDS[framework][style or next(iter(BACKENDS[framework]))](), monkeypatch)
    place = PHASES.index(phase)
    phases = PHASES[place : place + 1] if phase in ("lower", "outline") else PHASES[place - 1 : place + 1]
    return [text_after(name, net, framework, style) for name in phases]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_phase(path, monkeypatch, request):
    text, *parts = path.read_text().split(MARK)
    wanted = _parts(path, text, monkeypatch)
    if request.config.getoption("--update-golden"):
        path.write_text(MARK.join([text, *wanted]))
        return
    assert parts == wanted


def test_each_phase_is_shown():
    """Each of them but the last, whose text the golden code is."""
    assert {path.stem.split("_")[0] for path in FIXTURES} == {*PHASES[:-1], "dce"}
