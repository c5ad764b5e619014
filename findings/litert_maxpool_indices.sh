#!/usr/bin/env bash
# litert-torch 0.10.0: `MaxPool2d(return_indices=True)` gives the right maxima, and 0 for every index. No word is said, and
# `MaxUnpool2d` behind it (SegNet) then writes all to one place.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 litert-torch==0.10.0
run <<'CODE'
import litert_torch
import torch

x = torch.tensor([[9.0, 1, 2, 3], [4, 5, 6, 7], [8, 0, 1, 2], [3, 4, 5, 6]]).view(1, 1, 4, 4)
module = torch.nn.MaxPool2d(2, return_indices=True)
wanted, places = module(x)
found, indices = map(torch.as_tensor, litert_torch.convert(module, (x,))(x))
print("finding: PyTorch", places.flatten().tolist(), "LiteRT", indices.flatten().tolist())
assert torch.equal(found, wanted)
assert places.flatten().tolist() == [0, 7, 8, 15]
assert indices.flatten().tolist() == [0, 0, 0, 0]
CODE
