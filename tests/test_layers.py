"""The contract: every layer of the registry, every example, every facet.

PyTorch, Keras and the NumPy reference must agree in shape, count and numbers, on random weights: equal shapes and
counts alone let a transposed kernel or a pad on the wrong side through.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import harness
from harness import (
    LAYERS,
    At,
    DimExpr,
    Violation,
    build,
    close,
    count_keras,
    count_torch,
    keras_model,
    keras_run,
    load_keras,
    load_torch,
    product,
    random_inputs,
    random_weights,
    settled,
    shapes_of,
    symbolic,
    torch_built,
    torch_run,
)
from netspec.layers.base import REQUIRED, Unsupported

CLASSES = {cls.kind: cls for cls in LAYERS.values()}
EXAMPLES = [
    pytest.param(cls, example, id=f"{example.code} on {example.shape}")
    for cls in CLASSES.values()
    for example in cls.examples
]
BATCHES = (1, 3)
every_class = pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
every_example = pytest.mark.parametrize(("cls", "example"), EXAMPLES)


def at_of(layer, shapes, first=False):
    return At(shapes, layer.shape(*shapes), first)


def numbers(layer, cls, example, batch):
    """Inputs, weights and the reference's answer, the same each time."""
    rng = np.random.default_rng(batch)
    shapes = shapes_of(example)
    arrays = random_weights(rng, layer.weights(*shapes))
    xs = random_inputs(rng, cls, shapes, batch, example.vocabulary)
    return xs, arrays, layer.reference(xs, arrays)


# --- what is declared ------------------------------------------------------------------------------------------------


@every_class
def test_documented(cls):
    assert (cls.__doc__ or "").strip(), "a docstring says what it computes"
    assert cls.__doc__ is not cls.__mro__[1].__doc__
    assert cls.examples, "examples are documentation and test"
    assert cls.torch_layout in ("first", "last", "any")
    for argument in cls.arguments.values():
        assert argument.doc, f"`{argument.name}` has no doc"
        assert argument.reader.doc, f"`{argument.name}` has no doc of its values"


@every_class
def test_examples_move_every_argument(cls):
    layers = [build(example.code) for example in cls.examples]
    for name, argument in cls.arguments.items():
        if argument.default is not REQUIRED:
            assert any(getattr(layer, name) != argument.default for layer in layers), f"no example moves `{name}`"


@every_class
def test_defaults_are_readable(cls):
    """A default is what its reader gives back for it."""
    for argument in cls.arguments.values():
        if argument.default is not REQUIRED and not isinstance(argument.default, str):
            assert argument.reader.read(argument.default) == argument.default


# --- shape, count, cost --------------------------------------------------------------------------------------------


