import torch

from .export_recurrent import Recurrent


class GRU(Recurrent):
    """An `nn.GRU` that can be exported for any number of steps."""

    def __init__(self, *sizes, **words):
        super().__init__("GRU", *sizes, **words)

    def step(self, x, from_h, h):
        r, z, n = x.chunk(3, -1)
        r_h, z_h, n_h = from_h.chunk(3, -1)
        r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
        return ((1 - z) * torch.tanh(n + r * n_h) + z * h,)
