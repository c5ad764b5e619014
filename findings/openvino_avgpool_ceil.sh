#!/usr/bin/env bash
# OpenVINO 2026.4.1, from torch.export: `AvgPool2d(3, stride=2, padding=1, ceil_mode=True)` of ones, 6 x 6. In PyTorch padding
# counts, but not what the last window takes beyond it: the corner is 1/4. OpenVINO divides by all 9: 1/9. No word is said.
# Guess before the run: onnxruntime is wrong here. It is right, and OpenVINO is not.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 openvino==2026.4.1 packaging==25.0  # openvino asks for packaging, and does not name it
run <<'CODE'
import openvino
import torch


def run(module, x):
    found = openvino.convert_model(torch.export.export(module, (x,)))
    return torch.as_tensor(openvino.compile_model(found, "CPU")([x.numpy()])[0])


x = torch.ones(1, 1, 6, 6)
module = torch.nn.AvgPool2d(3, 2, 1, ceil_mode=True)
wanted, found = module(x), run(module, x)
print("finding: last row in PyTorch", wanted[0, 0, -1].tolist(), "OpenVINO", found[0, 0, -1].tolist())
torch.testing.assert_close(wanted[0, 0, -1], torch.tensor([2 / 6, 3 / 6, 3 / 6, 1 / 4]))
torch.testing.assert_close(found[0, 0, -1], torch.tensor([2 / 9, 3 / 9, 3 / 9, 1 / 9]))
for same in torch.nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), torch.nn.AvgPool2d(3, 2, 1):
    torch.testing.assert_close(run(same, x), same(x))
CODE
