"""One `keras.Sequential`, for a net that is a chain of layers from one input to one output.

Blocks, loops and branches that are chains themselves are opened.
"""

from __future__ import annotations

from ...analysis.static_batch import static_batch
from ...base.record import TYPE_CHECKING
from ...ir.paths import paths_of
from ...ir.types import BlockCall, Step
from ...pycode.expr import call
from ...pycode.statements import Return
from ..ir import Leaf
from ..lowering.lower import BodyLowering, LoweredBody, LoweredStep
from ..styles import Style, no_style
from .axes import axes_line
from .backend import Backend
from .keras_functional import function_name, named
from .keras_module import HIDDEN, KerasLowering, file_text, input_call, plain_name
from .module import doc_of, docstring, signature
from .weight_map import calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...base.diagnostics import SpecError
    from ...base.source import Span
    from ...ir.types import Body, CheckedNet, Instance, Item, Tensor
    from ...layers.base import At, Helper
    from ...pycode.expr import Code
    from ..ir import Template
    from ..lowering.lower import Lowered
    from .weight_map import Called

_STYLE = Style(
    channels=False, sequences=False, sizes=False, unroll=0, name=function_name, reserved=HIDDEN, declares=True
)
_TAKEN = {"keras", "layers", "ops"}


def _write(net: CheckedNet, templates: Sequence[Template]) -> str:
    """The text of a module with one function. Raises SpecError (`no-such-style`) where the net has no layers."""
    body = net.net.body
    (template,) = templates
    port = body.inputs[0]
    if not template.nodes:
        raise _broken(f"net {net.name} has no layers", port.value.span)
    made: list[Code] = [input_call(port, template.shapes[0], static_batch(net))]
    helpers: list[Helper] = []
    for node in template.nodes:
        assert isinstance(node, Leaf)  # the chain is opened
        made += [a.make for a in node.applies]
        helpers += [h for a in node.applies for h in a.helpers]
    axes = axes_line(template, [port.name], first=False)
    head = [*signature(template.name, template.signature(), 0), *docstring(doc_of(template), 4, axes), *named(template)]
    model = call("keras.Sequential", made, name=plain_name(net.name))
    return file_text(net, [[*head, *Return(model).render(4)]], helpers)


def _calls(_net: CheckedNet, templates: Sequence[Template]) -> list[Called]:
    """The layers of the model, in a row."""
    return list(calls(templates, "keras"))


def _broken(reason: str, span: Span) -> SpecError:
    return no_style(
        f"keras.Sequential is one chain of layers, but {reason}", "use `--style functional` or `--style subclass`", span
    )


class _ChainLowering(KerasLowering):
    """Lowers a net to its layers in a row."""

    def begin(self, body: Body, layouts: tuple[str, ...], frozen: bool, wished: tuple[str, ...]) -> _SequentialBody:
        return _SequentialBody(self, body, layouts, frozen)


class _SequentialBody(BodyLowering):
    """One body on the way. Raises SpecError where it is no chain."""

    def run(self) -> LoweredBody:
        inputs, outputs = self.body.inputs, self.body.outputs
        what = self.body.definition.word
        for ports, word in ((inputs, "inputs"), (outputs, "outputs")):
            if len(ports) > 1:
                raise _broken(f"this {what} has {len(ports)} {word}", ports[1].value.span)
        self.seen: set[Instance] = set()
        self.paths = paths_of(self.body)
        self.last = inputs[0].value.number
        items = self.items(self.body.items)
        if self.take(outputs[0].value) != self.last:
            raise _broken(f"the output of this {what} is not what comes last", outputs[0].value.span)
        acts = tuple(a.replace(inputs=(k,), outputs=(k + 1,)) for k, a in enumerate(items))
        uses = dict.fromkeys(range(len(acts) + 1), 1)
        return LoweredBody(self.body, acts, (0,), (len(acts),), uses, self.layouts, (), self.frozen)

    def items(self, items: Sequence[Item]) -> tuple[Lowered, ...]:
        found: list[Lowered] = []
        for item in items:
            if isinstance(item, Step):
                found.extend(self.step(item))
            elif isinstance(item, BlockCall):
                found.extend(self.call(item))
            else:
                found.extend(self.items(item.items))
        return tuple(found)

    def step(self, step: Step) -> list[Lowered]:
        if step.layer.kind == "identity":
            return super().step(step)
        self._advance(step, step.layer.kind, step.outputs)
        return super().step(step)

    def shortened(self, step: Step) -> Step:
        return step  # each layer takes what the one before it gives

    def _changes_nothing(self, step: Step) -> bool:
        return False

    def act(self, step: Step, at: At, inputs: tuple[int, ...]) -> LoweredStep:
        act = super().act(step, at, inputs)
        if not all(a.plain for a in act.use.steps):
            raise _broken(f"`{step.layer.kind}` needs an operation here that is no layer of Keras", step.span)
        return act.replace(general=lambda _: act.use, path=self.paths[id(step)])

    def call(self, call: BlockCall) -> list[Lowered]:
        if call.use is not None:
            raise _broken(f"`{call.body.name}` is a cell, which is a class of its own", call.span)
        for ports, word in ((call.inputs, "inputs"), (call.outputs, "outputs")):
            if len(ports) > 1:
                raise _broken(f"`{call.body.name}` has {len(ports)} {word}", call.span)
        self._advance(call, call.body.name, call.outputs)
        inner = self.lowering.lower(call.body, frozen=self.frozen or call.frozen).items
        return [act.replace(path=f"{self.paths[id(call)]}.{act.path}") for act in inner if isinstance(act, LoweredStep)]

    def _advance(self, item: Step | BlockCall, what: str, outputs: tuple[Tensor, ...]) -> None:
        """One more link: it takes the value before it, and no other."""
        if not item.inputs:
            raise _broken(f"`{item.name}` is a weight beside it", item.span)
        if len(outputs) > 1:
            raise _broken(f"`{what}` gives {len(outputs)} values", item.span)
        if len(item.inputs) > 1:
            raise _broken(f"`{what}` takes {len(item.inputs)} values", item.span)
        if self.take(item.inputs[0]) != self.last:
            raise _broken(f"`{what}` does not take the value before it", item.span)
        if item.shared is not None and item.shared in self.seen:
            raise _broken(f"`{item.shared.name}` is used a second time, with the same weights", item.span)
        if item.shared is not None:
            self.seen.add(item.shared)
        self.last = outputs[0].number


SEQUENTIAL = Backend("Keras", _ChainLowering, {"": _STYLE}, _TAKEN, _write, called=_calls)
