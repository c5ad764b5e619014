def frozen(layer):
    """Hold a layer still: its weights, and with them the running statistics of its batch norms."""
    layer.trainable = False
    return layer
