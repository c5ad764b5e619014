def reset_state(model):
    """Let every layer that keeps a state begin again."""
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            layer.reset_state()
