import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Cell(nn.Module):
    """Blocks with several inputs and several outputs

    Takes prev (N, C, H, W) and cur (N, C, H, W) and gives fine (N, C, H, W) and coarse
    (N, C, H, W).
    """

    def __init__(self, prev_channels, filters):
        super().__init__()
        self.conv1 = nn.Conv2d(prev_channels, filters, 1)
        self.conv2 = nn.Conv2d(8, filters, 3, padding=1)

    def forward(self, prev, cur):
        mixed = self.conv1(prev)
        fine = F.relu(mixed + self.conv2(cur), inplace=True)
        x = F.max_pool2d(fine, 2)
        return fine, x


class SeveralInputs(nn.Module):
    """Takes N, C, H, W and gives coarse (N, C, H, W) and coarser (N, C, H, W)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.cell1 = Cell(3, 8)
        self.cell2 = Cell(8, 4)
        self.apply(init_weights)

    def forward(self, image):
        stem = self.conv(image)  # 8 x 16 x 16
        fine, coarse = self.cell1(image, stem)  # 8 x 16 x 16
        _, coarser = self.cell2(stem, fine)
        return coarse, coarser
