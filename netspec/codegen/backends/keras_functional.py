"""Keras's functional API: a function for each block, applied to values, and one that makes the model."""

from __future__ import annotations

from ...analysis.static_batch import static_batch
from ...base.diagnostics import Diagnostic, Label, SpecError
from ...base.dims import symbol
from ...base.record import TYPE_CHECKING
from ...ir.paths import steps_of
from ...layers.base import Apply, Helper, Use
from ...pycode.expr import Call, Index, Made, Raw, X, call, fill
from ...pycode.statements import Assign, Return, render
from ..identifiers import safe
from ..ir import Invoke, Leaf, constructed, inside
from ..lowering.lower import BodyLowering
from ..lowering.reachability import check_reaching
from ..passes.shared import shared_calls
from ..styles import Style
from .assignments import Assignment, Draft
from .axes import axes_line
from .backend import Backend
from .constructors import guarded
from .keras_classes import STILL, STYLES, TAKEN, ClassLowering, writers
from .keras_module import HIDDEN, KerasLowering, file_text, input_call, plain_name
from .module import doc_of, docstring, signature
from .statements import StatementWriter
from .weight_map import calls
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...base.dims import Shape
    from ...ir.types import BlockCall, Body, CheckedNet, Step
    from ...layers.base import At
    from ...layers.cell_uses import CellForm
    from ...pycode.expr import Code
    from ..ir import ModuleChain, Node, Template
    from ..lowering.lower import Lowered, LoweredBody
    from .weight_map import Called

_TAKEN = {"keras", "layers", "ops", "inputs", "outputs", "frozen", "still"}


def function_name(name: str) -> str:
    """The name of a function: the spec's own."""
    return safe(name, HIDDEN)


_STYLE = Style(
    channels=False, sequences=False, sizes=True, unroll=1, name=function_name, reserved=HIDDEN, declares=True
)
FROZEN = Helper("frozen", file="keras/frozen_model")


def _write(net: CheckedNet, templates: Seq[Template]) -> str:
    """The text of a module of functions."""
    cells = iter(writers(templates, None))
    found = [next(cells) if t.kind else _FunctionWriter(t, net if t is templates[-1] else None) for t in templates]
    texts = [w.lines() for w in found]
    return file_text(net, texts, [h for w in found for h in w.helpers])


def _calls(_net: CheckedNet, templates: Seq[Template]) -> list[Called]:
    """The layers that the code calls, in the order of the calls."""
    return list(calls(templates, "keras", writers(templates, None)))


PER_SAMPLE = Helper("PerSample", file="keras/per_sample")


class _FunctionLowering(KerasLowering):
    """In functions, layers hold weights of one's own, and layers see to the batch, which has no size yet."""

    def __init__(self) -> None:
        super().__init__()
        # a cell is a class, and what it is made of, too
        self.classes = ClassLowering("layer")

    def lower(
        self, body: Body, layouts: tuple[str, ...] = (), frozen: bool = False, wished: tuple[str, ...] = ()
    ) -> LoweredBody:
        return (self.classes.lower if body.states else super().lower)(body, layouts, frozen, wished)

    def spread(self, shape: Shape) -> Use:
        return Use((Apply(call("PerSample"), helpers=(PER_SAMPLE,)),))

    def begin(self, body: Body, layouts: tuple[str, ...], frozen: bool, wished: tuple[str, ...]) -> BodyLowering:
        return _FunctionLines(self, body, layouts, frozen)


class _FunctionLines(BodyLowering):
    def at(self, step: Step) -> At:
        at = super().at(step)
        return at if step.inputs else at.replace(inputs=(self.body.inputs[0].value.shape,))

    def step(self, step: Step) -> list[Lowered]:
        if step.inputs:
            return super().step(step)
        return [self.act(step, self.at(step), (self.take(self.body.inputs[0].value),))]

    def call(self, call: BlockCall) -> list[Lowered]:
        """What has no weights to share or to hold still is a function like any other, and no model of its own."""
        holds = any(step.weights for _, step in steps_of(call.body))
        (enter,) = super().call(call)
        return [enter.replace(plain=not holds)]


