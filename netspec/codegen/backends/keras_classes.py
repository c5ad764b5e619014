"""Classes of Keras: a `Layer` for a block or a cell, and a `keras.Model` for a net.

What needs the sizes of the input is made in `build`, which Keras calls with them, all else in the constructor. A cell
is made before the layer that runs it knows its input, so it is told the channels, as in PyTorch.
"""

from __future__ import annotations

from functools import partial

from ...base.record import TYPE_CHECKING
from ...layers.base import Helper, Use
from ...layers.cells import start_sizes
from ...pycode.doc import WIDTH
from ...pycode.expr import Call, Generator, Index, Raw, Star, call, inline, unless
from ...pycode.statements import Assign, Do, names_in, render
from ..ir import Invoke, Leaf, opened
from ..styles import Style
from .classes import ClassWriter
from .constructors import guarded
from .keras_module import HIDDEN, KerasLowering, are_vectors
from .module import class_name, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ...ir.types import Body, Step
    from ...layers.base import Apply, At
    from ...pycode.expr import Code
    from ...pycode.statements import Statement
    from ..ir import ModuleChain as ChainOfLayers
    from ..ir import Template

_RESERVED_WORDS = HIDDEN | {"self", "kwargs", "input_shape"}
_BLOCK = Style(channels=False, sequences=True, sizes=True, unroll=4, name=class_name, reserved=_RESERVED_WORDS)
_CELL = Style(
    channels=True,
    sequences=True,
    sizes=False,
    unroll=4,
    name=class_name,
    reserved=_RESERVED_WORDS | {"batch_size", "states"},
)
# by the kind of body
STYLES = {"": _BLOCK, "layer": _BLOCK, "cell": _CELL}
TAKEN = {"keras", "layers", "ops", "Model", "Layer"}
FROZEN = Helper("frozen", file="keras/frozen")
STILL = Helper("still", file="keras/still")
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


def writers(templates: Sequence[Template], model: Template | None) -> list[LayerWriter]:
    """A writer for each class. Without a model they are the layers among the functions of one."""
    frozen = _frozen(templates)
    classes = [t for t in templates if model is not None or t.kind]
    kinds = (CellWriter if template.states else LayerWriter for template in classes)
    return [cls(t, t is model, id(t) in frozen, model is None) for cls, t in zip(kinds, classes)]


def _frozen(templates: Sequence[Template]) -> set[int]:
    """The templates of blocks that are held still somewhere, straight or within another, by identity."""
    found: set[int] = set()
    for template in reversed(templates):  # callers come last
        for node in opened(template.nodes):
            if isinstance(node, Invoke) and (node.frozen or id(template) in found):
                found.add(id(node.template))
    return found


class ClassLowering(KerasLowering):
    """A weight of one's own is one of the class. `blocks` is the kind of all that is no cell."""

    def __init__(self, blocks: str = "") -> None:
        super().__init__()
        self.blocks = blocks

    def kind(self, body: Body) -> str:
        return "cell" if body.states else self.blocks

    def use(self, step: Step, at: At) -> Use:
        use = super().use(step, at)
        if step.inputs:
            return use
        (weight,) = use.steps
        assert weight.make is not None  # it is made once
        named = weight.make.replace(kwargs=(*weight.make.kwargs, ("name", step.given)))
        return Use((weight.replace(make=named),))


