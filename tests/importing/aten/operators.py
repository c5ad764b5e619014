"""Modules of an operator or a few, with the shapes of what goes in."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def _positive(function):
    return Does(lambda x: function(x.abs() + 0.5))


MAP, ROW, STEPS = (2, 6, 8, 9), (2, 7), (2, 5, 6)
POINTWISE = {
    "relu6": nn.ReLU6(),
    "hardtanh": nn.Hardtanh(-0.5, 2.0),
    "leaky": nn.LeakyReLU(0.2),
    "elu": nn.ELU(0.7),
    "celu": nn.CELU(0.7),
    "selu": nn.SELU(),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "gelu": nn.GELU(),
    "gelu tanh": nn.GELU("tanh"),
    "softplus": nn.Softplus(),
    "softsign": nn.Softsign(),
    "hardswish": nn.Hardswish(),
    "hardsigmoid": nn.Hardsigmoid(),
    "hardshrink": nn.Hardshrink(0.3),
    "softshrink": nn.Softshrink(0.3),
    "logsigmoid": nn.LogSigmoid(),
    "threshold": nn.Threshold(0.1, 3.0),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "tanhshrink": nn.Tanhshrink(),
    "prelu": nn.PReLU(),
    "prelu of each": nn.PReLU(6),
    "clamp": Does(lambda x: x.clamp(-0.3, 0.8)),
    "clamp below": Does(lambda x: x.clamp(min=0.2)),
    "clamp above": Does(lambda x: x.clamp(max=0.2)),
    "exp": Does(torch.exp),
    "expm1": Does(torch.expm1),
    "log": _positive(torch.log),
    "log1p": _positive(torch.log1p),
    "log2": _positive(torch.log2),
    "sqrt": _positive(torch.sqrt),
    "rsqrt": _positive(torch.rsqrt),
    "reciprocal": _positive(torch.reciprocal),
    "abs": Does(torch.abs),
    "square": Does(torch.square),
    "sin": Does(torch.sin),
    "cos": Does(torch.cos),
    "erf": Does(torch.erf),
    "floor": Does(torch.floor),
    "sign": Does(torch.sign),
    "round": Does(torch.round),
    "neg": Does(torch.neg),
    "pow": Does(lambda x: x**3),
    "times": Does(lambda x: 2.5 * x - 1),
    "under": Does(lambda x: 1 - x),
    "over": _positive(lambda x: 2 / x),
    "halves": Does(lambda x: x / 4),
    "dropout": nn.Dropout(0.3),
}
MAPS = {
    "conv": nn.Conv2d(6, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 2), bias=False),
    "groups": nn.Conv2d(6, 12, 3, groups=3),
    "depthwise": nn.Conv2d(6, 12, 3, groups=6, padding="same"),
    "transposed": nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1),
    "transposed odd": nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
    "batch norm": nn.BatchNorm2d(6, eps=1e-3),
    "batch norm bare": nn.BatchNorm2d(6, affine=False),
    "group norm": nn.GroupNorm(3, 6),
    "instance norm": nn.InstanceNorm2d(6, affine=True),
    "layer norm": nn.LayerNorm((6, 8, 9)),
    "max pool": nn.MaxPool2d(3, 2, 1),
    "max pool up": nn.MaxPool2d(2, ceil_mode=True),
    "mean pool": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "mean pool counted": nn.AvgPool2d(3, 2, 1),
    "adaptive": nn.AdaptiveAvgPool2d((2, 3)),
    "adaptive max": nn.AdaptiveMaxPool2d(1),
    "flat": nn.Flatten(),
    "flat dense": nn.Sequential(nn.Flatten(), nn.Linear(432, 5)),
    "mean": Does(lambda x: x.mean((2, 3))),
    "mean kept": Does(lambda x: x * x.mean((2, 3), keepdim=True)),
    "sum": Does(lambda x: x.sum(1)),
    "amax": Does(lambda x: x.amax((2, 3))),
    "upsample": nn.Upsample(scale_factor=2),
    "shuffle": nn.Sequential(nn.Conv2d(6, 8, 1), nn.PixelShuffle(2)),
    "pad": nn.ZeroPad2d((1, 2, 0, 3)),
    "reflect": nn.ReflectionPad2d(2),
    "softmax": nn.Softmax(1),
    "log softmax": nn.LogSoftmax(1),
    "cat": Does(lambda x: torch.cat([x, 2 * x], 1)),
    "chunk": Does(lambda x: torch.cat(x.chunk(2, 1)[::-1], 1)),
    "split": Does(lambda x: x.split([2, 4], 1)[1]),
    "slice": Does(lambda x: x[:, 1:4, ::2, 1:]),
    "select": Does(lambda x: x[:, 2]),
    "permute": Does(lambda x: x.permute(0, 2, 3, 1)),
    "transpose": Does(lambda x: x.transpose(2, 3)),
    "view": Does(lambda x: x.view(2, 6, 72).transpose(1, 2)),
    "channels": Does(lambda x: x.reshape(2, 2, 3, 8, 9).transpose(1, 2).reshape(2, 6, 8, 9)),
    "glu": nn.GLU(1),
    "local": nn.LocalResponseNorm(3),
    "gate": Does(lambda x: x * torch.sigmoid(x.mean((2, 3), keepdim=True))),
    "unflatten": nn.Sequential(nn.Flatten(), nn.Linear(432, 24), nn.Unflatten(1, (6, 2, 2)), nn.Conv2d(6, 3, 1)),
}
SEQUENCES = {
    "linear": nn.Linear(6, 4),
    "no bias": nn.Linear(6, 4, bias=False),
    "layer norm": nn.LayerNorm(6, eps=1e-3),
    "conv": Does(lambda x: x.transpose(1, 2)),
    "conv 1d": nn.Conv1d(5, 7, 3, padding=1, stride=2),
    "norm 1d": nn.BatchNorm1d(5),
    "pool 1d": nn.MaxPool1d(2),
    "mean pool 1d": nn.AvgPool1d(3, 1, 1),
    "last": Does(lambda x: x[:, -1]),
    "mean": Does(lambda x: x.mean(1)),
    "softmax": nn.Softmax(-1),
    "matmul": Does(lambda x: x @ x.transpose(1, 2)),
    "attention": Does(lambda x: functional.scaled_dot_product_attention(x, x, x)),
    "causal": Does(lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True)),
    "heads": Does(lambda x: x.view(2, 5, 2, 3).transpose(1, 2).reshape(2, 2, 15)),
    "cumsum": Does(lambda x: x.cumsum(1)),
    "roll": Does(lambda x: x.roll(1, 1)),
    "flip": Does(lambda x: x.flip(1)),
}
ROWS = {
    "linear": nn.Linear(7, 4),
    "norm": nn.BatchNorm1d(7),
    "dropout": nn.Sequential(nn.Linear(7, 4), nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 2)),
    "view": nn.Sequential(nn.Linear(7, 12), nn.Unflatten(1, (3, 4))),
    "softmax": nn.Softmax(1),
}
CASES = {
    **{f"pointwise {name}": (module, MAP) for name, module in POINTWISE.items()},
    **{f"map {name}": (module, MAP) for name, module in MAPS.items()},
    **{f"steps {name}": (module, STEPS) for name, module in SEQUENCES.items()},
    **{f"row {name}": (module, ROW) for name, module in ROWS.items()},
}
