"""`l1=` and `l2=`: PyTorch, Keras and NumPy add the same number to the loss, over the same weights."""

from __future__ import annotations

import harness
import numpy as np
import pytest
import twins
from checking import check

from netspec import api
from netspec.base.diagnostics import SpecError
from netspec.codegen.lowering.initialisers import noted
from netspec.ir.paths import penalised
from netspec.layers import LAYERS
from netspec.layers.base import At
from netspec.layers.initialisers import Initialiser
from netspec.layers.weighted import Weighted
from netspec.weights.samples import random_inputs, random_weights
from netspec.weights.table import regularization

# each with the paths of the weights whose size counts
NETS = {
    "plain": (
        "net n { input x [6]; dense(4, l1=0.1) -> dense(3, l2=0.02) -> dense(3) -> dense(2, l1=0.3, l2=0.04) }",
        {"dense1.kernel", "dense2.kernel", "dense4.kernel"},
    ),
    "shared": (
        """net n {
          input a [6]; input b [6]
          layer enc = dense(4, l2=0.3)
          add(a -> enc, b -> enc)
        }""",
        {"enc.kernel"},
    ),
    "loops": (
        """
        block unit(f, l2=0.1) { conv(f, 3x3, padding=same, l2=l2) -> batchnorm -> relu }
        net n {
          input x [8, 8, 3]
          for w in [4, 6] as stage { repeat 2 { unit(w, 0.1*w) } }
          repeat 2 { conv(6, 3x3, padding=same, l1=0.01) }
          relu as start
          kept = [start]
          for i in 0..2 { concat(kept) -> conv(3, 1x1, l2=0.5) as next; kept = kept + [next] }
          flatten -> dense(2)
        }""",
        {"stage1.0.conv.kernel", "stage1.1.conv.kernel", "stage2.0.conv.kernel", "stage2.1.conv.kernel",
         "conv1.kernel", "conv2.kernel", "next1.kernel", "next2.kernel"},
    ),
    "first_state": (
        """
        cell learned(units) {
          input x
          weight seed [3]
          state h [units] = dense(seed, units, l2=0.1)
          next h = tanh(dense(x, units, l1=0.2) + dense(h, units, bias=false))
          output next h
        }
        net n { input s [5, 2]; scan(learned(4)) }""",
        {"learned.dense1.kernel", "learned.dense2.kernel"},
    ),
    "sequential": (
        """net n {
          input x [6]
          for i in 0..2 as body { dense(5, l2=0.1) -> dropout(0.1) -> dense(5, l1=0.2) }
        }""",
        {"body1.0.kernel", "body1.2.kernel", "body2.0.kernel", "body2.2.kernel"},
    ),
    "frozen": (
        """
        block part(n) { dense(n, l2=0.1) -> batchnorm }
        net inner { input x [6]; dense(4, l2=0.2) -> dense(4, l1=0.1) }
        net n {
          input x [6]
          part(5, frozen=true) -> part(4) -> dense(6, l2=0.7, frozen=true)
          inner(frozen=true) -> dense(6, l2=0.3) -> inner
          reshape(2, 2) -> bidirectional(lstm(3, l2=0.1, return=sequence), frozen=true)
          multihead_attention(2, l2=0.1, frozen=true) as y
          additive_attention(y, y, units=3, l2=1, frozen=true)
        }""",
        {"part2.dense.kernel", "dense2.kernel", "inner2.dense1.kernel", "inner2.dense2.kernel"},
    ),
    "nets": (
        """
        net leaf { input x [6]; dense(4, l2=0.2) -> dense(6) }
        net branch { input x [6]; leaf -> leaf -> dense(6, l1=0.1) }
        net n { input x [6]; layer one = branch; x -> one -> leaf(upto="dense1") as cut -> dense(6) -> one }
        """,
        {"one.leaf1.dense1.kernel", "one.leaf2.dense1.kernel", "one.dense.kernel", "cut.dense1.kernel"},
    ),
    "recurrent": (
        """net n {
          input series [T, 5]
          gru(4, dropout=0.1, recurrent_dropout=0.5, return=sequence, l2=0.001)
          bidirectional(lstm(3, l1=0.02, return=sequence))
          stack(2, bidirectional(rnn(3, l2=0.3, return=sequence), merge=add))
          stack(2, lstm(2, l2=0.1, activation=relu))
        }""",
        {"gru.kernel", "bidirectional1.forward.kernel", "bidirectional1.backward.kernel",
         "stack1.0.forward.kernel", "stack1.0.backward.kernel", "stack1.1.forward.kernel",
         "stack1.1.backward.kernel", "stack2.0.kernel", "stack2.1.kernel"},
    ),
    "the first example of recurrence": (
        """net temperature(units=32) {
          input series [T, 14]
          gru(units, dropout=0.1, recurrent_dropout=0.5, return=sequence, l2=0.001)
          bidirectional(gru(2*units))
          dense(1)
        }""",
        {"gru1.kernel"},
    ),
    "attention": (
        """net n {
          input words [7] int(9)
          embedding(9, 6, l2=0.1) as x
          x -> multihead_attention(2, l2=0.2) as seen
          multihead_attention(seen, x, heads=2, key_size=5, causal=true, l1=0.3)
          additive_attention(identity, x, units=3, l1=0.1, l2=0.2) as asked
          bilinear(asked, x, 4, l2=0.5) -> maxout(3, l1=0.1)
        }""",
        {"x.table", *(f"seen.{p}" for p in ("query", "key", "value", "output")),
         *(f"multihead_attention.{p}" for p in ("query", "key", "value", "output")),
         *(f"asked.{p}" for p in ("query", "key", "score")), "bilinear.kernel", "maxout.kernel"},
    ),
    "convolutions": (
        """net n {
          input x [8, 8, 4]
          depthwise_conv(3, multiplier=2, l2=0.1) -> separable_conv(4, 3, l2=0.2)
          conv_transpose(3, 2, stride=2, l1=0.1) -> conv(2, 3, stride=2, padding=same, groups=1, l2=0.3)
          reshape(4, 2, 2, 2) -> depthwise_conv(2, l2=0.1) -> reshape(3, 1, 1, 2) -> separable_conv(3, 1, l1=0.4)
        }""",
        {"depthwise_conv1.kernel", "separable_conv1.depthwise_kernel", "separable_conv1.pointwise_kernel",
         "conv_transpose.kernel", "conv.kernel", "depthwise_conv2.kernel", "separable_conv2.depthwise_kernel",
         "separable_conv2.pointwise_kernel"},
    ),
}  # fmt: skip


