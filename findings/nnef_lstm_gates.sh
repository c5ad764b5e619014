#!/usr/bin/env bash
# nnef-tools 1.0.11, ONNX to NNEF: an LSTM keeps ONNX's weights, whose gates are input, output, forget, cell, and gets a body that
# reads them as input, forget, cell, output: numbers of another net, without a word. The same net with its gates put into
# that order is right.
. "$(dirname "$0")/common.sh"
install onnx==1.23.2 onnxruntime==1.32.0 nnef==1.0.10 nnef-tools==1.0.11
run <<'CODE'
import subprocess
import sys

import nnef
import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

STEPS, IN, OUT = 5, 3, 4
random = np.random.default_rng(0)
x, W, R, B = (random.standard_normal(s).astype("float32") for s in ((STEPS, 1, IN), (4, OUT, IN), (4, OUT, OUT), (2, 4, OUT)))


def saved(order):
    """The net as ONNX, with its gates in an order."""
    arrays = {"W": W[order].reshape(1, -1, IN), "R": R[order].reshape(1, -1, OUT), "B": B[:, order].reshape(1, -1)}
    arrays |= {"h0": np.zeros((1, 1, OUT), "float32"), "c0": np.zeros((1, 1, OUT), "float32")}
    node = helper.make_node("LSTM", ["x", "W", "R", "B", "", "h0", "c0"], ["", "h", "c"], hidden_size=OUT)
    x_type = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, x.shape)
    h_type = helper.make_tensor_value_info("h", onnx.TensorProto.FLOAT, (1, 1, OUT))
    graph = helper.make_graph([node], "net", [x_type], [h_type], [numpy_helper.from_array(*a[::-1]) for a in arrays.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, "net.onnx")


def of_onnx():
    return onnxruntime.InferenceSession("net.onnx").run(None, {"x": x})[0].ravel()


def of_nnef():
    command = "nnef_tools.convert --input-format onnx --output-format nnef --input-model net.onnx --output-model net.nnef"
    subprocess.run([sys.executable, "-m", *command.split()], check=True, stdout=subprocess.DEVNULL)
    return np.ravel(nnef.Session("net.nnef", lowered=["lstm_loop", "lstm_step", "linear"])(x)[0])


saved([0, 1, 2, 3])
wanted, found = of_onnx(), of_nnef()
print("ONNX", wanted.round(3), "NNEF", found.round(3))
assert abs(wanted - found).max() > 0.5
saved([0, 2, 3, 1])
print("NNEF, gates as it reads them", of_nnef().round(3))
np.testing.assert_allclose(of_nnef(), wanted, atol=1e-6)
CODE
