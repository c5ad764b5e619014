#!/usr/bin/env bash
# nnef-tools 1.0.11, ONNX to NNEF: the alpha of Elu and the p of LpPool are dropped without a word, so that `nn.ELU(0.5)` becomes
# `nn.ELU(1)` and an LpPool of p = 1 or 3 one of p = 2. The slope of LeakyRelu is kept.
. "$(dirname "$0")/common.sh"
install onnx==1.23.2 onnxruntime==1.32.0 nnef==1.0.10 nnef-tools==1.0.11
run <<'CODE'
import subprocess
import sys

import nnef
import numpy as np
import onnx
import onnxruntime
from onnx import helper

x = np.arange(-8, 8, dtype="float32").reshape(1, 1, 4, 4) / 4


def both(op, **attributes):
    """What ONNX Runtime and NNEF's own interpreter give."""
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    x_type, y_type = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, x.shape) for name in "xy")
    if op == "LpPool":
        y_type = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (1, 1, 2, 2))
    graph = helper.make_graph([node], "net", [x_type], [y_type])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, "net.onnx")
    command = "nnef_tools.convert --input-format onnx --output-format nnef --input-model net.onnx --output-model net.nnef"
    subprocess.run([sys.executable, "-m", *command.split()], check=True, stdout=subprocess.DEVNULL)
    found = nnef.Session("net.nnef", lowered=["elu", "leaky_relu", "prelu", "lp_pool"])(x)[0]
    return onnxruntime.InferenceSession("net.onnx").run(None, {"x": x})[0], found


pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
for op, given, used in (
    ("Elu", {"alpha": 0.5}, {"alpha": 1.0}),
    ("LpPool", {**pool, "p": 1}, {**pool, "p": 2}),
    ("LpPool", {**pool, "p": 3}, {**pool, "p": 2}),
    ("LeakyRelu", {"alpha": 0.2}, {"alpha": 0.2}),
):
    wanted, found = both(op, **given)
    print(f"{op} {given}: {abs(wanted - found).max():.2f} off")
    np.testing.assert_allclose(found, both(op, **used)[0], rtol=1e-5)
    assert (given == used) == np.allclose(wanted, found, rtol=1e-5)
CODE
