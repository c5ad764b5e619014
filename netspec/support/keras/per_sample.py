from keras import layers, ops


class PerSample(layers.Layer):
    """The first of two values, which has no batch axis, once for each sample of the second."""

    def call(self, inputs):
        value, like = inputs
        return ops.broadcast_to(value, (ops.shape(like)[0], *value.shape))

    def compute_output_shape(self, input_shape):
        return (input_shape[1][0], *input_shape[0])
