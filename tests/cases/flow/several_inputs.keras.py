import keras
from keras import layers


def several_inputs():
    """Two inputs: the flow starts where one of them is named. Two outputs, one made on
    the spot

    Takes image (N, H, W, C) and facts (N, F) and gives price (N, F), kind (N, F) and
    shared_part (N, F).
    """
    image = keras.Input((32, 32, 3), name="image")
    facts = keras.Input((12,), name="facts")
    looks = layers.Conv2D(8, 3, strides=2)(image)
    looks = layers.GlobalAveragePooling2D()(looks)
    y = layers.Dense(8)(facts)
    both = layers.Concatenate()([looks, y])
    shared_part = layers.Dense(16, activation="relu")(both)
    price = layers.Dense(1)(shared_part)
    kind = layers.Dense(5, activation="softmax")(shared_part)
    return keras.Model(
        [image, facts],
        [price, kind, shared_part],
        name="several_inputs",
    )
