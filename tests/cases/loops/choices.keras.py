import keras
from keras import layers


def unit(x, op):
    """Choices at compile time: if, else if, else, and values that depend on a condition

    Takes N, H, W, C and gives N, H, W, C.
    """
    if op not in ("conv3", "conv5", "pool", None, "other"):
        raise ValueError(
            'unit is written for op in ("conv3", "conv5", "pool", None, "other")',
        )
    if op == "conv3" or op == "conv5":
        x = layers.Conv2D(4, 3 if op == "conv3" else 5, padding="same")(x)
    elif op == "pool":
        x = layers.MaxPooling2D(3, strides=1, padding="same")(x)
        x = layers.Conv2D(4, 1)(x)
    elif op is None:
        pass
    else:
        x = layers.Conv2D(4, 1)(x)
    return x


def choices():
    """Takes N, H, W, C and gives N, H, W, C."""
    image = keras.Input((8, 8, 4), name="image")
    x = image
    for op in ["conv3", "conv5", "pool", None, "other"]:
        x = unit(x, op)
    x = layers.Conv2D(8, 3, padding="same")(x)
    return keras.Model(image, x, name="choices")
