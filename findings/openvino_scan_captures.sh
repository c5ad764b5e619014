#!/usr/bin/env bash
# OpenVINO 2026.4.1: the body of an ONNX `Scan` may speak of values around it. A constant there is taken for a part of the
# state or of the sequence, so the numbers are wrong, without a word; a value that is worked out or an input is refused.
# ONNX's checker and ONNX Runtime 1.32.0 take all three. Where shapes differ, as in an LSTM, its order may come out right.
. "$(dirname "$0")/common.sh"
install onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 packaging==25.0  # openvino asks for packaging, and does not name it
run <<'CODE'
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper

PAIR, PAIRS = [2], ["T", 2]


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def made(factor):
    """Running sums of a sequence, each step times a factor that stands outside of the loop."""
    steps = [("Mul", ["now", "factor"], ["part"]), ("Add", ["sum", "part"], ["next"]), ("Identity", ["next"], ["y"])]
    body = [helper.make_node(*step) for step in steps]
    given, left = [value("sum", PAIR), value("now", PAIR)], [value("next", PAIR), value("y", PAIR)]
    body = helper.make_graph(body, "body", given, left)
    nodes = [helper.make_node("Scan", ["zeros", "x"], ["last", "sums"], num_scan_inputs=1, body=body)]
    held = {"zeros": [0, 0], **({"factor": [2, 3]} if factor == "a constant" else {"half": [1, 1.5]})}
    if factor == "a sum":
        nodes.insert(0, helper.make_node("Add", ["half", "half"], ["factor"]))
    inputs = [value("x", PAIRS), *([value("factor", PAIR)] if factor == "an input" else [])]
    held = [helper.make_tensor(name, TensorProto.FLOAT, PAIR, numbers) for name, numbers in held.items()]
    graph = helper.make_graph(nodes, "sums", inputs, [value("sums", PAIRS)], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def by_openvino(model, given):
    onnx.save(model, "sums.onnx")
    try:
        run = openvino.compile_model(openvino.convert_model("sums.onnx"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except openvino.frontend.OpConversionFailure:
        return "refused"
    return np.array(list(run(given).values())[0]).tolist()


right = [[2, 3], [4, 6], [6, 9], [8, 12]]
for factor, expected in (
    ("a constant", [[2, 3], [3, 4], [3, 4], [3, 4]]),
    ("a sum", "refused"),
    ("an input", "refused"),
):
    model, given = made(factor), {"x": np.ones((4, 2), np.float32)}
    if factor == "an input":
        given["factor"] = np.array([2, 3], np.float32)
    (reference,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)
    assert reference.tolist() == right
    found = by_openvino(model, given)
    print(f"{factor}: {found}, not {right}")
    assert found == expected
CODE
