from torch import nn


class Stateful(nn.Module):
    """A recurrent layer that begins with the state that the last batch left."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.state = None

    def forward(self, x, **words):
        y, state = self.layer(x, self.state, **words)
        several = isinstance(state, tuple)
        self.state = tuple(s.detach() for s in state) if several else state.detach()
        return y, state

    def reset_state(self):
        self.state = None
