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
        for name in weight.keras.name.split("."):
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
