#!/usr/bin/env bash
# PyTorch 2.13.0 on a CPU, and Keras 3.15.1 on it: the gradient of a 2-D convolution of several channels with one filter, for
# a batch of one. Where x is channels last and the kernel is a permuted view (rows, columns, in, out, as Keras keeps it),
# `backward` raises "slow_conv2d: grad_weight must be contiguous". Two samples, two filters, a kernel that is contiguous, or
# x in NCHW go well, and so does `forward`. So a Keras model that ends in `Conv2D(1, 3)`, as one for masks does, trains on
# PyTorch with every batch size but 1.
# Guess before the run: layouts decide how fast it is, not whether it runs.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 keras==3.15.1 numpy==2.4.2
export KERAS_BACKEND=torch
run <<'CODE' 2> /dev/null
import keras
import numpy as np
import torch
import torch.nn.functional as F


def outcome(train):
    try:
        train()
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return "well"


def plain(batch=1, filters=1, last=True, contiguous=False):
    x = torch.randn(batch, 16, 12, 12)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    kernel = torch.randn(3, 3, 16, filters, requires_grad=True).permute(3, 2, 0, 1)
    return outcome(lambda: F.conv2d(x, kernel.contiguous() if contiguous else kernel).sum().backward())


def model(batch, filters):
    net = keras.Sequential([keras.Input((12, 12, 16)), keras.layers.Conv2D(filters, 3)])
    net.compile("sgd", "mse")
    x, y = np.zeros((batch, 12, 12, 16), "float32"), np.zeros((batch, 10, 10, filters), "float32")
    return outcome(lambda: net.fit(x, y, batch_size=batch, verbose=0))


found = {
    "PyTorch": plain(),
    "PyTorch, two samples": plain(batch=2),
    "PyTorch, two filters": plain(filters=2),
    "PyTorch, NCHW": plain(last=False),
    "PyTorch, contiguous kernel": plain(contiguous=True),
    "Keras": model(1, 1),
    "Keras, two samples": model(2, 1),
    "Keras, two filters": model(1, 2),
}
for name, said in found.items():
    print(f"{name:27} {said}")
refused = [name for name, said in found.items() if "slow_conv2d: grad_weight must be contiguous" in said]
assert refused == ["PyTorch", "Keras"]
assert [said for name, said in found.items() if name not in refused] == ["well"] * 6
CODE
