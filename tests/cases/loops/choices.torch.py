import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Unit(nn.Module):
    """Choices at compile time: if, else if, else, and values that depend on a condition

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self, op):
        super().__init__()
        if op not in ("conv3", "conv5", "pool", None, "other"):
            raise ValueError(
                'Unit is written for op in ("conv3", "conv5", "pool", None, "other")',
            )
        self.op = op
        if op == "conv3" or op == "conv5":
            self.conv1 = nn.Conv2d(4, 4, 3 if op == "conv3" else 5, padding="same")
        elif op == "pool":
            self.conv1 = nn.Conv2d(4, 4, 1)
        elif op is None:
            pass
        else:
            self.conv1 = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        if self.op == "conv3" or self.op == "conv5":
            x = self.conv1(x)
        elif self.op == "pool":
            x = F.max_pool2d(x, 3, stride=1, padding=1)
            x = self.conv1(x)
        elif self.op is None:
            pass
        else:
            x = self.conv1(x)
        return x


class Choices(nn.Module):
    """Takes N, C, H, W and gives N, C, H, W."""

    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(
            *(Unit(op) for op in ["conv3", "conv5", "pool", None, "other"]),
        )
        self.conv = nn.Conv2d(4, 8, 3, padding=1)
        self.apply(init_weights)

    def forward(self, image):
        x = self.units(image)
        return self.conv(x)  # 8 x 8 x 8
