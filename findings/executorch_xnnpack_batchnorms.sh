#!/usr/bin/env bash
# ExecuTorch 1.5.1 with XNNPACK: of two batch norms without learned numbers (`affine=False`) behind convolutions, the
# second is computed with the statistics of the first, without a word; where their widths differ, the lowering raises
# (DecomposeBatchNorm: "Given groups=6, expected weight to be at least 6 at dimension 0"). One such norm alone, norms with
# learned numbers, and ExecuTorch without XNNPACK are right.
# Guess before the run: all norms agree, since each is folded into the convolution before it.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 executorch==1.5.1
run <<'CODE'
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime


def net(*widths, affine=False):
    torch.manual_seed(0)
    layers, before = [], 3
    for width in widths:
        norm = torch.nn.BatchNorm2d(width, affine=affine)
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        layers += [torch.nn.Conv2d(before, width, 1, bias=False), norm]
        before = width
    return torch.nn.Sequential(*layers).eval()


def error(module, *partitioners):
    x = torch.rand(1, 3, 8, 8)
    program = to_edge_transform_and_lower(torch.export.export(module, (x,)), partitioner=list(partitioners))
    loaded = Runtime.get().load_program(program.to_executorch().buffer)
    return (loaded.load_method("forward").execute((x,))[0] - module(x)).abs().max().item()


found = {
    "two, portable kernels": error(net(4, 4)),
    "two, XNNPACK": error(net(4, 4), XnnpackPartitioner()),
    "one, XNNPACK": error(net(4), XnnpackPartitioner()),
    "two with learned numbers, XNNPACK": error(net(4, 4, affine=True), XnnpackPartitioner()),
}
for name, worst in found.items():
    print(f"{name:34} off by {worst:.1e}")
wrong = found.pop("two, XNNPACK")
assert wrong > 0.1
assert max(found.values()) < 1e-5
try:
    error(net(4, 6), XnnpackPartitioner())
    raise SystemExit("two widths are lowered")
except Exception as raised:
    print("two widths:", str(raised)[:59])
    assert "DecomposeBatchNorm" in str(raised)
CODE
