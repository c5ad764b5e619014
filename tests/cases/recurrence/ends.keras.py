import keras
from keras import layers


def ends():
    """What comes of the last step, in one direction and in both, however these are
    joined

    Takes N, T, F and gives one (N, F), joined (N, F), added (N, F), mean (N, F), there
    (N, F), back (N, F), deep (N, F) and all (N, T, F).
    """
    x = keras.Input((5, 4), name="x")
    one = layers.LSTM(3)(x)
    joined = layers.Bidirectional(layers.LSTM(3))(x)
    added = layers.Bidirectional(layers.GRU(3), merge_mode="sum")(x)
    mean = layers.Bidirectional(layers.SimpleRNN(3), merge_mode="ave")(x)
    there, back = layers.Bidirectional(layers.GRU(3), merge_mode=None)(x)
    deep = layers.Bidirectional(layers.GRU(3, return_sequences=True))(x)
    deep = layers.Bidirectional(layers.GRU(3))(deep)
    all = layers.Bidirectional(
        layers.GRU(3, return_sequences=True),
        merge_mode="mul",
    )(x)
    return keras.Model(
        x,
        [one, joined, added, mean, there, back, deep, all],
        name="ends",
    )
