import keras
from keras import layers


def subflows():
    """`{ ... }` stands wherever a step may; names bound inside stay inside

    Takes N, H, W, C and gives N, H, W, C.
    """
    image = keras.Input((16, 16, 8), name="image")
    y = layers.Activation("relu")(image)
    y2 = layers.Conv2D(8, 3, padding="same")(image)
    y2 = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(y2)
    y2 = layers.Conv2D(8, 1)(y2)
    y2 = layers.Activation("relu")(y2)
    z = layers.Add()([y, y2])
    squeeze = layers.GlobalAveragePooling2D()(image)
    squeeze = layers.Dense(2, activation="relu")(squeeze)
    squeeze = layers.Dense(8, activation="sigmoid")(squeeze)
    x = layers.Multiply()([image, squeeze])
    x = layers.Add()([x, z])
    return keras.Model(image, x, name="subflows")
