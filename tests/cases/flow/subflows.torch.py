import torch
import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Subflows(nn.Module):
    """`{ ... }` stands wherever a step may; names bound inside stay inside

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8))
        self.conv = nn.Conv2d(8, 8, 1)
        self.gate_2 = nn.Linear(8, 2)
        self.gate_3 = nn.Linear(2, 8)
        self.apply(init_weights)

    def forward(self, image):
        y = F.relu(image)  # 8 x 16 x 16
        y2 = self.body(image)  # 8 x 16 x 16
        z = y + F.relu(self.conv(y2), inplace=True)  # 8 x 16 x 16
        squeeze = torch.flatten(F.adaptive_avg_pool2d(image, 1), 1)
        squeeze = F.relu(self.gate_2(squeeze))
        squeeze = torch.sigmoid(self.gate_3(squeeze))
        return image * squeeze[:, :, None, None] + z  # 8 x 16 x 16
