#!/usr/bin/env bash
# PyTorch 2.13.0: `quantize_dynamic` makes one scale for all samples and all steps that an LSTM or GRU is given at once. So what
# comes out for a step hangs on later steps, and for a sample on the others: with a last step, or another sample, 1,000
# times as large, they change by half their size, where those of the float layer, and of `dtype=torch.float16`, stay the
# same to the bit.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 numpy==2.4.6
run <<'CODE'
import torch
from torch.ao.quantization import quantize_dynamic

torch.manual_seed(0)
x = torch.randn(20, 3, 4)
later, other = x.clone(), x.clone()
later[-1] *= 1000
other[:, 2] *= 1000


def changes(layer):
    """By how much the steps before the last change with it, and the first samples with the third."""
    y, by_step, by_sample = (layer(given)[0] for given in (x, later, other))
    return [(y[:-1] - by_step[:-1]).abs().max().item(), (y[:, :2] - by_sample[:, :2]).abs().max().item()]


for kind in torch.nn.LSTM, torch.nn.GRU:
    plain = kind(4, 6).eval().requires_grad_(False)
    layer, half = (quantize_dynamic(torch.nn.Sequential(plain), dtype=t)[0] for t in (torch.qint8, torch.float16))
    size = plain(x)[0].abs().max().item()
    step, sample = changes(layer)
    print(f"{kind.__name__}, values up to {size:.2f}: {step:.2f} by a later step, {sample:.2f} by another sample")
    torch.testing.assert_close(layer(x)[0], plain(x)[0], rtol=0, atol=0.03)
    assert changes(plain) == changes(half) == [0, 0]
    assert min(step, sample) > size / 2
CODE
