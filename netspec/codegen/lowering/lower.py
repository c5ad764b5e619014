"""Lowering: the tree of a body with the framework's words for each layer.

What does nothing in generated code is gone (`identity`, scopes without a name), and where a framework wants values in
another layout the conversions stand as steps of their own. A body is lowered once for each combination of input
layouts.
"""

from __future__ import annotations

from ...base.diagnostics import Diagnostic, Label, SpecError
from ...base.record import TYPE_CHECKING, Record
from ...ir.paths import varied
from ...ir.types import BlockCall, Region, Step, applied
from ...layers.arguments import Unsupported
from ...layers.base import At, Use
from ...pycode.expr import Call as Applied
from ...pycode.expr import Made
from .one_sample import of_one_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, ClassVar, TypeAlias

    from ...base.dims import Shape
    from ...ir.types import Body, Instance, Item, Tensor
    from ...layers.base import Layer
    from ...layers.cell_uses import CellForm

    Lowered: TypeAlias = "LoweredStep | LoweredCall | LoweredRegion"


class LoweredStep(Record):
    """One layer, or a conversion of layout (then `step` is None). `general` gives the forms 1 and 2, which more
    instances share; most layers are never asked for them.

    `label` is a name for a value that is no layer's own, `path` that of the layer in a block that was opened, and
    `layout` that of what comes out.
    """

    name: str
    given: str
    step: Step | None
    use: Use
    general: Callable[[int], Use]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    label: str = ""
    path: str = ""
    layout: str = ""

    @property
    def out_layout(self) -> str:
        """The layout of the first value that comes out."""
        return self.layout


class LoweredCall(Record):
    """One call of a block, net or cell. Where it is frozen the whole of it is held still, not layer by layer.

    `plain` says that the call is like any other, though it is frozen or shared: there are no weights in it. `form` is
    how a cell is made and called.
    """

    name: str
    given: str
    call: BlockCall
    code: LoweredBody
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    plain: bool = False
    form: CellForm | None = None

    @property
    def out_layout(self) -> str:
        """The layout of the first value that comes out; cells give all that they do with the channels last."""
        return self.code.out_layouts[0] if self.call.use is None and self.code.out_layouts else ""

    @property
    def shared(self) -> Instance | None:
        return None if self.plain else self.call.shared

    @property
    def frozen(self) -> bool:
        return self.call.frozen and not self.plain


class LoweredRegion(Record):
    """A loop, a turn, a branch that was taken, or a named scope."""

    region: Region
    items: tuple[Lowered, ...]


