import keras
from keras import layers, ops


class AdditiveAttention(layers.Layer):
    """Attention with the score v . tanh(W query + U key). Bahdanau et al. (2014)."""

    def __init__(
        self,
        units,
        use_bias=False,
        use_causal_mask=False,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias
        self.use_causal_mask = use_causal_mask
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.query = self.projection(units, use_bias)
        self.key = self.projection(units, False)
        self.score = self.projection(1, False)

    def projection(self, units, use_bias):
        return layers.Dense(
            units,
            use_bias=use_bias,
            kernel_initializer=self.kernel_initializer.clone(),
            kernel_regularizer=self.kernel_regularizer,
            trainable=self.trainable,
        )

    def build(self, input_shape):
        self.query.build(input_shape[0])
        self.key.build(input_shape[-1])
        self.score.build((None, None, None, self.units))

    def call(self, inputs):
        query, value, key = inputs[0], inputs[1], inputs[-1]
        hidden = ops.expand_dims(self.query(query), -2)
        hidden = ops.tanh(hidden + ops.expand_dims(self.key(key), -3))
        scores = ops.squeeze(self.score(hidden), -1)
        if self.use_causal_mask:
            later = ops.triu(ops.ones_like(scores), 1)
            scores = ops.where(later > 0, -float("inf"), scores)
        return ops.softmax(scores) @ value

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], input_shape[1][-1])

    def get_config(self):
        config = {
            "units": self.units,
            "use_bias": self.use_bias,
            "use_causal_mask": self.use_causal_mask,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **config}
