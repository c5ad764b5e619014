"""Keras models to read: written by hand, one for each thing that a reader can get wrong, and made at random."""

from __future__ import annotations

import random

import harness  # noqa: F401  # first: it chooses the Keras backend
import keras
import numpy as np
from keras import layers, ops


def convnet():
    x = image = keras.Input((17, 18, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="stem")(x)
    x = layers.BatchNormalization(epsilon=2e-3, momentum=0.95, name="norm")(x)
    x = layers.ZeroPadding2D(((0, 1), (2, 1)))(x)
    x = layers.DepthwiseConv2D((3, 2), depth_multiplier=2, name="deep")(x)
    x = layers.ReLU(6.0)(x)
    x = layers.SeparableConv2D(6, 3, padding="same", use_bias=False, name="apart")(x)
    x = layers.LeakyReLU(negative_slope=0.17)(x)
    x = layers.AveragePooling2D((2, 3), strides=1, padding="same")(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="leaky_relu", name="up")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(image, layers.Dense(5, activation="softmax", name="scores")(x), name="convnet")


def residual():
    x = image = keras.Input((16, 16, 3))
    for width, stride in ((8, 1), (8, 1), (12, 2)):
        y = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)
        y = layers.BatchNormalization()(y)
        y = layers.Activation("swish")(y)
        scale = layers.GlobalAveragePooling2D(keepdims=True)(y)
        scale = layers.Conv2D(width // 4, 1, activation="relu")(scale)
        scale = layers.Conv2D(width, 1, activation="sigmoid")(scale)
        y = layers.Multiply()([y, scale])
        if x.shape[-1] != width or stride > 1:
            x = layers.Conv2D(width, 1, strides=stride)(x)
        x = layers.Add()([y, x])
    x = layers.Concatenate()([layers.MaxPooling2D(2, padding="same")(x), layers.Conv2D(4, 2, 2)(x)])
    x = layers.GlobalMaxPooling2D()(x)
    return keras.Model(image, layers.Dense(3)(x))


def sequence():
    x = words = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(50, 12, mask_zero=True, name="table")(x)
    x = layers.Bidirectional(layers.LSTM(6, return_sequences=True, dropout=0.1), merge_mode="sum", name="both")(x)
    x = layers.LSTM(5, return_sequences=True, name="first")(x)
    x = layers.GRU(5, name="second")(x)
    return keras.Model(words, layers.Dense(2, name="out")(x))


def recurrent():
    x = series = keras.Input((9, 4))
    a = layers.GRU(5, return_sequences=True, go_backwards=True, reset_after=False, name="back")(x)
    b = layers.GRU(5, return_sequences=True, activation="relu", use_bias=False, name="forth")(x)
    x = layers.Subtract()([a, b])
    x = layers.TimeDistributed(layers.Dense(6, activation="tanh"), name="steps")(x)
    x, h, c = layers.LSTM(5, return_sequences=True, return_state=True, name="encoder")(x)
    x = layers.LSTM(5, return_sequences=True, name="decoder")(x, initial_state=[h, c])
    x = layers.SimpleRNN(3, name="tail")(x)
    return keras.Model(series, x)


def transformer():
    x = series = keras.Input((7, 12), name="series")
    for number in range(2):
        y = layers.LayerNormalization(epsilon=1e-6, name=f"norm{number}")(x)
        y = layers.MultiHeadAttention(3, 4, name=f"attention{number}")(y, y, use_causal_mask=True)
        x = x + y
        y = layers.Dense(24, activation="gelu", name=f"wide{number}")(x)
        x = layers.Add()([x, layers.Dense(12, name=f"narrow{number}")(y)])
    memory = layers.MultiHeadAttention(2, 5, use_bias=False, name="cross")(x, series)
    x = ops.mean(memory * 0.5 + ops.relu6(x), axis=1)
    return keras.Model(series, [layers.Dense(4, name="left")(x), layers.Dense(2, name="right")(x)])


def shared():
    left, right = keras.Input((12,), name="left"), keras.Input((12,), name="right")
    inner = keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(5)], name="encoder")
    common = layers.Dense(5, use_bias=False, name="common")
    a, b = inner(left), inner(right)
    x = layers.Maximum()([common(a), common(b)])
    x = layers.Average()([x, a])
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(x))


def nested():
    block = keras.Sequential(
        [keras.Input((10, 10, 4)), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()],
        name="block",
    )
    inner_in = keras.Input((10, 10, 4))
    inner = keras.Model(inner_in, layers.Add()([block(inner_in), inner_in]), name="inner")
    x = image = keras.Input((10, 10, 3))
    x = inner(layers.Conv2D(4, 1)(x))
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((-1, 8))(x)
    x = layers.Conv1D(6, 3, padding="causal", dilation_rate=2)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(image, layers.Dense(2)(x))


