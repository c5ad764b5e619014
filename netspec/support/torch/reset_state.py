from .stateful import Stateful


def reset_state(model):
    """Let every layer that keeps a state begin again."""
    for module in model.modules():
        if isinstance(module, Stateful):
            module.reset_state()
