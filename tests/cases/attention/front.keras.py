import keras
from keras import layers, ops


def front():
    """Sequences side by side: what stands in front of them is gone through place by
    place

    Takes x (N, H, W, C) and memory (N, H, W, C) and gives own (N, H, W, C), ahead
    (N, H, W, C) and both (N, H, W, C).
    """
    x = keras.Input((2, 5, 6), name="x")
    memory = keras.Input((2, 4, 3), name="memory")
    own = layers.MultiHeadAttention(
        2,
        3,
        attention_axes=(2,),
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
    )(x, x)
    x2 = ops.reshape(x, (-1, 5, 6))
    ahead = ops.reshape(
        layers.MultiHeadAttention(
            2,
            3,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
        )(x2, x2, use_causal_mask=True),
        (-1, 2, 5, 6),
    )
    both = layers.MultiHeadAttention(
        3,
        2,
        attention_axes=(2,),
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
    )(x, memory)
    return keras.Model([x, memory], [own, ahead, both], name="front")
