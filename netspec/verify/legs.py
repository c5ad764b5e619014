"""Legs: what runs the code of a net, each in a process of its own."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..ir.types import CheckedNet


class Leg(Record):
    """One way to run code.

    `code` is the framework that the code is written for, `extra` brings what has to be installed. `environment` is that
    of the process. `plain` says that it is the code's own framework, in which the arguments of the code are tried, too;
    `learns` that gradients come out; `coarse` that float64 is float32 in places: Keras 3.15 works out means, norms and
    products in float32 on JAX and PyTorch.
    """

    title: str
    code: str
    extra: str
    environment: Mapping[str, str] = {}
    plain: bool = False
    learns: bool = True
    coarse: bool = False


LEGS = {
    "torch": Leg("PyTorch", "torch", "torch", plain=True),
    "keras": Leg("Keras", "keras", "keras", {"KERAS_BACKEND": "tensorflow"}, plain=True),
    "jax": Leg("Keras on JAX", "keras", "jax", {"KERAS_BACKEND": "jax"}, coarse=True),
    "keras-torch": Leg("Keras on PyTorch", "keras", "torch,keras", {"KERAS_BACKEND": "torch"}, coarse=True),
    "compile": Leg("torch.compile", "torch", "torch"),
    "export": Leg("torch.export", "torch", "torch", learns=False),
    "onnxruntime": Leg("ONNX Runtime", "torch", "onnx", learns=False),
}


def precision(legs: Iterable[str], dtype: str) -> str:
    """The type that rounding has to be expected of where these legs work in a type."""
    return "float32" if any(LEGS[leg].coarse for leg in legs) else dtype


def varying(net: CheckedNet, static: int | None) -> list[list[str]]:
    """The names of the sizes of each input that may vary, in the language's order; empty where a size is fixed.

    `static` is the number of samples of each batch, where that is fixed.
    """
    batch = "" if static is not None else "batch"
    shapes = (port.value.shape for port in net.net.body.inputs)
    return [[batch, *("" if isinstance(dim, int) else str(dim) for dim in shape)] for shape in shapes]
