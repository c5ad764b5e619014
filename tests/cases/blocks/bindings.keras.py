import keras
from keras import layers


def halve(x):
    """`[h, w, c]` binds the sizes of what comes in; a number there is a demand; `...`
    stands for any axes

    Takes N, H, W, C and gives N, H, W, C.
    """
    h = x.shape[1]
    c = x.shape[-1]
    x = layers.Conv2D(2 * c, 3, strides=2, padding="same")(x)
    if h > 8:
        return layers.Activation("relu")(x)
    return layers.Activation("tanh")(x)


def per_channel(x):
    c = x.shape[-1]
    return layers.Dense(c // 2)(x)


def grey_only(x):
    """Takes N, H, W, C and gives N, H, W, C."""
    return layers.Conv2D(16, 16)(x)


def bindings():
    """Takes image (N, H, W, C), vector (N, F) and volume (N, D, H, W, C) and gives
    small (N, H, W, C), v (N, F), w (N, F) and n (N, H, W, C).
    """
    image = keras.Input((16, 16, 1), name="image")
    vector = keras.Input((8,), name="vector")
    volume = keras.Input((4, 4, 4, 6), name="volume")
    x = halve(image)
    x = halve(x)
    x2 = per_channel(vector)
    x3 = layers.AveragePooling3D(4)(volume)
    x3 = layers.Flatten()(x3)
    x3 = per_channel(x3)
    x4 = grey_only(image)
    return keras.Model([image, vector, volume], [x, x2, x3, x4], name="bindings")
