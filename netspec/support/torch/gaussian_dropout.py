import torch
from torch import nn


class GaussianDropout(nn.Module):
    """Multiply by normal noise around 1, as uncertain as dropout of that rate."""

    def __init__(self, rate):
        super().__init__()
        self.stddev = (rate / (1 - rate)) ** 0.5

    def forward(self, x):
        if not self.training:
            return x
        return x * (1 + self.stddev * torch.randn_like(x))
