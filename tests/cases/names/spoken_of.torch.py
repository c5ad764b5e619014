from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class SpokenOf(nn.Module):
    """After F. Chollet and torch.nn; ops. and layers. stand for what keras. has, as
    partial(f) does

    Takes N, F and gives N, F.
    """

    def __init__(self):
        super().__init__()
        self.partial = nn.Linear(3, 2)
        self.apply(init_weights)

    def forward(self, x):
        return self.partial(x)
