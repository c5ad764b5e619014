"""Activation functions: the words that `activation=` takes and the layers of the same names.

One table; what both frameworks write for each is beside its definition.
"""

from __future__ import annotations

from ..pycode import X, call
from ..record import TYPE_CHECKING
from .base import Apply, At, choice, function, optional

if TYPE_CHECKING:
    from typing import Any

    from .base import Array

activation_reader = optional(choice("relu"))


def torch_activation(name: str | None, at: At) -> tuple[Apply, ...]:
    """The steps after a PyTorch layer that apply a fused activation."""
    return () if name is None else (function(call("F.relu", X()), call("nn.ReLU")),)


def keras_activation(name: str | None, at: At) -> tuple[dict[str, Any], tuple[Apply, ...]]:
    """The `activation=` argument of a Keras layer, or the steps after it where Keras has no such word."""
    return ({} if name is None else {"activation": str(name)}), ()


def reference_activation(name: str | None, y: Array) -> Array:
    """The definition, in NumPy."""
    return y if name is None else y.clip(0)
