"""Recurrent layers as the frameworks have them."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .recurrence import Recurrence
from .recurrent_keras import keras_form, keras_place
from .recurrent_torch import torch_form, torch_place

if TYPE_CHECKING:
    from .base import At, Use, WeightLayout
    from .recurrence import CellWeight


class InFrameworks(Recurrence):
    """A cell run over time, with its forms and the places of its arrays in PyTorch and Keras."""

    def kept_in(self, layer: int, way: int, array: CellWeight) -> tuple[WeightLayout, WeightLayout]:
        return torch_place(self, layer, way, array), keras_place(self, layer, way, array)

    def torch(self, at: At) -> Use:
        return torch_form(self, at)

    def keras(self, at: At) -> Use:
        return keras_form(self, at)
