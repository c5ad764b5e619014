"""`conv_lstm` in nets; the contract has the layer alone."""

from __future__ import annotations

import harness  # noqa: F401  (before Keras: it chooses its backend)
import keras
import numpy as np
import pytest
import torch
from checking import check
from twins import compare, models

from netspec.reference import Reference
from netspec.weights.targets import keras_target, torch_target

STACKED = """
net n {
  input x [T, 6, 5, 2]
  y, h, c = x -> conv_lstm(3, 3, padding=same, return=(sequence, state))
  z = y -> conv_lstm(3, 3, padding=same, initial=(h, c), reverse=true, return=sequence) -> batchnorm
  a, b = add(z, y) -> conv_lstm(2, 3, stride=2, padding=same, return=(last, sequence))
  output h, c, a, b
}
"""
BOTH_WAYS = """
net n {
  input x [T, 6, 5, 2]
  kept = mean(x, axis=(1, 2, 3)) > 0
  start = x -> conv_lstm(2, 2x3, padding=same)
  sequence, h, c, g, d = x -> bidirectional(conv_lstm(2, 2x3, padding=same, initial=(start, start, start, start),
    mask=kept, return=(sequence, state)), merge=average)
  y, last = sequence -> stack(2, bidirectional(conv_lstm(2, 3, padding=same, mask=kept, return=(sequence, last))))
  one, other = x -> bidirectional(conv_lstm(3, 2x1, stride=2, mask=kept), merge=none)
  output h, c, g, d, y, last, one, other
}
"""
ONE = "net n { input x [4, 5, 5, 3]; conv_lstm(8, 3x3, padding=same) }"


@pytest.mark.parametrize("text", [STACKED, BOTH_WAYS])
@pytest.mark.parametrize("style", ["functional", pytest.param("subclass", marks=pytest.mark.sweep)])
def test_all_forms_agree(text, style):
    compare(check(text), sizes=[{"T": 4}, {"T": 1}], style=style)


def test_on_grids_of_one_cell_it_is_an_lstm():
    """Windows of one cell are matrices: the equations are then those of `lstm`."""
    grids = check("net n { input x [5, 1, 1, 3]; conv_lstm(4, 1) }")
    vectors = check("net n { input x [5, 3]; lstm(4) }")
    assert grids.totals.params == vectors.totals.params
    assert grids.totals.macs == vectors.totals.macs
    rng = np.random.default_rng(2)
    sizes = {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}
    arrays = {name: rng.standard_normal(shape) for name, shape in sizes.items()}
    x = rng.standard_normal((2, 5, 3))
    wanted = Reference(vectors, {f"lstm.{name}": a for name, a in arrays.items()})(x)
    on_grids = {name: a if name == "bias" else a[None, None] for name, a in arrays.items()}
    found = Reference(grids, {f"conv_lstm.{name}": a for name, a in on_grids.items()})(x[:, :, None, None])
    np.testing.assert_allclose(found[:, 0, 0], wanted)


def test_steps_wait_for_one_another():
    """But those of `each_step` do not."""
    net = check("net n { input x [7, 6, 5, 2]; each_step(conv_lstm(2, 2, return=sequence)) -> conv_lstm(2, 1) }")
    assert net.sequential_depth == 13


def test_it_does_not_forget_to_begin_with():
    names = {}
    exec(torch_target(check(ONE)).text, names)
    layer = names["N"]().conv_lstm
    np.testing.assert_array_equal(layer.conv.bias.detach(), np.repeat([0, 1, 0, 0], 8))
    recurrent = layer.recurrent.weight.detach().flatten(1)
    torch.testing.assert_close(recurrent @ recurrent.T, torch.eye(32), atol=1e-5, rtol=0)


def test_frozen_directions_have_nothing_to_learn():
    net = check("net n { input x [T, 4, 4, 2]; bidirectional(conv_lstm(2, 2, return=sequence), frozen=true) }")
    assert net.totals.trainable == 0 < net.totals.params
    models(net, [np.ones((2, 3, 4, 4, 2), np.float32)])


DROPPING = """
net n {
  input x [T, 1, 1, 8]
  conv_lstm(8, 1, activation=linear, recurrent_activation=linear, bias=false, return=sequence, dropout=0.5)
}
"""


@pytest.mark.parametrize("target", [torch_target, keras_target])
def test_each_gate_has_one_mask_for_all_steps(target):
    """Without a state to look at, a first output is the product of three gates: 8 where all three are kept."""
    gates = np.concatenate([np.eye(8)] * 4, 1)[None, None].astype(np.float32)
    weights = {"conv_lstm.kernel": gates, "conv_lstm.recurrent_kernel": np.zeros_like(gates)}
    built = target(check(DROPPING))
    model, arrays = built.model(list), built.spelling.put(weights)
    if target is torch_target:
        model.module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
        torch.manual_seed(0)
        y = model.module.train()(torch.ones(100, 8, 3, 1, 1)).movedim(1, -1).detach().numpy()
    else:
        keras.utils.set_random_seed(0)
        for variable in model.model.trainable_variables:
            variable.assign(weights[f"conv_lstm.{variable.name}"])
        y = np.array(model.model(np.ones((100, 3, 1, 1, 8), np.float32), training=True))
    assert set(np.unique(y[:, 0])) == {0, 8}
    assert 0.08 < (y[:, 0] == 8).mean() < 0.18
    assert ((y == 0) == (y[:, :1] == 0)).all()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("net n { input x [4, 3]; conv_lstm(3, 3) }", "wrong-rank"),
        ("net n { input x [4, 2, 5, 3]; conv_lstm(3, 3) }", "window-too-large"),
        ("net n { input x [4, 5, 5, 3]; conv_lstm(3, 3, padding=causal) }", "wrong-value"),
        ("net n { input x [4, 5, 5, 3]; conv_lstm(3, 3, padding=1) }", "wrong-value"),
        ("net n { input x [4, 5, 5, 3]; stack(2, conv_lstm(3, 3)) }", "wrong-value"),
        ("net n { input x [4, 5, 5, 3]; input h [3, 3, 2]; x -> conv_lstm(3, 3, initial=(h, h)) }", "wrong-state"),
        ("net n { input x [4, 5, 5, 3]; input h [3, 3, 3]; x -> conv_lstm(3, 3, initial=h) }", "wrong-state"),
    ],
)
def test_what_cannot_be(text, code):
    assert [d.code for d in check(text).diagnostics] == [code]
