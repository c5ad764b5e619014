"""The NumPy reference of whole nets: what it takes and what it refuses. Its numbers are held against both frameworks in
`twins.compare`."""

from __future__ import annotations

import numpy as np
import pytest
from checking import check

from netspec.reference import InputError, Reference
from netspec.weights.table import WeightsError


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
