import torch
from torch._higher_order_ops.scan import scan as torch_scan


def over_time(step, state, *sequences):
    """Take one step after the other; all outputs, and the last state.

    `step` takes the state and what each sequence has at a step; the first axis of a
    sequence is time. What is exported has a loop, for any number of steps.
    """
    if torch.compiler.is_exporting():

        def one(state, now):
            state, y = step(state, *now)
            return [part.clone() for part in state], y.clone()  # none is another

        state, outputs = torch_scan(one, [part.clone() for part in state], sequences)
        return outputs, state
    outputs = []
    for now in zip(*sequences):
        state, y = step(state, *now)
        outputs.append(y)
    return torch.stack(outputs), state