class LayerWriter(ClassWriter):
    """Writes one layer, or the model."""

    reserved = HIDDEN | {"self", "frozen", "training"}
    attributes_taken = _RESERVED

    def __init__(self, template: Template, is_net: bool, frozen: bool, among_functions: bool) -> None:
        self.among_functions = among_functions
        # is it held still somewhere?
        self.frozen = frozen
        super().__init__(template, is_net)
        # is it a model that works otherwise in training?
        self.trains = False
        # how many samples each batch of a model has that keeps a state for each
        self.batch: int | None = None

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
        helper = STILL if self.among_functions or node.form is not None else FROZEN
        self.helpers.append(helper)
        return call(helper.name, make)

    def lines(self) -> list[str]:
        config = self._config()
        names, flow = self.flow(self.template.sizes)
        late = [group for group in self.made if self._sizes_of(group)]
        build = self._build(names, [line for group in late for line in group]) or self._built_anew()
        early = [line for group in self.made if group not in late for line in group]
        base = "keras.Model" if self.is_net else "layers.Layer"
        return self.text(base, [self._construct(early), build, self._call(names, flow), config], names)

    def _config(self) -> list[str]:
        """The arguments of the constructor, which have to be kept for that."""
        if not self.template.parameters:
            return []
        parts = [f'"{p.name}": {inline(self.owned(Raw(p.name)))}' for p in self.template.parameters]
        parts = ["**super().get_config()", *parts]
        line = f"        return {{{', '.join(parts)}}}"
        broken = ["        return {", *(f"            {part}," for part in parts), "        }"]
        return ["    def get_config(self):", *([line] if len(line) <= WIDTH else broken)]

    def _sizes_of(self, lines: Sequence[Statement]) -> list[str]:
        """The sizes of the input that the statements use."""
        found = names_in(lines)
        return [name for name in self.template.sizes if name in found]

    def _read(self, lines: Sequence[Statement], places: list[str]) -> list[Statement]:
        """Statements that read the sizes that others use, and refuse those that there is no code for."""
        known = self._sizes_of(lines)
        sizes = ((name, *self.template.sizes[name]) for name in known)
        read = [Assign(Index(Raw(places[port]), (axis,)), name) for name, port, axis in sizes]
        told = [g for g in self.template.guards if self.sizes_in(g) and self.sizes_in(g) <= {*known}]
        return [*read, *guarded(self.template, told, self.owned)]

    # --- the methods ------------------------------------------------------------------------------------------------

    def _construct(self, lines: Sequence[Statement]) -> list[str]:
        made = [*self.saves(), *lines]
        if not made:
            return []
        head = signature("__init__", ["self", *self.template.signature(), "**kwargs"], 4)
        return [*head, "        super().__init__(**kwargs)", *render(made, 8)]

    def _build(self, names: list[str], lines: Sequence[Statement]) -> list[str]:
        if not lines:
            return []
        shapes = ["input_shape"] if len(names) == 1 else [f"{name}_shape" for name in names]
        made = [line.mapped(self.owned) for line in lines]
        held = _HANDED_ON if self.frozen else []
        return [*signature("build", ["self", *shapes], 4), *render([*self._read(lines, shapes), *made], 8), *held]

    def _built_anew(self) -> list[str]:
        """How a model is built from the shapes of its inputs, as when it is loaded, where Keras itself cannot: it would
        try numbers of float32, without a value."""
        if not self.is_net:
            return []
        dtypes = [port.value.dtype for port in self.template.bodies[0].inputs]
        if self.batch is not None:
            run = Do(call("self.call", _for_each(partial(_zeros, self.batch), dtypes, Raw("input_shape"))))
            reason = "        # a state that is kept is not made on symbolic inputs"
            head = signature("build", ["self", "input_shape"], 4)
            return [*head, reason, *run.render(8), "        reset_state(self)"]
        if {*dtypes} == {"float32"}:
            return []
        run = Do(call("self", _for_each(_symbol, dtypes, Index(Raw("config"), ("input_shape",)))))
        head = signature("build_from_config", ["self", "config"], 4)
        return [*head, "        # Keras itself would try inputs of float32", *run.render(8)]

    def _call(self, names: list[str], lines: Sequence[Statement]) -> list[str]:
        several = self.is_net and len(names) > 1
        arguments = [*(["inputs"] if several else names), *(["training=None"] if self.trains else [])]
        head = signature("call", ["self", *arguments], 4)
        if self.trains:
            head.append("        # Keras hands `training` on to the layers")
        body = [*self._read(lines, [f"{name}.shape" for name in names]), *lines]
        return [*head, *render([*([_unpacked(names, "inputs", body)] if several else ()), *body], 8)]

    # --- what else Keras says in its own way ------------------------------------------------------------------------

    def note(self, node: Leaf | Invoke | ChainOfLayers, shape: Any) -> str:
        return " x ".join(str(d) for d in shape) if self.is_net and len(shape) > 1 else ""


