import keras
from keras import layers, ops


class Parameter(layers.Layer):
    """Learned numbers of their own, the same for every sample; what comes in is not looked at."""

    def __init__(self, shape, initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)
        self.initializer = keras.initializers.get(initializer)
        self.value = self.add_weight(
            name="value", shape=self.shape, initializer=self.initializer
        )

    def call(self, _inputs):
        return ops.convert_to_tensor(self.value)

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return {**super().get_config(), "shape": self.shape, "initializer": initializer}
