"""Gradients of a loss by the variables of a Keras model, on each of Keras's backends."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from ..layers.base import Array

    Loss: TypeAlias = Callable[[], Any]


def _tensorflow(loss: Loss, variables: Sequence[Any]) -> list[Array]:
    import tensorflow as tf

    values = [variable.value for variable in variables]
    with tf.GradientTape() as tape:
        found = loss()
    gradients = tape.gradient(found, values)
    zeros = (tf.zeros_like(v) if g is None else tf.convert_to_tensor(g) for v, g in zip(values, gradients))
    return [g.numpy() for g in zeros]


def _torch(loss: Loss, variables: Sequence[Any]) -> list[Array]:
    import torch

    values = [variable.value for variable in variables]
    gradients = torch.autograd.grad(loss(), values, allow_unused=True)
    zeros = (torch.zeros_like(v) if g is None else g for v, g in zip(values, gradients))
    return [g.numpy() for g in zeros]


def _jax(loss: Loss, variables: Sequence[Any]) -> list[Array]:
    import jax
    import keras
    import numpy as np

    def of(values: Sequence[Any]) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values))):
            return loss()

    return [np.asarray(g) for g in jax.grad(of)([variable.value for variable in variables])]


# by the names of the backends
GRADIENTS: dict[str, Callable[[Loss, Sequence[Any]], list[Array]]] = {
    "tensorflow": _tensorflow,
    "torch": _torch,
    "jax": _jax,
}
