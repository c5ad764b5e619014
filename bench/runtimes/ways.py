"""The ways that code is carried on: the legs of `netspec verify`, and what else people do with a model.

Each way is a model of generated code that gives its outputs after something was done with it: saved and loaded,
exported, put under a policy, handed to a runtime.
"""

from __future__ import annotations

import copy
import io
import os
import pickle

from netspec.base.record import TYPE_CHECKING
from netspec.base.stopping import Scratch
from netspec.runtime.code import run
from netspec.runtime.keras_model import KerasModel
from netspec.runtime.torch_model import TorchModel
from netspec.runtime.torch_runtimes import RUNTIMES, Carried, Exported, OnnxModel
from netspec.verify.legs import LEGS, Leg

from . import carried

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Model = Any
    Called = Callable[[Sequence[Any], bool], Sequence[Any]]

# --- PyTorch ---------------------------------------------------------------------------------------------------------


class Mapped(TorchModel):
    """`vmap` over samples of `functional_call`."""

    def call(self, tensors: Sequence[Any]) -> Any:
        held = {**dict(self.module.named_parameters()), **dict(self.module.named_buffers())}

        def one(*sample: Any) -> Any:
            return self.torch.func.functional_call(self.module, held, tuple(x[None] for x in sample))

        found = self.torch.vmap(one)(*tensors)
        return tuple(y[:, 0] for y in found) if isinstance(found, tuple | list) else found[:, 0]


class Graph(Carried):
    """`torch.compile` up to the graph with its gradients, which inductor would make code of."""

    def carry(self, tensors: tuple[Any, ...]) -> Callable[..., Any]:
        self.torch._dynamo.reset()  # which counts what it has compiled
        made: Callable[..., Any] = self.torch.compile(self.module, fullgraph=True, backend="aot_eager")
        return made


class Copied(TorchModel):
    """`copy.deepcopy`."""

    def call(self, tensors: Sequence[Any]) -> Any:
        return copy.deepcopy(self.module)(*tensors)


class Stored(TorchModel):
    """The `state_dict` saved, and loaded into a module that was made anew on the device `meta`."""

    def __init__(self, text: str, net: str, dtype: str = "float32") -> None:
        super().__init__(text, net, dtype)
        with self.torch.device("meta"):
            self.other = run(text, net).to(self.dtype).eval()

    def call(self, tensors: Sequence[Any]) -> Any:
        file = io.BytesIO(pickle.dumps(self.module.state_dict()))
        self.other.load_state_dict(pickle.load(file), assign=True)
        return self.other(*tensors)


class ChannelsLast(TorchModel):
    """Memory in the order N, H, W, C."""

    def call(self, tensors: Sequence[Any]) -> Any:
        module = copy.deepcopy(self.module).to(memory_format=self.torch.channels_last)
        last = self.torch.channels_last
        return module(*(x.contiguous(memory_format=last) if x.ndim == 4 else x for x in tensors))


def _of(convert: Callable[[Any, Sequence[Any]], list[Any]], short: bool = False) -> type[TorchModel]:
    """What a function of `carried` makes of a module, anew for each batch; with `short` integers have 32 bits."""

    class Made(TorchModel):
        def call(self, tensors: Sequence[Any]) -> Any:
            if short:
                tensors = [x.int() if x.dtype == self.torch.int64 else x for x in tensors]
            found = convert(self.module, tensors)
            return tuple(self.torch.from_numpy(array.copy()) for array in found)

    return Made


class Converted(TorchModel):
    """Core ML's conversion, whose outcome runs on macOS alone: the outputs are the module's own."""

    def call(self, tensors: Sequence[Any]) -> Any:
        carried.coreml(self.module, tensors)
        return self.module(*tensors)


# --- Keras -----------------------------------------------------------------------------------------------------------


class Predicted(KerasModel):
    """`predict`."""

    def _outputs(self, inputs: Sequence[Any], training: bool) -> Sequence[Any]:
        return _listed(self.model.predict(_given(inputs), verbose=0))


class Done(KerasModel):
    """What something is done with once it is built."""

    def _outputs(self, inputs: Sequence[Any], training: bool) -> Sequence[Any]:
        called = super()._outputs
        return self.done(inputs, called) if self.model.built else called(inputs, training)

    def done(self, inputs: Sequence[Any], called: Called) -> Sequence[Any]:
        """The outputs behind it; `called` gives those of the model itself."""
        raise NotImplementedError


class Fitted(Done):
    """The outputs after `fit` with a learning rate of 0, for one step; statistics stand as they were."""

    def done(self, inputs: Sequence[Any], called: Called) -> Sequence[Any]:
        outputs = called(inputs, False)
        held = [self.keras.ops.convert_to_numpy(v) for v in self.model.non_trainable_variables]
        wanted = [self.keras.ops.zeros_like(y) for y in outputs]
        self.model.compile("sgd", "mse")
        self.model.optimizer.learning_rate = 0.0
        self.model.fit(_given(inputs), wanted if len(wanted) > 1 else wanted[0], verbose=0, batch_size=len(inputs[0]))
        for variable, array in zip(self.model.non_trainable_variables, held):
            variable.assign(array)
        return called(inputs, False)


class Saved(Done):
    """Saved as `.keras` and loaded."""

    def done(self, inputs: Sequence[Any], called: Called) -> Sequence[Any]:
        with Scratch() as folder:
            path = os.path.join(folder.path, "net.keras")
            self.model.save(path)
            return _listed(self.keras.models.load_model(path)(_given(inputs), training=False))


