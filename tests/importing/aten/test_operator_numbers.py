"""Each operator that is read gives the numbers of its module, in the forms that PyTorch exports; others are listed."""

from __future__ import annotations

import copy

import pytest
import torch
from exporting import imported
from flat import difference, randomised
from operators import CASES

# what core ATen has no operator for, or takes apart into tables of places
NOT_READ_IN_CORE = {
    "pointwise selu",
    "pointwise hardshrink",
    "pointwise logsigmoid",
    "pointwise threshold",
    "map instance norm",
    "map reflect",
    "steps attention",
    "steps causal",
    "steps roll",
}
NOT_READ = {"steps cumsum"}
# its scale is a cube, whose axes the flat text of these tests does not turn
NOT_COMPARED = {"map layer norm"}


@pytest.mark.parametrize("core", [False, True], ids=["training", "core"])
@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_COMPARED])
def test_is_read(name, core, tmp_path):
    module, shape = CASES[name]
    torch.manual_seed(1)
    module = randomised(copy.deepcopy(module))
    inputs = [torch.randn(*shape)]
    model = imported(module, inputs, tmp_path, core=core)
    unread = [step.unknown for step in model.steps if not step.kind]
    assert bool(unread) == (name in NOT_READ or (core and name in NOT_READ_IN_CORE)), unread
    if not unread:
        assert difference(model, module, inputs)[1] < 1e-9
