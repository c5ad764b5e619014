"""Shapes in comments are those of a run: each line of a running model is watched, and what it makes compared with the
comment behind it, the batch left out."""

from __future__ import annotations

import math
import sys

import harness  # noqa: F401  # first: it chooses the Keras backend
import keras
import numpy as np
import pytest
import torch
from checking import SPECS, check, check_spec, keras_code, torch_code
from randomly import Dice, spec_of
from test_build import LARGE, RECURRENT

from netspec.base.diagnostics import SpecError
from netspec.base.dims import substitute
from netspec.codegen.backends.statements import NOWHERE
from netspec.runtime.code import run
from netspec.weights import samples

BATCH = 13
ALL = [(path.stem, "") for path in sorted(SPECS.glob("*.net"))]
MIXED = """
block look { input x [h, w, c]; y = x -> reshape(h*w, c) -> dense(c) -> reshape(h, w, c); x + y }
block twice { input x [h, w, c]; x * 2 -> relu }
net mixed {
  input image [6, 6, 3]
  conv(4, 3x3, padding=1) -> look -> twice -> conv(4, 3x3, padding=1)
  reshape(36, 4) -> dense(4) -> reshape(6, 6, 4) -> look -> twice -> reshape(36, 4) -> dense(2)
}
"""
TEXTS = {
    "letters": "net m6 { input chars [4, 6] int(20); embedding(20, 5) as letters; mean(axis=1) -> dense(2) }",
    "cube": "net cube { input x [3, 4, 5]; conv(6, 1x1) -> relu; layernorm; mean(axis=0) }",
    "line": "net line { input x [T, 3]; conv(4, 3) -> relu -> maxpool(2) -> dense(5) -> softmax; last }",
    "own": "net own { input x [4, 6]; weight w [3, 6]; part = w[1:] -> transpose; x @ part -> relu }",
    "turned": "net turned { input x [5, 4, 3]; permute(2, 0, 1) -> conv(6, 2x2) -> batchnorm; flatten -> dense(3) }",
    "mixed": MIXED,
}


def comments(text):
    """What the comments say of shapes, by the number of the line."""
    parts = ((number, line.rpartition("  # ")) for number, line in enumerate(text.splitlines(), 1))
    return {number: said for number, (before, _, said) in parts if before and before.strip() and said != NOWHERE}


def watched(text, call):
    """The shapes of what the commented lines make, as `call` runs: by the number of the line."""
    lines, wanted, found = text.splitlines(), comments(text), {}

    def note(number, frame, result=None):
        target = lines[number - 1].strip().partition(" = ")[0].partition(", ")[0]
        value = frame.f_locals.get(target) if " = " in lines[number - 1] else result
        value = value[0] if isinstance(value, tuple) else value
        if number in wanted and value is not None:
            found[number] = tuple(value.shape)

    def trace(frame, event, _argument):
        if event != "call" or not frame.f_code.co_filename.startswith("<netspec"):
            return None
        last = [None]

        def inside(frame, event, argument):
            if last[0] is not None:
                note(last[0], frame, argument if event == "return" else None)
            last[0] = frame.f_lineno if event == "line" else None
            return inside

        return inside

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return found


def sizes_of(said, values):
    """The sizes that a comment gives, with numbers for the symbols."""
    known = {**values, "ceil": math.ceil, "floor": math.floor, "max": max}
    return tuple(int(eval(size, {}, known)) for size in said.split(" x "))


def confirmed(text, found, values):
    """How many comments were seen to be right. Raises AssertionError where one is wrong.

    The first axis is that of the samples, unless the value is made of weights alone.
    """
    said = comments(text)
    for number, shape in found.items():
        sizes = sizes_of(said[number], values)
        assert sizes in (shape[1:], shape), (text.splitlines()[number - 1], shape)
    return len(found)


def in_torch(net, values):
    """How many comments of the PyTorch code a run without numbers confirms."""
    text = torch_code(net)
    with torch.device("meta"):
        model = run(text, net.name).eval()
        inputs = [meta(array) for array in samples.random_inputs(net, np.random.default_rng(0), BATCH, values)]
        return confirmed(text, watched(text, lambda: model(*inputs)), values)


def meta(array):
    """An input without its numbers, in PyTorch's order of axes."""
    last = array if array.ndim < 4 else np.moveaxis(array, -1, 1)
    tensor = torch.empty(last.shape, device="meta")
    return tensor if array.dtype.kind == "f" else tensor.to(torch.int64 if array.dtype.kind == "i" else torch.bool)


def in_keras(net, values):
    text = keras_code(net, "subclass")
    model = run(text, net.name)
    ports = net.net.body.inputs
    shapes = [tuple(substitute(n, values) for n in port.value.shape) for port in ports]
    inputs = [keras.Input(shape, dtype=port.value.dtype) for shape, port in zip(shapes, ports)]
    return confirmed(text, watched(text, lambda: model(inputs if len(inputs) > 1 else inputs[0])), values)


def first_sizes(net):
    return samples.sizes_that_fit(net, 1)[0]


@pytest.mark.parametrize("name", TEXTS)
def test_of_small_nets(name):
    net = check(TEXTS[name])
    assert net.ok
    assert in_torch(net, first_sizes(net))
    assert in_keras(net, first_sizes(net))


@pytest.mark.parametrize(("name", "settings"), [*RECURRENT, *ALL[::4]])
def test_of_specs(name, settings):
    net = check_spec(name, settings)
    in_torch(net, first_sizes(net))


@pytest.mark.sweep
@pytest.mark.parametrize(("name", "settings"), [*ALL, *LARGE])
def test_of_all_specs(name, settings):
    net = check_spec(name, settings)
    in_torch(net, first_sizes(net))


@pytest.mark.sweep
@pytest.mark.parametrize(("name", "settings"), [*RECURRENT, *ALL])
def test_of_all_specs_in_keras(name, settings):
    net = check_spec(name, settings)
    in_keras(net, first_sizes(net))


@pytest.mark.parametrize("seed", range(30))
def test_of_random_nets(seed):
    net = check(spec_of(Dice(1000 + seed)))
    try:
        values = first_sizes(net)
        text = torch_code(net)
    except (SpecError, ValueError):
        pytest.skip("PyTorch has no form of this one")
    inputs = samples.random_inputs(net, np.random.default_rng(0), BATCH, values)
    model = run(text, net.name).eval()
    given = [torch.from_numpy(np.moveaxis(a, -1, 1).copy() if a.ndim > 3 else a) for a in inputs]
    given = [tensor.long() if tensor.dtype == torch.int32 else tensor for tensor in given]
    confirmed(text, watched(text, lambda: model(*given)), values)


def test_a_wrong_comment_is_seen():
    net = check(TEXTS["letters"])
    text = torch_code(net).replace("4 x 6 x 5", "5 x 4 x 6")
    model = run(text, net.name)
    found = watched(text, lambda: model(torch.zeros(BATCH, 4, 6, dtype=torch.int64)))
    with pytest.raises(AssertionError, match="5 x 4 x 6"):
        confirmed(text, found, {})
