import keras
from keras import layers


def arithmetic():
    """Compile-time arithmetic: exact where it divides

    Takes N, F and gives N, F.
    """
    x = keras.Input((64,), name="x")
    x2 = layers.Dense(3)(x)
    x2 = layers.Dense(32)(x2)
    x2 = layers.Dense(11)(x2)
    x2 = layers.Dense(21)(x2)
    x2 = layers.Dense(16)(x2)
    return keras.Model(x, x2, name="arithmetic")
