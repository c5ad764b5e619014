import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Embed(nn.Module):
    """`layer` makes one instance; its weights are counted once however often it is used"""

    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(32, 16)
        self.dense2 = nn.Linear(16, 16)

    def forward(self, x):
        x = F.relu(self.dense1(x))
        return self.dense2(x)


class Twins(nn.Module):
    """Takes left (N, F) and right (N, F) and gives output1 (N, F), output2 (N, F) and
    output3 (N, F).
    """

    def __init__(self):
        super().__init__()
        self.enc = Embed()
        self.head = nn.Linear(16, 4)
        self.apply(init_weights)

    def forward(self, left, right):
        a = self.enc(left)
        b = self.enc(right)
        x = self.head(a)
        x2 = self.head(b)
        x3 = self.enc(left)
        x3 = self.head(x3)
        return x, x2, x3
