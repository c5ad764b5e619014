#!/usr/bin/env bash
# PyTorch 2.13.0: `MaxPool1d` fixes the length under `torch.export`, so that a dynamic one is refused, also behind a
# convolution. `MaxPool1d(return_indices=True)`, AvgPool1d and MaxPool2d keep it.
# Guess before the run: with indices it is refused as well, and behind a convolution it is not. It is the other way round.
. "$(dirname "$0")/common.sh"
install torch==2.13.0
run <<'CODE'
import torch
from torch.nn import AvgPool1d, Conv1d, MaxPool1d, MaxPool2d, Sequential

length = torch.export.Dim("length", min=4, max=64)


def kept(module, *sizes):
    try:
        program = torch.export.export(module, (torch.randn(2, 3, 12, *sizes),), dynamic_shapes=({2: length},))
    except torch._dynamo.exc.UserError as error:
        assert "specialized it to be a constant (12)" in str(error)
        return False
    other = torch.randn(2, 3, 8, *sizes)
    torch.testing.assert_close(program.module()(other), module(other))
    return True


cases = {
    "MaxPool1d": (kept(MaxPool1d(2)), False),
    "MaxPool1d behind Conv1d": (kept(Sequential(Conv1d(3, 3, 3), MaxPool1d(2))), False),
    "MaxPool1d with indices": (kept(MaxPool1d(2, return_indices=True)), True),
    "AvgPool1d": (kept(AvgPool1d(2)), True),
    "MaxPool2d": (kept(MaxPool2d(2), 8), True),
}
for name, (found, expected) in cases.items():
    print(f"{name}: a dynamic length is {'kept' if found else 'refused'}")
    assert found == expected
CODE
