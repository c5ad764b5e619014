from keras import layers, ops


class Sequences(layers.Layer):
    """Makes sequences, as long as those in `like`, of samples that are their steps."""

    def call(self, x, like):
        return ops.reshape(x, (-1, ops.shape(like)[1], *ops.shape(x)[1:]))

    def compute_output_shape(self, x_shape, like_shape):
        return (*like_shape[:2], *x_shape[1:])
