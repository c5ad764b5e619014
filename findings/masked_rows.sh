#!/usr/bin/env bash
# A query that may attend to nothing: PyTorch 2.13.0 gives zeros, OpenVINO 2026.4.1 gives NaN from torch.export, and onnxruntime
# 1.32.0 the mean of all values from the default `torch.onnx.export(dynamo=True)`. Other rows are equal. No word is said.
# Guess before the run: all three differ.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 openvino==2026.4.1 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0
run <<'CODE'
import onnxruntime
import openvino
import torch
from torch.nn.functional import scaled_dot_product_attention as attention


class Masked(torch.nn.Module):
    def forward(self, q, k, v, mask):
        return attention(q, k, v, mask)


q, k, v = torch.randn(1, 1, 2, 4), torch.randn(1, 1, 3, 4), torch.randn(1, 1, 3, 4)
mask = torch.tensor([[True, True, False], [False, False, False]])
given = (q, k, v, mask)
wanted = Masked()(*given)

program = openvino.convert_model(torch.export.export(Masked(), given))
run = openvino.compile_model(program, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
found = run([x.numpy() for x in given])[0]
torch.onnx.export(Masked(), given, "net.onnx", dynamo=True, verbose=False)
session = onnxruntime.InferenceSession("net.onnx")
names = [x.name for x in session.get_inputs()]
(other,) = session.run(None, {name: x.numpy() for name, x in zip(names, given)})

rows = {"PyTorch": wanted, "OpenVINO": torch.as_tensor(found), "onnxruntime": torch.as_tensor(other)}
for name, y in rows.items():
    print(f"finding: {name}: {y[0, 0, 1].tolist()}")
    torch.testing.assert_close(y[0, 0, 0], wanted[0, 0, 0])
assert rows["PyTorch"][0, 0, 1].eq(0).all()
assert rows["OpenVINO"][0, 0, 1].isnan().all()
torch.testing.assert_close(rows["onnxruntime"][0, 0, 1], v[0, 0].mean(0))
CODE
