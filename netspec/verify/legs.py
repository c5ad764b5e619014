"""Legs: what runs the code of a net, each in a process of its own."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..ir.types import CheckedNet
    from ..weights.targets import Target


class Leg(Record):
    """One way to run code.

    `code` is the framework that the code is written for, `extra` brings what has to be installed. `environment` is that
    of the process. `plain` says that it is the code's own framework, in which the arguments of the code are tried, too;
    `learns` that gradients come out; `coarse` that float64 is float32 in places: Keras 3.15 works out means, norms and
    products in float32 on JAX and PyTorch. `style` is that of the code which is written for it, where it refuses
    the usual code.
    """

    title: str
    code: str
    extra: str
    environment: Mapping[str, str] = {}
    plain: bool = False
    learns: bool = True
    coarse: bool = False
    style: str = ""


LEGS = {
    "torch": Leg("PyTorch", "torch", "torch", plain=True),
    "keras": Leg("Keras", "keras", "keras", {"KERAS_BACKEND": "tensorflow"}, plain=True),
    "jax": Leg("Keras on JAX", "keras", "jax", {"KERAS_BACKEND": "jax"}, coarse=True),
    "keras-torch": Leg("Keras on PyTorch", "keras", "torch,keras", {"KERAS_BACKEND": "torch"}, coarse=True),
    "compile": Leg("torch.compile", "torch", "torch", style="export"),
    "export": Leg("torch.export", "torch", "torch", learns=False, style="export"),
    "onnxruntime": Leg("ONNX Runtime", "torch", "onnx", learns=False, style="export"),
}


def other_style(leg: str, net: CheckedNet, target: Target, styles: Mapping[str, str]) -> str:
    """What to try where a leg refuses the code of a net in these styles; nothing where no other style is other code."""
    from ..weights.targets import target_for  # which those that only run code do without

    code, style = LEGS[leg].code, LEGS[leg].style
    if not style or styles.get(code) == style or target_for(code, net, {code: style}).text == target.text:
        return ""
    return f" (try --style {style})"


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
