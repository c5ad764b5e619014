import torch
import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Gate(nn.Module):
    """x times its sigmoid

    Takes N, C, H, W and gives N, C, H, W.
    """

    def forward(self, x):
        return x * torch.sigmoid(x)


class ConvNorm(nn.Module):
    """A convolution and batch norm: Ioffe & Szegedy, "Batch Normalization" (2015),
    section 3.2.

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 10, 3, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(10)

    def forward(self, x):
        return self.norm(self.conv(F.pad(x, (0, 1, 0, 1))))


class ConvNormAct(nn.Module):
    """A convolution, batch norm and an activation.

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(10, 8, 1, bias=False)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        return F.gelu(self.norm(self.conv(x)))


class Head(nn.Module):
    """Takes N, C, H, W and gives N, F."""

    def __init__(self, classes):
        super().__init__()
        self.dense = nn.Linear(8, classes)

    def forward(self, x):
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.dense(x)


class Unit(nn.Module):
    """Its default and its groups are constants of this file, whatever the importing
    file calls so

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self, in_channels, n=6):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, n, 3, padding=1, groups=2)
        self.gate = Gate()

    def forward(self, x):
        x = self.conv(x)
        return self.gate(x)


class EveryForm(nn.Module):
    """Takes N, C, H, W and gives N, F."""

    def __init__(self, classes=6):
        super().__init__()
        self.first = Unit(4)
        self.second = Unit(6, n=8)
        self.gate = Gate()
        self.conv_norm = ConvNorm()
        self.conv_norm_act = ConvNormAct()
        self.head = Head(classes)
        self.apply(init_weights)

    def forward(self, image):
        x = self.first(image)  # 6 x 16 x 16
        x = self.second(x)  # 8 x 16 x 16
        x = self.gate(x)  # 8 x 16 x 16
        x = self.conv_norm(x)  # 10 x 8 x 8
        x = self.conv_norm_act(x)  # 8 x 8 x 8
        return self.head(x)
