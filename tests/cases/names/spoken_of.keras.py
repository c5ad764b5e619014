import keras
from keras import layers


def spoken_of():
    """After F. Chollet and torch.nn; ops. and layers. stand for what keras. has, as
    partial(f) does

    Takes N, F and gives N, F.
    """
    x = keras.Input((3,), name="x")
    x2 = layers.Dense(2)(x)
    return keras.Model(x, x2, name="spoken_of")