class CellWriter(LayerWriter):
    """Writes a cell, as `layers.RNN` takes it."""

    reserved = LayerWriter.reserved | {"states"}
    attributes_taken = LayerWriter.attributes_taken | {"state_size", "output_size", "get_initial_state"}

    def lines(self) -> list[str]:
        config = self._config()
        names, flow = self.flow()
        _, start = self.start({"batch_size"})
        early = [line for group in self.made for line in group]
        construct = self._construct([*early, *self._told()])
        states = names[len(names) - self.template.states :]
        head = signature("call", ["self", *names[: len(names) - len(states)], "states"], 4)
        first = [*signature("get_initial_state", ["self", "batch_size=None"], 4), *render(start, 8)]
        call = [*head, *render([_unpacked(states, "states", flow), *flow], 8)]
        return self.text("layers.Layer", [construct, self._build_step(), first, call, config])

    def grouped(self, names: list[str]) -> Code:
        return list(map(Raw, names))

    def _told(self) -> list[Statement]:
        """What `layers.RNN` asks for: the sizes of the state and of the output."""
        made = {value: node for node in self.nodes if isinstance(node, Leaf | Invoke) for value in node.outputs}
        *state, output = (made[value] for value in self.template.first)
        sizes = [size for node in {id(node): node for node in state}.values() for size in self._sizes_in(node)]
        (size,) = self._sizes_in(output)
        return [Assign(sizes, "self.state_size"), Assign(size, "self.output_size")]

    def _sizes_in(self, node: Leaf | Invoke) -> list[Code]:
        """The sizes of what a node opens: a number for a vector, else a tuple."""
        if isinstance(node, Invoke):
            return [Star(Raw(f"self.{self.names[id(node)][0]}.state_size"))]
        sizes = start_sizes(node.applies[0].call)
        vectors = are_vectors(self.template.bodies[0])
        return [sizes[0] if vectors else sizes]

    def _build_step(self) -> list[str]:
        """A step on zeros, since `layers.RNN` leaves the layers within to the cell."""
        dtype = self.template.bodies[0].inputs[0].value.dtype
        more = "" if dtype == "float32" else f', dtype="{dtype}"'
        return [
            *signature("build", ["self", "input_shape"], 4),
            "        # a step makes the weights of all layers",
            f"        x = ops.zeros((1, *input_shape[1:]){more})",
            "        self.call(x, self.get_initial_state(1))",
        ]


def _zeros(batch: int, shape: Code, dtype: Code) -> Code:
    return call("ops.zeros", (batch, Star(Index(shape, (slice(1, None),)))), **unless("float32", dtype=dtype))


def _symbol(shape: Code, dtype: Code) -> Code:
    return call("keras.KerasTensor", shape, **unless("float32", dtype=dtype))


def _for_each(make: Callable[[Code, Code], Code], dtypes: list[str], held: Code) -> Code:
    """Something for each input, of its shape and type, as the model takes them. `held` is the shape, or a list of
    them."""
    if len(dtypes) == 1:
        return make(held, dtypes[0])
    if len({*dtypes}) == 1:
        return [Generator(make(Raw("shape"), dtypes[0]), "shape", held)]
    return [Generator(make(Raw("shape"), Raw("dtype")), "shape, dtype", call("zip", held, dtypes))]


def _unpacked(names: Sequence[str], held: str, body: Sequence[Statement]) -> Statement:
    """`a, b = inputs`; what the statements behind it do not speak of has a name that says so."""
    words = names_in(body)
    told = [name if name in words or f"_{name}" in words else f"_{name}" for name in names]
    return Assign(Raw(held), ", ".join(told) if len(told) > 1 else f"({told[0]},)")
