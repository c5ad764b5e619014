"""Models as people write them, for what holds specs against them."""

from __future__ import annotations

import torch
from torch import nn


class Digits(nn.Module):
    """A LeNet with a batch norm; `epsilon` is that of the norm."""

    def __init__(self, epsilon=1e-5):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.bn1 = nn.BatchNorm2d(6, eps=epsilon)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


class OtherNames(nn.Module):
    """The same under other names."""

    def __init__(self):
        super().__init__()
        self.body = Digits()

    def forward(self, x):
        return self.body(x)


class TwoHeads(nn.Module):
    """A sequence, channels first, and a vector go in, two values come out."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 8, 3, padding=1)
        self.mix = nn.Linear(5, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x, y):
        z = torch.relu(self.conv(x))
        pooled = z.mean(2) + self.mix(y)
        return self.head(pooled), z


def blurred():
    return Digits(epsilon=0.1)


def needs(argument):
    return Digits(argument)


def number():
    return 7
