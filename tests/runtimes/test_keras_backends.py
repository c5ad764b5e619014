"""Keras code with JAX and PyTorch below it, held against NumPy, where Keras's own layers differ by what is below."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from test_layer_examples import EXAMPLES, spec

from netspec.layers import LAYERS

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
    # as many rows come out as there are samples, or another number
    "input x [3, 4, 4, 1]\n input mask [3] bool\n conv_lstm(x, 2, 2, mask=mask)",
    "input x [3, 6, 4, 1]\n input mask [3] bool\n conv_lstm(x, 2, 2, mask=mask)",
]
# for symbols, so that one side needs more padding than the other
SIZES = {"T": 7, "H": 7, "W": 9}
# layers that Keras has not, or has in another form
KINDS = """
    additive_attention attention batchnorm bilinear channel_shuffle conv_transpose cosine depth_to_space einsum
    embedding glu instancenorm local_response_norm lstm max maxout one_hot pad positional_encoding prelu reverse rmsnorm
    roll sample_normal slice space_to_depth std upsample
"""
SCRIPT = """
import json, os, sys, tempfile
import keras
import numpy as np
from netspec.api import parse
from netspec.reference import Reference
from netspec.weights import samples
from netspec.weights.targets import keras_target

sizes, texts = json.load(sys.stdin)

def errors(text, saved, folder):
    net = parse(text).checked
    rng = np.random.default_rng(0)
    xs, weights = samples.random_inputs(net, rng, 3, sizes), samples.random_weights(net, rng)
    target = keras_target(net, "functional")
    model = target.model(lambda: xs, "float32")
    model.load(target.spelling.put(weights))
    wanted = Reference(net, weights).listed(*xs)
    if saved:
        path = os.path.join(folder, "n.keras")
        model.model.save(path)
        model.model = keras.models.load_model(path)
    for y, z in zip(model(xs), wanted, strict=True):
        yield float(np.max(abs(y - z), initial=0)) if y.shape == z.shape else str(y.shape)

with tempfile.TemporaryDirectory() as folder:
    json.dump({text: list(errors(text, saved, folder)) for text, saved in texts.items()}, sys.stdout)
"""


def texts():
    """The nets above, and the first example of each of the layers, saved and loaded."""
    shown = [next(e for e in LAYERS[kind].examples if e in EXAMPLES) for kind in KINDS.split()]
    return {f"net n {{ {text} }}": False for text in NETS} | {spec(example): True for example in shown}


@pytest.mark.parametrize(
    "backend", ["torch", pytest.param("jax", marks=pytest.mark.skipif(not find_spec("jax"), reason="no JAX"))]
)
def test_each_backend(backend):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps([SIZES, texts()]),
        env={**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": "--xla_backend_optimization_level=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) > 30
    assert {text: errors for text, errors in found.items() if not all(error < 1e-5 for error in errors)} == {}