class Served(Done):
    """Exported as a SavedModel, and served by TensorFlow."""

    def done(self, inputs: Sequence[Any], called: Called) -> Sequence[Any]:
        import tensorflow as tf

        with Scratch() as folder:
            self.model.export(folder.path, verbose=False)
            held = tf.saved_model.load(folder.path)  # which owns the variables
            return _listed(held.serve(_given([tf.convert_to_tensor(x) for x in _as_declared(self.model, inputs)])))


class KerasOnnx(Done):
    """Exported by Keras to ONNX, and run by ONNX Runtime."""

    def done(self, inputs: Sequence[Any], called: Called) -> Sequence[Any]:
        import onnxruntime

        called(inputs, False)  # what was never called has no inputs for Keras
        with Scratch() as folder:
            path = os.path.join(folder.path, "net.onnx")
            self.model.export(path, format="onnx", verbose=False)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [port.name for port in session.get_inputs()]
        found: Sequence[Any] = session.run(None, dict(zip(names, _as_declared(self.model, inputs))))
        return found


class Mixed(KerasModel):
    """Under the policy `mixed_bfloat16`."""

    def __init__(self, *words: Any) -> None:
        from netspec.runtime.keras_model import import_keras

        import_keras().mixed_precision.set_dtype_policy("mixed_bfloat16")
        super().__init__(*words)

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        ops = self.keras.ops
        return [ops.convert_to_numpy(ops.cast(y, "float32")) for y in self._outputs(inputs, False)]


def _as_declared(model: Any, inputs: Sequence[Any]) -> list[Any]:
    """Arrays of the types that the model's inputs have: what is exported converts nothing."""
    return [x.astype(port.dtype) for x, port in zip(inputs, model.inputs)]


def _given(inputs: Sequence[Any]) -> Any:
    return inputs[0] if len(inputs) == 1 else list(inputs)


def _listed(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else [found]


# --- all -------------------------------------------------------------------------------------------------------------


def _torch(title: str) -> Leg:
    return Leg(title, "torch", "torch")


def _keras(title: str, backend: str) -> Leg:
    return Leg(title, "keras", "keras", {"KERAS_BACKEND": backend})


# the first batch alone is asked of what converts a module for the sizes of its example
ONE_BATCH = ("openvino", "litert", "executorch", "executorch-xnnpack", "coreml")
# what is converted and not run
CONVERTED = ("coreml",)
MADE: dict[str, tuple[Leg, type[Model]]] = {
    "export-style": (_torch("torch.export, `--style export`"), Exported),
    "onnxruntime-style": (_torch("ONNX Runtime, `--style export`"), OnnxModel),
    "graph": (_torch("torch.compile(fullgraph=True), aot_eager"), Graph),
    "graph-style": (_torch("torch.compile(fullgraph=True), aot_eager, `--style export`"), Graph),
    "vmap": (_torch("torch.vmap of functional_call"), Mapped),
    "deepcopy": (_torch("copy.deepcopy"), Copied),
    "state": (_torch("state_dict, pickled, into a module on meta"), Stored),
    "channels-last": (_torch("channels_last memory format"), ChannelsLast),
    "openvino": (_torch("OpenVINO"), _of(carried.openvino)),
    "litert": (_torch("LiteRT (litert-torch)"), _of(carried.litert, short=True)),
    "executorch": (_torch("ExecuTorch, portable kernels"), _of(carried.executorch)),
    "executorch-xnnpack": (_torch("ExecuTorch, XNNPACK"), _of(carried.executorch_xnnpack)),
    "coreml": (_torch("Core ML's conversion, not run"), Converted),
}
for _name, _title, _made in (
    ("predict", "predict", Predicted),
    ("fit", "fit, one step", Fitted),
    ("save", "save and load_model", Saved),
    ("mixed", "mixed_bfloat16", Mixed),
):
    for _backend, _called in (("tensorflow", "TensorFlow"), ("jax", "JAX"), ("torch", "PyTorch")):
        MADE[f"{_name}-{_backend}"] = (_keras(f"Keras on {_called}: {_title}", _backend), _made)
MADE["savedmodel"] = (_keras("Keras on TensorFlow: SavedModel", "tensorflow"), Served)
MADE["keras-onnx"] = (_keras("Keras on TensorFlow: ONNX export", "tensorflow"), KerasOnnx)
# the style of code that a way is asked of, where it is not the usual one
STYLES = {way: {"torch": "export"} for way in MADE if way.endswith("-style")}
WAYS: dict[str, Leg] = {**LEGS, **{name: leg for name, (leg, _) in MADE.items()}}


def place(way: str) -> str:
    """Ways of one place run in one process; a policy holds for its process."""
    return way if way.startswith("mixed") else WAYS[way].environment.get("KERAS_BACKEND", "plain torch")


def make(way: str, job: dict[str, Any], example: list[Any]) -> Model:
    """The model of a way, for the worker."""
    leg = WAYS[way]
    made = MADE[way][1] if way in MADE else RUNTIMES.get(way)
    if leg.code == "torch":
        words = (job["text"], job["net"])
        if made is not None and issubclass(made, Carried):
            return made(*words, job["axes"], job["dtype"])
        return (made or TorchModel)(*words, job["dtype"])
    return (made or KerasModel)(job["text"], job["net"], job["names"], job["calls"], lambda: example, job["dtype"])
