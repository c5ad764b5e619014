import torch

from .export_recurrent import Recurrent


class RNN(Recurrent):
    """An `nn.RNN` that can be exported for any number of steps."""

    def __init__(self, *sizes, nonlinearity="tanh", **words):
        super().__init__(f"RNN_{nonlinearity.upper()}", *sizes, **words)

    def step(self, x, from_h, h):
        activation = torch.tanh if self.mode == "RNN_TANH" else torch.relu
        return (activation(x + from_h),)
