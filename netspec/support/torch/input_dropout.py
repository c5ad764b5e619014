import torch
import torch.nn.functional as F
from torch import nn


class InputDropout(nn.Module):
    """A recurrent layer behind dropout that has one mask for all steps."""

    def __init__(self, layer, rate):
        super().__init__()
        self.layer = layer
        self.rate = rate

    def forward(self, x, *state, **words):
        mask = F.dropout(torch.ones_like(x[:, :1]), self.rate, self.training)
        return self.layer(x * mask, *state, **words)
