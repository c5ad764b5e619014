import torch
from torch import nn


class Filled(nn.Module):
    """One number, in the model's type, for each sample of what comes in."""

    def __init__(self, *sizes, value=0.0):
        super().__init__()
        self.sizes = sizes
        self.value = value
        self.register_buffer("like", torch.empty(0), persistent=False)

    def forward(self, x):
        return self.like.new_full((x.shape[0], *self.sizes), self.value)
