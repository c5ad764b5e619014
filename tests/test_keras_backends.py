"""Keras code with JAX and PyTorch below it, held against NumPy, where Keras's own layers differ by what is below."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

# each was off, or refused, in a form that is right with TensorFlow
NETS = [
    "input x [7, 8, 4]\n lppool(3, 2x2)",
    "input x [7, 8, 4]\n lppool(1, 3x2, stride=2)",
    "input x [7, 8, 4]\n avgpool(3x3, stride=2, padding=same)",
    "input x [7, 8, 4]\n avgpool(4x4, stride=1, padding=same)",
    "input x [8, 4]\n avgpool(2, stride=1, padding=same)",
    "input x [5, 6, 4, 2]\n avgpool(2, stride=1, padding=same)",
    "input x [T, 4]\n avgpool(2, stride=1, padding=same)",
    "input x [H, W, 4]\n avgpool(3x2, stride=2, padding=same)",
    "input x [7, 8, 4]\n avgpool(3, stride=2, rounding=ceil)",
    "input x [5, 5]\n layernorm(axes=0)",
    "input x [4, 3, 4]\n layernorm(axes=(1, 0))",
]
# for symbols, so that one side needs more padding than the other
SIZES = {"T": 7, "H": 7, "W": 9}
SCRIPT = """
import json, sys
import numpy as np
from netspec.api import parse
from netspec.reference import Reference
from netspec.weights import samples
from netspec.weights.targets import keras_target

found = {}
texts, sizes = json.load(sys.stdin)
for text in texts:
    net = parse(f"net n {{ {text} }}").checked
    rng = np.random.default_rng(0)
    xs, weights = samples.random_inputs(net, rng, 3, sizes), samples.random_weights(net, rng)
    target = keras_target(net, "functional")
    model = target.model(lambda: xs, "float32")
    model.load(target.spelling.put(weights))
    (wanted,) = Reference(net, weights).listed(*xs)
    (y,) = model(xs)
    found[text] = float(abs(y - wanted).max()) if y.shape == wanted.shape else str(y.shape)
json.dump(found, sys.stdout)
"""


@pytest.mark.parametrize(
    "backend", ["torch", pytest.param("jax", marks=pytest.mark.skipif(not find_spec("jax"), reason="no JAX"))]
)
def test_each_backend(backend):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps([NETS, SIZES]),
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {text: error for text, error in found.items() if not error < 1e-5} == {}
