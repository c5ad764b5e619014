"""Keras code of classes: a `keras.Model` for the net and a `Layer` for each block."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...ir.paths import steps_of
from ..outline.program import program
from .keras_classes import STYLES, TAKEN, ClassLowering, writers
from .keras_module import file_text, static_batch
from .weight_map import attributes

if TYPE_CHECKING:
    from ...ir.types import CheckedNet
    from ..ir import Template
    from .keras_classes import LayerWriter
    from .weight_map import Held


def emit_subclass(net: CheckedNet) -> str:
    """The text of a module of classes."""
    found = _writers(net)
    classes = [w.lines() for w in found]
    return file_text(net, classes, [h for w in found for h in w.helpers])


def subclass_holders(net: CheckedNet) -> list[Held]:
    """Which layer of the code holds each weight, by its path of attributes. Raises SpecError as the writer does."""
    return list(attributes(_writers(net), "keras"))


def subclass_templates(net: CheckedNet) -> list[Template]:
    """What the classes stand for, the model last. Raises SpecError as the writer does."""
    return [writer.template for writer in _writers(net)]


def _writers(net: CheckedNet) -> list[LayerWriter]:
    """A writer for each class, the model last."""
    templates = program(net, ClassLowering(), STYLES, TAKEN)
    found = writers(templates, templates[-1])
    found[-1].trains = any(step.layer.training or step.layer.draws() for _, step in steps_of(net.net.body))
    found[-1].batch = static_batch(net)
    return found