class _FunctionWriter(Writer):
    """Writes one function: of the net, which makes a model, or of a block, which is applied to values."""

    reserved = HIDDEN

    def __init__(self, template: Template, net: CheckedNet | None) -> None:
        self.template = template
        self.net = net
        self.helpers: list[Helper] = []
        self.shared: dict[Any, list[str]] = {}
        # the inputs of shared blocks
        self.placeholders: set[str] = set()

    def lines(self) -> list[str]:
        template = self.template
        made = self._shared_layers()
        shared = self.placeholders.union(*self.shared.values())
        # the model is made of its inputs at the end, so they keep their names
        kept = [value for _, value in template.inputs] if self.net is not None else []
        flow = StatementWriter(template, self, frozenset({*template.words, *template.sizes, *shared}), kept)
        names = flow.start(template.inputs)
        flow.run(template.nodes)
        if self.net is None:
            flow.finish()
        body = render(flow.body, 4)
        if self.net is None:
            return [*self._head(names), *self._sizes(names), *named(template), *made, *body]
        ports = self._ports(self.net, names)
        return [*self._head([]), *named(template), *ports, *made, *body, *self._model(self.net, flow, names)]

    def _head(self, names: list[str]) -> list[str]:
        head = signature(self.template.name, [*names, *self.template.signature()], 0)
        ports = names or [name for name, _ in self.template.inputs]
        return [*head, *docstring(doc_of(self.template), 4, axes_line(self.template, ports, first=False))]

    def _sizes(self, names: list[str]) -> list[str]:
        asked = self.template.sizes.items()
        return render([Assign(Index(Raw(f"{names[port]}.shape"), (axis,)), size) for size, (port, axis) in asked], 4)

    def _ports(self, net: CheckedNet, names: list[str]) -> list[str]:
        batch = static_batch(net)
        ports = zip(names, net.net.body.inputs, self.template.shapes)
        calls = ((name, input_call(port, sizes, batch)) for name, port, sizes in ports)
        return render([Assign(made, name) for name, made in calls], 4)

    def _model(self, net: CheckedNet, flow: StatementWriter, names: list[str]) -> list[str]:
        outputs = [flow.variable[value] for _, value in self.template.outputs]
        inputs = [Raw(n) for n in names]
        return Return(call("keras.Model", _one(inputs), _one(outputs), name=plain_name(net.name))).render(4)

    # --- shared layers ----------------------------------------------------------------------------------------------

    def _shared_layers(self) -> list[str]:
        """Layers that are used several times are made once, before; and blocks, as models of their own."""
        found: list[str] = []
        for leaf in _shared_leaves(self.template.nodes):
            if leaf.shared in self.shared:
                continue
            kept = [a for a in leaf.applies if a.stateful]
            names = [safe(f"{leaf.name}_{a.name}" if a.name else leaf.name, HIDDEN) for a in kept]
            self.shared[leaf.shared] = names
            for name, apply in zip(names, kept):
                found += Assign(apply.make, name).render(4)
        for node in inside(self.template.nodes):
            if isinstance(node, Invoke) and node.form and node.shared and node.shared not in self.shared:
                name = safe(node.shared.name, HIDDEN)
                self.shared[node.shared] = [name]
                found += Assign(_run(node, node.form), name).render(4)
        for instance, invoke in shared_calls(self.template.nodes).items():
            name = safe(instance.name, HIDDEN)
            self.shared[instance] = [name]
            found += self._shared_model(name, invoke)
        return found

    def _shared_model(self, name: str, invoke: Invoke) -> list[str]:
        """A block as a model, to be called several times."""
        ports = zip(invoke.template.inputs, _shapes(invoke, self.template), invoke.call.inputs)
        taken = HIDDEN.union(*self.shared.values(), self.template.words)
        inputs = [(safe(f"{name}_{port}", taken), shape, tensor.dtype) for (port, _), shape, tensor in ports]
        self.placeholders.update(port for port, _, _ in inputs)
        made = [Assign(_placeholder(shape, dtype), port) for port, shape, dtype in inputs]
        values: list[Code] = [Raw(port) for port, _, _ in inputs]
        # a function may be called several times, and the models in it need names of their own
        named = {} if self.net is None else {"name": plain_name(name)}
        model = call("keras.Model", _one(values), self._applied(invoke, values), **named)
        held = [f"    {name}.trainable = False"] if invoke.frozen else []
        return [*render([*made, Assign(model, name)], 4), *held]

    # --- statements ---------------------------------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, arguments: list[Code]) -> list[Assignment]:
        self.helpers += [h for a in leaf.applies for h in a.helpers]
        names = iter(self.shared.get(leaf.shared, ()))
        draft = Draft(arguments)
        for number, apply in enumerate(leaf.applies):
            draft.cut()
            made = Raw(next(names)) if apply.stateful and leaf.shared is not None else apply.make
            taken = len(arguments) if number == 0 else 1
            code = Call(Made(), (_one([X(i) for i in range(taken)]),)) if apply.on_values else apply.call
            draft.add(code, apply.gives, made, apply.stateful)
        return draft.done()

    def invoke(self, invoke: Invoke, arguments: list[Code]) -> Code:
        if invoke.shared is not None:
            return Call(self.shared[invoke.shared][0], (_one(arguments),))
        if invoke.frozen:
            self.helpers.append(FROZEN)
            return Call("frozen", (Raw(invoke.template.name), *arguments), invoke.arguments)
        return self._applied(invoke, arguments)

    def _applied(self, invoke: Invoke, arguments: list[Code]) -> Code:
        """A block's function called on values."""
        made = constructed(invoke)
        return made.replace(args=(*arguments, *made.args))

    def cell(self, invoke: Invoke, form: CellForm, arguments: list[Code]) -> list[Assignment]:
        self.helpers += form.helpers
        self.helpers += [STILL] if invoke.frozen else []
        draft = Draft(arguments)
        draft.add(form.call, form.gives, Raw(self.shared[invoke.shared][0]) if invoke.shared else _run(invoke, form))
        for apply in form.steps:
            draft.cut()
            draft.add(apply.call, apply.gives)
        return draft.done()

    def sequence(self, sequence: ModuleChain, arguments: list[Code]) -> Code:
        raise AssertionError("functions have no sequences")


