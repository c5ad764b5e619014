import torch
import torch.nn.functional as F
from torch import nn


class OneHot(nn.Module):
    """For each integer zeros with a single one at its place, in the model's type."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        self.register_buffer("like", torch.empty(0), persistent=False)

    def forward(self, x):
        return F.one_hot(x, self.classes).to(self.like.dtype)
