import torch
import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Cell(nn.Module):
    """Lists of numbers, words, tuples and values; comprehensions; a cell written as its
    table

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self):
        super().__init__()
        self.depthwise1 = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.pointwise1 = nn.Conv2d(4, 4, 1)
        self.depthwise2 = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.pointwise2 = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        t = self.pointwise1(self.depthwise1(x))
        t = t + x
        x = t + x
        t2 = self.pointwise2(self.depthwise2(x))
        y = t2 + t
        return torch.cat([x, y], dim=1)


class Lists(nn.Module):
    """Takes N, C, H, W and gives N, C, H, W."""

    def __init__(self):
        super().__init__()
        self.mixed = Cell()
        self.conv = nn.Conv2d(8, 4, 1)
        self.conv1 = nn.Conv2d(8, 8, 1)
        self.conv2 = nn.Conv2d(8, 16, 1)
        self.apply(init_weights)

    def forward(self, image):
        mixed = self.mixed(image)  # 8 x 8 x 8
        _ = self.conv(mixed)  # leads nowhere, but its weights are part of the net
        _ = self.conv1(mixed)  # leads nowhere, but its weights are part of the net
        _ = self.conv2(mixed)  # leads nowhere, but its weights are part of the net
        y = F.relu(image)  # 4 x 8 x 8
        return image + y + torch.tanh(image)  # 4 x 8 x 8
