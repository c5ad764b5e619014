import torch
import torch.nn.functional as F
from torch import nn


def same_pad(x, kernel_size, stride, value=0.0):
    """Pad so that a window gives ceil(n / stride), the odd cell at the end."""
    sizes = x.shape[2:]
    kernel_size, stride = (
        n if isinstance(n, tuple) else (n,) * len(sizes) for n in (kernel_size, stride)
    )
    amounts = []
    for n, k, s in zip(reversed(sizes), reversed(kernel_size), reversed(stride)):
        total = max((n - 1) // s * s + k - n, 0)
        amounts += [total // 2, total - total // 2]
    return F.pad(x, amounts, value=value)


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Halve(nn.Module):
    """`[h, w, c]` binds the sizes of what comes in; a number there is a demand; `...`
    stands for any axes

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self, in_channels, has_relu):
        super().__init__()
        self.has_relu = has_relu
        self.conv = nn.Conv2d(in_channels, 2 * in_channels, 3, stride=2)

    def forward(self, x):
        x = self.conv(same_pad(x, 3, stride=2))
        if self.has_relu:
            return F.relu(x)
        return torch.tanh(x)


class PerChannel(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.dense = nn.Linear(in_features, in_features // 2)

    def forward(self, x):
        return self.dense(x)


class GreyOnly(nn.Module):
    """Takes N, C, H, W and gives N, C, H, W."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 16)

    def forward(self, x):
        return self.conv(x)


class Bindings(nn.Module):
    """Takes image (N, C, H, W), vector (N, F) and volume (N, C, D, H, W) and gives
    small (N, C, H, W), v (N, F), w (N, F) and n (N, C, H, W).
    """

    def __init__(self):
        super().__init__()
        self.halve = Halve(1, True)
        self.small = Halve(2, False)
        self.v = PerChannel(8)
        self.w = PerChannel(6)
        self.n = GreyOnly()
        self.apply(init_weights)

    def forward(self, image, vector, volume):
        x = self.halve(image)  # 2 x 8 x 8
        x = self.small(x)  # 4 x 4 x 4
        x2 = self.v(vector)
        x3 = F.avg_pool3d(volume, 4)  # 6 x 1 x 1 x 1
        x3 = x3.flatten(1)
        x3 = self.w(x3)
        x4 = self.n(image)  # 16 x 1 x 1
        return x, x2, x3, x4
