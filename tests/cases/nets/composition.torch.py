import torch
import torch.nn.functional as F
from torch import nn


def frozen(module):
    """Hold a module still: its weights, and in training too the running statistics of its batch norms."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            norm.register_forward_pre_hook(keep_statistics)
    return module.requires_grad_(False)


def keep_statistics(norm, _inputs):
    """A batch norm whose weights are held still works as in inference."""
    if not any(p.requires_grad for p in norm.parameters()):
        norm.eval()


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Unit(nn.Module):
    """Takes N, C, H, W and gives N, C, H, W."""

    def __init__(self, in_channels, filters, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            filters,
            3,
            stride=stride,
            padding=1,
            bias=False,
        )
        self.batchnorm = nn.BatchNorm2d(filters)

    def forward(self, x):
        return F.relu(self.batchnorm(self.conv(x)), inplace=True)


class Judge(nn.Module):
    """What two vectors of features have in common

    Takes a (N, F) and b (N, F) and gives N, F.
    """

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(64, 16)
        self.same = nn.Linear(16, 1)
        self.apply(init_weights)

    def forward(self, a, b):
        x = torch.abs(a - b)
        y = a * b
        x = torch.cat([x, y], dim=-1)
        x = F.relu(self.dense(x))
        return torch.sigmoid(self.same(x))


class Classifier(nn.Module):
    """A small classifier, trained before
    Up to `layer2`.

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self):
        super().__init__()
        self.stem = Unit(3, 8)
        self.layer1 = nn.Sequential(Unit(8, 16, stride=2), Unit(16, 16))
        self.layer2 = nn.Sequential(Unit(16, 32, stride=2), Unit(32, 32))
        self.apply(init_weights)

    def forward(self, image):
        x = self.stem(image)
        x = self.layer1(x)
        return self.layer2(x)


class Comparison(nn.Module):
    """Do two pictures show the same thing?

    Takes left (N, C, H, W) and right (N, C, H, W) and gives N, F.
    """

    def __init__(self):
        super().__init__()
        self.eye = frozen(Classifier())
        self.judge = Judge()

    def forward(self, left, right):
        x = self.eye(left)  # 32 x 8 x 8
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        y = self.eye(right)  # 32 x 8 x 8
        y = torch.flatten(F.adaptive_avg_pool2d(y, 1), 1)
        return self.judge(x, y)
