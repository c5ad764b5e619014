import keras
from keras import layers


def project(x, n, act=True):
    """Branches of which one hands on what it is given, and a condition that is the same
    for all

    Takes N, H, W, C and gives N, H, W, C.
    """
    c = x.shape[-1]
    if c != n:
        y = layers.Conv2D(n, 1)(x)
    else:
        y = x
    if act:
        y = layers.Activation("relu")(y)
    return y


def fan(x):
    """Takes N, H, W, C and gives N, H, W, C."""
    x2 = layers.Conv2D(4, 1, padding="same")(x)
    y = layers.Conv2D(4, 3, padding="same")(x)
    return layers.Concatenate()([x2, y])


def fan2(x):
    """Takes N, H, W, C and gives N, H, W, C."""
    x2 = layers.Conv2D(4, 3, padding="same")(x)
    y = layers.Conv2D(4, 5, padding="same")(x)
    return layers.Concatenate()([x2, y])


def conditions():
    """Takes N, H, W, C and gives N, H, W, C."""
    x = keras.Input((6, 6, 4), name="x")
    x2 = project(x, 4)
    x2 = project(x2, 8)
    x2 = project(x2, 8, act=False)
    x2 = fan(x2)
    x2 = fan2(x2)
    x2 = layers.Conv2D(3, 1)(x2)
    return keras.Model(x, x2, name="conditions")
