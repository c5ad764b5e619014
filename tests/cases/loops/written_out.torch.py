import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Tower(nn.Module):
    """Lists of a caller: where it cannot be told what a turn takes, the turns are
    written out, and there are no others
    """

    def __init__(self, in_features, widths):
        super().__init__()
        if len(widths) != 2:
            raise ValueError("Tower is written for len(widths) == 2")
        if widths[1] <= 4:
            raise ValueError("Tower is written for widths[1] > 4")
        self.widths = widths
        if widths[0] > 4:
            self.dense1 = nn.Linear(in_features, widths[0])
        else:
            self.dense1 = nn.Linear(in_features, widths[0])
        self.dense2 = nn.Linear(widths[0], widths[1])

    def forward(self, x):
        if self.widths[0] > 4:
            x = F.relu(self.dense1(x))
        else:
            x = self.dense1(x)
        return F.relu(self.dense2(x))


class Pairs(nn.Module):
    def __init__(self, in_features, sizes):
        super().__init__()
        if len(sizes) != 2:
            raise ValueError("Pairs is written for len(sizes) == 2")
        if sizes[0][0] > 4:
            raise ValueError("Pairs is written for sizes[0][0] <= 4")
        if sizes[1][0] <= 4:
            raise ValueError("Pairs is written for sizes[1][0] > 4")
        self.dense1 = nn.Linear(in_features, sizes[0][0])
        self.dropout1 = nn.Dropout(sizes[0][1])
        self.dense2 = nn.Linear(sizes[0][0], sizes[1][0])

    def forward(self, x):
        x = self.dropout1(self.dense1(x))
        return F.relu(self.dense2(x))


class Alike(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(7, 7)
        self.dense2 = nn.Linear(7, 5)

    def forward(self, x):
        x = F.relu(self.dense1(x))
        return F.relu(self.dense2(x))


class Alike2(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(5, 8)
        self.dense2 = nn.Linear(8, 6)
        self.dense3 = nn.Linear(6, 9)

    def forward(self, x):
        x = F.relu(self.dense1(x))
        x = F.relu(self.dense2(x))
        return F.relu(self.dense3(x))


class Either(nn.Module):
    def __init__(self, in_features, widths):
        super().__init__()
        if len(widths) != 3:
            raise ValueError("Either is written for len(widths) == 3")
        self.widths = widths
        if widths[0] > 4:
            self.dense1 = nn.Linear(in_features, widths[0])
        else:
            self.dense1 = nn.Linear(in_features, widths[0])
        if widths[1] > 4:
            self.dense2 = nn.Linear(widths[0], widths[1])
        else:
            self.dense2 = nn.Linear(widths[0], widths[1])
        if widths[2] > 4:
            self.dense3 = nn.Linear(widths[1], widths[2])
        else:
            self.dense3 = nn.Linear(widths[1], widths[2])

    def forward(self, x):
        if self.widths[0] > 4:
            x = F.relu(self.dense1(x))
        else:
            x = self.dense1(x)
        if self.widths[1] > 4:
            x = F.relu(self.dense2(x))
        else:
            x = self.dense2(x)
        if self.widths[2] > 4:
            return F.relu(self.dense3(x))
        return self.dense3(x)


class WrittenOut(nn.Module):
    """Takes N, F and gives N, F."""

    def __init__(self):
        super().__init__()
        self.tower1 = Tower(4, (3, 5))
        self.tower2 = Tower(5, (4, 6))
        self.pairs1 = Pairs(6, ((3, 0.1), (8, 0.2)))
        self.pairs2 = Pairs(8, ((2, 0.5), (7, 0.25)))
        self.alike1 = Alike()
        self.alike2 = Alike2()
        self.either1 = Either(9, (3, 7, 2))
        self.either2 = Either(2, (8, 2, 9))
        self.apply(init_weights)

    def forward(self, x):
        x = self.tower1(x)
        x = self.tower2(x)
        x = self.pairs1(x)
        x = self.pairs2(x)
        x = self.alike1(x)
        x = self.alike2(x)
        x = self.either1(x)
        return self.either2(x)
