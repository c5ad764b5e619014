import keras
from keras import layers


def tower(x, widths):
    """Lists of a caller: where it cannot be told what a turn takes, the turns are
    written out, and there are no others
    """
    if len(widths) != 2:
        raise ValueError("tower is written for len(widths) == 2")
    if widths[1] <= 4:
        raise ValueError("tower is written for widths[1] > 4")
    if widths[0] > 4:
        x = layers.Dense(widths[0])(x)
        x = layers.Activation("relu")(x)
    else:
        x = layers.Dense(widths[0])(x)
    x = layers.Dense(widths[1])(x)
    return layers.Activation("relu")(x)


def pairs(x, sizes):
    if len(sizes) != 2:
        raise ValueError("pairs is written for len(sizes) == 2")
    if sizes[0][0] > 4:
        raise ValueError("pairs is written for sizes[0][0] <= 4")
    if sizes[1][0] <= 4:
        raise ValueError("pairs is written for sizes[1][0] > 4")
    x = layers.Dense(sizes[0][0])(x)
    x = layers.Dropout(sizes[0][1])(x)
    x = layers.Dense(sizes[1][0])(x)
    return layers.Activation("relu")(x)


def alike(x, widths):
    if not all(w > 4 for w in widths):
        raise ValueError("alike is written for all(w > 4 for w in widths)")
    for w in widths:
        x = layers.Dense(w)(x)
        x = layers.Activation("relu")(x)
    return x


def either(x, widths):
    for w in widths:
        if w > 4:
            x = layers.Dense(w)(x)
            x = layers.Activation("relu")(x)
        else:
            x = layers.Dense(w)(x)
    return x


def written_out():
    """Takes N, F and gives N, F."""
    x = keras.Input((4,), name="x")
    x2 = tower(x, (3, 5))
    x2 = tower(x2, (4, 6))
    x2 = pairs(x2, ((3, 0.1), (8, 0.2)))
    x2 = pairs(x2, ((2, 0.5), (7, 0.25)))
    x2 = alike(x2, (7, 5))
    x2 = alike(x2, (8, 6, 9))
    x2 = either(x2, (3, 7, 2))
    x2 = either(x2, (8, 2, 9))
    return keras.Model(x, x2, name="written_out")
