import torch
from torch import nn


def single_bias(layer):
    """Hold the second bias of a recurrent layer at zero: it would add nothing."""
    for name, bias in layer.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(bias).requires_grad_(False)
    return layer


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.RNN | nn.GRU | nn.LSTM):
        for name, parameter in module.named_parameters(recurse=False):
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
            if isinstance(module, nn.LSTM) and name.startswith("bias_ih"):
                nn.init.ones_(parameter.data.chunk(4)[1])  # the forget gate


class Ends(nn.Module):
    """What comes of the last step, in one direction and in both, however these are
    joined

    Takes N, T, F and gives one (N, F), joined (N, F), added (N, F), mean (N, F), there
    (N, F), back (N, F), deep (N, F) and all (N, T, F).
    """

    def __init__(self):
        super().__init__()
        self.lstm1 = single_bias(nn.LSTM(4, 3, batch_first=True))
        self.bidirectional1 = single_bias(
            nn.LSTM(4, 3, batch_first=True, bidirectional=True),
        )
        self.bidirectional2 = nn.GRU(4, 3, batch_first=True, bidirectional=True)
        self.bidirectional3 = single_bias(
            nn.RNN(4, 3, batch_first=True, bidirectional=True),
        )
        self.bidirectional4 = nn.GRU(4, 3, batch_first=True, bidirectional=True)
        self.stack = nn.GRU(4, 3, num_layers=2, batch_first=True, bidirectional=True)
        self.bidirectional5 = nn.GRU(4, 3, batch_first=True, bidirectional=True)
        self.apply(init_weights)

    def forward(self, x):
        _, (h, _) = self.lstm1(x)
        one = h[-1]
        _, (h, _) = self.bidirectional1(x)
        joined = torch.cat((h[-2], h[-1]), 1)
        _, h = self.bidirectional2(x)
        added = h.sum(0)
        _, h = self.bidirectional3(x)
        mean = h.mean(0)
        _, h = self.bidirectional4(x)
        there, back = h[-2], h[-1]
        _, h = self.stack(x)
        deep = torch.cat((h[-2], h[-1]), 1)
        all, _ = self.bidirectional5(x)
        all = all.unflatten(-1, (2, -1)).prod(-2)  # 5 x 3
        return one, joined, added, mean, there, back, deep, all
