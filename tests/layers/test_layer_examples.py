"""The examples that layers show, written as specs: shapes, weights, MACs and numbers, without a framework."""

from __future__ import annotations

import numpy as np
import pytest
from checking import check

from netspec.ir.paths import weight_table
from netspec.layers import LAYERS
from netspec.reference import Reference
from netspec.weights.samples import random_inputs, random_weights


def is_several(shape):
    return bool(shape) and isinstance(shape[0], tuple)


# what takes values of numbers, and can be written behind one or with several
EXAMPLES = [
    example
    for name, layer in LAYERS.items()
    for example in layer.examples
    if name == layer.kind and not (example.names or example.conditions) and layer.takes != "bool"
]


def spec(example, bools=0):
    """A net of the example; its first `bools` inputs are true or false."""
    if example.names:
        return spec_of_names(example)
    if is_several(example.shape):
        return spec_of_several(example, bools)
    whole = f" int({example.vocabulary})" if example.vocabulary else " bool" * bool(bools)
    if is_several(example.gives) and len(example.gives) == 1:  # a list of one
        return f"net n {{ input x [{', '.join(map(str, example.shape))}]\n y = x -> {example.code}\n output y[0] }}"
    names = [f"y{k}" for k in range(len(example.gives))] if is_several(example.gives) else ["y0"]
    body = f"{', '.join(names)} = x -> {example.code}" if example.code[0] != "x" else f"y0 = {example.code}"
    shape = ", ".join(map(str, example.shape))
    return f"net n {{ input x [{shape}]{whole}\n {body}\n output {', '.join(names)} }}"


def spec_of_names(example):
    """The first value flows in, others are asked for by name."""
    named = zip(example.names, example.shape)
    inputs = "".join(f" input {name} {list(shape)}{' bool' * (name == 'mask')}\n" for name, shape in named)
    names = [f"y{k}" for k in range(len(example.gives))] if is_several(example.gives) else ["y0"]
    body = f"{', '.join(names)} = {example.names[0]} -> {example.code}"
    return f"net n {{\n{inputs} {body}\n output {', '.join(names)} }}"


def spec_of_several(example, bools):
    """All values are given by name, before the arguments."""
    inputs = "".join(f" input x{k} {list(shape)}{' bool' * (k < bools)}\n" for k, shape in enumerate(example.shape))
    names = ", ".join(f"x{k}" for k in range(len(example.shape)))
    head, sign, rest = example.code.partition("(")
    call = f"{head}({names}{', ' if sign else ')'}{rest}"
    return f"net n {{\n{inputs} y0 = {call}\n output y0 }}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.code} {e.shape}")
def test_an_example(example):
    net = check(spec(example))
    assert net.ok, [d.message for d in net.diagnostics]
    gives = example.gives if is_several(example.gives) else (example.gives,)
    assert tuple(r.value.shape for r in net.net.body.outputs) == gives
    assert net.totals.params == example.weights
    if example.macs is not None:
        assert net.totals.macs == example.macs
    rng = np.random.default_rng(0)
    xs = random_inputs(net, rng, 2, {})
    xs = [abs(x) + 0.5 for x in xs] if example.positive else xs
    found = Reference(net, random_weights(net, rng)).listed(*xs)
    assert tuple(y.shape for y in found) == tuple((2, *shape) for shape in gives)
    assert all(np.isfinite(y).all() for y in found if y.dtype.kind == "f")


def test_most_layers_have_one():
    kinds = {layer.kind for layer in LAYERS.values()}
    shown = {kind for kind in kinds if any(e in EXAMPLES for e in LAYERS[kind].examples)}
    assert len(shown) > 0.75 * len(kinds)


@pytest.mark.parametrize(
    ("code", "axes"),
    [
        ("layernorm", (-1,)),
        ("instancenorm", (1, 2)),
        ("groupnorm(1)", (1, 2, 3)),
        ("layernorm(axes=(0, 1, 2))", (1, 2, 3)),
    ],
)
def test_epsilon_keeps_a_variance_from_nothing(code, axes):
    """(x - mean) / sqrt(variance + epsilon), also of numbers that are all the same."""
    written = f"{code[:-1]}, epsilon=0.5)" if "(" in code else f"{code}(epsilon=0.5)"
    net = check(f"net n {{ input x [3, 4, 6]\n {written} }}")
    assert net.ok, [d.message for d in net.diagnostics]
    weights = {path: np.full(w.sizes, 1.0 if "gamma" in path else 0.0) for path, w in weight_table(net).items()}
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 6))
    for given in (x, np.ones_like(x)):
        wanted = (given - given.mean(axes, keepdims=True)) / np.sqrt(given.var(axes, keepdims=True) + 0.5)
        np.testing.assert_allclose(Reference(net, weights)(given), wanted, atol=1e-12)


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def glu(x, axis):
    value, gate = np.split(x, 2, axis)
    return value / (1 + np.exp(-gate))


# what a layer does along an axis, in NumPy's words; the code takes the axis behind it
ALONG = {
    "softmax(axis={})": softmax,
    "log_softmax({})": lambda x, axis: np.log(softmax(x, axis)),
    "glu(axis={})": glu,
    "reverse({})": np.flip,
    "roll(1, axis={})": lambda x, axis: np.roll(x, 1, axis),
    "sum(axis={})": np.sum,
    "mean(axis={})": np.mean,
    "max(axis={})": np.max,
    "min(axis={})": np.min,
    "var(axis={})": np.var,
    "std(axis={})": np.std,
    "norm(axis={})": lambda x, axis: np.sqrt((x**2).sum(axis)),
    "argmax(axis={})": np.argmax,
    "expand(axis={})": np.expand_dims,
}


@pytest.mark.parametrize("code", ALONG)
@pytest.mark.parametrize("axis", range(-3, 3))
def test_along_an_axis(code, axis):
    """Counted from the front without the samples, or from the back."""
    net = check(f"net n {{ input x [4, 6, 8]\n {code.format(axis)} }}")
    assert net.ok, [d.message for d in net.diagnostics]
    x = np.random.default_rng(0).standard_normal((2, 4, 6, 8))
    wanted = ALONG[code](x, axis if axis < 0 else axis + 1)
    found = Reference(net, {})(x)
    assert found.shape[1:] == net.net.body.outputs[0].value.shape
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("axis", range(-3, 3))
def test_several_along_an_axis(axis):
    x = np.random.default_rng(0).standard_normal((2, 4, 6, 8))
    place = axis if axis < 0 else axis + 1
    for code, wanted in (
        (f"concat(x, 2 * x, axis={axis})", np.concatenate([x, 2 * x], place)),
        (f"stack(x, 2 * x, axis={axis})", np.stack([x, 2 * x], place)),
        (f"concat(split(x, 2, axis={axis}), axis=0)", np.concatenate(np.split(x, 2, place), 1)),
    ):
        net = check(f"net n {{ input x [4, 6, 8]\n y = {code}\n output y }}")
        assert net.ok, [d.message for d in net.diagnostics]
        np.testing.assert_array_equal(Reference(net, {})(x), wanted)
