import torch
from torch import nn


class DropPath(nn.Module):
    """Set whole samples to 0 in training, and make up for it in the others."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training:
            return x
        keep = 1 - self.rate
        kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device) < keep
        return x * kept / keep
