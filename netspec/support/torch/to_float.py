import torch
from torch import nn


class ToFloat(nn.Module):
    """The same numbers in the model's type."""

    def __init__(self):
        super().__init__()
        self.register_buffer("like", torch.empty(0), persistent=False)

    def forward(self, x):
        return x.to(self.like.dtype)
