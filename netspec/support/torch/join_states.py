import torch


def join_states(*states):
    """The states of several layers, one behind the other."""
    if isinstance(states[0], tuple):
        return tuple(torch.cat(parts) for parts in zip(*states))
    return torch.cat(states)
