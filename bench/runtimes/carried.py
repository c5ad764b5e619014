"""What people carry code on to: OpenVINO, LiteRT, ExecuTorch and Core ML, each as one function.

A function takes a PyTorch module in evaluation mode and its inputs as tensors, converts the module as the runtime's own
documentation does, and gives the outputs that the runtime finds on the CPU, as a list of arrays. Those with `_keras` in
their names take a Keras model and arrays. `coreml` only converts: Core ML's own runtime needs macOS.

Each needs its own package (openvino; litert-torch; executorch; coremltools), which nothing else of netspec does. What a
runtime refuses comes out as its own exception.
"""

from __future__ import annotations

import tempfile

from netspec.base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Arrays = list[Any]


def _exported(module: Any, inputs: Sequence[Any]) -> Any:
    import torch

    with torch.no_grad():
        return torch.export.export(module, tuple(inputs))


def _arrays(found: Iterable[Any]) -> Arrays:
    import numpy as np

    return [np.asarray(array) for array in found]


# --- OpenVINO --------------------------------------------------------------------------------------------------------


def openvino(module: Any, inputs: Sequence[Any]) -> Arrays:
    """From an exported program."""
    import openvino as ov

    return _compiled(ov.convert_model(_exported(module, inputs)), [x.numpy() for x in inputs])


def openvino_traced(module: Any, inputs: Sequence[Any]) -> Arrays:
    """From the module and an example, which OpenVINO traces."""
    import openvino as ov

    return _compiled(ov.convert_model(module, example_input=tuple(inputs)), [x.numpy() for x in inputs])


def openvino_onnx(module: Any, inputs: Sequence[Any]) -> Arrays:
    """From PyTorch's ONNX export."""
    import openvino as ov
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/net.onnx"
        torch.onnx.export(module, tuple(inputs), path, dynamo=True, verbose=False)
        return _compiled(ov.convert_model(path), [x.numpy() for x in inputs])


def openvino_keras(model: Any, inputs: Sequence[Any]) -> Arrays:
    """From a SavedModel of Keras on TensorFlow."""
    import openvino as ov

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        found = ov.convert_model(folder)
        given = _named(model, [port.any_name for port in found.inputs], inputs)
        ready = _float32(found)
        outputs = {port.any_name: array for port, array in ready(given).items()}
        return _arrays(outputs[name] for name in sorted(outputs, key=_number))


def _compiled(found: Any, inputs: Sequence[Any]) -> Arrays:
    return _arrays(_float32(found)(list(inputs)).to_tuple())


def _float32(found: Any) -> Any:
    """OpenVINO takes bfloat16 by itself where the CPU has it."""
    import openvino as ov

    return ov.compile_model(found, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def _named(model: Any, names: Iterable[str], inputs: Sequence[Any]) -> dict[str, Any]:
    """Each array by the name that an export of Keras gives it. A file keeps names, but no order."""
    known = [x.name for x in getattr(model, "inputs", None) or ()]
    return dict(zip(known if set(known) == set(names) else sorted(names, key=_number), inputs))


def _number(name: str) -> int:
    """The number at the end of a name such as `output_10`."""
    return int(name[len(name.rstrip("0123456789")) :] or 0)


# --- LiteRT ----------------------------------------------------------------------------------------------------------


def litert(module: Any, inputs: Sequence[Any]) -> Arrays:
    """With litert-torch, run by its interpreter."""
    import litert_torch

    found = litert_torch.convert(module, tuple(inputs))(*inputs)
    return _arrays(found if isinstance(found, list | tuple) else [found])


def litert_keras(model: Any, inputs: Sequence[Any]) -> Arrays:
    """With the converter of TensorFlow, which Keras calls, run by LiteRT's interpreter. Samples may be any number."""
    from ai_edge_litert.interpreter import Interpreter

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/net.tflite"
        model.export(path, format="litert", verbose=False)
        run = Interpreter(path).get_signature_runner()
        found = run(**_named(model, run.get_input_details(), inputs))
        return _arrays(found[name] for name in sorted(found, key=_number))


# --- ExecuTorch ------------------------------------------------------------------------------------------------------


def executorch(module: Any, inputs: Sequence[Any]) -> Arrays:
    """With the portable kernels, which are the reference for the others."""
    return _executed(module, inputs, [])


def executorch_xnnpack(module: Any, inputs: Sequence[Any]) -> Arrays:
    """With what XNNPACK takes given to it, as ExecuTorch's documentation does for CPUs."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

    return _executed(module, inputs, [XnnpackPartitioner()])


def _executed(module: Any, inputs: Sequence[Any], partitioners: list[Any]) -> Arrays:
    from executorch.exir import to_edge_transform_and_lower
    from executorch.runtime import Runtime

    program = to_edge_transform_and_lower(_exported(module, inputs), partitioner=partitioners).to_executorch()
    method = Runtime.get().load_program(program.buffer).load_method("forward")
    return _arrays(method.execute(tuple(inputs)))


# --- Core ML ---------------------------------------------------------------------------------------------------------


def coreml(module: Any, inputs: Sequence[Any]) -> Any:
    """The ML program of an exported program, in float32."""
    import coremltools

    program = _exported(module, inputs).run_decompositions({})
    return coremltools.convert(
        program, skip_model_load=True, compute_precision=coremltools.precision.FLOAT32, convert_to="mlprogram"
    )
