import keras
from keras import layers


def embed(x):
    """`layer` makes one instance; its weights are counted once however often it is used"""
    x = layers.Dense(16, activation="relu")(x)
    return layers.Dense(16)(x)


def twins():
    """Takes left (N, F) and right (N, F) and gives output1 (N, F), output2 (N, F) and
    output3 (N, F).
    """
    left = keras.Input((32,), name="left")
    right = keras.Input((32,), name="right")
    head = layers.Dense(4)
    enc_x = keras.Input((32,))
    enc = keras.Model(enc_x, embed(enc_x), name="enc")
    a = enc(left)
    b = enc(right)
    x = head(a)
    x2 = head(b)
    x3 = enc(left)
    x3 = head(x3)
    return keras.Model([left, right], [x, x2, x3], name="twins")
