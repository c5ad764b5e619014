#!/usr/bin/env bash
# ExecuTorch 1.5.1 with XNNPACK: bilinear interpolation by a scale that the size does not take (7 x 1.5 = 10.5) uses the
# ratio 10/7 and not 1.5. PyTorch, and ExecuTorch without XNNPACK, use 1.5. No word is said.
# Guess before the run: all of `interpolate` agrees, since XNNPACK takes only what it has.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 executorch==1.5.1
run <<'CODE'
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime


def executed(module, x, *partitioners):
    program = to_edge_transform_and_lower(torch.export.export(module, (x,)), partitioner=list(partitioners))
    method = Runtime.get().load_program(program.to_executorch().buffer).load_method("forward")
    return method.execute((x,))[0]


x = torch.arange(7.0).view(1, 1, 7, 1).expand(1, 1, 7, 2).contiguous()
module = torch.nn.Upsample(scale_factor=1.5, mode="bilinear")
wanted, portable = module(x), executed(module, x)
found = executed(module, x, XnnpackPartitioner())
for name, y in ("PyTorch", wanted), ("ExecuTorch", portable), ("XNNPACK", found):
    print(f"{name:10}", [round(v, 3) for v in y[0, 0, :, 0].tolist()])
torch.testing.assert_close(portable, wanted)
torch.testing.assert_close(found, torch.nn.functional.interpolate(x, (10, 3), mode="bilinear"))
assert (found - wanted).abs().max() > 0.2
CODE
