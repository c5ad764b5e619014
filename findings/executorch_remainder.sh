#!/usr/bin/env bash
# ExecuTorch 1.5.1: `x % 4` of integers has the sign of x, where PyTorch's has the sign of 4. Floats agree.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 executorch==1.5.1
run <<'CODE'
import torch
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime


class Remainder(torch.nn.Module):
    def forward(self, x):
        return x % 4


def executed(x):
    program = to_edge_transform_and_lower(torch.export.export(Remainder(), (x,))).to_executorch()
    return Runtime.get().load_program(program.buffer).load_method("forward").execute((x,))[0]


x = torch.tensor([-7, -6, -5, -1, 5])
wanted, found = (x % 4).tolist(), executed(x).tolist()
print("PyTorch   ", wanted)
print("ExecuTorch", found)
assert wanted == [1, 2, 3, 3, 1]
assert found == [-3, -2, -1, -1, 1]
assert executed(x.float()).tolist() == [1, 2, 3, 3, 1]
CODE
