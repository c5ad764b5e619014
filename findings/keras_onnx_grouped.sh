#!/usr/bin/env bash
# Keras 3.15.1 on TensorFlow 2.21.0, `model.export(format="onnx")` by tf2onnx 1.17.0: a convolution in groups, which Keras
# compiles with XLA on the CPU, stands in the file as the call that the converter did not open. The converter logs that it
# does not know it and writes the file; ONNX Runtime 1.32.0 refuses that. Without groups it is one `Conv`.
. "$(dirname "$0")/common.sh"
install tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0
export KERAS_BACKEND=tensorflow
run <<'CODE'
import keras
import numpy
import onnx
import onnxruntime


def exported(groups):
    x = keras.Input((8, 8, 4))
    model = keras.Model(x, keras.layers.Conv2D(6, 3, groups=groups)(x))
    model(numpy.zeros((1, 8, 8, 4), "float32"))
    model.export("net.onnx", format="onnx", verbose=False)
    try:
        onnxruntime.InferenceSession("net.onnx")
    except Exception as error:
        said = type(error).__name__
    else:
        said = "runs"
    return said, {node.op_type for node in onnx.load("net.onnx").graph.node}


alone, grouped = exported(1), exported(2)
print("finding:", "one group", alone, "two groups", grouped)
assert alone[0] == "runs"
assert "Conv" in alone[1]
assert grouped[0] == "InvalidGraph"
assert "StatefulPartitionedCall" in grouped[1]
CODE
