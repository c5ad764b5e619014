def still(layer):
    """Hold the weights of a layer still, those made later, too."""
    layer.trainable = False
    return layer
