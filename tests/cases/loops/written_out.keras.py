import keras
from keras import layers


def tower(x, widths):
    """Loops that are written out, since their turns differ: the lists are those of the
    caller, as long as they were
    """
    for w in widths:
        if w > 4:
            x2 = layers.Dense(w)(x2)
            x2 = layers.Activation("relu")(x2)
        else:
            x2 = layers.Dense(w)(x)
    return x2


def pairs(x, sizes):
    for w, rate in sizes:
        if w > 4:
            x2 = layers.Dense(w)(x2)
            x2 = layers.Activation("relu")(x2)
        else:
            x2 = layers.Dense(w)(x)
            x2 = layers.Dropout(rate)(x2)
    return x2


def written_out():
    """Takes N, F and gives N, F."""
    x = keras.Input((4,), name="x")
    x2 = tower(x, (3, 5))
    x2 = tower(x2, (4, 6))
    x2 = pairs(x2, ((3, 0.1), (8, 0.2)))
    x2 = pairs(x2, ((2, 0.5), (7, 0.25)))
    return keras.Model(x, x2, name="written_out")
