import torch
import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Project(nn.Module):
    """Branches of which one hands on what it is given, and a condition that is the same
    for all

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self, in_channels, n, act=True):
        super().__init__()
        self.act = act
        self.conv = None
        if in_channels != n:
            self.conv = nn.Conv2d(in_channels, n, 1)

    def forward(self, x):
        y = x if self.conv is None else self.conv(x)
        if self.act:
            y = F.relu(y)
        return y


class Fan(nn.Module):
    """Takes N, C, H, W and gives N, C, H, W."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 4, 1)
        self.conv1 = nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x):
        x2 = self.conv(x)
        y = self.conv1(x)
        return torch.cat([x2, y], dim=1)


class Fan2(nn.Module):
    """Takes N, C, H, W and gives N, C, H, W."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 4, 3, padding=1)
        self.conv1 = nn.Conv2d(8, 4, 5, padding=2)

    def forward(self, x):
        x2 = self.conv(x)
        y = self.conv1(x)
        return torch.cat([x2, y], dim=1)


class Conditions(nn.Module):
    """Takes N, C, H, W and gives N, C, H, W."""

    def __init__(self):
        super().__init__()
        self.project1 = Project(4, 4)
        self.project2 = Project(4, 8)
        self.project3 = Project(8, 8, act=False)
        self.fan1 = Fan()
        self.fan2 = Fan2()
        self.conv1 = nn.Conv2d(8, 3, 1)
        self.apply(init_weights)

    def forward(self, x):
        x = self.project1(x)  # 4 x 6 x 6
        x = self.project2(x)  # 8 x 6 x 6
        x = self.project3(x)  # 8 x 6 x 6
        x = self.fan1(x)  # 8 x 6 x 6
        x = self.fan2(x)  # 8 x 6 x 6
        return self.conv1(x)  # 3 x 6 x 6
