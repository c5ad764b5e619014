"""What recurrent layers do beyond one call: states that are kept, dropout, counts of the frameworks' own."""

import numpy as np
import pytest
import torch
import twins
from checking import check

from netspec import reference
from netspec.base.diagnostics import SpecError
from netspec.ir.paths import weight_table
from netspec.report.report import report
from netspec.weights import samples
from netspec.weights.targets import keras_target, torch_target

STATEFUL = """
net chars {
  input x [T, 3]
  lstm(4, stateful=true, batch=2, return=sequence)
  bidirectional(gru(5, return=sequence), merge=add)
  stack(2, rnn(4, stateful=true, batch=2, return=sequence))
}
"""
FORWARD = STATEFUL.replace("  bidirectional(gru(5, return=sequence), merge=add)\n", "")


def both(text):
    """The net, and its models with the same random weights, by framework."""
    net = check(text)
    rng = np.random.default_rng(0)
    weights = samples.random_weights(net, rng)
    x = rng.standard_normal((2, 7, 3)).astype(np.float32)
    found = []
    for target in (torch_target(net), keras_target(net)):
        model = target.model(lambda: [x])
        model.load(target.spelling.put(weights))
        found.append(model)
    return net, weights, x, found


def test_a_stateful_net_goes_on_where_it_stopped():
    net, weights, x, (torch_model, keras_model) = both(FORWARD)
    whole = reference.Reference(net, weights)(x=x)
    module, model = torch_model.module, keras_model.model
    with torch.no_grad():
        runs = {
            "torch": lambda part: module(torch.from_numpy(part)).numpy(),
            "keras": lambda part: np.array(model(part)),
        }
        for name, run in runs.items():
            first, second = run(x[:, :3]), run(x[:, 3:])
            np.testing.assert_allclose(np.concatenate([first, second], 1), whole, atol=1e-5, err_msg=name)
            assert abs(run(x) - whole).max() > 1e-3, f"{name} has forgotten its state"


@pytest.mark.parametrize("layer", ["lstm(3, {})", "gru(3, {}, return=state)", "stack(2, rnn(3, {}))"])
def test_a_batch_of_padding_leaves_the_state_that_was_kept(layer):
    """Then the last output is that state, and no zeros."""
    text = "net n { input w [T] int(5); embedding(5, 3, mask=true) -> " + layer.format("stateful=true, batch=2") + " }"
    net = check(text)
    weights = samples.random_weights(net, np.random.default_rng(1))
    batches = [np.array([[1, 2, 4], [3, 1, 0]]), np.array([[0, 0, 0], [3, 0, 1]])]
    outputs = []
    for target in (torch_target(net), keras_target(net)):
        model = target.model(lambda: [batches[0]])
        model.load(target.spelling.put(weights))
        outputs.append([np.array(model([batch])) for batch in batches])
    for one, other in zip(*outputs):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_keras_does_so_in_one_direction_only():
    text = "net n { input w [T] int(5); embedding(5, 3, mask=true) -> bidirectional(gru(3, stateful=true, batch=2)) }"
    torch_target(check(text))
    with pytest.raises(SpecError, match="gives no state"):
        keras_target(check(text))


@pytest.mark.parametrize(("target", "name"), [(torch_target, "Chars"), (keras_target, "chars")])
def test_reset_state_is_in_the_file(target, name):
    names = {}
    exec(target(check(STATEFUL)).text, names)
    model = names[name]()
    x = np.random.default_rng(0).standard_normal((2, 7, 3)).astype(np.float32)
    given = torch.from_numpy(x) if target is torch_target else x
    with torch.no_grad():
        first, second = np.array(model(given)), np.array(model(given))
        names["reset_state"](model)
        again = np.array(model(given))
    assert abs(second - first).max() > 1e-4
    np.testing.assert_allclose(again, first, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "extra"), [("lstm(4)", 16), ("rnn(4)", 4), ("gru(4)", 0), ("bidirectional(lstm(4))", 32)]
)
def test_the_second_biases_of_pytorch_are_told(layer, extra):
    net = check("net n { input x [T, 3]; " + layer + " }")
    told = report(net, target="torch").count.params
    assert told == net.totals.params + extra
    module = torch_target(net).model(list).module
    assert told == sum(p.numel() for p in module.parameters())


def test_dropout_takes_one_mask_for_all_steps():
    """What is dropped at one step is dropped at all: the state of a linear layer then grows evenly."""
    text = "net n { input x [T, 6]; rnn(6, activation=linear, bias=false, return=sequence, DROPPED) }"
    for words in ("dropout=0.5", "dropout=0.5, recurrent_dropout=0.001"):
        net = check(text.replace("DROPPED", words))
        module = torch_target(net).model(list).module
        with torch.no_grad():
            for name, array in module.named_parameters():
                array.copy_(torch.eye(6) if "ih" in name else torch.zeros(6, 6))
        torch.manual_seed(0)
        y = module.train()(torch.ones(8, 5, 6)).detach()
        assert set(y.unique().tolist()) == {0.0, 2.0}
        assert (y == y[:, :1]).all()


@pytest.mark.parametrize("target", [torch_target, keras_target])
def test_weights_come_back(target):
    """Gates in another order, two biases in one array or one in two: all is undone when it is read."""
    text = """
    net n {
      input x [T, 3]
      stack(2, bidirectional(lstm(4, return=sequence)))
      gru(5, return=sequence)
      gru(5, reset_after=false, return=sequence)
      bidirectional(rnn(4, dropout=0.5))
    }
    """
    net = check(text)
    rng = np.random.default_rng(3)
    weights = {path: rng.standard_normal(w.shape).astype(np.float32) for path, w in weight_table(net).items()}
    spelling = target(net).spelling
    arrays = spelling.put(weights)
    back = spelling.take(arrays)
    assert {path: array.tolist() for path, array in back.items()} == {p: a.tolist() for p, a in weights.items()}
    if target is torch_target:
        name = "stack.bias_hh_l0"
        assert not arrays[name].any()
        moved = spelling.take({**arrays, name: arrays[name] + 1})  # as PyTorch trains it
        changed = [path for path in weights if (moved[path] != weights[path]).any()]
        assert len(changed) == 1
        assert changed[0].endswith("bias")


def test_a_state_is_kept_in_one_place():
    text = "net n { input x [T, 4]; layer l = lstm(4, STATEFUL return=sequence); x -> l -> l }"
    (fault,) = check(text.replace("STATEFUL", "stateful=true, batch=2,")).diagnostics
    assert fault.code == "wrong-value"
    assert check(text.replace("STATEFUL", "")).ok


def test_functional_keras_keeps_no_layer_of_a_stack_that_nothing_hangs_on():
    net = check("net n { input x [T, 3]; a, b, c, y = x -> stack(3, gru(4, return=(state, last))); output a, b }")
    with pytest.raises(SpecError, match="keeps only what does"):
        keras_target(net)
    twins.compare(net, sizes=[{"T": 5}], style="subclass")
