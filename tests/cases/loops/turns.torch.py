import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Turns(nn.Module):
    """What only the first turn of a loop has otherwise: the channels that come in

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self, n=3):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(3 if k == 0 else 1, 1, 3, padding=1) for k in range(2)
        )
        self.batchnorms = nn.ModuleList(nn.BatchNorm2d(1) for _ in range(2))
        self.dropouts = nn.ModuleList(nn.Dropout(0.5) for _ in range(2))
        self.convs_2 = nn.ModuleList(
            nn.Conv2d(1 if k == 0 else 2, 2, 3, padding=1) for k in range(2)
        )
        self.batchnorms_2 = nn.ModuleList(nn.BatchNorm2d(2) for _ in range(2))
        self.convs_3 = nn.ModuleList(
            nn.Conv2d(2 + k * 2, 4 + 2 * k, 3, padding=1) for k in range(3)
        )
        self.batchnorms_3 = nn.ModuleList(nn.BatchNorm2d(4 + 2 * k) for k in range(3))
        self.convs_4 = nn.ModuleList(nn.Conv2d(8, 8, 1) for _ in range(n))
        self.batchnorms_4 = nn.ModuleList(nn.BatchNorm2d(8) for _ in range(n))
        self.apply(init_weights)

    def forward(self, x):
        for conv, batchnorm in zip(self.convs, self.batchnorms):
            x = F.relu(batchnorm(conv(x)), inplace=True)  # 1 x 8 x 8
        for dropout, conv, batchnorm in zip(
            self.dropouts,
            self.convs_2,
            self.batchnorms_2,
        ):
            x = dropout(x)
            x = F.relu(batchnorm(conv(x)), inplace=True)  # 2 x 8 x 8
        for conv, batchnorm in zip(self.convs_3, self.batchnorms_3):
            x = F.relu(batchnorm(conv(x)), inplace=True)
        for conv, batchnorm in zip(self.convs_4, self.batchnorms_4):
            x = F.relu(batchnorm(conv(x)), inplace=True)  # 8 x 8 x 8
        return x
