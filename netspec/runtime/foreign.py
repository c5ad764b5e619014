"""Models that netspec did not write: classes in Python code, exported programs, saved models, ONNX files.

Each gives the arrays that it holds as a file that `netspec weights` reads, and its outputs for batches in the
language's order. The code of a class is imported, and a file is opened by its own framework, so both have to be the
user's.
"""

from __future__ import annotations

import importlib
import os
import sys

from ..base.record import TYPE_CHECKING
from .code import MissingFramework
from .keras_model import import_keras
from .torch_model import channels_first, import_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..layers.base import Array

# how far the numbers of a model that was just made are moved, so that no bias of 0 and no scale of 1 hides a fault
_NOISE = 0.05


class ForeignError(Exception):
    """A model cannot be opened, or refuses what it is given; the message says why."""


class ForeignModel:
    """A model of another's hand. `form` is that of its weights in files, `batch` the number of samples that it takes
    where that is fixed."""

    form: str
    suffix: str
    batch: int | None = None

    def save(self, path: str) -> None:
        """Write its weights to a file of its suffix."""
        raise NotImplementedError

    def __call__(self, inputs: Sequence[Array], dtype: str) -> list[Array]:
        """Its outputs, in its own order of axes, for inputs in the language's."""
        raise NotImplementedError

    def traced(self, inputs: Sequence[Array]) -> dict[str, Array]:
        """What the modules that hold weights give, by their names; nothing where that cannot be seen."""
        return {}


def open_model(word: str) -> ForeignModel:
    """The model of a file, or of `package.module:Class`. Raises ForeignError and MissingFramework."""
    suffix = os.path.splitext(word)[1].lower()
    if suffix in _FILES:
        if not os.path.exists(word):
            raise ForeignError("there is no such file")
        return _FILES[suffix](word)
    module, colon, name = word.partition(":")
    if colon and module and name:
        return _of_code(module, name)
    raise ForeignError(f"this is no model: give {', '.join(_FILES)} or package.module:Class")


# --- PyTorch ---------------------------------------------------------------------------------------------------------


class TorchForeign(ForeignModel):
    """An `nn.Module`."""

    form, suffix = "torch", ".pt"

    def __init__(self, module: Any, batch: int | None = None) -> None:
        self.torch = import_torch()
        self.module, self.batch = module, batch
        # the places of the axes of each input of three axes: as they stand, or channels first
        self.moved: bool | None = None

    def save(self, path: str) -> None:
        self.torch.save(self.module.state_dict(), path)

    def __call__(self, inputs: Sequence[Array], dtype: str) -> list[Array]:
        self.module.to(getattr(self.torch, dtype))
        with self.torch.no_grad():
            found = self._called([self._tensors(inputs, dtype, moved) for moved in self._ways(inputs)])
        listed = found if isinstance(found, tuple | list) else (found,)
        return [out.detach().numpy() for out in listed if isinstance(out, self.torch.Tensor)]

    def _ways(self, inputs: Sequence[Array]) -> tuple[bool, ...]:
        """In which orders sequences may be given: as PyTorch's recurrences take them, and as its convolutions do."""
        if self.moved is not None:
            return (self.moved,)
        return (False, True) if any(x.ndim == 3 and x.dtype.kind == "f" for x in inputs) else (False,)

    def _called(self, ways: Sequence[list[Any]]) -> Any:
        first: Exception | None = None
        for moved, tensors in enumerate(ways):
            try:
                found = self.module(*tensors)
            except (RuntimeError, ValueError, IndexError, AssertionError) as error:  # of sizes that do not fit
                first = first or error
                continue
            self.moved = bool(moved) if self.moved is None else self.moved
            return found
        raise ForeignError(f"the model refuses its inputs: {str(first).strip().splitlines()[0]}")

    def _tensors(self, inputs: Sequence[Array], dtype: str, moved: bool) -> list[Any]:
        found = []
        for array in inputs:
            order = (0, 2, 1) if moved and array.ndim == 3 and array.dtype.kind == "f" else channels_first(array.ndim)
            tensor = self.torch.from_numpy(array.transpose(order).copy())
            if tensor.is_floating_point():
                tensor = tensor.to(getattr(self.torch, dtype))
            found.append(tensor if tensor.is_floating_point() or tensor.dtype == self.torch.bool else tensor.long())
        return found

    def traced(self, inputs: Sequence[Array]) -> dict[str, Array]:
        seen: dict[str, list[Any]] = {}
        hooks = []
        for name, part in self.module.named_modules():
            if name and next(iter(part.parameters(recurse=False)), None) is not None:
                hooks.append(part.register_forward_hook(self._noting(seen.setdefault(name, []))))
        try:
            self(inputs, "float32")
        finally:
            for hook in hooks:
                hook.remove()
        # what was called twice has no value of its own
        return {name: values[0] for name, values in seen.items() if len(values) == 1 and values[0] is not None}

    def _noting(self, into: list[Any]) -> Callable[..., None]:
        def note(_module: Any, _given: Any, found: Any) -> None:
            into.append(found.detach().numpy().copy() if isinstance(found, self.torch.Tensor) else None)

        return note

    def stir(self) -> None:
        """Move its numbers a little; those of a variance stay above 0."""
        self.torch.manual_seed(0)
        with self.torch.no_grad():
            for tensor in self.module.state_dict(keep_vars=True).values():
                if tensor.is_floating_point():
                    tensor += _NOISE * self.torch.rand_like(tensor)


