"""Axis maps: with all axes of one label in another order, a layer does the same; what it looks at has no label."""

from __future__ import annotations

import numpy as np
import pytest
from harness import build, random_inputs, random_weights, shapes_of

from netspec.layers import LAYERS
from netspec.layers.shapes import regrouped_axes

EXAMPLES = [
    pytest.param(cls, example, id=f"{example.code} on {example.shape}")
    for cls in LAYERS.values()
    if not cls.calls
    for example in cls.examples
]


def turned(array, labels, orders, lead):
    """An array with its axes in the orders of their labels; `lead` axes stand before those that have one."""
    for axis, label in enumerate(labels):
        if label in orders:
            array = array.take(orders[label], axis + lead)
    return array


def several(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize(("cls", "example"), EXAMPLES)
def test_the_order_of_places_does_not_matter(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    found = layer.axis_map(*shapes)
    if found is None:
        return
    assert [*map(len, found.inputs)] == [*map(len, shapes)]
    assert [*map(len, found.outputs)] == [*map(len, layer.shapes(*shapes))]
    rng = np.random.default_rng(1)
    arrays = random_weights(rng, layer.weights(*shapes))
    xs = random_inputs(rng, layer, example, 3)
    held = {label for pair in found.groups for side in pair for label in side} | {None}
    held |= {label for whole, parts in found.rows for label in (whole, *(part for part, _ in parts))}
    sizes = {label: n for labels, x in zip(found.inputs, shapes) for label, n in zip(labels, x)}
    for labels, y in zip(found.outputs, layer.shapes(*shapes)):
        sizes |= dict(zip(labels, y))
    orders = {label: rng.permutation(n) for label, n in sizes.items() if label not in held}
    there = {
        name: turned(array, found.weights.get(name, (None,) * array.ndim), orders, 0) for name, array in arrays.items()
    }
    moved = tuple(turned(x, labels, orders, 1) for x, labels in zip(xs, found.inputs))
    wanted = [turned(y, labels, orders, 1) for y, labels in zip(several(layer.reference(xs, arrays)), found.outputs)]
    for want, got in zip(wanted, several(layer.reference(moved, there))):
        np.testing.assert_allclose(got, want, atol=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "groups"),
    [
        ((6, 5, 4), (120,), [((0, 1, 2), (0,))]),
        ((120,), (6, 5, 4), [((0,), (0, 1, 2))]),
        ((28, 28, 1), (784,), [((0, 1, 2), (0,))]),
        ((784,), (28, 28, 1), [((0,), (0, 1, 2))]),
        ((6, 5, 4), (5, 6, 4), [((0, 1), (0, 1)), ((2,), (2,))]),
        ((10, 4, 6), (10, 24), [((0,), (0,)), ((1, 2), (1,))]),
        ((6, 5, 4), (8, 15), [((0, 1, 2), (0, 1))]),
        ((6, 1, 4), (6, 4), [((0,), (0,)), ((1,), ()), ((2,), (1,))]),
        ((1, 1, 5), (5,), [((0,), ()), ((1,), ()), ((2,), (0,))]),
        ((), (1,), [((), (0,))]),
    ],
)
def test_axes_that_are_read_as_others(x, y, groups):
    assert regrouped_axes(x, y) == groups
