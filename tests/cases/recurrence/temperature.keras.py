import keras
from keras import layers


def temperature(units=32):
    """A temperature one day ahead, from 14 measurements

    Takes N, T, F and gives N, F.
    """
    series = keras.Input((None, 14), name="series")
    x = layers.GRU(
        units,
        dropout=0.1,
        recurrent_dropout=0.5,
        return_sequences=True,
    )(series)
    x = layers.Bidirectional(
        layers.LSTM(2 * units, return_sequences=True),
        merge_mode="sum",
    )(x)
    x = layers.Bidirectional(
        layers.LSTM(2 * units, return_sequences=True),
        merge_mode="sum",
    )(x)
    steps, h = layers.GRU(units, return_sequences=True, return_state=True)(x)
    start = layers.Dense(units, activation="tanh")(h)
    again = layers.SimpleRNN(units, go_backwards=True)(steps, initial_state=[start])
    x = layers.Concatenate()([h, again])
    x = layers.Dense(1)(x)
    return keras.Model(series, x, name="temperature")
