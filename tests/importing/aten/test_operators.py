"""Operators one by one, with arguments off their defaults, on values that PyTorch holds in its own order."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
import torch
from exporting import imported
from flat import difference
from torch import nn
from torch.nn import functional as F  # noqa: N812


class Applied(nn.Module):
    """A convolution, so that the axes lie as those of images do, and what is tested behind it."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 1), function

    def forward(self, x):
        return self.function(self.conv(x))


GRIDS = {
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: F.log_softmax(x, 2),
    "glu": lambda x: F.glu(x, 1),
    "glu_of_rows": lambda x: F.glu(x, 2),
    "roll": lambda x: torch.roll(x, (1, -2), (2, 1)),
    "flip": lambda x: x.flip(2, 3),
    "movedim": lambda x: x.movedim(1, 3) * torch.sigmoid(x.movedim(1, -1)),
    "split": lambda x: torch.cat(x.split([1, 3], 1)[::-1], 1),
    "chunk": lambda x: x.chunk(2, 3)[1] - x.chunk(2, 3)[0],
    "stack": lambda x: torch.stack([x, 2 * x], 2).sum(2),
    "where": lambda x: torch.where(x > 0.1, x, -x.square()),
    "masked": lambda x: x.masked_fill(x < 0, 0.5),
    "sum_of_channels": lambda x: x.sum(1),
    "mean_kept": lambda x: x - x.mean(1, keepdim=True),
    "var": lambda x: x.var((2, 3), correction=0),
    "rows": lambda x: x.mean(3),
    "select": lambda x: x[:, 1] + x[:, :, :, 2:3].amin(1),
    "steps": lambda x: x[:, :, 1::2, :-1],
    "rsub": lambda x: 1.5 - x,
    "alpha": lambda x: torch.add(x, x.exp(), alpha=0.5),
    "over": lambda x: 2 / (1 + x.abs()),
    "power": lambda x: (x.abs() + 1) ** 1.5,
    "maximum": lambda x: torch.maximum(x, x.tanh()).clamp(min=-0.2),
    "elu": lambda x: F.elu(x, 0.7) + F.celu(x, 0.4),
    "shrink": lambda x: F.softshrink(x, 0.2) + F.hardshrink(x, 0.1),
    "softplus": lambda x: F.softplus(x) * F.logsigmoid(x),
    "unshuffle": lambda x: F.pixel_unshuffle(F.pixel_shuffle(x, 2), 4),
    "shuffle": lambda x: F.channel_shuffle(x, 2),
    "groups": lambda x: x.view(x.shape[0], 2, 2, 8, 8).transpose(1, 2).reshape(x.shape[0], 4, 8, 8),
    "windows": lambda x: (
        x.view(x.shape[0], 4, 2, 4, 2, 4)
        .permute(0, 2, 4, 3, 5, 1)
        .reshape(-1, 16, 4)
        .softmax(1)
        .view(x.shape[0], 2, 2, 4, 4, 4)
        .permute(0, 5, 1, 3, 2, 4)
        .reshape(x.shape[0], 4, 8, 8)
    ),
    "flat": lambda x: x.flatten(1),
    "flat_of_pixels": lambda x: x.flatten(2).transpose(1, 2),
    "bmm": lambda x: torch.bmm(x.flatten(2), x.flatten(2).transpose(1, 2)),
    "edges": lambda x: F.pad(x, (1, 0, 2, 1), mode="replicate"),
    "zeros": lambda x: F.pad(x, (1, 2), value=0.5),
    "pool": lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
    "counted": lambda x: F.avg_pool2d(x, (3, 2), padding=(1, 0)),
    "adaptive": lambda x: F.adaptive_max_pool2d(x, (3, 5)),
    "nearest": lambda x: F.interpolate(x, size=(16, 24)),
    "norm": lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2),
    "over_maps": lambda x: F.layer_norm(x, (8, 8), eps=1e-3),
    "unnormed": lambda x: F.group_norm(x, 2) + F.instance_norm(x),
    "attention": lambda x: F.scaled_dot_product_attention(x, x.sin(), x.cos(), is_causal=True, scale=0.3),
}


@pytest.mark.parametrize("name", GRIDS)
def test_on_grids(name, tmp_path):
    torch.manual_seed(6)
    module, inputs = Applied(GRIDS[name]), [torch.randn(2, 3, 8, 8)]
    model = imported(module, inputs, tmp_path)
    assert difference(model, module, inputs)[1] < 1e-9


def _writes(x):
    y = x * 2
    y[:, 0].add_(1)
    return y


def _copies(x):
    y = x * 2
    y.copy_(x.sin())
    return y


def _seen_otherwise(x):
    y = x * 2
    z = y.view(x.shape[0], 2, 2, 8, 8)
    y.relu_()
    return z.sum(1)


NOT_UNDERSTOOD = {
    "add_.Tensor: it writes into a part of another value": _writes,
    "copy_.default": _copies,
    "relu_.default: it writes into a part of another value": _seen_otherwise,
    "mean.dim: an operation over the samples of a batch": lambda x: x.mean(0, keepdim=True) + x,
    "upsample_bilinear2d.vec: interpolation between the corners": lambda x: F.interpolate(
        x, scale_factor=2.0, mode="bilinear", align_corners=True
    ),
    "max_pool2d.default: a pool with dilation": lambda x: F.max_pool2d(x, 2, dilation=2),
    "softplus.default: beta=2.0": lambda x: F.softplus(x, beta=2.0),
    "div.Tensor_mode: a division that is rounded": lambda x: torch.div(x, 2, rounding_mode="floor"),
    "var.dim: a variance without bias": lambda x: x.var(1),
    "pad.default: padding of the kind circular": lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"),
}


@pytest.mark.parametrize("words", NOT_UNDERSTOOD)
def test_what_has_no_counterpart_is_told(words, tmp_path):
    model = imported(Applied(NOT_UNDERSTOOD[words]), [torch.randn(2, 3, 8, 8)], tmp_path)
    assert words in [step.unknown for step in model.steps]


def test_what_is_written_over_in_place(tmp_path):
    def applied(x):
        y = x * 2
        z = y.transpose(2, 3)
        y.relu_()
        y += 1
        return z + y

    module, inputs = Applied(applied), [torch.randn(2, 3, 8, 8)]
    assert difference(imported(module, inputs, tmp_path), module, inputs)[1] < 1e-9


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.first = nn.RMSNorm(6, 1e-5), nn.Conv3d(2, 3, (1, 2, 3), (1, 1, 2), bias=False)
        self.one = nn.ConvTranspose1d(6, 4, 5, 3, padding=1, output_padding=2, groups=2)

    def forward(self, x, grid):
        return self.one(self.norm(x).transpose(1, 2)), self.first(grid)


def test_axes_of_one_and_three(tmp_path):
    torch.manual_seed(7)
    module, inputs = Scaled(), [torch.randn(2, 7, 6), torch.randn(2, 2, 4, 5, 6)]
    assert difference(imported(module, inputs, tmp_path), module, inputs)[1] < 1e-9
