"""The layer that CONTRIBUTING.md adds: it keeps the contract as it stands there, and the language has it at once."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import test_layers
from checking import check, keras_code, torch_code

from netspec.base.dims import show
from netspec.layers import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netspec.layers.base import Layer

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
CONTRACT = [test for name, test in vars(test_layers).items() if name.startswith("test_")]


@pytest.fixture
def softcap() -> Iterator[type[Layer]]:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    exec(compile(code, str(PAGE), "exec"), {"__name__": "netspec.layers.softcap", "__package__": "netspec.layers"})
    yield LAYERS["softcap"]
    del LAYERS["softcap"]


def test_the_worked_example_keeps_the_contract(softcap: type[Layer]) -> None:
    ran = 0
    for test in CONTRACT:
        names = set(inspect.signature(test).parameters)
        if names == {"cls"} and not _only_noise(test):
            test(softcap)
            ran += 1
        elif names == {"cls", "example"}:
            for example in softcap.examples:
                test(softcap, example)
                ran += 1
    assert ran >= 10


def _only_noise(test: object) -> bool:
    """Is it for layers that behave otherwise in training?"""
    marks = getattr(test, "pytestmark", ())
    return any(mark.args[1] is test_layers.NOISES for mark in marks)


def test_the_language_has_the_worked_example(softcap: type[Layer]) -> None:
    net = check("net capped { input x [8, 4]; dense(6) -> softcap(2.5) }")
    assert net.diagnostics == ()
    assert show(net.net.body.outputs[0].value.shape) == "[8, 6]"
    assert "2.5 * torch.tanh(" in torch_code(net)
    assert "2.5 * ops.tanh(" in keras_code(net)
    (fault,) = check("net capped { input x [8, 4]; softcup }").diagnostics
    assert fault.help == "did you mean `softcap`?"
