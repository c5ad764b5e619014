"""Nets in nets: what is held still stays so in training, and a part has the names of weights that it has alone."""

from __future__ import annotations

import harness  # noqa: F401  # first: it chooses the Keras backend
import numpy as np
import pytest
import torch
import twins
from checking import DATA, check, codes, keras_code, row, torch_code

from netspec.base.diagnostics import SpecError
from netspec.ir.paths import weight_table
from netspec.report import json as emit_json
from netspec.report.report import report
from netspec.runtime.code import run

NETS = (DATA / "nets" / "nets_in_nets.net").read_text(encoding="utf-8")


def net_of(name):
    return check(NETS, "nets_in_nets.net", name)


def noise(*shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


# --- training --------------------------------------------------------------------------------------------------------


def arrays(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def test_what_is_frozen_stays_still_when_pytorch_trains():
    """A step of training changes the generator's weights and statistics, and nothing of the discriminator."""
    model = run(torch_code(net_of("frozen_end")), "frozen_end")
    before = arrays(model)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    model.train()
    _, verdict = model(torch.from_numpy(noise(4, 6)))
    verdict.sum().backward()
    optimizer.step()
    moved = {name for name, value in arrays(model).items() if not torch.equal(value, before[name])}
    assert {name.partition(".")[0] for name in moved} == {"fake"}
    assert {"fake.dense.weight", "fake.batchnorms.0.running_mean"} <= moved


def test_a_part_can_be_let_go_again():
    model = run(torch_code(net_of("frozen_end")), "frozen_end")
    before = arrays(model)
    model.verdict.requires_grad_(True)
    model.train()
    model(torch.from_numpy(noise(4, 6)))
    assert not torch.equal(model.verdict.batchnorm.running_mean, before["verdict.batchnorm.running_mean"])


@pytest.mark.parametrize("style", ["functional", "subclass"])
def test_what_is_frozen_stays_still_when_keras_trains(style):
    net = net_of("frozen_end")
    target = next(target for model, target in twins.models(net, [noise(2, 6)], style) if target.framework == "keras")
    model = run(keras_code(net, style), "frozen_end" if style == "functional" else "FrozenEnd")
    model(noise(2, 6))
    free = [held.weight for held in target.spelling.held if not held.path.startswith("verdict.")]
    before = [w.numpy().copy() for w in model.weights]
    model.compile("sgd", loss="mse")
    model.fit(noise(4, 6), [noise(4, 16, 16, 3), noise(4, 1)], verbose=0)
    moved = [not np.array_equal(w.numpy(), old) for w, old in zip(model.weights, before)]
    assert sum(moved) == len(free), [w.path for w, m in zip(model.weights, moved) if not m]
    assert len(model.trainable_weights) == sum(weight.role != "statistic" for weight in free)


def test_sample_normal_draws_in_training_only():
    """Numbers of the mean and variance that were asked for; otherwise the mean, in both frameworks."""
    net = check("net n { input m [500]\n input v [500]\n sample_normal(m, v) }")
    mean, log_var = np.full((400, 500), 3, np.float32), np.full((400, 500), np.log(4), np.float32)
    (module, _), (model, _) = twins.models(net, [mean[:2], log_var[:2]])
    for calm in (module([mean, log_var]), model([mean, log_var])):
        assert np.array_equal(calm[0], mean)
    module.module.train()
    for drawn in (module([mean, log_var])[0], np.array(model.model([mean, log_var], training=True))):
        assert abs(drawn.mean() - 3) < 0.03
        assert abs(drawn.std() - 2) < 0.03
        assert np.unique(drawn).size > 100_000  # each number by itself


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_part_has_the_weights_of_the_whole():
    """Weights that were trained in a net of their own fit where the net is a step of another one."""
    alone = run(torch_code(net_of("backbone")), "backbone").state_dict()
    cut = run(torch_code(net_of("cut_at_a_loop")), "cut_at_a_loop")
    wanted = {n.removeprefix("features."): v.shape for n, v in cut.state_dict().items() if n.startswith("features.")}
    assert {name: alone[name].shape for name in wanted} == wanted
    assert {name for name in alone if name.startswith("high")} == alone.keys() - wanted.keys()


def test_paths_lead_through_the_net():
    assert list(weight_table(net_of("three_deep")))[:2] == [
        "by_name.pairing1.dense1.kernel",
        "by_name.pairing1.dense1.bias",
    ]
    shared = {path.partition(".")[0] for path in weight_table(net_of("frozen_and_shared"))}
    assert shared == {"judge", "generator"}


def test_each_layer_says_what_of_it_is_trained():
    found = emit_json.document("nets.net", report(net_of("frozen_end")), (), True)
    for layer in found["layers"]:
        still = layer["path"].startswith("verdict")
        assert layer["trainable"] == (0 if still else layer["params"]), layer["path"]


# --- what a framework has no form for --------------------------------------------------------------------------------


def test_a_function_that_asks_for_sizes_is_one_model_for_each():
    text = """
    block widen(n) {
      input x [h, w, c]
      reshape([h*w, c]) -> dense(n)
    }
    net sizes {
      input a [4, 4, 3]
      input b [2, 6, 3]
      layer wide = widen(5)
      output a -> wide, b -> wide
    }
    """
    with pytest.raises(SpecError) as caught:
        keras_code(check(text, net="sizes"))
    assert [d.code for d in caught.value.diagnostics] == ["not-in-keras"]
    assert "class Widen" in keras_code(check(text, net="sizes"), "subclass")


PARTS = """
net parts {
  input x [H, W, 6]
  a, b = split(x, [-1, 2], axis=1)
  a, b = split(a, [-1, a.shape[0] - 1], axis=0)
  c = b * 2
  c, d, a = split(c, [1, 2, -1], axis=1)
  output a, b, c, d
}
"""


@pytest.mark.parametrize("style", ["functional", "subclass"])
def test_a_value_is_not_overwritten_before_all_its_parts_are_taken(style):
    """Parts may have the name of what they are parts of, and where sizes are not known each has a line of its own."""
    twins.compare(check(PARTS), sizes=({"H": 5, "W": 8}, {"H": 4, "W": 7}), style=style)


IDLE_USES = """
net idle {
  input x [6]
  layer norm = prelu
  layer tie = dense(6)
  y = x -> norm -> tie
  z = tie -> norm -> relu
  repeat 2 { side = y -> tie; y -> norm -> tie }
  output y
}
"""


@pytest.mark.parametrize("style", ["functional", "subclass"])
def test_uses_of_shared_weights_that_lead_nowhere_are_not_written(style):
    net = check(IDLE_USES)
    for text in twins.texts(net, style):
        assert [line for line in text.splitlines() if line.strip().startswith("_ =")] == []
        assert text.count("tie(") == 1
    twins.compare(net, style=style)


IDLE_BLOCKS = """
block unit { dense(6) -> tanh }
block free { relu -> tanh }
block twice { layer inner = dense(6); a = inner; b = a -> inner; output a }
net idle {
  input x [6]
  layer shared = unit
  y = x -> shared -> free -> twice
  z = y -> shared -> free
  repeat 2 { z -> shared }
  output y
}
"""


@pytest.mark.parametrize("style", ["functional", "subclass"])
def test_calls_that_lead_nowhere_are_not_written(style):
    net = check(IDLE_BLOCKS)
    for text in twins.texts(net, style):
        assert [line for line in text.splitlines() if line.strip().startswith("_ =")] == []
        assert text.count("shared(") == 1
        assert text.count("inner(") == 1
    twins.compare(net, style=style)


def test_a_block_without_weights_that_leads_nowhere_leaves_nothing():
    net = check("block free { relu -> tanh }\nnet n { input x [6]; free -> free; output y = x -> dense(2) }")
    for text in (*twins.texts(net), *twins.texts(net, "subclass")):
        assert "tanh" not in text
        assert "ree(" not in text


def test_in_each_call_of_a_block_its_own_weights_have_to_lead_somewhere():
    """A shared layer is one in each call: another call makes up for nothing."""
    text = "block b { layer inner = dense(6); a = inner; output a -> inner }"
    net = check(text + "\nnet n { input x [6]; p = b(x); q = b(x); output p }")
    with pytest.raises(SpecError) as caught:
        keras_code(net)
    assert [d.code for d in caught.value.diagnostics] == ["not-in-keras"]
    assert "_ = self.b2(x)  # leads nowhere" in torch_code(net)


def test_what_leads_nowhere_and_has_weights_is_told_of():
    """Running statistics are those of all uses, and weights that nothing else uses have to be built."""
    net = check("net n { input x [6]; layer norm = batchnorm; norm(x) -> relu; dense(4) as lost; output norm(x) }")
    for text in twins.texts(net, "subclass"):
        lines = [line.strip() for line in text.splitlines() if line.strip().startswith("_ =")]
        assert [line.partition("(")[0] for line in lines] == ["_ = self.lost"]
        assert lines[0].endswith(")  # leads nowhere, but its weights are part of the net")
    with pytest.raises(SpecError) as caught:
        keras_code(net)
    assert [d.code for d in caught.value.diagnostics] == ["not-in-keras"]


def test_keras_binds_a_norm_to_a_number_of_axes():
    text = "net n { input x [4]; layer tie = NORM; a = tie(x); b = tie(outer(x, x)); output a, b }"
    net = check(text.replace("NORM", "batchnorm"))
    with pytest.raises(SpecError) as caught:
        keras_code(net)
    assert [d.code for d in caught.value.diagnostics] == ["not-in-keras"]
    assert "nn.BatchNorm1d(4)" in torch_code(net)
    twins.compare(check(text.replace("NORM", "dense(3)")))


@pytest.mark.parametrize(
    "step", ["lppool(1, 2)", "lppool(2, 2)", "x * 2", "2 / x", "-x", "maximum(x, 2)", "average(x, x)"]
)
def test_no_step_makes_what_keras_takes_for_sparse(step):
    """A layer of one's own behind it, of which Keras has to find out the shape, could not be built."""
    twins.compare(check(f"net n {{ input x [6, 4, 3]; {step} -> local_response_norm -> conv(2, 1) }}"))


# --- what is called like a layer -------------------------------------------------------------------------------------

HOMONYMS = """
net lstm(units=8) { input x [T, 4]; lstm(units) -> dense(3) }
net gru { input x [T, 4]; lstm(units=5) -> repeat_vector(6) -> gru(2, return=sequence) as own; ends }
block ends { mean(axis=0) }
"""


def test_a_layer_within_a_net_of_its_name():
    """Within itself a net cannot be meant; elsewhere its name hides the layer."""
    net = check(HOMONYMS, net="lstm")
    assert not codes(net)
    assert row(net, "lstm").kind == "lstm"
    net = check(HOMONYMS, net="gru")
    assert not codes(net)
    assert row(net, "own").kind == "gru"
    assert row(net, "lstm.lstm").kind == "lstm"
    twins.compare(net, sizes=({"T": 5},))


def test_a_way_back_through_another_block():
    """There the net is meant, which the help explains."""
    (fault, *_) = check("net rnn { input x [T, 3]; other }\nblock other { rnn(3) -> relu }").diagnostics
    assert fault.code == "recursion"
    assert fault.help == "`rnn` is a layer, too: call yours something else"


# --- sizes that must be known -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "net n { input image [H, 8, 3]; flat -> dense(10) }",
        "net n { input image [H, 8, 3]; flatten -> head }",
        "net n { input image [H, 8, 3]; flat -> inner }",
        "net n { input image [H, 8, 3]; inner_flat -> head }",
        "net n { input image [H, 8, 3]; layer f = flat; image -> f -> head }",
    ],
)
def test_flattened_in_one_body_and_dense_in_another(text):
    blocks = """
    block flat { flatten -> relu }
    block head { identity -> dense(10) }
    net inner { input z [N]; dense(3) }
    net inner_flat { input image [H, 8, 3]; flatten }
    """
    (fault,) = [d for d in check(blocks + text).diagnostics if d.severity == "error"]
    assert fault.code == "unknown-size"
    assert "hangs on `H`" in fault.message
    assert not codes(check(blocks + text, H=4))
