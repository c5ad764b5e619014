"""PyTorch code: a class for the net and for each block, as a person would write them."""

from __future__ import annotations

from functools import cached_property

from ...base.record import TYPE_CHECKING
from ...ir.paths import steps_of
from ...pycode.expr import Call, call, inline
from ...pycode.statements import render
from ..ir import Invoke, Leaf, opened, out_layout
from ..lowering.initialisers import METHOD, common, init_weights, plain
from ..lowering.layout import FROZEN, TorchLowering, entering, held_still
from ..styles import Style
from .backend import Backend
from .classes import ClassWriter
from .module import class_name, module_text, signature, speaks_of
from .weight_map import attributes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...ir.types import Body, CheckedNet
    from ...layers.base import Apply, Helper
    from ...pycode.expr import Code, Generator
    from ..ir import ModuleChain, Template
    from ..lowering.initialisers import Rules
    from .weight_map import WeightBinding

# modules of the file's head, and what is taken of them
_MODULES = frozenset(("torch", "nn", "F", "functools", "partial"))
STYLE = Style(
    channels=True,
    sequences=True,
    sizes=False,
    unroll=4,
    name=class_name,
    reserved=_MODULES | {"self", "init_weights"},
    overwrites=True,
)
_TAKEN = {"Module", "Sequential", "ModuleList", *_MODULES}
# attributes that a module has already
_NAMES = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval
extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules
mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer
register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory
state_dict to to_empty train training type xpu zero_grad regularization
"""
_RESERVED = frozenset(_NAMES.split())


def _write(_net: CheckedNet, templates: Seq[Template]) -> str:
    """The text of a module."""
    writers = _writers(templates)
    fills = _fills(writers)
    classes = [w.lines() for w in writers]
    return module_text(_imports(classes), _helpers(writers, classes, fills), classes)


def _holders(_net: CheckedNet, templates: Seq[Template]) -> list[WeightBinding]:
    """Which module of the code holds each weight, by its path of attributes."""
    return list(attributes(_writers(templates), "torch"))


def _layouts(body: Body, taken: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How the class of a body takes its inputs, and how it gives its outputs; `taken` is empty where that is as a net
    does it."""
    inputs = taken or tuple(entering(body, port.value.shape) for port in body.inputs)
    return inputs, TorchLowering().lower(body, taken).out_layouts


def _writers(templates: Seq[Template]) -> list[_Module]:
    """A writer for each class, that of the net last."""
    applies = [a for t in templates for node in opened(t.nodes) if isinstance(node, Leaf) for a in node.applies]
    rules = common([a.make for a in applies if a.make is not None], [h for a in applies for h in a.helpers])
    return [_Module(t, t is templates[-1], rules) for t in templates]


def _fills(writers: Seq[_Module]) -> Helper | None:
    """The function that fills weights, if there is one. The nets that call it are told to."""
    found = {id(w.template): w for w in writers}
    for writer in writers:
        own = [found[id(template)] for template in _with_blocks(writer.template)]
        writer.begins = writer.of_net and init_weights(_making(own), writer.rules) is not None
    return init_weights(_making(writers), writers[0].rules) if any(w.begins for w in writers) else None


def _with_blocks(template: Template) -> list[Template]:
    """A template with those of the blocks that it is made of, but not of the nets within it."""
    found, todo = {id(template): template}, [template]
    while todo:
        for node in opened(todo.pop().nodes):
            if not isinstance(node, Invoke) or id(node.template) in found:
                continue
            if node.template.bodies[0].definition.word != "net":
                found[id(node.template)] = node.template
                todo.append(node.template)
    return list(found.values())


def _making(writers: Iterable[_Module]) -> str:
    """All text that makes modules."""
    found: list[str] = []
    for writer in writers:
        found += writer.making_lines
        found += [helper.source for helper in writer.helpers if not helper.optional]
    return "\n".join(found)


def _helpers(writers: Seq[_Module], classes: Seq[Seq[str]], fills: Helper | None) -> list[Helper]:
    """The helpers that the classes need, and the function that fills their weights."""
    text = _joined(classes)
    found = [h for w in writers for h in w.helpers if not h.optional or speaks_of(text, [h.name], r"\(")]
    return list(dict.fromkeys([*found, *([fills] if fills else [])]))


def _joined(classes: Seq[Seq[str]]) -> str:
    return "\n".join(line for lines in classes for line in lines)


_IMPORTS = {
    "functools": "import functools",
    "math": "import math",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
}


def _imports(classes: Seq[Seq[str]]) -> list[str]:
    text = _joined(classes)
    partial = ["from functools import partial"] if speaks_of(text, ["partial"], r"\((?!self)") else []
    return ["from torch import nn", *partial, *(_IMPORTS[name] for name in speaks_of(text, _IMPORTS))]


class _Module(ClassWriter):
    """Writes one `nn.Module`."""

    reserved = _MODULES | {"self"}
    attributes_taken = _RESERVED
    first = True

    def __init__(self, template: Template, is_net: bool, rules: Rules) -> None:
        # what all modules of a class begin with
        self.rules = rules
        body = template.bodies[0]
        # is it a net, perhaps within another one; do weights of it add to the loss; does it fill its weights?
        self.of_net = body.definition.word == "net"
        self.penalties = self.of_net and any(w.l1 or w.l2 for _, step in steps_of(body) for w in step.weights)
        self.begins = False
        super().__init__(template, is_net)

    @cached_property
    def making_lines(self) -> list[str]:
        """The statements that make the modules."""
        return render([line for group in self.made for line in group], 8)

    def making(self, apply: Apply) -> Code:
        return plain(apply.make, self.rules)

    def listed(self, make: Generator) -> Code:
        return call("nn.ParameterList" if "nn.Parameter(" in inline(make.element) else "nn.ModuleList", make)

    def chained(self, elements: list[Code]) -> Code:
        return call("nn.Sequential", *elements)

    def applied(self, module: str, values: list[Code]) -> Code:
        return Call(module, tuple(values))

    def held_still(self, node: Invoke, make: Call) -> Code:
        steps = (step for _, step in steps_of(node.call.body))
        statistics = any(w.role == "statistic" for step in steps for w in step.weights)
        self.helpers += [FROZEN] if statistics else []
        return held_still(make, statistics)

    def lines(self) -> list[str]:
        names, flow = self.flow()
        start = self._initial_state()
        made = [*render(self.saves(), 8), *self.making_lines]
        made += ["        self.apply(init_weights)"] if self.begins else []
        head = signature("__init__", ["self", *self.template.signature()], 4)
        construct = [*head, "        super().__init__()", *made]
        forward = [*signature("forward", ["self", *names], 4), *render(flow, 8)]
        methods = [construct if made else [], start, forward, METHOD if self.penalties else []]
        return self.text("nn.Module", methods, names)

    def _initial_state(self) -> list[str]:
        """Of a cell: its state before the first step, for samples such as those that come in."""
        if not self.template.states:
            return []
        names, flow = self.start()
        return [*signature("initial_state", ["self", *names], 4), *render(flow, 8)]

    def note(self, node: Leaf | Invoke | ModuleChain, shape: Any) -> str:
        if not self.is_net or len(shape) < 2:
            return ""
        order = (shape[-1], *shape[:-1]) if out_layout(node) == "first" else shape
        return " x ".join(str(d) for d in order)


MODULE = Backend("PyTorch", TorchLowering, {"": STYLE}, _TAKEN, _write, _holders, layouts=_layouts)
# what is to be exported differs in its helpers alone, so that weights go from one to the other
EXPORT = MODULE.replace(lowering=lambda: TorchLowering(exports=True))
