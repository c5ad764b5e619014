"""Keras models read without Keras: the same parameters and shapes, and with their own weights the same numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras_models import MODELS, inputs_of, random_model, settle

import netspec
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.importing.keras_file import keras_model, read_archive
from netspec.importing.writer import write_spec
from netspec.syntax.printer import format_source
from netspec.verify.verdict import apart
from netspec.weights.targets import keras_target, torch_target

TOLERANCE = 1e-5
RANDOM = 100
# models that the generated code of their spec has the layers of, one for one: their files need no table
BY_FILE = ("convnet", "plain")


@pytest.fixture(autouse=True)
def _cleared():
    keras.utils.clear_session()


def counted(model):
    """Trainable numbers, and running means and variances: not seeds, nor what a `Normalization` counts."""
    learned = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    kept = [v for v in model.non_trainable_variables if "seed" not in v.path and v.name != "count"]
    return learned, sum(int(np.prod(v.shape)) for v in kept)


def recovered(model):
    """The net of the spec that is written of a model, which must stand by itself."""
    written = write_spec(keras_model(model))
    assert not written.faults, written.text
    net = netspec.parse(written.text)
    holders = written.holders
    assert not net.checked.diagnostics
    assert format_source(Source("", written.text), Collector()) == written.text
    return net, holders


def carried(model, net, holders):
    """The weights of a model by the paths of a spec: each array by its name in the layer that holds it."""
    weights = {}
    for path, weight in net.weights().items():
        place = path.removesuffix(f".{weight.name}") if weight.name else path
        layer = model
        for name in holders[place].split("/"):
            layer = layer.get_layer(name)
        held = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
        called = weight.keras.name
        if isinstance(layer, keras.layers.Normalization):  # which is a norm that is held still
            called = called.replace("moving", "adapt")
        for name in (called or "gamma").split("."):  # a weight of one's own is that of a `LayerScale`
            held = getattr(held, name)
        array = np.asarray(held)
        if isinstance(layer, keras.layers.Dense) and len(weight.sizes) > 2:  # on a grid: a window of one cell
            array = array.reshape(weight.sizes)
        if weight.keras.part is not None:
            part, count = weight.keras.part
            array = np.split(array, count)[part]
        weights[path] = weight.keras.take(array, weight.sizes)
    return weights


def agrees(model, found, tmp_path):
    """The spec holds what the model holds, and does what it does with the model's own file of weights."""
    net, holders = found
    totals = net.checked.totals
    learned, kept = counted(model)
    assert (totals.trainable, totals.params - totals.trainable + totals.statistics) == (learned, kept), net.text
    settle(model)
    file = str(tmp_path / "model.keras")
    model.save(file)
    assert write_spec(read_archive(file)).text == net.text
    weights = carried(model, net, holders)
    if model.name in BY_FILE:
        assert all(np.array_equal(weights[path], found) for path, found in net.load_weights(file).items())
    given = inputs_of(model)
    wanted = model(given if len(given) > 1 else given[0], training=False)
    wanted = [np.asarray(y) for y in (wanted if isinstance(wanted, list | tuple) else [wanted])]
    for target in (keras_target(net.checked), torch_target(net.checked)):
        made = target.model(lambda: given, "float32")
        made.load(target.spelling.put(weights))
        for ours, theirs in zip(made(given), wanted, strict=True):
            assert ours.shape == theirs.shape
            assert apart(ours, theirs, 1e-6) < TOLERANCE, (target.framework, net.text)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_does_what_the_model_does(make, tmp_path):
    model = make()
    agrees(model, recovered(model), tmp_path)


def test_random_models(tmp_path):
    _random(range(20), tmp_path)


@pytest.mark.sweep
def test_many_random_models(tmp_path):
    _random(range(20, RANDOM), tmp_path)


def _random(seeds, tmp_path):
    for number in seeds:
        keras.utils.clear_session()
        model = random_model(number)
        agrees(model, recovered(model), tmp_path)


# --- what is refused, and what is told --------------------------------------------------------------------------------


def faults_of(*stack, shape=(8, 8, 4), dtype="float32"):
    x = given = keras.Input(shape, dtype=dtype, name="x")
    for layer in stack:
        x = layer(x)
    return write_spec(keras_model(keras.Model(given, x)))


class Mine(keras.layers.Layer):
    def call(self, x):
        return x * 2


layers = keras.layers
ODD = {
    "Lambda": (layers.Lambda(lambda x: x + 1),),
    "Mine": (Mine(),),
    "`kernel_constraint": (layers.Conv2D(3, 3, kernel_constraint="non_neg"),),
    "which is not that of the channels": (layers.BatchNormalization(axis=1),),
    "`output_padding": (layers.Conv2DTranspose(3, 3, strides=2, output_padding=1),),
    "a slope for each place": (layers.PReLU(),),
    "`noise_shape": (layers.Dropout(0.1, noise_shape=(None, 8, 1, 1)),),
    "`threshold": (layers.ReLU(threshold=1.0),),
    "`interpolation": (layers.UpSampling2D(2, interpolation="bicubic"),),
    "`activity_regularizer`": (layers.Dense(3, activity_regularizer="l2"),),
    "`data_format": (layers.Conv2D(3, 3, data_format="channels_first"),),
    "`activation=sparsemax`": (layers.Activation("sparsemax"),),
    "`invert": (layers.Normalization(mean=0.0, variance=1.0, invert=True),),
}


@pytest.mark.parametrize("told", ODD)
def test_what_has_no_counterpart_is_told(told):
    found = faults_of(*ODD[told])
    assert len(found.faults) == 1
    assert told in found.faults[0]
    with pytest.raises(netspec.SpecError) as caught:
        netspec.parse(found.text)
    assert [d.code for d in caught.value.diagnostics] == ["unknown-name"]


def test_what_stands_behind_a_fault_is_written():
    found = faults_of(Mine(name="odd"), layers.Conv2D(5, 3, name="after"), layers.Flatten())
    assert len(found.faults) == 1
    assert "mine -> conv(5, 3x3) as after -> flatten" in found.text
    assert netspec.parse(f"block mine {{ scale(2) }}\n{found.text}").outputs[0].shape == (6 * 6 * 5,)


def test_padded_steps_that_are_read_are_told():
    masked = layers.Embedding(9, 4, mask_zero=True)
    for behind in (layers.Dense(3), layers.GlobalAveragePooling1D()):
        found = faults_of(masked, layers.LSTM(4, return_sequences=True), behind, shape=(6,), dtype="int32")
        assert "pad" in found.faults[0]
    assert not faults_of(masked, layers.LSTM(4), layers.Dense(3), shape=(6,), dtype="int32").faults
    ends = faults_of(masked, layers.LSTM(4, return_sequences=True), shape=(6,), dtype="int32")
    assert "padded steps" in ends.faults[0]


def test_from_keras_has_the_text():
    net = netspec.from_keras(MODELS[0]())
    assert net.text.startswith("net convnet {")
    assert net.outputs[0].shape == (5,)
