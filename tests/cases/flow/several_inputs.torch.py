import torch
import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class SeveralInputs(nn.Module):
    """Two inputs: the flow starts where one of them is named. Two outputs, one made on
    the spot

    Takes image (N, C, H, W) and facts (N, F) and gives price (N, F), kind (N, F) and
    shared_part (N, F).
    """

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.dense1 = nn.Linear(12, 8)
        self.shared_part = nn.Linear(16, 16)
        self.dense2 = nn.Linear(16, 1)
        self.dense3 = nn.Linear(16, 5)
        self.apply(init_weights)

    def forward(self, image, facts):
        looks = self.conv(image)  # 8 x 15 x 15
        looks = torch.flatten(F.adaptive_avg_pool2d(looks, 1), 1)
        y = self.dense1(facts)
        both = torch.cat([looks, y], dim=-1)
        shared_part = F.relu(self.shared_part(both))
        price = self.dense2(shared_part)
        kind = F.softmax(self.dense3(shared_part), dim=-1)
        return price, kind, shared_part
