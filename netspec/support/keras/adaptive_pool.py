from keras import ops


def adaptive_pool(x, size, reduce):
    """Pool to the given size; windows share each axis evenly and may overlap."""
    for axis, out in enumerate(size, 1):
        n = x.shape[axis]
        parts = []
        for i in range(out):
            cells = list(range(i * n // out, -(-(i + 1) * n // out)))
            window = ops.take(x, cells, axis=axis)
            parts.append(reduce(window, axis=axis, keepdims=True))
        x = ops.concatenate(parts, axis=axis)
    return x
