"""Every text of generated code that the project keeps or shows is executed, as it stands, and held against NumPy."""

from __future__ import annotations

import re
from pathlib import Path

import harness  # noqa: F401  # first: it chooses the Keras backend
import numpy as np
import pytest

from netspec.api import check
from netspec.base.source import Source
from netspec.reference import Reference
from netspec.verify.verdict import apart
from netspec.weights import samples
from netspec.weights.targets import TARGETS

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
# what a page shows of `netspec build FILE --to TARGET`
_SHOWN = re.compile(r"^```\n\$ netspec build (\S+) --to (torch|keras)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def kept():
    """The goldens of the cases: the spec, the framework, and the code."""
    for path in sorted(CASES.rglob("*.py")):
        stem, kind, _ = path.name.split(".")
        framework = "torch" if kind == "export" else kind
        yield pytest.param(path.with_name(f"{stem}.net"), framework, path.read_text(), id=str(path.relative_to(CASES)))


def shown():
    """The code that a page shows."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for match in _SHOWN.finditer(page.read_text()):
            yield pytest.param(ROOT / match[1], match[2], match[3], id=f"{page.name}-{match[1]}")


def test_there_is_code_to_run():
    assert list(kept())
    assert list(shown())


@pytest.mark.parametrize(("spec", "framework", "text"), [*kept(), *shown()])
def test_golden_code_computes_what_the_spec_says(spec, framework, text):
    net = check(Source(spec.name, spec.read_text(), str(spec))).checked
    assert net.ok
    rng = np.random.default_rng(0)
    inputs = samples.random_inputs(net, rng, 2, samples.sizes_that_fit(net, 1)[0])
    weights = samples.random_weights(net, rng)
    target = TARGETS[framework](net).replace(text=text)
    if "is_exporting" in text and not hasattr(pytest.importorskip("torch").compiler, "is_exporting"):
        pytest.skip("the style `export` needs a newer PyTorch")
    model = target.model(lambda: inputs)
    model.load(target.spelling.put(weights))
    wanted = Reference(net, weights).listed(**dict(zip([p.name for p in net.net.body.inputs], inputs)))
    for found, result in zip(model(inputs), wanted, strict=True):
        assert found.shape == result.shape
        assert apart(found, result) < 1e-4
