import keras
from keras import layers


def ends(x, count, turned=False):
    """Signs before numbers: what is behind a minus is the end of an axis, or a number
    that is taken away
    """
    tail = x[:, -count:]
    rest = x[:, :-count]
    if not turned:
        return layers.Concatenate()([tail, rest])
    return layers.Concatenate()([rest, tail])


def scaled(x, by, from_=-1):
    n = x.shape[-1]
    x = layers.Rescaling(-by)(x)
    x = layers.Rescaling(1.0, offset=from_)(x)
    return layers.Dense(+n)(x)


def signs(count=2):
    """Takes N, F and gives N, F."""
    x = keras.Input((7,), name="x")
    x2 = ends(x, count)
    x2 = ends(x2, count + 1)
    x2 = ends(x2, 3, turned=True)
    x2 = scaled(x2, 0.5)
    x2 = scaled(x2, count, from_=3)
    x2 = layers.Dense(4)(x2)
    return keras.Model(x, x2, name="signs")
