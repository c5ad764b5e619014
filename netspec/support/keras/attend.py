from keras import ops


def attend(query, value, key, causal=False):
    """softmax(query key^T) value over the last two axes, for each place of those in front."""
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2))
    if causal:
        later = ops.triu(ops.ones_like(scores), 1)
        scores = ops.where(later > 0, -float("inf"), scores)
    return ops.matmul(ops.softmax(scores), value)
