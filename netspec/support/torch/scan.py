import torch


def scan(cell, x, state=None, reverse=False):
    """Run a cell over the steps of a sequence; all outputs, and the last state."""
    steps = x.unbind(1)[::-1] if reverse else x.unbind(1)
    state = cell.initial_state(steps[0]) if state is None else state
    outputs = []
    for step in steps:
        y, state = cell(step, *state)
        outputs.append(y)
    return torch.stack(outputs[::-1] if reverse else outputs, 1), state
