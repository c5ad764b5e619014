"""Keras 3 code in one of three forms: functions of the functional API, a Sequential model, or subclassed layers."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ..styles import check_style
from .keras_functional import emit_functional, functional_calls, functional_templates
from .keras_sequential import emit_sequential, sequential_calls, sequential_templates
from .keras_subclass import emit_subclass, subclass_holders, subclass_templates

if TYPE_CHECKING:
    from ...ir.types import CheckedNet

# the forms of code; the first is what is written unless another is asked for
STYLES = {"functional": emit_functional, "sequential": emit_sequential, "subclass": emit_subclass}


def emit(net: CheckedNet, style: str = "functional") -> str:
    """The text of a Python module.

    Raises SpecError: `not-in-keras` where Keras has no form for a layer, `no-such-style` where the net does not
    permit the style.
    """
    check_style(style, STYLES, "Keras", net)
    return STYLES[style](net)


# which layers hold the weights: those that code calls, in order, or those in the attributes of classes
CALLS = {"functional": functional_calls, "sequential": sequential_calls}
HOLDERS = {"subclass": subclass_holders}
# what the classes and functions stand for
TEMPLATES = {
    "functional": functional_templates,
    "sequential": sequential_templates,
    "subclass": subclass_templates,
}
