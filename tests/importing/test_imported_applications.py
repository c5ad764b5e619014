"""The networks of keras.applications: each is read, holds what Keras counts, and smaller ones give the same numbers."""

from __future__ import annotations

import inspect

import harness  # noqa: F401  # first: it chooses the Keras backend
import keras
import numpy as np
import pytest
from test_keras import carried, counted, recovered

from netspec.runtime.keras_model import import_keras
from netspec.verify.verdict import apart
from netspec.weights.targets import keras_target, torch_target

NETWORKS = sorted(name for name, f in vars(keras.applications).items() if inspect.isfunction(f) and name[0].isupper())
# run at small sizes, in float64: a hundred layers make much of a little in float32
RUN = {
    **dict.fromkeys(("MobileNetV2", "MobileNet", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0"), 64),
    **dict.fromkeys(("DenseNet121", "ResNet50", "ResNet50V2", "ConvNeXtTiny", "VGG16", "NASNetMobile"), 64),
    **dict.fromkeys(("Xception", "InceptionV3", "InceptionResNetV2"), 96),
}
TOLERANCE = 1e-6
# Keras holds the factors and means of images in float32, and these make much of that
ROUNDED = dict.fromkeys(("EfficientNetB0", "EfficientNetV2B0"), 1e-3)


@pytest.fixture
def _float64():
    import_keras("float64")
    yield
    import_keras()
    keras.utils.clear_session()


def settled(model, x):
    """Norms that have seen the input, so that nothing vanishes behind them; then all of their numbers moved."""
    rng = np.random.default_rng(0)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    kept = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    if norms:
        model(x, training=True)
    for layer, momentum in zip(norms, kept):
        layer.momentum = momentum
        layer.moving_variance.assign(np.asarray(layer.moving_variance) * rng.uniform(0.8, 1.2, layer.moving_mean.shape))
    for variable in model.variables:
        shape = tuple(variable.shape)
        if variable.name == "gamma":
            variable.assign(rng.uniform(0.8, 1.2, shape))
        elif variable.name in ("bias", "beta"):
            variable.assign(0.05 * rng.standard_normal(shape))


@pytest.mark.sweep
@pytest.mark.parametrize("name", NETWORKS)
def test_is_read(name):
    keras.utils.clear_session()
    model = getattr(keras.applications, name)(weights=None)
    net, _ = recovered(model)
    totals = net.checked.totals
    learned, kept = counted(model)
    assert (totals.trainable, totals.params - totals.trainable + totals.statistics) == (learned, kept)
    assert net.outputs[0].shape == model.output_shape[1:]


@pytest.mark.sweep
@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize("name", RUN)
def test_gives_the_same_numbers(name):
    keras.utils.clear_session()
    shape = (RUN[name], RUN[name], 3)
    model = getattr(keras.applications, name)(weights=None, input_shape=shape, classes=10, classifier_activation=None)
    x = np.random.default_rng(1).uniform(0, 255 if "Efficient" in name or "Conv" in name else 1, (2, *shape))
    settled(model, x)
    net, holders = recovered(model)
    weights = carried(model, net, holders)
    wanted = np.asarray(model(x, training=False))
    assert apart(wanted[0], wanted[1]) > 1e-4
    for target in (keras_target(net.checked), torch_target(net.checked)):
        made = target.model(lambda: [x], "float64")
        made.load(target.spelling.put(weights))
        assert apart(made([x])[0], wanted) < ROUNDED.get(name, TOLERANCE), target.framework


def test_a_network_is_read():
    model = keras.applications.MobileNetV3Small(weights=None, input_shape=(64, 64, 3))
    net, _ = recovered(model)
    assert net.checked.totals.trainable == counted(model)[0]
