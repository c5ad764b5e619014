"""Keras classes: a `keras.Model` for the net and a `Layer` for each block.

What needs the sizes of the input is made in `build`, which Keras calls with them, all else in the constructor.
"""

from __future__ import annotations

from ..layers.base import Helper, Use
from ..pycode import Call, Generator, Star, call
from ..record import TYPE_CHECKING
from ..weights.table import steps_of
from .classes import ClassWriter, words
from .keras_file import HIDDEN, KerasLowering, file_text
from .origins import attributes
from .parameters import Style
from .program import program
from .template import Invoke, opened
from .text import class_name, signature

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..ir import CheckedNet, Step
    from ..layers.base import Apply, At
    from ..pycode import Code
    from .flow import Line
    from .origins import Held
    from .template import Template

_STYLE = Style(
    channels=False, sequences=True, sizes=True, unroll=4, reserved=HIDDEN | {"self", "kwargs", "input_shape"}
)
_TAKEN = {"keras", "layers", "ops", "Model", "Layer"}
FROZEN = Helper(
    "frozen",
    '''\
def frozen(layer):
    """Hold a layer still: its weights, and with them the running statistics of its batch norms."""
    layer.trainable = False
    return layer
''',
)
# at the end of a `build`
_HANDED_ON = [
    "        # Keras hands a change on to the layers made here, but not what was so before",
    "        trainable, self.trainable = self.trainable, True",
    "        self.trainable = trainable",
]
# attributes that a layer or model has already, with any backend
_NAMES = """
activity_regularizer add_loss add_metric add_variable add_weight autocast build build_from_config built call
call_signature_parameters compile compile_from_config compiled compiled_loss compiled_metrics compute_dtype
compute_loss compute_mask compute_metrics compute_output_shape compute_output_spec count_params
distribute_reduction_method distribute_strategy dtype dtype_policy evaluate export fit from_config
get_build_config get_compile_config get_config get_layer get_metrics_result get_quantization_layer_structure
get_state_tree get_weights history input input_dtype input_names input_spec inputs jit_compile layers
load_own_variables load_weights loss losses make_predict_function make_test_function make_train_function
metrics metrics_names metrics_variables name non_trainable_variables non_trainable_weights optimizer output
output_names outputs path predict predict_function predict_on_batch predict_step quantization_mode quantize
quantized_build quantized_call rematerialized_call reset_metrics run_eagerly save save_own_variables
save_weights set_state_tree set_weights stateless_call stateless_compute_loss steps_per_execution
stop_training summary supports_jit supports_masking symbolic_call test_function test_on_batch test_step to_json
train_function train_on_batch train_step trainable trainable_variables trainable_weights
unrolled_steps_per_execution variable_dtype variables weights
add_module apply buffers children cpu cuda double eval float forward half modules parameters register_buffer
register_parameter state_dict to train training type zero_grad
"""
_RESERVED = frozenset(_NAMES.split())


def emit_subclass(net: CheckedNet) -> str:
    """The text of a module of classes."""
    writers = _writers(net)
    classes = [w.lines() for w in writers]
    return file_text(classes, [h for w in writers for h in w.helpers])


def subclass_holders(net: CheckedNet) -> list[Held]:
    """Which layer of the code holds each weight, by its path of attributes. Raises SpecError as the writer does."""
    return list(attributes(_writers(net), "keras"))


def _writers(net: CheckedNet) -> list[_Layer]:
    """A writer for each class, the model last."""
    templates = program(net, _ClassLowering(), _STYLE, class_name, _TAKEN)
    frozen = _frozen(templates)
    trains = any(step.layer.training or step.layer.draws() for _, step in steps_of(net.net.body))
    *blocks, model = [_Layer(t, t is templates[-1], id(t) in frozen) for t in templates]
    model.trains = trains
    return [*blocks, model]


def _frozen(templates: Sequence[Template]) -> set[int]:
    """The templates of blocks that are held still somewhere, straight or within another, by identity."""
    found: set[int] = set()
    for template in reversed(templates):  # callers come last
        for node in opened(template.nodes):
            if isinstance(node, Invoke) and (node.frozen or id(template) in found):
                found.add(id(node.template))
    return found