@every_example
def test_shape_and_count(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    assert isinstance(layer, cls)
    assert layer.shape(*shapes) == example.gives
    learned = [w for w in layer.weights(*shapes) if w.role != "statistic"]
    assert sum(w.size for w in learned) == example.weights
    if cls.pointwise:
        assert example.gives == shapes[0]
    hash(layer)


@every_example
def test_symbols(cls, example):
    """Sizes that are not known give the same shape, once they are known."""
    layer, shapes = build(example.code), shapes_of(example)
    unknown, values = symbolic(shapes)
    try:
        y = layer.shape(*unknown)
    except Violation as fault:
        assert fault.code == "unknown-size", fault.message
        return
    assert settled(y, values) == example.gives
    macs = layer.macs(unknown, y)
    assert harness.substitute(macs, values) == layer.macs(shapes, example.gives)
    assert harness.substitute(layer.other_ops(unknown, y), values) == layer.other_ops(shapes, example.gives)


@every_example
def test_macs(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    macs = layer.macs(shapes, example.gives)
    if example.macs is not None:
        assert macs == example.macs
        return
    if "torch" in example.refused:
        pytest.skip("PyTorch has no form to count")
    first = cls.torch_layout == "first"
    built = torch_built(layer, at_of(layer, shapes, first))
    xs, _, _ = numbers(layer, cls, example, 1)
    with FlopCounterMode(display=False) as counter:
        torch_run(built, xs, first)
    assert macs == counter.get_total_flops() / 2


@every_example
def test_reach(cls, example):
    shape = shapes_of(example)[0]
    field = build(example.code).reach(shape)
    if field is not None:
        window, stride = field
        assert len(window) == len(stride)
        assert all(n >= 1 for n in (*window, *stride))


# --- the frameworks ------------------------------------------------------------------------------------------------


def layouts(cls, shapes, y):
    """The PyTorch layouts in which a layer must work; only values of two axes and more have one."""
    if all(len(shape) < 2 for shape in (*shapes, y)):
        return (False,)
    return {"first": (True,), "last": (False,), "any": (False, True)}[cls.torch_layout]


def symbolic_at(layer, shapes, first=False):
    """The same place with symbols for sizes; None where the layer's shape or weights need the numbers."""
    unknown, values = symbolic(shapes)
    try:
        at = At(unknown, layer.shape(*unknown), first)
    except Violation as fault:
        assert fault.code == "unknown-size"
        return None
    fixed = all(isinstance(n, int) for weight in layer.weights(*unknown) for n in weight.shape)
    return at if values and fixed else None


@every_example
def test_torch(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    if "torch" in example.refused:
        with pytest.raises(Unsupported):
            layer.torch(at_of(layer, shapes, cls.torch_layout == "first"))
        return
    for first in layouts(cls, shapes, example.gives):
        use = layer.torch(at_of(layer, shapes, first))
        both = any(step.make is not None and step.call is not None for step in use.steps)
        for prefer in ("call", "make") if both else ("call",):
            built = torch_built(layer, at_of(layer, shapes, first), prefer)
            check_torch(layer, cls, example, built, first)


def check_torch(layer, cls, example, built, first):
    weights = layer.weights(*shapes_of(example))
    assert count_torch(built) == example.weights
    for batch in BATCHES:
        xs, arrays, expected = numbers(layer, cls, example, batch)
        load_torch(built, weights, arrays)
        close(torch_run(built, xs, first), expected)
        assert expected.shape == (batch, *example.gives)


@every_example
def test_torch_symbols(cls, example):
    """Code for sizes that are not known gives the same numbers, or is refused."""
    layer, shapes = build(example.code), shapes_of(example)
    first = True in layouts(cls, shapes, example.gives)
    at = symbolic_at(layer, shapes, first)
    if at is None:
        return
    try:
        built = torch_built(layer, at)
    except Unsupported:
        return
    check_torch(layer, cls, example, built, first)


@every_example
def test_keras(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    at = at_of(layer, shapes)
    if "keras" in example.refused:
        with pytest.raises(Unsupported):
            layer.keras(at)
        return
    use = layer.keras(at)
    both = any(step.make is not None and step.call is not None for step in use.steps)
    for prefer in ("call", "make") if both else ("make",):
        check_keras(layer, cls, example, at, prefer)


def check_keras(layer, cls, example, at, prefer):
    integers = cls.takes == "int" or (cls.takes == "any" and example.vocabulary > 0)
    model, built = keras_model(layer, at, integers, prefer)
    assert model.output_shape == (None, *(n if isinstance(n, int) else None for n in at.output))
    assert count_keras(built) == example.weights
    weights = layer.weights(*shapes_of(example))
    for batch in BATCHES:
        xs, arrays, expected = numbers(layer, cls, example, batch)
        load_keras(built, weights, arrays)
        close(keras_run(model, xs), expected)


@every_example
def test_keras_symbols(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    at = symbolic_at(layer, shapes)
    if at is None:
        return
    try:
        layer.keras(at)
    except Unsupported:
        return
    check_keras(layer, cls, example, at, "make")
