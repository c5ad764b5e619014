"""Keras code of classes: a `keras.Model` for the net and a `Layer` for each block."""

from __future__ import annotations

from ...analysis.static_batch import static_batch
from ...base.record import TYPE_CHECKING
from ...ir.paths import steps_of
from .backend import Backend
from .keras_classes import STYLES, TAKEN, ClassLowering, writers
from .keras_module import file_text
from .weight_map import attributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...ir.types import CheckedNet
    from ..ir import Template
    from .keras_classes import LayerWriter
    from .weight_map import WeightBinding


def _write(net: CheckedNet, templates: Sequence[Template]) -> str:
    """The text of a module of classes."""
    found = _writers(net, templates)
    classes = [w.lines() for w in found]
    return file_text(net, classes, [h for w in found for h in w.helpers])


def _holders(net: CheckedNet, templates: Sequence[Template]) -> list[WeightBinding]:
    """Which layer of the code holds each weight, by its path of attributes."""
    return list(attributes(_writers(net, templates), "keras"))


def _writers(net: CheckedNet, templates: Sequence[Template]) -> list[LayerWriter]:
    """A writer for each class, the model last."""
    found = writers(templates, templates[-1])
    found[-1].trains = any(step.layer.training or step.layer.draws() for _, step in steps_of(net.net.body))
    found[-1].batch = static_batch(net)
    return found


SUBCLASS = Backend("Keras", ClassLowering, STYLES, TAKEN, _write, _holders)
