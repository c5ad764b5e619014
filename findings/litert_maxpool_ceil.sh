#!/usr/bin/env bash
# litert-torch 0.10.0: `MaxPool2d(3, stride=2, ceil_mode=True)` on maps where one axis fits its windows and the other needs a
# window that reaches beyond the edge: both axes get that window, so that one row or column too many comes out. No word
# is said. Where both axes need it, or neither, it is right.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 litert-torch==0.10.0
run <<'CODE'
import litert_torch
import torch

torch.manual_seed(0)
module = torch.nn.MaxPool2d(3, stride=2, ceil_mode=True)
for height, width, right in ((6, 8, True), (7, 9, True), (6, 7, False), (7, 6, False), (8, 9, False)):
    x = torch.randn(1, 2, height, width)
    wanted = module(x)
    found = torch.as_tensor(litert_torch.convert(module, (x,))(x))
    print(f"finding: maps of {height} x {width}: PyTorch {tuple(wanted.shape[2:])}, LiteRT {tuple(found.shape[2:])}")
    assert (found.shape == wanted.shape) == right
    if right:
        torch.testing.assert_close(found, wanted)
CODE
