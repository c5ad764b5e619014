#!/usr/bin/env bash
# PyTorch 2.13.0, `torch.onnx.export(dynamo=True)`: the divisor of `AvgPool2d(2, divisor_override=1)`, which sums a window, is
# dropped without a word; onnxruntime 1.32.0 gives the mean.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0
run <<'CODE'
import onnxruntime
import torch

x = torch.arange(16.0).view(1, 1, 4, 4)
module = torch.nn.AvgPool2d(2, divisor_override=1)
torch.onnx.export(module, (x,), "net.onnx", dynamo=True, verbose=False)
session = onnxruntime.InferenceSession("net.onnx")
(found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
wanted = module(x)
print("finding: PyTorch", wanted.flatten().tolist(), "onnxruntime", found.flatten().tolist())
torch.testing.assert_close(torch.as_tensor(found), wanted / 4)
CODE
