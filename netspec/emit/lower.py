"""Lowering: the tree of a body with the framework's words for each layer.

What does nothing in generated code is gone (`identity`, scopes without a name), and where a framework wants values in
another layout the conversions stand as steps of their own. A body is lowered once for each combination of input
layouts.
"""

from __future__ import annotations

from ..diagnostics import Diagnostic, Label, SpecError
from ..ir import Call, Scope, Step
from ..layers.arguments import Unsupported
from ..layers.base import At, Use
from ..record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from ..dims import Shape
    from ..ir import Body, Instance, Item, Tensor

    Lowered: TypeAlias = "Act | Enter | Part"


class Act(Record):
    """One layer, or a conversion of layout (then `step` is None). `general` are forms that more instances share.

    `flattened` is, for a dense layer behind a flatten that was done channels first, the shape that was flattened: the
    rows of its kernel are in another order than the language's.
    """

    name: str
    given: str
    step: Step | None
    use: Use
    general: tuple[Use, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    flattened: Shape = ()


class Enter(Record):
    """One call of a block or net. Where it is frozen the whole of it is held still, not layer by layer."""

    name: str
    given: str
    call: Call
    code: Code
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Part(Record):
    """A loop, a turn, a branch that was taken, or a named scope."""

    scope: Scope
    items: tuple[Lowered, ...]


class Code(Record):
    """A lowered body. `uses` counts how often each value is taken; `layouts` tell apart forms of the same body.

    `frozen` says that each of its layers is held still by itself.
    """

    body: Body
    items: tuple[Lowered, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    uses: Mapping[int, int]
    layouts: tuple[str, ...] = ()
    out_layouts: tuple[str, ...] = ()
    frozen: bool = False


def refuse(target: str, step: Step, error: Unsupported) -> SpecError:
    """A layer that the framework has no form for."""
    written = step.written.get(error.argument)
    place = written.span if written is not None else step.span
    return SpecError([Diagnostic(error.code or f"not-in-{target}", error.message, Label(place), (), error.help)])


class Lowering:
    """Lowers bodies for one framework. The base does not know layouts; see `emit.torch` for one that does."""

    target = ""

    def __init__(self) -> None:
        self.codes: dict[tuple[int, tuple[str, ...], bool], Code] = {}

    # --- what a framework says differently -----------------------------------------------------------------------

    def use(self, step: Step, at: At) -> Use:
        """The framework's form of a step. Raises Unsupported."""
        raise NotImplementedError

    def hold(self, use: Use, statistics: bool) -> Use:
        """The form of a layer with weights that are held still; `statistics` says that it has running ones, too."""
        raise NotImplementedError

    def begin(self, body: Body, layouts: tuple[str, ...], frozen: bool) -> Lines:
        return Lines(self, body, layouts, frozen)

    # ---------------------------------------------------------------------------------------------------------------

    def lower(self, body: Body, layouts: tuple[str, ...] = (), frozen: bool = False) -> Code:
        key = (id(body), layouts, frozen)
        if key not in self.codes:
            self.codes[key] = self.begin(body, layouts, frozen).run()
        return self.codes[key]


class Lines:
    """One body on the way."""

    def __init__(self, lowering: Lowering, body: Body, layouts: tuple[str, ...], frozen: bool) -> None:
        self.lowering = lowering
        self.body = body
        self.layouts = layouts
        self.frozen = frozen
        # things declared once that are used on inputs of several shapes
        self.varied = _varied(body.items)
        # a value that stands for another one (identity)
        self.alias: dict[int, int] = {}
        self.uses: dict[int, int] = {}

    def run(self) -> Code:
        items = self.items(self.body.items)
        outputs = tuple(self.take(r.value) for r in self.body.outputs)
        inputs = tuple(p.value.number for p in self.body.inputs)
        return Code(self.body, items, inputs, outputs, self.uses, self.layouts, self.out_layouts(), self.frozen)

    def out_layouts(self) -> tuple[str, ...]:
        return ()

    def take(self, tensor: Tensor) -> int:
        """The number under which a value is taken, counted as a use."""
        number = self.alias.get(tensor.number, tensor.number)
        self.uses[number] = self.uses.get(number, 0) + 1
        return number

    def items(self, items: Sequence[Item]) -> tuple[Lowered, ...]:
        found: list[Lowered] = []
        for item in items:
            if isinstance(item, Step):
                found.extend(self.step(item))
            elif isinstance(item, Call):
                found.extend(self.call(item))
            elif item.kind == "flow" and not item.name:
                found.extend(self.items(item.items))
            else:
                found.append(Part(item, self.part(item)))
        return tuple(found)

    def part(self, scope: Scope) -> tuple[Lowered, ...]:
        return self.items(scope.items)

    def step(self, step: Step) -> list[Lowered]:
        if step.layer.hands_on(*(t.shape for t in step.inputs)):
            source = step.inputs[0].number
            self.alias[step.output.number] = self.alias.get(source, source)
            return []
        inputs = tuple(self.take(t) for t in step.inputs)
        at = At(tuple(t.shape for t in step.inputs), step.output.shape)
        return [self.act(step, at, inputs)]

    def act(self, step: Step, at: At, inputs: tuple[int, ...]) -> Act:
        try:
            use = self._held(self.lowering.use(step, at), step)
            general = tuple(self._held(self.lowering.use(step, at.replace(general=n)), step) for n in (1, 2))
            use = general[-1] if step.shared in self.varied else use
        except Unsupported as error:
            raise refuse(self.lowering.target, step, error) from None
        return Act(step.name, step.given, step, use, general, inputs, tuple(t.number for t in step.outputs))

    def _held(self, use: Use, step: Step) -> Use:
        weights = step.layer.weights(*(t.shape for t in step.inputs))
        if not weights or not (self.frozen or step.frozen):
            return use
        return self.lowering.hold(use, any(w.role == "statistic" for w in weights))

    def call(self, call: Call) -> list[Lowered]:
        inputs = tuple(self.take(t) for t in call.inputs)
        code = self.lowering.lower(call.body)
        return [Enter(call.name, call.given, call, code, inputs, tuple(t.number for t in call.outputs))]


def _varied(items: Sequence[Item]) -> set[Instance]:
    """The shared layers that are used on inputs of several shapes."""
    shapes: dict[Instance, set[Any]] = {}
    todo = list(items)
    while todo:
        item = todo.pop()
        if isinstance(item, Scope):
            todo.extend(item.items)
        elif item.shared is not None:
            shapes.setdefault(item.shared, set()).add(tuple(t.shape for t in item.inputs))
    return {instance for instance, found in shapes.items() if len(found) > 1}
