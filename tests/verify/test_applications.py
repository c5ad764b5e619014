"""Framework twins: where Keras ships a network that is a spec of ours, the two are one function.

Keras builds its own with random weights. These are carried over to our generated models by structure (see `dataflow`),
never by name, and the outputs are compared in float64, where the epsilon of a batch norm can be told from another one
and a pool that counts zeros from one that does not. Momentum shows in training only and is not compared.
"""

from __future__ import annotations

import harness  # noqa: F401  # first: it chooses the Keras backend
import keras
import numpy as np
import pytest
from checking import check, check_spec
from dataflow import matched, of_keras, of_net
from keras import layers

from netspec.ir.types import Step
from netspec.runtime.keras_model import import_keras
from netspec.verify.verdict import apart
from netspec.weights.table import check_weights
from netspec.weights.targets import keras_target, torch_target
from netspec.zoo import applications

# the largest difference relative to the largest output
TOLERANCE = 1e-9
# Keras's layer for a factor, which our code calls, holds the 0.17 of the residual branches in float32
ROUNDED = {"InceptionResNetV2": 1e-6}
# PyTorch is slow at separable convolutions in float64. At these sizes maps are odd and even in turn, as in full size
SMALLER = {"NASNetMobile": "size=91", "NASNetLarge": "size=91", "Xception": "size=149"}
TWINS = {twin.application: twin for twin in applications()}


@pytest.fixture(autouse=True)
def _float64():
    import_keras("float64")
    keras.utils.clear_session()
    yield
    import_keras()
    keras.utils.clear_session()


def twin(name, more=""):
    """The net that is a network of Keras, with more settings."""
    found = TWINS[name]
    return check_spec(found.net, f"{found.settings} {more}")


def application(name, net):
    """The network of Keras for the input and the outputs of a net."""
    body = net.net.body
    classifier = [row.node for row in net.layers if isinstance(row.node, Step)][-1].layer
    return getattr(keras.applications, name)(
        weights=None,
        input_shape=body.inputs[0].value.shape,
        classes=body.outputs[0].value.shape[-1],
        classifier_activation="softmax" if classifier.activation else None,
    )


def settled(model, x, rng):
    """Random weights with which no value vanishes, explodes or hides another.

    Kernels keep the scale. Batch norms then get the statistics of what comes in, which a step of training that forgets
    the old ones gives them, and those are moved at random.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for variable in model.variables:
        variable.assign(_random(variable, rng))
    for layer in norms:
        layer.momentum = 0.0
    if norms:
        model(x, training=True)
    for layer in norms:
        mean, variance = (np.asarray(v) for v in (layer.moving_mean, layer.moving_variance))
        layer.moving_mean.assign(mean + 0.3 * variance**0.5 * rng.standard_normal(mean.shape))
        layer.moving_variance.assign((variance + 0.1 * variance.mean()) * (0.5 + rng.random(mean.shape)))


def _random(variable, rng):
    shape = tuple(variable.shape)
    if len(shape) == 1:
        return 0.5 + rng.random(shape) if variable.name == "gamma" else 0.2 * rng.standard_normal(shape)
    taps = np.prod(shape[:-2]) if variable.name == "depthwise_kernel" else np.prod(shape[:-1])
    return rng.standard_normal(shape) * (2 / taps) ** 0.5


def carried(net, model):
    """The weights of a Keras model under the paths of a net, by structure."""
    found = {}
    for ours, theirs in matched(of_net(net), of_keras(model)):
        held = {v.name: np.asarray(v) for v in theirs.holder.weights}
        for name, (path, weight) in ours.holder.items():
            found[path] = weight.keras.take(held[name], weight.sizes)
    check_weights(net, found)
    return found


def agreement(net, name, seed=0):
    """The worst relative error of our PyTorch and Keras models, which get the weights of the network of Keras."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, *net.net.body.inputs[0].value.shape))
    x[1] = 3 * x[1] + 1  # else all that is averaged would be nearly the same for both
    model = application(name, net)
    settled(model, x, rng)
    wanted = np.asarray(model(x))
    weights = carried(net, model)
    assert apart(wanted[0], wanted[1]) > 1e-2, "the output hardly reacts to the input"
    assert len(np.unique(wanted)) > wanted.size // 2
    del model
    keras.utils.clear_session()
    errors = {}
    for target in (torch_target(net), keras_target(net)):
        made = target.model(lambda: [x], "float64")
        made.load(target.spelling.put(weights))
        errors[target.framework] = apart(made([x])[0], wanted)
        del made
    return errors


