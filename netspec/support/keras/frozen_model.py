import keras


def frozen(block, *values, **options):
    """Apply a block with its weights held still, and with them the running statistics of its batch norms."""
    inputs = [keras.Input(value.shape[1:], dtype=value.dtype) for value in values]
    model = keras.Model(inputs, block(*inputs, **options))
    model.trainable = False
    return model(list(values))
