"""Twins: the PyTorch and the Keras model of a net with the same random weights, and NumPy beside them.

Everything runs in this process, so that many small nets can be compared quickly; `netspec verify` does the same for
users, each framework in a process of its own.
"""

from __future__ import annotations

import harness  # noqa: F401  # first: it chooses the Keras backend
import numpy as np
from checking import keras_code, torch_code

from netspec.base.dims import substitute
from netspec.ir.paths import weight_table
from netspec.reference import Reference
from netspec.verify.verdict import apart
from netspec.weights import samples
from netspec.weights.targets import keras_target, torch_target

# the largest relative error between any two, by the numbers that the frameworks work with; Keras rounds what is written
# in code, such as an epsilon, to float32
TOLERANCE = {"float32": 1e-4, "float64": 1e-6}
# an output that is all below it is rounding, where one thing has been taken from another
LEAST = 1e-6
# past it float32 may come to its end, on the way at least
LARGEST = 1e15
PAIRS = ("torch-keras", "torch-numpy", "keras-numpy")


class Constant(AssertionError):
    """The output does not depend on the input."""


class Infinite(AssertionError):
    """The definition gives numbers past all bounds, of which nothing can be said."""


def texts(net, style="functional"):
    """The generated code, for PyTorch and for Keras."""
    return torch_code(net), keras_code(net, style)


def compare(net, batches=(3, 1), sizes=({},), style="functional", reacts=True, dtype="float32", tolerance=None):
    """Build both models and hold them against the checker, NumPy and each other. The worst relative error of each pair.

    `sizes` are values for the symbols of the net; the same two models are run with each. `reacts` says that the outputs
    must depend on the inputs, without which agreement would mean little; other weights are tried where they do not.
    `tolerance` is the largest error, if not that of the type.
    """
    assert net.ok, [(d.code, d.message) for d in net.diagnostics]
    rng = np.random.default_rng(0)
    tolerance = tolerance or TOLERANCE[dtype]
    models_of_net = models(net, samples.random_inputs(net, rng, 2, sizes[0]), style, dtype)
    worst = dict.fromkeys(PAIRS, 0.0)
    for _ in range(4):
        weights = samples.random_weights(net, rng)
        for model, target in models_of_net:
            model.load(target.spelling.put(weights))
        twins, reference = [model for model, _ in models_of_net], Reference(net, weights)
        moved = True
        for values in sizes:
            inputs = samples.random_inputs(net, rng, 3, values)
            for errors in _errors(net, twins, reference, inputs, values, batches, dtype, tolerance):
                worst = {pair: max(worst[pair], errors[pair]) for pair in PAIRS}
            moved = moved and _moves(twins[0], inputs)
        if not reacts or moved:
            return worst
    raise Constant("the output does not react to the input")


def models(net, inputs, style="functional", dtype="float32"):
    """A PyTorch and a Keras model, which hold what the checker counted, each with its target."""
    found = []
    table = weight_table(net)
    learned = {path for path, weight in table.items() if weight.role != "statistic"}
    assert sum(table[path].size for path in learned) == net.totals.params
    assert sum(table[path].size for path in table.keys() - learned) == net.totals.statistics
    for target in (torch_target(net), keras_target(net, style)):
        model = target.model(lambda: inputs, dtype)
        assert model.shapes == target.spelling.shapes
        held = {held.key for held in target.spelling.held if held.path in learned}
        trainable = sum(int(np.prod(shape)) for n, shape in model.shapes.items() if n in held and model.trainable[n])
        assert trainable == net.totals.trainable
        assert {held.path for held in target.spelling.held} == table.keys()
        found.append((model, target))
    return found


def _errors(net, twins, reference, inputs, sizes, batches, dtype, tolerance):
    """The relative errors of each output, for each batch."""
    names = [port.name for port in net.net.body.inputs]
    for batch in batches:
        given = [x[:batch] for x in inputs]
        a, b = (twin(given) for twin in twins)
        wanted = _defined(reference, dict(zip(names, given)))
        for result, y, z, r in zip(net.net.body.outputs, a, b, wanted, strict=True):
            shape = (batch, *(substitute(n, sizes) for n in result.value.shape))
            assert y.shape == z.shape == r.shape == shape, f"{result.name}: {y.shape}, {z.shape}, {r.shape}, {shape}"
            if not (abs(r) < LARGEST).all():
                raise Infinite(f"{result.name} is past all bounds")
            if dtype == "float32" and not (np.isfinite(y).all() and np.isfinite(z).all()):
                raise Infinite(f"{result.name} has come to the end of float32 on its way")
            errors = dict(zip(PAIRS, (apart(one, other, LEAST) for one, other in ((y, z), (y, r), (z, r)))))
            assert max(errors.values()) < tolerance, f"{result.name}: {errors}"
            yield errors


def _defined(reference, inputs):
    """The outputs by the definition. Raises Infinite where it gives a number on the way that is none."""
    try:
        with np.errstate(invalid="raise", divide="raise"):
            return reference.listed(**inputs)
    except FloatingPointError as error:
        raise Infinite(str(error)) from error


def _moves(twin, inputs):
    """Do the outputs depend on the inputs?"""
    moved = [x[::-1].copy() if x.dtype.kind in "ib" else x * 1.5 + np.float32(0.3) for x in inputs]
    return all(apart(new, old) > 1e-4 for old, new in zip(twin(inputs), twin(moved)))
