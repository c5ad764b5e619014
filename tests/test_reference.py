"""The NumPy reference of whole nets: held against the PyTorch model with the same weights, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import twins
from checking import DATA, check, check_spec

from netspec.emit.layout import TorchLowering
from netspec.reference import InputError, Reference, WeightsError, weight_table


def agree(net):
    rng = np.random.default_rng(0)
    uses = list(twins.uses(TorchLowering().lower(net.net.body)))
    rows = [r for r in net.layers if r.node.layer.weights(*(t.shape for t in r.node.inputs))]
    weights, found = {}, []
    for (_, act), row in zip(uses, rows, strict=True):
        paths = {w.name: f"{row.path}.{w.name}" for w in twins.weights_of(act)}
        for weight in twins.weights_of(act):
            weights.setdefault(paths[weight.name], twins.random_array(rng, act, weight))
        found.append((act, {name: weights[path] for name, path in paths.items()}))
    assert list(weights) == list(weight_table(net))
    inputs = twins.random_inputs(rng, net, {}, 2)
    twin = twins.TorchTwin(net)
    twin.load(found, inputs)
    ours = Reference(net, weights).outputs(*inputs)
    for a, b in zip(twin(inputs), ours.values(), strict=True):
        assert a.shape == b.shape
        assert twins.relative(a, b) < twins.TOLERANCE


@pytest.mark.parametrize("name", ["mlp", "lenet5", "accelerometer"])
def test_specs(name):
    agree(check_spec(name))


@pytest.mark.parametrize(("file", "name"), [("loops", "carried"), ("shared_blocks", "siamese_block")])
def test_nets(file, name):
    path = DATA / "nets" / f"{file}.net"
    agree(check(path.read_text(encoding="utf-8"), path.name, name))


def test_what_does_not_fit():
    net = check("net test { input x [4]; dense(3) as head }")
    kernel, bias = np.zeros((4, 3)), np.zeros(3)
    with pytest.raises(WeightsError) as error:
        Reference(net, {"head.kernel": kernel.T, "head.bais": bias})
    assert len(error.value.problems) == 3
    reference = Reference(net, {"head.kernel": kernel, "head.bias": bias})
    assert reference(x=np.ones((2, 4))).shape == (2, 3)
    for values, named in (
        ((np.ones((2, 5)),), {}),
        ((), {}),
        ((np.ones((2, 4)),), {"x": np.ones((2, 4))}),
        ((), {"y": 1}),
    ):
        with pytest.raises(InputError):
            reference(*values, **named)
