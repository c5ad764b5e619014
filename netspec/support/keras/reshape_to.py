from keras import layers, ops

from .length_of import length_of


class ReshapeTo(layers.Layer):
    """Brings the first value to other sizes; axes of all values may say some of them."""

    def __init__(self, *sizes, **kwargs):
        super().__init__(**kwargs)
        self.sizes = sizes

    def call(self, values):
        sizes = (length_of(values, size) for size in self.sizes)
        return ops.reshape(values[0], (ops.shape(values[0])[0], *sizes))

    def compute_output_shape(self, input_shape):
        known = (n if isinstance(n, int) and n > 0 else None for n in self.sizes)
        return (input_shape[0][0], *known)

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes}

    @classmethod
    def from_config(cls, config):
        return cls(*config.pop("sizes"), **config)
