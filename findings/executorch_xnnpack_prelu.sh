#!/usr/bin/env bash
# ExecuTorch 1.5.1 with XNNPACK: a PReLU lowers on images alone. On [N, C] and [N, C, L] the partitioner takes the layer, and
# lowering then raises ("Attempting to convert non-NHWC compatible node to NHWC") where it could leave it to the portable
# kernels, which run it.
# Guess before the run: what XNNPACK cannot take stays outside of its part.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 executorch==1.5.1
run <<'CODE' 2> /dev/null
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime


def outcome(module, x, *partitioners):
    program = torch.export.export(module, (x,))
    try:
        lowered = to_edge_transform_and_lower(program, partitioner=list(partitioners)).to_executorch()
    except Exception as error:
        return str(error.__cause__ or error)
    found = Runtime.get().load_program(lowered.buffer).load_method("forward").execute((x,))[0]
    torch.testing.assert_close(found, module(x))
    return "equal"


torch.manual_seed(0)
found = {}
for shape in (2, 4), (2, 4, 6), (2, 4, 6, 5):
    for slopes in 1, 4:
        module = torch.nn.PReLU(slopes).eval().requires_grad_(False)
        module.weight.uniform_(0.1, 0.9)
        x = torch.randn(shape)
        said = outcome(module, x), outcome(module, x, XnnpackPartitioner())
        print(f"{shape!s:13} slopes {slopes}: portable {said[0]}, XNNPACK {said[1]}")
        assert said[0] == "equal"
        found[len(shape), slopes] = said[1]
refused = {key for key, said in found.items() if said == "Attempting to convert non-NHWC compatible node to NHWC"}
assert refused == {(2, 1), (2, 4), (3, 1), (3, 4)}
assert {said for key, said in found.items() if key not in refused} == {"equal"}
CODE
