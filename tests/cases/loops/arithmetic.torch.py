from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Arithmetic(nn.Module):
    """Compile-time arithmetic: exact where it divides

    Takes N, F and gives N, F.
    """

    def __init__(self):
        super().__init__()
        self.y1 = nn.Linear(64, 3)
        self.y2 = nn.Linear(3, 32)
        self.y3 = nn.Linear(32, 11)
        self.y4 = nn.Linear(11, 21)
        self.y5 = nn.Linear(21, 16)
        self.apply(init_weights)

    def forward(self, x):
        x = self.y1(x)
        x = self.y2(x)
        x = self.y3(x)
        x = self.y4(x)
        return self.y5(x)
