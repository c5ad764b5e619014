from torch import nn

from .join_states import join_states
from .split_state import split_state


class Stacked(nn.Module):
    """Recurrent layers, each of which takes the sequence that the last one gives."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x, state=None, **words):
        states = []
        for layer, start in zip(self.layers, split_state(state, len(self.layers))):
            x, state = layer(x, start, **words)
            states.append(state)
        return x, join_states(*states)
