from functools import partial

import torch
import torch.nn.functional as F


def input_dropout(layer, rate):
    """Drop some inputs of a recurrent layer in training, the same ones at all steps."""
    layer.register_forward_pre_hook(partial(drop_inputs, rate))
    return layer


def drop_inputs(rate, layer, values):
    x, *state = values
    return x * F.dropout(torch.ones_like(x[:, :1]), rate, layer.training), *state
