import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="cells")
class Smooth(layers.Layer):
    """A mean that begins where it has learned to"""

    def __init__(self, x_features, rate=0.9, **kwargs):
        super().__init__(**kwargs)
        self.x_features = x_features
        self.rate = rate
        self.first = self.add_weight(
            shape=(x_features,),
            initializer="zeros",
            name="first",
        )
        self.state_size = [x_features]
        self.output_size = x_features

    def build(self, input_shape):
        # a step makes the weights of all layers
        x = ops.zeros((1, *input_shape[1:]))
        self.call(x, self.get_initial_state(1))

    def get_initial_state(self, batch_size=None):
        mean = ops.broadcast_to(self.first, (batch_size, self.x_features))
        return [mean]

    def call(self, x, states):
        (mean,) = states
        mean = mean * self.rate + x * (1 - self.rate)
        return mean, [mean]

    def get_config(self):
        return {
            **super().get_config(),
            "x_features": self.x_features,
            "rate": self.rate,
        }


@keras.saving.register_keras_serializable(package="cells")
class Gated(layers.Layer):
    """The gated cell of the courses"""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense1 = layers.Dense(units)
        self.dense2 = layers.Dense(units, use_bias=False)
        self.dense3 = layers.Dense(units)
        self.dense4 = layers.Dense(units, use_bias=False)
        self.dense5 = layers.Dense(units)
        self.dense6 = layers.Dense(units, use_bias=False)
        self.dense7 = layers.Dense(units)
        self.dense8 = layers.Dense(units, use_bias=False)
        self.state_size = [units, units]
        self.output_size = units

    def build(self, input_shape):
        # a step makes the weights of all layers
        x = ops.zeros((1, *input_shape[1:]))
        self.call(x, self.get_initial_state(1))

    def get_initial_state(self, batch_size=None):
        h = ops.zeros((batch_size, self.units))
        s = ops.full((batch_size, self.units), 0.1)
        return [h, s]

    def call(self, x, states):
        h, s = states
        f = keras.activations.sigmoid(self.dense1(x) + self.dense2(h))
        g = keras.activations.sigmoid(self.dense3(x) + self.dense4(h))
        q = keras.activations.sigmoid(self.dense5(x) + self.dense6(h))
        s = f * s + g * keras.activations.sigmoid(self.dense7(x) + self.dense8(h))
        h = keras.activations.tanh(s) * q
        return h, [h, s]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="cells")
class Smoothed(layers.Layer):
    """Both in one"""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = Gated(units)
        self.smooth = Smooth(units)
        self.state_size = [*self.inner.state_size, *self.smooth.state_size]
        self.output_size = units

    def build(self, input_shape):
        # a step makes the weights of all layers
        x = ops.zeros((1, *input_shape[1:]))
        self.call(x, self.get_initial_state(1))

    def get_initial_state(self, batch_size=None):
        inner_h, inner_s = self.inner.get_initial_state(batch_size)
        (smooth_mean,) = self.smooth.get_initial_state(batch_size)
        return [inner_h, inner_s, smooth_mean]

    def call(self, x, states):
        inner_h, inner_s, smooth_mean = states
        inner, (inner_h, inner_s) = self.inner(x, [inner_h, inner_s])
        x, (smooth_mean,) = self.smooth(inner, [smooth_mean])
        x = inner + x
        return x, [inner_h, inner_s, smooth_mean]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def cells(units=8):
    """Takes series (N, T, F) and start (N, F) and gives N, F."""
    series = keras.Input((None, units), name="series")
    start = keras.Input((units,), name="start")
    shared = layers.RNN(Gated(units), return_sequences=True)
    mean, last = layers.RNN(
        Smooth(units, rate=0.5),
        return_sequences=True,
        return_state=True,
    )(series, initial_state=[start])
    both = shared(series)
    y = shared(mean)
    both = layers.Add()([both, y])
    x, _, s = layers.RNN(Gated(units), return_sequences=True, return_state=True)(both)
    deep, h2, _ = layers.RNN(Gated(units), return_sequences=True, return_state=True)(x)
    branch1 = layers.RNN(Smoothed(units), return_sequences=True)(deep)
    y = layers.RNN(Smoothed(units), return_sequences=True, go_backwards=True)(deep)
    y = ops.flip(y, axis=1)
    branch1 = layers.Add()([branch1, y])
    branch1 = layers.RNN(Smoothed(units), go_backwards=True)(branch1)
    x = layers.Concatenate()([branch1, last, h2, s])
    x = layers.Dense(1)(x)
    return keras.Model([series, start], x, name="cells")
