import torch
import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Pair(nn.Module):
    """Parameters by position and by name, with defaults, one of which uses another

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self, in_channels, filters, kernel=3):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, filters, kernel, padding="same")
        self.conv2 = nn.Conv2d(filters, 2 * filters, kernel, padding="same")

    def forward(self, x):
        x = F.relu(self.conv1(x), inplace=True)
        return F.relu(self.conv2(x), inplace=True)


class Pair2(nn.Module):
    """Parameters by position and by name, with defaults, one of which uses another

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self, in_channels, filters):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, filters, 3, padding=1)
        self.conv2 = nn.Conv2d(filters, 4, 3, padding=1)

    def forward(self, x):
        x = torch.tanh(self.conv1(x))
        return torch.tanh(self.conv2(x))


class Parameters(nn.Module):
    """Takes N, C, H, W and gives N, F."""

    def __init__(self, width=8, classes=10):
        super().__init__()
        self.a = Pair(3, width)
        self.b = Pair(2 * width, width, kernel=5)
        self.c = Pair2(2 * width, width)
        self.dense = nn.Linear(1024, classes)
        self.apply(init_weights)

    def forward(self, image):
        x = self.a(image)  # 16 x 16 x 16
        x = self.b(x)  # 16 x 16 x 16
        x = self.c(x)  # 4 x 16 x 16
        x = x.flatten(1)
        return self.dense(x)
