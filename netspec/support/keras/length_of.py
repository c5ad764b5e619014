from keras import ops


def length_of(values, size):
    """A size: a number, or what (times * length + plus) // over is for an axis of a value.

    That is given as (value, axis, times, plus, over); the last ones may be left out.
    """
    if size is None or isinstance(size, int):
        return size
    place, axis, times, plus, over = (*size, *(1, 0, 1)[len(size) - 2 :])
    return (times * ops.shape(values[place])[axis] + plus) // over
