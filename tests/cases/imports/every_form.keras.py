import keras
from keras import layers


def gate(x):
    """x times its sigmoid

    Takes N, H, W, C and gives N, H, W, C.
    """
    y = layers.Activation("sigmoid")(x)
    return layers.Multiply()([x, y])


def conv_norm(x):
    """A convolution and batch norm: Ioffe & Szegedy, "Batch Normalization" (2015),
    section 3.2.

    Takes N, H, W, C and gives N, H, W, C.
    """
    x = layers.Conv2D(10, 3, strides=2, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def conv_norm_act(x):
    """A convolution, batch norm and an activation.

    Takes N, H, W, C and gives N, H, W, C.
    """
    x = layers.Conv2D(8, 1, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.Activation("gelu")(x)


def head(x, classes):
    """Takes N, H, W, C and gives N, F."""
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes)(x)


def unit(x, n=6):
    """Its default and its groups are constants of this file, whatever the importing
    file calls so

    Takes N, H, W, C and gives N, H, W, C.
    """
    x = layers.Conv2D(n, 3, padding="same", groups=2)(x)
    return gate(x)


def every_form(classes=6):
    """Takes N, H, W, C and gives N, F."""
    image = keras.Input((16, 16, 4), name="image")
    x = unit(image)
    x = unit(x, n=8)
    x = gate(x)
    x = conv_norm(x)
    x = conv_norm_act(x)
    x = head(x, classes)
    return keras.Model(image, x, name="every_form")
