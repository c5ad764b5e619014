import keras
from keras import layers


def frozen(block, *values, **options):
    """Apply a block with its weights held still, and with them the running statistics of its batch norms."""
    inputs = [keras.Input(value.shape[1:], dtype=value.dtype) for value in values]
    model = keras.Model(inputs, block(*inputs, **options))
    model.trainable = False
    return model(list(values))


def features(x):
    """Weights held still: counted as parameters, not as trainable ones; also those in a
    block

    Takes N, H, W, C and gives N, H, W, C.
    """
    x = layers.Conv2D(8, 3)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    x = layers.Activation("relu")(x)
    return layers.Conv2D(8, 3)(x)


def transfer():
    """Takes N, H, W, C and gives N, F."""
    image = keras.Input((16, 16, 3), name="image")
    x = frozen(features, image)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(4, trainable=False)(x)
    x = layers.Dense(2)(x)
    return keras.Model(image, x, name="transfer")