class _ClassLowering(KerasLowering):
    """A weight of one's own is one of the class."""

    def use(self, step: Step, at: At) -> Use:
        use = super().use(step, at)
        if step.inputs:
            return use
        (weight,) = use.steps
        assert weight.make is not None  # it is made once
        named = weight.make.replace(kwargs=(*weight.make.kwargs, ("name", step.given)))
        return Use((weight.replace(make=named),))


class _Layer(ClassWriter):
    """Writes one layer, or the model."""

    reserved = HIDDEN | {"self", "frozen", "training"}
    attributes_taken = _RESERVED

    def __init__(self, template: Template, is_net: bool, frozen: bool) -> None:
        # is it held still somewhere?
        self.frozen = frozen
        super().__init__(template, is_net)
        # is it a model that works otherwise in training?
        self.trains = False

    def making(self, apply: Apply) -> Code:
        if not self.frozen or apply.still is None:
            return super().making(apply)
        self.helpers.append(apply.still)
        return super().making(apply.holding_still())

    def listed(self, make: Generator) -> Code:
        return [make]

    def chained(self, elements: list[Code]) -> Code:
        first = elements[0]
        only = len(elements) == 1 and isinstance(first, Star)
        return call("keras.Sequential", [first.value] if only else elements)

    def applied(self, module: str, values: list[Code]) -> Code:
        return Call(module, (values[0] if len(values) == 1 else list(values),))

    def held_still(self, node: Invoke, make: Call) -> Code:
        self.helpers.append(FROZEN)
        return call("frozen", make)

    def lines(self) -> list[str]:
        names, flow = self.flow(self.template.sizes)
        late = [group for group in self.made if self._sizes_of(group)]
        build = self._build(names, [line for group in late for line in group])
        early = [line for group in self.made if group not in late for line in group]
        base = "keras.Model" if self.is_net else "layers.Layer"
        return self.text(base, [self._construct(early), build, self._call(names, flow)])

    def _sizes_of(self, lines: Sequence[Line]) -> list[str]:
        """The sizes of the input that the statements use."""
        found: set[str] = set().union(*(words(line.code) for line in lines))
        return [name for name in self.template.sizes if name in found]

    def _read(self, lines: Sequence[Line], places: list[str]) -> list[str]:
        """Statements that read the sizes that others use."""
        sizes = ((name, *self.template.sizes[name]) for name in self._sizes_of(lines))
        return [f"        {name} = {places[port]}[{axis}]" for name, port, axis in sizes]

    # --- the methods ------------------------------------------------------------------------------------------------

    def _construct(self, lines: Sequence[Line]) -> list[str]:
        made = [*self.saves(), *_rendered(lines)]
        if not made:
            return []
        head = signature("__init__", ["self", *self.parameters(), "**kwargs"], 4)
        return [*head, "        super().__init__(**kwargs)", *made]

    def _build(self, names: list[str], lines: Sequence[Line]) -> list[str]:
        if not lines:
            return []
        shapes = ["input_shape"] if len(names) == 1 else [f"{name}_shape" for name in names]
        made = [line.replace(code=self.owned(line.code)) for line in lines]
        held = _HANDED_ON if self.frozen else []
        return [*signature("build", ["self", *shapes], 4), *self._read(lines, shapes), *_rendered(made), *held]

    def _call(self, names: list[str], lines: Sequence[Line]) -> list[str]:
        several = self.is_net and len(names) > 1
        arguments = [*(["inputs"] if several else names), *(["training=None"] if self.trains else [])]
        head = signature("call", ["self", *arguments], 4)
        if self.trains:
            head.append("        # Keras hands `training` on to the layers")
        if several:
            head.append(f"        {', '.join(names)} = inputs")
        return [*head, *self._read(lines, [f"{name}.shape" for name in names]), *_rendered(lines)]

    # --- what else Keras says in its own way ------------------------------------------------------------------------

    def note(self, shape: Any) -> str:
        return " x ".join(str(d) for d in shape) if self.is_net and len(shape) > 1 else ""


def _rendered(lines: Sequence[Line]) -> list[str]:
    return [text for line in lines for text in line.render(8)]