SLOW = pytest.param("subclass", marks=pytest.mark.sweep)


@pytest.mark.parametrize("style", ["functional", SLOW])
@pytest.mark.parametrize("name", NETS)
def test_same_in_all_forms(name, style):
    text, paths = NETS[name]
    net = check(text)
    assert penalised(net).keys() == paths
    rng = np.random.default_rng(2)
    weights = {path: array.astype(np.float64) for path, array in random_weights(net, rng).items()}
    wanted = sum(
        w.l1 * np.abs(weights[path]).sum() + w.l2 * (weights[path] ** 2).sum() for path, w in penalised(net).items()
    )
    assert regularization(net, weights) == pytest.approx(wanted, rel=1e-12)
    for model, target in twins.models(net, random_inputs(net, rng, 2, {"T": 5}), style, "float64"):
        model.load(target.spelling.put(weights))
        # Keras keeps the factors in float32
        close = 1e-12 if target.framework == "torch" else 1e-6
        assert model.penalty() == pytest.approx(wanted, rel=close), target.framework


WEIGHTED = {cls.kind: cls for cls in LAYERS.values() if issubclass(cls, Weighted)}
# layers whose weights are no kernels: scales of norms, slopes, a table of positions
OTHERS = {"prelu", "positional_encoding"}


@pytest.mark.parametrize("kind", WEIGHTED)
def test_every_layer_with_kernels(kind):
    """Every layer that takes `l1`, `l2` and `init` hands them to both frameworks: the contract of new ones."""
    cls = WEIGHTED[kind]
    example = next(e for e in cls.examples if not e.refused and not e.names and "init" not in e.code)
    said = {"l1": 0.25, "l2": 0.5, "init": Initialiser("constant", 0.75)}
    layer, shapes = cls(**{**harness.build(example.code).__dict__, **said}), harness.shapes_of(example)
    at = At(shapes, layer.shape(*shapes), layer.layout == "first")
    weights = layer.weights(*shapes)
    assert any(w.l1 or w.l2 for w in weights)
    begun = sum(w.size * (0.25 * 0.75 + 0.5 * 0.75**2) for w in weights if w.l1 or w.l2)
    arrays = harness.random_weights(np.random.default_rng(0), weights)
    wanted = sum(w.l1 * np.abs(arrays[w.name]).sum() + w.l2 * (arrays[w.name] ** 2).sum() for w in weights)
    model, parts = harness.keras_model(layer, at.replace(first=False), harness.kinds(layer, example))
    assert float(sum(model.losses)) == pytest.approx(begun, rel=1e-5)
    harness.load_keras(parts, weights, arrays)
    assert float(sum(model.losses)) == pytest.approx(wanted, rel=1e-5)
    built = harness.Built(noted(layer.torch(at), weights))
    harness.load_torch(built, weights, arrays)
    parts = [part for module in built.modules.values() for part in module.modules()]
    assert float(sum(built.names["penalty"](part) for part in parts)) == pytest.approx(wanted, rel=1e-5)
    fills = [(part, name, fill) for part in parts for name, fill in getattr(part, "fills", ())]
    for part, name, fill in fills:
        fill(part.get_parameter(name))
    assert float(sum(built.names["penalty"](part) for part in parts)) == pytest.approx(begun, rel=1e-5)


def test_what_has_kernels_takes_them():
    for cls in LAYERS.values():
        for example in cls.examples:
            kernels = [
                w for w in harness.build(example.code).weights(*harness.shapes_of(example)) if w.role == "weight"
            ]
            assert all(w.init is not None for w in kernels), f"{cls.kind} does not say how its weights begin"
            regular = issubclass(cls, Weighted) or cls.style == "norm" or cls.kind in OTHERS or cls.holds
            assert regular or not kernels, f"{cls.kind} has kernels, but takes no l2"


