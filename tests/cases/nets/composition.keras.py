import keras
from keras import layers, ops


def unit(x, filters, stride=1):
    """Takes N, H, W, C and gives N, H, W, C."""
    x = layers.ZeroPadding2D(1)(x)
    x = layers.Conv2D(filters, 3, strides=stride, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.Activation("relu")(x)


def judge(a, b):
    """What two vectors of features have in common

    Takes a (N, F) and b (N, F) and gives N, F.
    """
    x = layers.Subtract()([a, b])
    x = ops.abs(x)
    y = layers.Multiply()([a, b])
    x = layers.Concatenate()([x, y])
    x = layers.Dense(16, activation="relu")(x)
    return layers.Dense(1, activation="sigmoid")(x)


def classifier(image):
    """A small classifier, trained before
    Up to `layer2`.

    Takes N, H, W, C and gives N, H, W, C.
    """
    x = unit(image, 8)
    for filters in [16, 32]:
        for i in range(2):
            x = unit(x, filters, stride=2 if i == 0 else 1)
    return x


def comparison():
    """Do two pictures show the same thing?

    Takes left (N, H, W, C) and right (N, H, W, C) and gives N, F.
    """
    left = keras.Input((32, 32, 3), name="left")
    right = keras.Input((32, 32, 3), name="right")
    eye_image = keras.Input((32, 32, 3))
    eye = keras.Model(eye_image, classifier(eye_image), name="eye")
    eye.trainable = False
    x = eye(left)
    x = layers.GlobalAveragePooling2D()(x)
    y = eye(right)
    y = layers.GlobalAveragePooling2D()(y)
    x = judge(x, y)
    return keras.Model([left, right], x, name="comparison")
