from keras import layers, ops


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
