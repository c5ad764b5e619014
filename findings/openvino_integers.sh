#!/usr/bin/env bash
# OpenVINO 2026.4.1 on the CPU computes int64 in 32 bits: 2**33 + 7 plus 1 is no longer that, and a sum of four times 2**30 is
# not 2**32, though inputs and outputs are int64 and nothing is said. And `//` of negative integers.
# Guess before the run: large int64 are wrong, without a word; `//` agrees.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 openvino==2026.4.1 packaging==25.0  # openvino asks for packaging, and does not name it
run <<'CODE'
import openvino
import torch


class Of(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def run(function, x):
    found = openvino.convert_model(torch.export.export(Of(function), (x,)))
    return torch.as_tensor(openvino.compile_model(found, "CPU")([x.numpy()])[0])


def held(name, function, x):
    wanted, found = function(x), run(function, x)
    print(f"finding: {name}: PyTorch {wanted.tolist()}, OpenVINO {found.tolist()}, {found.dtype}")
    assert found.dtype == wanted.dtype
    assert not torch.equal(found, wanted)


held("x + 1", lambda x: x + 1, torch.tensor([2**33 + 7, 5]))
held("x.sum()", lambda x: x.sum(), torch.full((4,), 2**30))
held("x // 4", lambda x: x // 4, torch.tensor([-7, -6, -5, 5, 6, 7], dtype=torch.int32))
CODE
