import keras
from keras import layers


def cell(prev, cur, filters):
    """Blocks with several inputs and several outputs

    Takes prev (N, H, W, C) and cur (N, H, W, C) and gives fine (N, H, W, C) and coarse
    (N, H, W, C).
    """
    mixed = layers.Conv2D(filters, 1)(prev)
    y = layers.Conv2D(filters, 3, padding="same")(cur)
    mixed = layers.Add()([mixed, y])
    fine = layers.Activation("relu")(mixed)
    x = layers.MaxPooling2D(2)(fine)
    return fine, x


def several_inputs():
    """Takes N, H, W, C and gives coarse (N, H, W, C) and coarser (N, H, W, C)."""
    image = keras.Input((16, 16, 3), name="image")
    stem = layers.Conv2D(8, 3, padding="same")(image)
    fine, coarse = cell(image, stem, 8)
    _, coarser = cell(stem, fine, 4)
    return keras.Model(image, [coarse, coarser], name="several_inputs")
