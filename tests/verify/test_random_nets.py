"""Random nets: the checker, PyTorch, Keras and NumPy agree in shapes, counts and numbers on whatever can be written.

`python -m bench.differential` does the same for thousands, and keeps what fails as small specs.
"""

from __future__ import annotations

import pytest
import verdicts  # before TensorFlow: it chooses the backend of Keras
from checking import check
from hypothesis import HealthCheck, assume, given, note, settings
from randomly import Dice, spec_of, spec_texts
from shrink import shrink

from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.layers import LAYERS
from netspec.syntax.printer import format_source

CALM = settings(derandomize=True, suppress_health_check=list(HealthCheck))


def agree(text):
    note(text)
    verdict = verdicts.judge(text)
    assert verdict.kind not in ("fault", "invalid"), verdict.message
    assume(verdict.kind == "agrees")


@settings(CALM, max_examples=24)
@given(spec_texts())
def test_random_nets_agree(text):
    agree(text)


@pytest.mark.sweep
@settings(CALM, max_examples=1000, derandomize=False)
@given(spec_texts())
def test_many_random_nets_agree(text):
    agree(text)


@pytest.mark.parametrize("seed", range(8))
def test_random_specs_are_valid_and_mean_the_same_when_laid_out(seed):
    text = spec_of(Dice(seed))
    laid_out = format_source(Source("random.net", text), Collector())
    one, other = check(text), check(laid_out)
    assert one.ok
    assert other.ok
    assert verdicts.written(text, one) == verdicts.written(laid_out, other)


# --- the tools themselves --------------------------------------------------------------------------------------------

LONG = """
block unit(n, act=relu) {
  input x [h, w, c]
  if c > 2 { conv(n, 3x3, padding=same, activation=act) } else { conv(n, 1x1) -> batchnorm }
  add(identity, conv(n, 1x1) -> tanh)
}
net long {
  input image [9, 8, 3]
  conv(4, 3x3, stride=2) as first -> maxpool(2)
  for w in [2, 4] { unit(w); y = identity }
  concat(identity, y -> softsign)
  global_avgpool -> dense(5)
}
"""


def test_a_planted_fault_is_found(monkeypatch):
    monkeypatch.setattr(LAYERS["softsign"], "reference", lambda self, xs, w: xs[0])
    verdict = verdicts.judge("net wrong {\n  input x [5]\n  dense(3) -> softsign\n}\n")
    assert verdict.kind == "fault"
    assert "torch-numpy" in verdict.message


def test_shrinking_keeps_what_is_asked_for_and_valid_specs():
    seen = []

    def fails(text):
        seen.append(text)
        return "softsign" in text

    small = shrink(LONG, fails)
    assert "softsign" in small
    assert len(small.split()) < 12
    assert all(check(text).ok for text in seen)


def test_what_a_target_refuses_is_no_fault():
    verdict = verdicts.judge("net one {\n  input x [6, 5]\n  layernorm(axes=0)\n  dense(3)\n}\n")
    assert verdict.kind == "refused"
    assert verdict.refused["torch"].startswith("not-in-torch")
