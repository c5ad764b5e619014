def reset_state(model):
    """Let every layer that keeps a state begin again."""
    for module in model.modules():
        if "state" in vars(module):
            module.state = None
