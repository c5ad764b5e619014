import torch
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Ends(nn.Module):
    """Signs before numbers: what is behind a minus is the end of an axis, or a number
    that is taken away
    """

    def __init__(self, count, turned=False):
        super().__init__()
        self.count = count
        self.turned = turned

    def forward(self, x):
        tail = x[:, -self.count :]
        rest = x[:, : -self.count]
        if not self.turned:
            return torch.cat([tail, rest], dim=-1)
        return torch.cat([rest, tail], dim=-1)


class Scaled(nn.Module):
    def __init__(self, by, from_=-1):
        super().__init__()
        self.by = by
        self.from_ = from_
        self.dense = nn.Linear(7, 7)

    def forward(self, x):
        x = x * -self.by + self.from_
        return self.dense(x)


class Signs(nn.Module):
    """Takes N, F and gives N, F."""

    def __init__(self, count=2):
        super().__init__()
        self.ends1 = Ends(count)
        self.ends2 = Ends(count + 1)
        self.ends3 = Ends(3, turned=True)
        self.scaled1 = Scaled(0.5)
        self.scaled2 = Scaled(count, from_=3)
        self.dense = nn.Linear(7, 4)
        self.apply(init_weights)

    def forward(self, x):
        x = self.ends1(x)
        x = self.ends2(x)
        x = self.ends3(x)
        x = self.scaled1(x)
        x = self.scaled2(x)
        return self.dense(x)
