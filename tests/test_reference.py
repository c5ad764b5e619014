"""The NumPy reference of whole nets: held against both models with the same weights, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import twins
from checking import DATA, check, check_spec

from netspec.reference import InputError, Reference, WeightsError, weight_table


def agree(net):
    _, weights = twins.random_weights(np.random.default_rng(0), net)
    assert list(weights) == list(weight_table(net))
    twins.compare(net, batches=(2,), style="subclass")


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