class LoweredBody(Record):
    """A lowered body. `uses` counts how often each value is taken; `layouts` tell apart forms of the same body.

    `frozen` says that each of its layers is held still by itself. `starts` make the first state of a cell, which stands
    at the end of `outputs` with a value of the shape of what comes out. `kind` says in which way it is written, where
    there are several.
    """

    body: Body
    items: tuple[Lowered, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    uses: Mapping[int, int]
    layouts: tuple[str, ...] = ()
    out_layouts: tuple[str, ...] = ()
    frozen: bool = False
    starts: tuple[Lowered, ...] = ()
    kind: str = ""


def key_of(body: LoweredBody) -> Any:
    """What tells lowered bodies apart."""
    return id(body.body), body.layouts, body.frozen, body.kind, body.out_layouts


def flat(items: Iterable[Lowered]) -> Iterator[LoweredStep | LoweredCall]:
    """The layers and calls among items, those in regions included, but not what is in the bodies called."""
    for item in items:
        if isinstance(item, LoweredRegion):
            yield from flat(item.items)
        else:
            yield item


def entered(items: Iterable[Lowered]) -> list[LoweredCall]:
    """The calls among them."""
    return [item for item in flat(items) if isinstance(item, LoweredCall)]


def refuse(target: str, step: Step | BlockCall, error: Unsupported) -> SpecError:
    """A layer or cell that the framework has no form for."""
    written = step.written.get(error.argument)
    place = written.span if written is not None else step.span
    return SpecError([Diagnostic(error.code or f"not-in-{target}", error.message, Label(place), (), error.help)])


class Lowering:
    """Lowers bodies for one framework. The base does not know layouts; see `lowering.layout` for one that does."""

    target = ""
    # does a cell have to say what shape comes out of it?
    tells_output = False
    # is it shorter to leave out a step that another one undoes? (its output must be written to no purpose else)
    undoes = False
    # an index that makes a batch of one value
    single: ClassVar[tuple[Any, ...]] = (None,)

    def __init__(self) -> None:
        self.codes: dict[Any, LoweredBody] = {}
        # the forms of layers, where each stands: half of them are asked for again. The layer is kept, as its id is part
        # of the key
        self.uses: dict[Any, tuple[Layer, Use]] = {}
        # do further bodies keep to what is known of the program's?
        self.follows = False

    # --- what a framework says differently -----------------------------------------------------------------------

    def use(self, step: Step, at: At) -> Use:
        """The framework's form of a step. Raises Unsupported."""
        raise NotImplementedError

    def kind(self, body: Body) -> str:
        """In which way a body is written."""
        return ""

    def form(self, call: BlockCall) -> CellForm:
        """How a cell is made and called."""
        raise NotImplementedError

    def hold(self, use: Use, statistics: bool) -> Use:
        """The form of a layer with weights that are held still; `statistics` says that it has running ones, too."""
        raise NotImplementedError

    def turns(self, step: Step) -> bool:
        """Is a step done on numbers in another order than the language's?"""
        return False

    def spread(self, shape: Shape) -> Use:
        """The first value, of this shape and without a batch axis, once for each sample of the second."""
        raise NotImplementedError

    def applied(self, values: Sequence[Any]) -> Applied:
        """What was made for a step, called on values."""
        return Applied(Made(), tuple(values))

    def begin(self, body: Body, layouts: tuple[str, ...], frozen: bool, wished: tuple[str, ...]) -> BodyLowering:
        return BodyLowering(self, body, layouts, frozen)

    # ---------------------------------------------------------------------------------------------------------------

    def lower(
        self, body: Body, layouts: tuple[str, ...] = (), frozen: bool = False, wished: tuple[str, ...] = ()
    ) -> LoweredBody:
        """The code of a body. `layouts` are those of what comes in, `wished` those that are as good as any for what
        goes out."""
        key = (id(body), layouts, frozen, wished)
        if key not in self.codes:
            self.codes[key] = self.begin(body, layouts, frozen, wished).run()
        return self.codes[key]


class BodyLowering:
    """One body on the way."""

    def __init__(self, lowering: Lowering, body: Body, layouts: tuple[str, ...], frozen: bool) -> None:
        self.lowering = lowering
        self.body = body
        self.layouts = layouts
        self.frozen = frozen
        # things declared once that are used on inputs of several shapes
        self.varied = varied(body)
        # a value that stands for another one (identity)
        self.alias: dict[int, int] = {}
        self.uses: dict[int, int] = {}
        # conversions that the next step needs, the numbers of their values, and those that are known here
        self.pending: list[Lowered] = []
        made = (t.number for item in applied((*body.held, *body.starts)) for t in item.outputs)
        self.last_number = 1 + max(made, default=0) + len(body.inputs)
        self.converted: dict[tuple[int, str], int] = {}
        # the steps that are made in the present turn, by their values, as they are written
        self.makers: dict[int, Step] = {}

    def run(self) -> LoweredBody:
        items = self.items(self.body.held)
        results = tuple(r.value for r in self.body.outputs)
        opening = self.body.starts if self.lowering.tells_output else self.body.starts[:-1]
        starts = self.items(opening)
        first = tuple(t for step in opening for t in step.outputs)
        outputs = tuple(self.take(t) for t in (*results, *first))
        inputs = tuple(p.value.number for p in self.body.inputs)
        layouts = self.layouts, self.out_layouts()
        kind = self.lowering.kind(self.body)
        return LoweredBody(self.body, items, inputs, outputs, self.uses, *layouts, self.frozen, starts, kind)

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
            elif isinstance(item, BlockCall):
                found.extend(self.call(item))
            elif item.kind == "flow" and not item.name:
                found.extend(self.items(item.items))
            else:
                found.append(LoweredRegion(item, self.part(item)))
        return tuple(found)

    def part(self, scope: Region) -> tuple[Lowered, ...]:
        """Conversions made inside a loop or branch are not there outside of it."""
        before, makers = dict(self.converted), self.makers
        self.makers = {}
        found = self.items(scope.items)
        self.converted, self.makers = before, makers
        return found

    def convert(self, number: int, what: str, use: Use, others: tuple[int, ...] = (), label: str = "") -> int:
        """The number of a value in another form, which is made where it is not there yet."""
        known = self.converted.get((number, what))
        if known is None:
            self.last_number += 1
            known = self.converted[number, what] = self.last_number
            for source in (number, *others):
                self.uses[source] = self.uses.get(source, 0) + 1
            act = LoweredStep("", "", None, use, lambda _: use, (number, *others), (known,), label=label)
            self.pending.append(act)
        return known

    def flushed(self, item: Lowered) -> list[Lowered]:
        """The conversions that an item needs, and the item."""
        found, self.pending = [*self.pending, item], []
        return found

    def step(self, step: Step) -> list[Lowered]:
        step = self.shortened(step)
        if self.handed_on(step):
            return []
        inputs = self.for_samples(step, tuple(self.take(t) for t in step.inputs))
        return self.flushed(self.act(step, self.at(step), inputs))

    def handed_on(self, step: Step) -> bool:
        """Is what comes out a value that is there already? Then it goes by the number of that."""
        value = step.inputs[0] if step.inputs else None
        maker = self._maker(value)
        if value is None or not (step.hands_on or self._changes_nothing(step)):
            if maker is None or not self.lowering.undoes or step.layer.undoes != maker.layer.kind:
                return False
            value = maker.inputs[0]
        self.alias[step.output.number] = self.alias.get(value.number, value.number)
        return True

    def _changes_nothing(self, step: Step) -> bool:
        return bool(step.layer.overrides) and step.inputs[0].shape == step.output.shape

    def _maker(self, value: Tensor | None) -> Step | None:
        """The step of the present turn that makes a value."""
        return None if value is None else self.makers.get(self.alias.get(value.number, value.number))

    def shortened(self, step: Step) -> Step:
        """The step with the inputs that it is written with: those of a step before it that make no difference."""
        maker = self._maker(step.inputs[0] if step.inputs else None)
        if maker is not None and maker.layer.kind in step.layer.overrides and self._may_skip(maker, step):
            whole = all(isinstance(size, int) for shape in (*maker.shapes, step.output.shape) for size in shape)
            step = step.replace(inputs=maker.inputs) if whole else step
        for place in range(step.layer.arity or 0) if self.lowering.undoes else ():
            if place not in step.layer.sized_by:
                continue
            like = self._maker(step.inputs[place])
            if like is not None and like.layer.kind == step.layer.kind:
                before, after = step.inputs[:place], step.inputs[place + 1 :]
                step = step.replace(inputs=(*before, like.inputs[place], *after))
        self.makers[step.output.number] = step
        return step

    def _may_skip(self, maker: Step, step: Step) -> bool:
        """Is what a step makes of the input of the one before it what it makes of the output?"""
        return maker.inputs[0].shape == step.output.shape or not self.lowering.turns(maker)

    def at(self, step: Step) -> At:
        """Where a step stands."""
        return At(step.shapes, step.output.shape, free=self.free(step))

    def free(self, step: Step) -> tuple[bool, ...]:
        """Which inputs have no batch axis, for layers that mind."""
        return tuple(not t.batched for t in step.inputs) if step.layer.free else ()

    def for_samples(self, step: Step, inputs: tuple[int, ...]) -> tuple[int, ...]:
        """The inputs of a step, all of them with a batch axis where one has it and the layer wants that."""
        batched = [t.batched for t in step.inputs]
        if False not in batched or True not in batched or step.layer.free:
            return inputs
        like = inputs[batched.index(True)]
        return tuple(n if t.batched else self._spread(n, t, like) for n, t in zip(inputs, step.inputs))

    def _spread(self, number: int, tensor: Tensor, like: int) -> int:
        self.uses[number] -= 1
        label = self.body.labels.get(tensor.number, "")
        made = self.convert(number, "spread", self.lowering.spread(tensor.shape), (like,), label)
        self.uses[made] = self.uses.get(made, 0) + 1
        return made

    def laid_out(self, step: Step) -> str:
        """The layout of what comes out of a step, once its inputs are taken."""
        return ""

    def act(self, step: Step, at: At, inputs: tuple[int, ...]) -> LoweredStep:
        def general(form: int) -> Use:
            return self._use(step, at.replace(general=form))

        use = general(2) if step.shared in self.varied else self._use(step, at)
        outputs, layout = tuple([t.number for t in step.outputs]), self.laid_out(step)
        return LoweredStep(step.name, step.given, step, use, general, inputs, outputs, "", "", layout)

    def _use(self, step: Step, at: At) -> Use:
        """The form of a step. Raises SpecError where the framework has none."""
        alone = not (step.output.batched or step.layer.free)
        key = (id(step.layer), alone, self.frozen or step.frozen, *at.__dict__.values())
        known = self.lowering.uses.get(key)
        if known is not None:
            return known[1]
        try:
            use = self.lowering.use(step, at)
            use = self._held(of_one_sample(use, len(step.inputs), self.lowering) if alone else use, step)
        except Unsupported as error:
            raise refuse(self.lowering.target, step, error) from None
        self.lowering.uses[key] = step.layer, use
        return use

    def _held(self, use: Use, step: Step) -> Use:
        weights = step.weights if self.frozen or step.frozen else ()
        return self.lowering.hold(use, any(w.role == "statistic" for w in weights)) if weights else use

    def call(self, call: BlockCall) -> list[Lowered]:
        inputs = tuple(self.take(t) for t in call.inputs)
        return [self.enter(call, self.lowering.lower(call.body), inputs)]

    def enter(self, call: BlockCall, code: LoweredBody, inputs: tuple[int, ...]) -> LoweredCall:
        form = self.lowering.form(call) if call.use is not None else None
        return LoweredCall(call.name, call.given, call, code, inputs, tuple(t.number for t in call.outputs), form=form)
