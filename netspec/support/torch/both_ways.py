import torch
from torch import nn

from .join_states import join_states
from .split_state import split_state


class BothWays(nn.Module):
    """Two recurrent layers, the second of which reads from the end."""

    def __init__(
        self, forward_layer, backward_layer, merge="concat", time=1, channels=-1
    ):
        super().__init__()
        self.forward_layer = forward_layer
        self.backward_layer = backward_layer
        self.merge = merge
        self.time = time
        self.channels = channels

    def forward(self, x, state=None, mask=None):
        a, b = split_state(state, 2)
        words = {} if mask is None else {"mask": mask}
        y, a = self.forward_layer(x, a, **words)
        words = {} if mask is None else {"mask": mask.flip(1)}
        z, b = self.backward_layer(x.flip(self.time), b, **words)
        both = y, z.flip(self.time)
        if self.merge == "concat":
            y = torch.cat(both, self.channels)
        else:
            y = getattr(torch.stack(both), self.merge)(0)
        return y, join_states(a, b)
