from keras import ops


def outer_sum(first, second):
    """first + second, with broadcasting. Keras adds a row or column like a bias, but subtracts it right."""
    return ops.subtract(first, ops.negative(second))