def named(template: Template) -> list[str]:
    """The numbers that the author gave names to."""
    values = [Assign(code, name) for name, code in template.locals.items()]
    return render([*values, *guarded(template, template.guards)], 4)


def _run(invoke: Invoke, form: CellForm) -> Code:
    """The layer that runs a cell."""
    cell = constructed(invoke)
    return fill(form.make, [], call(STILL.name, cell) if invoke.frozen else cell)


def _one(values: list[Code]) -> Code:
    """The value, or a list of several."""
    return values[0] if len(values) == 1 else list(values)


def _shared_leaves(nodes: Seq[Node]) -> Iterator[Leaf]:
    """The layers that share weights, also in loops and branches."""
    return (node for node in inside(nodes) if isinstance(node, Leaf) and node.shared is not None)


def _shapes(invoke: Invoke, template: Template) -> list[Shape]:
    """The shapes of the inputs of a shared block, with symbols where uses differ. Raises SpecError where the block
    needs to know a size that differs."""
    uses = [node for node in inside(template.nodes) if isinstance(node, Invoke) and node.shared == invoke.shared]
    # the net at other values of its parameters has weights of other shapes, the same in all uses
    calls = [enter.call for node in uses for (owner, _), enter in node.origins.items() if owner == 0]
    found = [tuple(zip(*(c.inputs[i].shape for c in calls))) for i in range(len(invoke.inputs))]
    shapes = [tuple(sizes[0] if len(set(sizes)) == 1 else symbol("_") for sizes in axes) for axes in found]
    several = any(not isinstance(d, int) for shape in shapes for d in shape)
    kept = {tuple(w.shape for _, step in steps_of(c.body) for w in step.weights) for c in calls}
    if (invoke.template.sizes and several) or len(kept) > 1:
        assert invoke.shared is not None
        message = f"`{invoke.shared.name}` is used on inputs of several sizes, which it asks for"
        help = "use `--style subclass`, or declare a second `layer`"
        raise SpecError([Diagnostic("not-in-keras", message, Label(invoke.shared.span), (), help)])
    return shapes


def _placeholder(shape: Shape, dtype: str) -> Code:
    sizes = tuple(d if isinstance(d, int) else None for d in shape)
    return call("keras.Input", sizes, **({"dtype": dtype} if dtype != "float32" else {}))


FUNCTIONAL = Backend(
    "Keras",
    _FunctionLowering,
    {**STYLES, "": _STYLE},
    _TAKEN | TAKEN,
    _write,
    called=_calls,
    check=check_reaching,
)
