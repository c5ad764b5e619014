#!/usr/bin/env bash
# PyTorch 2.13.0, `torch.onnx.export(dynamo=True)`: `-(-n // 4)` of a dynamic size n, the usual way to round up, rounds down in
# onnxruntime 1.32.0: 3 is 2 for n = 9, even for the example itself. `torch.export` is right, and so is `(n + 3) // 4`.
# Guess before the run: what is not negative is right.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0
run <<'CODE'
import onnxruntime
import torch


class Negated(torch.nn.Module):
    def forward(self, x):
        return x.new_zeros(-(-x.shape[0] // 4))


class Added(torch.nn.Module):
    def forward(self, x):
        return x.new_zeros((x.shape[0] + 3) // 4)


def lengths(module):
    given, shapes = (torch.randn(9),), ({0: torch.export.Dim("n", min=5, max=64)},)
    program = torch.export.export(module, given, dynamic_shapes=shapes).module()
    torch.onnx.export(module, given, "net.onnx", dynamic_shapes=shapes, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession("net.onnx")
    name = session.get_inputs()[0].name
    sizes = [torch.randn(n) for n in (8, 9, 10, 12)]
    return [len(program(x)) for x in sizes], [len(session.run(None, {name: x.numpy()})[0]) for x in sizes]


for module, expected in (Negated(), [2, 2, 2, 3]), (Added(), [2, 3, 3, 3]):
    wanted, found = lengths(module)
    print(f"{type(module).__name__}: of 8, 9, 10, 12: torch.export {wanted}, onnxruntime {found}")
    assert wanted == [2, 3, 3, 3] and found == expected
CODE