@pytest.mark.sweep
@pytest.mark.parametrize("name", TWINS)
def test_is_the_network_of_keras(name):
    errors = agreement(twin(name, SMALLER.get(name, "")), name)
    assert errors["torch"] < TOLERANCE, errors
    assert errors["keras"] < ROUNDED.get(name, TOLERANCE), errors


def test_a_small_one():
    errors = agreement(twin("MobileNetV2", "size=32 classes=10"), "MobileNetV2")
    assert max(errors.values()) < TOLERANCE, errors


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("name", "spec", "settings"),
    [
        ("MobileNetV2", "mobilenet_v2", "tensorflow=true epsilon=0.00100001 size=32"),
        ("MobileNetV2", "mobilenet_v2", "epsilon=0.001 size=32"),
        ("DenseNet121", "densenet121", "epsilon=1e-5"),
        ("NASNetMobile", "nasnet_a_mobile", "size=91"),
    ],
)
def test_another_epsilon_or_padding_is_seen(name, spec, settings):
    errors = agreement(check_spec(spec, settings), name)
    assert min(errors.values()) > 10 * TOLERANCE, errors


# --- the matching itself ---------------------------------------------------------------------------------------------

BRANCHES = """
net branches {
  input x [8, 8, 4]
  conv(4, 3x3, padding=same) as a
  concat(x -> conv(4, 1x1, bias=false) -> batchnorm as b, a -> conv(4, 1x1, bias=false) as c) as joined
  joined + (joined -> relu -> conv(8, 3x3, padding=same)) -> conv(2, 1x1)
}
"""


def branches(order=(0, 1), first="x", add=(0, 1)):
    """The same in Keras, with the values of the concatenation and of the sum in an order, and `b` on x or on a."""
    x = keras.Input((8, 8, 4))
    a = layers.Conv2D(4, 3, padding="same")(x)
    b = layers.BatchNormalization()(layers.Conv2D(4, 1, use_bias=False)(x if first == "x" else a))
    c = layers.Conv2D(4, 1, use_bias=False)(a)
    joined = layers.Concatenate()([(b, c)[i] for i in order])
    parts = [joined, layers.Conv2D(8, 3, padding="same")(layers.ReLU()(joined))]
    return keras.Model(x, layers.Conv2D(2, 1)(layers.Add()([parts[i] for i in add])))


@pytest.mark.parametrize("add", [(0, 1), (1, 0)])
def test_a_sum_has_no_order(add):
    model = branches(add=add)
    for variable in model.variables:
        variable.assign(np.random.default_rng(1).random(variable.shape))
    found = carried(check(BRANCHES), model)
    one, other = (layer for layer in model.layers if getattr(layer, "kernel_size", 0) == (3, 3))
    assert np.array_equal(found["a.kernel"], one.kernel)
    assert np.array_equal(found["conv2.kernel"], other.kernel)


@pytest.mark.parametrize("faults", [{"order": (1, 0)}, {"first": "a"}])
def test_another_structure_is_no_match(faults):
    with pytest.raises(AssertionError, match="nothing in the spec is like"):
        carried(check(BRANCHES), branches(**faults))


def test_what_cannot_be_told_apart_is_not_guessed():
    net = check("net two { input x [4]; add(x -> dense(3), x -> dense(3)) }")
    x = keras.Input((4,))
    model = keras.Model(x, layers.Add()([layers.Dense(3)(x), layers.Dense(3)(x)]))
    with pytest.raises(AssertionError, match="cannot be told"):
        carried(net, model)
