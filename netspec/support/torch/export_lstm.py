import torch

from .export_recurrent import Recurrent


class LSTM(Recurrent):
    """An `nn.LSTM` that can be exported for any number of steps."""

    def __init__(self, *sizes, **words):
        super().__init__("LSTM", *sizes, **words)

    def step(self, x, from_h, h, c):
        i, f, g, o = (x + from_h).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