def plain():
    return keras.Sequential(
        [
            keras.Input((20,)),
            *(layer for _ in range(3) for layer in (layers.Dense(16, activation="relu"), layers.Dropout(0.2))),
            layers.Dense(3, kernel_regularizer=keras.regularizers.L2(1e-3), kernel_initializer="he_normal"),
            layers.Softmax(),
        ],
        name="plain",
    )


def volumes():
    x = volume = keras.Input((6, 6, 6, 2))
    x = layers.Conv3D(4, 2, activation="elu")(x)
    x = layers.UpSampling3D(2)(x)
    x = layers.Cropping3D(1)(x)
    x = layers.PReLU(shared_axes=[1, 2, 3])(x)
    x = layers.GroupNormalization(2)(x)
    return keras.Model(volume, layers.GlobalAveragePooling3D()(x))


def slices():
    x = image = keras.Input((8, 8, 4))
    a, b = x[:, 1:-1, ::2], x[..., 0:1]
    y = layers.Conv2D(3, 1)(a)
    z = layers.Dense(3)(b)
    y = layers.GlobalAveragePooling2D()(2.0 - y)
    z = layers.GlobalAveragePooling2D()(z)
    return keras.Model(image, layers.Concatenate()([y, z / 2.0, y * z]))


MODELS = (convnet, residual, sequence, recurrent, transformer, shared, nested, plain, volumes, slices)


# --- at random --------------------------------------------------------------------------------------------------------


def random_model(seed):
    """A functional model of what a seed picks; half of them name their layers."""
    rng = random.Random(seed)
    kind = rng.choice(("image", "image", "sequence", "vector"))
    names = rng.random() < 0.5
    maker = _Maker(rng, names)
    return maker.model(
        {"image": (rng.choice((8, 9, 12)), rng.choice((8, 11)), rng.choice((1, 3, 4)))}.get(kind)
        or ((rng.choice((5, 6, 8)), rng.choice((4, 6))) if kind == "sequence" else (rng.choice((8, 12)),))
    )


