import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="transformer")
class PositionalEncoding(layers.Layer):
    """Adds sines and cosines of the position, each pair slower than the one before.

    Vaswani et al. (2017), section 3.5.
    """

    def __init__(self, base=10000.0, **kwargs):
        super().__init__(**kwargs)
        self.base = base

    def call(self, x):
        length, size = ops.shape(x)[1], x.shape[-1]
        positions = ops.arange(length, dtype="float32")
        exponents = ops.arange(0, size, 2, dtype="float32") / size
        angles = ops.outer(positions, self.base**-exponents)
        table = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
        table = ops.reshape(table, (length, -1))[:, :size]
        return x + ops.cast(table, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "base": self.base}


def encoder_layer(x, hidden):
    """Self-attention, then a net of two layers at each step; each is added to what came
    in
    """
    n = x.shape[-1]
    if n % 8 != 0:
        raise ValueError("encoder_layer is written for n % 8 == 0")
    y = layers.MultiHeadAttention(
        8,
        n // 8,
        dropout=0.1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
    )(x, x)
    attended = layers.Add()([x, y])
    attended = layers.LayerNormalization(epsilon=1e-5)(attended)
    y = layers.Dense(hidden, activation="relu")(attended)
    y = layers.Dense(n)(y)
    x = layers.Add()([attended, y])
    return layers.LayerNormalization(epsilon=1e-5)(x)


def decoder_layer(x, memory, hidden):
    """The same with a look at the other text in between"""
    n = x.shape[-1]
    if n % 8 != 0:
        raise ValueError("decoder_layer is written for n % 8 == 0")
    y = layers.MultiHeadAttention(
        8,
        n // 8,
        dropout=0.1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
    )(x, x, use_causal_mask=True)
    said = layers.Add()([x, y])
    said = layers.LayerNormalization(epsilon=1e-5)(said)
    y = layers.MultiHeadAttention(
        8,
        n // 8,
        dropout=0.1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
    )(said, memory)
    asked = layers.Add()([said, y])
    asked = layers.LayerNormalization(epsilon=1e-5)(asked)
    y = layers.Dense(hidden, activation="relu")(asked)
    y = layers.Dense(n)(y)
    x = layers.Add()([asked, y])
    return layers.LayerNormalization(epsilon=1e-5)(x)


def transformer(units=512, layers_=2):
    """Takes source (N, T) and target (N, T) and gives N, T, F."""
    source = keras.Input((None,), dtype="int64", name="source")
    target = keras.Input((None,), dtype="int64", name="target")
    words = layers.Embedding(37000, units)
    memory = words(source)
    memory = PositionalEncoding()(memory)
    memory = layers.Dropout(0.1)(memory)
    for _ in range(layers_):
        memory = encoder_layer(memory, 4 * units)
    x = words(target)
    x = PositionalEncoding()(x)
    x = layers.Dropout(0.1)(x)
    for _ in range(layers_):
        x = decoder_layer(x, memory, 4 * units)
    x = layers.Dense(37000)(x)
    return keras.Model([source, target], x, name="transformer")
