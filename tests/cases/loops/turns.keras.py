import keras
from keras import layers


def turns(n=3):
    """What only the first turn of a loop has otherwise: the channels that come in

    Takes N, H, W, C and gives N, H, W, C.
    """
    x = keras.Input((8, 8, 3), name="x")
    x2 = x
    for _ in range(2):
        x2 = layers.Conv2D(1, 3, padding="same")(x2)
        x2 = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x2)
        x2 = layers.Activation("relu")(x2)
    for _ in range(2):
        x2 = layers.Dropout(0.5)(x2)
        x2 = layers.Conv2D(2, 3, padding="same")(x2)
        x2 = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x2)
        x2 = layers.Activation("relu")(x2)
    for k in range(3):
        x2 = layers.Conv2D(4 + 2 * k, 3, padding="same")(x2)
        x2 = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x2)
        x2 = layers.Activation("relu")(x2)
    for _ in range(n):
        x2 = layers.Conv2D(8, 1)(x2)
        x2 = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x2)
        x2 = layers.Activation("relu")(x2)
    return keras.Model(x, x2, name="turns")