def test_by_hand():
    """The numbers of a net of two weights: L2 is the sum of squares, without a half."""
    network = api.parse("net n { input x [2]; dense(1, l1=0.5, l2=0.25) -> dense(1, l2=2) }")
    weights = {
        "dense1.kernel": np.array([[3.0], [-4.0]]),
        "dense1.bias": np.array([100.0]),
        "dense2.kernel": np.array([[-2.0]]),
        "dense2.bias": np.array([100.0]),
    }
    assert network.regularization(weights) == 0.5 * 7 + 0.25 * 25 + 2 * 4
    assert float(network.torch(weights).regularization()) == 0.5 * 7 + 0.25 * 25 + 2 * 4
    assert float(sum(network.keras(weights=weights).losses)) == 0.5 * 7 + 0.25 * 25 + 2 * 4


def test_what_is_let_go_counts_again():
    """In PyTorch as in Keras, what is trained counts, whatever the spec began with."""
    network = api.parse("net n { input x [2]; dense(1, l2=1, frozen=true) -> dense(1, l2=1) }")
    weights = {name: np.full(w.shape, 2.0) for name, w in network.weights().items()}
    assert network.regularization(weights) == 4
    torch, keras = network.torch(weights), network.keras(weights=weights)
    torch.requires_grad_(True)
    keras.trainable = True
    for layer in keras.layers:
        layer.trainable = True
    assert float(torch.regularization()) == float(sum(keras.losses)) == 12


def test_gradients_flow():
    """The penalty can be trained: its gradient is l1 * sign(w) + 2 * l2 * w."""
    network = api.parse("net n { input x [2]; dense(1, l1=0.5, l2=0.25) }")
    module = network.torch({"dense.kernel": np.array([[3.0], [-4.0]]), "dense.bias": np.array([1.0])})
    module.regularization().backward()
    assert module.dense.weight.grad.tolist() == [[0.5 + 1.5, -0.5 - 2.0]]
    assert module.dense.bias.grad is None


def test_parts_of_a_net_are_nets():
    """A discriminator is trained by itself, too: it has its own penalties, and fills its own weights."""
    text = """
    net generator { input z [8]; dense(12, l2=0.1) -> relu -> dense(16) }
    net discriminator { input x [16]; dense(4, l1=0.5) -> dense(1) }
    net gan { input z [8]; generator -> discriminator(frozen=true) }
    """
    gan = api.parse(text).torch()
    assert float(gan.regularization()) == float(gan.generator.regularization()) > 0
    part = type(gan.discriminator)()
    wanted = 0.5 * float(part.dense1.weight.detach().abs().sum())
    assert float(part.regularization()) == pytest.approx(wanted, rel=1e-6)
    for module in (gan.generator.dense1, gan.discriminator.dense1, part.dense1):
        assert not module.bias.any()


def test_words_of_other_libraries():
    with pytest.raises(SpecError) as caught:
        api.parse("net n { input x [2]; dense(1, kernel_regularizer=0.1, kernel_initializer=zeros) }")
    assert [fault.help for fault in caught.value.diagnostics] == ["here it is `l2`", "here it is `init`"]


@pytest.mark.parametrize(
    ("step", "help"),
    [
        ("unit(4, l2=0.1)", "hand it on to the layers in it: `block unit(l2=...)`, `dense(10, l2=l2)`"),
        ("bidirectional(gru(4), l1=0.1)", "give it to the step: `gru(..., l1=0.1)`"),
        ("stack(2, gru(4), init=zeros)", "give it to the step: `gru(..., init=zeros)`"),
        ("batchnorm(l2=0.1)", "layers with kernels or tables take it: `dense`, `conv`, `embedding`, `lstm`, ..."),
    ],
)
def test_where_it_goes(step, help):
    with pytest.raises(SpecError) as caught:
        api.parse(f"block unit(n) {{ dense(n) }}\nnet n {{ input x [5, 6]; {step} }}")
    assert [(fault.code, fault.help) for fault in caught.value.diagnostics] == [("unknown-argument", help)]


def test_nothing_is_written_where_nothing_is_asked():
    network = api.parse("net n { input x [2]; dense(1, l2=0) }")
    assert "regular" not in network.to_torch() + network.to_keras()


def test_values_that_are_refused():
    for text in ("l2=-0.1", "l1=true", "l1=none", "l2=(1, 2)"):
        with pytest.raises(SpecError) as caught:
            api.parse(f"net n {{ input x [2]; dense(1, {text}) }}")
        (fault,) = caught.value.diagnostics
        assert fault.code == "wrong-value"
        assert "must be a number of at least 0" in fault.message
    with pytest.raises(SpecError) as caught:
        api.parse("net n { input x [2]; dense(1, l2=1e999) }")
    assert [fault.code for fault in caught.value.diagnostics] == ["too-large"]
    with pytest.raises(SpecError) as caught:
        api.parse("net n { input x [2]; relu(l2=0.1) }")
    assert caught.value.diagnostics[0].code == "unknown-argument"
