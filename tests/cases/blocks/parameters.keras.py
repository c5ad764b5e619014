import keras
from keras import layers


def pair(x, filters, last, kernel=3, act="relu"):
    """Parameters by position and by name, with defaults, one of which uses another

    Takes N, H, W, C and gives N, H, W, C.
    """
    x = layers.Conv2D(filters, kernel, padding="same", activation=act)(x)
    return layers.Conv2D(last, kernel, padding="same", activation=act)(x)


def parameters(width=8, classes=10):
    """Takes N, H, W, C and gives N, F."""
    image = keras.Input((16, 16, 3), name="image")
    x = pair(image, width, 2 * width)
    x = pair(x, width, 2 * width, kernel=5)
    x = pair(x, width, 4, act="tanh")
    x = layers.Flatten()(x)
    x = layers.Dense(classes)(x)
    return keras.Model(image, x, name="parameters")
