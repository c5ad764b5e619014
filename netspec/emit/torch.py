"""PyTorch code: a class for the net and for each block, as a person would write them."""

from __future__ import annotations

import re

from ..pycode import Call, call, inline
from ..record import TYPE_CHECKING
from ..weights.table import steps_of, weights_of
from .classes import ClassWriter
from .layout import FROZEN, TorchLowering, held_still
from .origins import attributes
from .parameters import Style
from .program import program
from .text import class_name, module_text, signature

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..ir import CheckedNet
    from ..layers.base import Helper
    from ..pycode import Code, Generator
    from .origins import Held
    from .template import Invoke

STYLE = Style(channels=True, sequences=True, sizes=False, unroll=4, reserved=frozenset(("self", "torch", "nn", "F")))
_TAKEN = {"Module", "Sequential", "ModuleList", "torch", "nn", "F"}
# attributes that a module has already
_NAMES = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval
extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules
mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer
register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory
state_dict to to_empty train training type xpu zero_grad
"""
_RESERVED = frozenset(_NAMES.split())


def emit(net: CheckedNet) -> str:
    """The text of a Python module. Raises SpecError (`not-in-torch`) where PyTorch has no form for a layer."""
    writers = _writers(net)
    classes = [w.lines() for w in writers]
    helpers = list(dict.fromkeys(h for w in writers for h in w.helpers))
    return module_text(_imports(classes, helpers), helpers, classes)


def holders(net: CheckedNet) -> list[Held]:
    """Which module of the code holds each weight, by its path of attributes. Raises SpecError as `emit` does."""
    return list(attributes(_writers(net), "torch"))


def _writers(net: CheckedNet) -> list[_Module]:
    """A writer for each class, that of the net last."""
    templates = program(net, TorchLowering(), STYLE, class_name, _TAKEN)
    return [_Module(t, is_net=t is templates[-1]) for t in templates]


def _imports(classes: Seq[Seq[str]], helpers: Seq[Helper]) -> list[str]:
    text = "\n".join(line for lines in classes for line in lines)
    found = ["from torch import nn"]
    if re.search(r"\btorch\.", text):
        found.append("import torch")
    if re.search(r"\bF\.", text):
        found.append("import torch.nn.functional as F")
    return found


class _Module(ClassWriter):
    """Writes one `nn.Module`."""

    reserved = frozenset(("self", "torch", "nn", "F"))
    attributes_taken = _RESERVED

    def listed(self, make: Generator) -> Code:
        return call("nn.ParameterList" if "nn.Parameter(" in inline(make.element) else "nn.ModuleList", make)

    def chained(self, elements: list[Code]) -> Code:
        return call("nn.Sequential", *elements)

    def applied(self, module: str, values: list[Code]) -> Code:
        return Call(module, tuple(values))

    def held_still(self, node: Invoke, make: Call) -> Code:
        steps = (step for _, step in steps_of(node.call.body))
        statistics = any(w.role == "statistic" for step in steps for w in weights_of(step))
        self.helpers += [FROZEN] if statistics else []
        return held_still(make, statistics)

    def lines(self) -> list[str]:
        names, flow = self.flow()
        made = [*self.saves(), *(text for group in self.made for line in group for text in line.render(8))]
        head = signature("__init__", ["self", *self.parameters()], 4)
        construct = [*head, "        super().__init__()", *made]
        forward = [*signature("forward", ["self", *names], 4), *(text for line in flow for text in line.render(8))]
        return self.text("nn.Module", [construct if made else [], forward])

    def note(self, shape: Any) -> str:
        if not self.is_net or len(shape) < 2:
            return ""
        order = (shape[-1], *shape[:-1]) if len(shape) > 2 else shape
        return " x ".join(str(d) for d in order)