def _exported(path: str) -> ForeignModel:
    torch = import_torch()
    try:
        program = torch.export.load(path)
    except Exception as error:  # whatever a damaged file brings about
        raise ForeignError(f"it is no program that torch.export has saved: {_line(error)}") from None
    names = set(program.graph_signature.user_inputs)
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    fixed = {shape[0] for shape in shapes if len(shape) and isinstance(shape[0], int)}
    return TorchForeign(torch.export.unflatten(program), fixed.pop() if len(fixed) == 1 else None)


# --- Keras -----------------------------------------------------------------------------------------------------------


class KerasForeign(ForeignModel):
    """A built Keras model."""

    form, suffix = "keras", ".weights.h5"

    def __init__(self, model: Any) -> None:
        self.model = model
        first = model.inputs[0].shape if getattr(model, "inputs", None) else (None,)
        self.batch = first[0] if first else None

    def save(self, path: str) -> None:
        self.model.save_weights(path)

    def __call__(self, inputs: Sequence[Array], dtype: str) -> list[Array]:
        keras = import_keras()
        if dtype != "float32":
            raise ForeignError(f"a Keras model works in the type that it was made in, not in {dtype}")
        try:
            found = self.model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)
        except Exception as error:  # each backend has errors of its own
            raise ForeignError(f"the model refuses its inputs: {_line(error)}") from None
        values = list(found.values()) if isinstance(found, dict) else found
        return [keras.ops.convert_to_numpy(y) for y in (values if isinstance(values, tuple | list) else [values])]

    def stir(self) -> None:
        """Move its numbers a little; those of a variance stay above 0."""
        import numpy as np

        rng = np.random.default_rng(0)
        for variable in self.model.weights:
            if "float" in variable.dtype:
                variable.assign_add(_NOISE * rng.random(tuple(variable.shape)))


def _saved(path: str) -> ForeignModel:
    keras = import_keras()
    try:
        return KerasForeign(keras.models.load_model(path, compile=False))
    except Exception as error:  # whatever a damaged file, or one with classes of its own, brings about
        raise ForeignError(f"Keras cannot load it: {_line(error)}") from None


# --- ONNX ------------------------------------------------------------------------------------------------------------


class OnnxForeign(ForeignModel):
    """An ONNX file in ONNX Runtime, with the names and axes that PyTorch's exporter leaves to its weights."""

    form, suffix = "torch", ".safetensors"

    def __init__(self, path: str) -> None:
        try:
            import onnx
            import onnxruntime
        except ImportError as error:
            raise MissingFramework(error.name or "onnx", "onnx") from None
        try:
            self.held = onnx.load(path)
            self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # of protobuf, of onnx or of the runtime
            raise ForeignError(f"it is no ONNX model that runs: {_line(error)}") from None
        self.arrays = {array.name: onnx.numpy_helper.to_array(array) for array in self.held.graph.initializer}
        first = [port.shape[0] for port in self.session.get_inputs() if port.shape]
        self.batch = first[0] if first and isinstance(first[0], int) else None

    def save(self, path: str) -> None:
        import numpy as np
        from safetensors.numpy import save_file

        whole = {n: np.ascontiguousarray(a) for n, a in self.arrays.items() if a.dtype.kind == "f" and a.ndim}
        save_file(whole, path, {"format": "pt"})

    def __call__(self, inputs: Sequence[Array], dtype: str) -> list[Array]:
        if dtype != "float32":
            raise ForeignError(f"an ONNX model works in the type that it was made in, not in {dtype}")
        given = {port.name: _for_port(array, port) for array, port in zip(inputs, self.session.get_inputs())}
        try:
            found: list[Array] = self.session.run(None, given)
        except Exception as error:  # the runtime's own
            raise ForeignError(f"the model refuses its inputs: {_line(error)}") from None
        return found


def _for_port(array: Array, port: Any) -> Array:
    """An array in the order and the type that an input of a session declares."""
    orders = [channels_first(array.ndim), tuple(range(array.ndim)), (0, array.ndim - 1, *range(1, array.ndim - 1))]
    fits = (
        o for o in orders if len(port.shape) == len(o) and all(map(_agree, port.shape, (array.shape[k] for k in o)))
    )
    order = next(fits, orders[0]) if array.ndim > 1 else (0,)
    kinds = {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(bool)": "bool", "tensor(double)": "float64"}
    found: Array = array.transpose(order).astype(kinds.get(port.type, "float32"))
    return found


def _agree(declared: object, size: int) -> bool:
    return not isinstance(declared, int) or declared == size


# --- all -------------------------------------------------------------------------------------------------------------

_FILES: dict[str, Callable[[str], ForeignModel]] = {
    ".pt2": _exported,
    ".keras": _saved,
    ".onnx": OnnxForeign,
}


def _of_code(module: str, name: str) -> ForeignModel:
    """What a class or function of the user's code makes without arguments, or an object that is there already."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ForeignError(f"it cannot be imported: {error}") from None
    made = found if _is_model(found) else _made(found)
    if not _is_model(made):
        raise ForeignError(f"it gives {type(made).__name__}, which is no model of PyTorch or Keras")
    model = TorchForeign(made.eval()) if hasattr(made, "state_dict") else _built(made)
    if made is not found:
        model.stir()
    return model


def _made(maker: Any) -> Any:
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    try:
        return maker()
    except TypeError as error:
        raise ForeignError(f"it cannot be made without arguments: {error}; name a function that makes it") from None


def _is_model(found: Any) -> bool:
    return not isinstance(found, type) and (hasattr(found, "state_dict") or hasattr(found, "trainable_weights"))


def _built(model: Any) -> KerasForeign:
    if not model.built:
        raise ForeignError("the Keras model is not built yet: name a function that calls it once")
    return KerasForeign(model)


def _line(error: Exception) -> str:
    """The first line of what an error says."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