class _Maker:
    def __init__(self, rng, names):
        self.rng, self.names, self.count = rng, names, 0

    def name(self):
        self.count += 1
        return f"part_{self.count}" if self.names else None

    def model(self, shape):
        given = keras.Input(shape, name="given" if self.names else None)
        live = [given]
        for _ in range(self.rng.randrange(4, 14)):
            live.append(self.step(live))
        tails = live[-self.rng.choice((1, 1, 2)) :]
        outputs = [self.flat(x) for x in tails]
        outputs = [layers.Dense(self.rng.randrange(2, 5), name=f"out{n}")(x) for n, x in enumerate(outputs)]
        return keras.Model(given, outputs if len(outputs) > 1 else outputs[0])

    def flat(self, x):
        if len(x.shape) == 4:
            return self.rng.choice((layers.GlobalAveragePooling2D, layers.Flatten))()(x)
        if len(x.shape) == 3:
            return self.rng.choice((layers.GlobalMaxPooling1D, layers.Flatten))()(x)
        return x

    def step(self, live):
        x = live[-1] if self.rng.random() < 0.75 else self.rng.choice(live)
        alike = [y for y in live if y.shape == x.shape and y is not x]
        if alike and self.rng.random() < 0.4:
            join = self.rng.choice((layers.Add, layers.Multiply, layers.Average, layers.Maximum, layers.Concatenate))
            return join()([x, self.rng.choice(alike)])
        if self.rng.random() < 0.1:
            return self.arithmetic(x)
        return {4: self.grid, 3: self.sequence, 2: self.vector}[len(x.shape)](x)

    def arithmetic(self, x):
        return self.rng.choice((lambda v: v * 0.5, lambda v: v + 1.5, lambda v: 1.0 - v, ops.tanh, ops.square))(x)

    def activation(self):
        return self.rng.choice((None, "relu", "tanh", "silu", "elu", "softplus", "leaky_relu", "hard_sigmoid"))

    def grid(self, x):
        rng, small = self.rng, min(x.shape[1:3]) < 4
        filters, bias = rng.randrange(2, 6), rng.random() < 0.7
        pad = "same" if small else rng.choice(("same", "valid"))
        choices = [
            lambda: layers.Conv2D(
                filters,
                rng.choice((1, 2, 3, (1, 3))),
                padding=pad,
                use_bias=bias,
                activation=self.activation(),
                strides=rng.choice((1, 1, 2)),
                name=self.name(),
            ),
            lambda: layers.Conv2D(filters, 2, padding="same", dilation_rate=2, name=self.name()),
            lambda: layers.DepthwiseConv2D(3, padding=pad, depth_multiplier=rng.choice((1, 2)), name=self.name()),
            lambda: layers.SeparableConv2D(filters, 3, padding="same", use_bias=bias, name=self.name()),
            lambda: layers.Conv2DTranspose(filters, rng.choice((2, 3)), padding="same", strides=1, name=self.name()),
            lambda: layers.BatchNormalization(
                epsilon=rng.choice((1e-3, 1e-5)), scale=rng.random() < 0.8, center=rng.random() < 0.8, name=self.name()
            ),
            lambda: (layers.LayerNormalization if x.shape[-1] > 1 else layers.Softmax)(name=self.name()),
            lambda: layers.MaxPooling2D(2, padding=pad),
            lambda: layers.AveragePooling2D(3, strides=1, padding="same"),
            lambda: layers.ZeroPadding2D(rng.choice((1, (0, 1), ((1, 0), (2, 1))))),
            lambda: layers.UpSampling2D(2, interpolation=rng.choice(("nearest", "bilinear"))),
            lambda: layers.Activation(rng.choice(("relu", "gelu", "mish", "relu6"))),
            lambda: layers.Dropout(0.2),
            lambda: layers.PReLU(shared_axes=[1, 2], name=self.name()),
            lambda: layers.Dense(filters, use_bias=bias, name=self.name()),
            lambda: layers.Reshape((-1, x.shape[-1])),
        ]
        if max(x.shape[1:3]) > 14:
            return layers.AveragePooling2D(2)(x)
        return rng.choice(choices)()(x)

    def sequence(self, x):
        rng, units = self.rng, self.rng.randrange(2, 7)
        if x.shape[1] > 60:
            return layers.MaxPooling1D(4)(x)
        if rng.random() < 0.15:
            return layers.MultiHeadAttention(2, units, name=self.name())(x, x)
        choices = [
            lambda: layers.LSTM(units, return_sequences=rng.random() < 0.7, name=self.name()),
            lambda: layers.GRU(
                units,
                return_sequences=True,
                reset_after=rng.random() < 0.5,
                go_backwards=rng.random() < 0.3,
                name=self.name(),
            ),
            lambda: layers.SimpleRNN(units, return_sequences=True, use_bias=rng.random() < 0.6, name=self.name()),
            lambda: layers.Bidirectional(
                layers.GRU(units, return_sequences=True),
                merge_mode=rng.choice(("concat", "sum", "ave", "mul")),
                name=self.name(),
            ),
            lambda: layers.Conv1D(
                units, 3, padding=rng.choice(("causal", "same")), activation=self.activation(), name=self.name()
            ),
            lambda: layers.Dense(units, activation=self.activation(), name=self.name()),
            lambda: layers.TimeDistributed(layers.Dense(units), name=self.name()),
            lambda: layers.LayerNormalization(epsilon=1e-6, name=self.name()),
            lambda: layers.BatchNormalization(name=self.name()),
            lambda: layers.SpatialDropout1D(0.1),
            lambda: layers.Softmax(axis=rng.choice((-1, 1))),
            lambda: layers.Permute((2, 1)),
        ]
        return rng.choice(choices)()(x)

    def vector(self, x):
        rng, units = self.rng, self.rng.randrange(3, 9)
        choices = [
            lambda: layers.Dense(units, activation=self.activation(), use_bias=rng.random() < 0.7, name=self.name()),
            lambda: layers.BatchNormalization(name=self.name()),
            lambda: layers.LayerNormalization(name=self.name()),
            lambda: layers.Dropout(0.5),
            lambda: layers.ELU(0.7),
            lambda: layers.RepeatVector(3),
        ]
        return rng.choice(choices)()(x)


def settle(model, seed=0):
    """Random weights, none of them at what it begins with; variances above 0."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if "seed" in variable.path:
            continue
        shape = tuple(variable.shape)
        found = rng.standard_normal(shape) * (0.3 if len(shape) > 1 else 0.1)
        if variable.name in ("gamma", "moving_variance", "variance"):
            found = 0.5 + rng.random(shape)
        if variable.dtype.startswith("float"):
            variable.assign(found)


def inputs_of(model, batch=3, seed=1):
    """Random inputs, in which symbols are 7; the last integers of a sequence are 0."""
    rng = np.random.default_rng(seed)
    found = []
    for tensor in model.inputs:
        shape = (batch, *(7 if size is None else size for size in tensor.shape[1:]))
        if "int" in tensor.dtype:
            numbers = rng.integers(1, 20, shape).astype("int32")
            numbers[0, -2:] = 0
            found.append(numbers)
        else:
            found.append(rng.standard_normal(shape).astype("float32"))
    return found
