"""The IR: what a spec means, as a tree of instances over tables of values.

`Design` is a file with its definitions bound. `Net` is one net, elaborated: every block call, loop turn and layer is
a node of a tree, and nodes name the values they take and give by number in the table of their body. A `Body` is
elaborated once for each combination of block, arguments and input shapes, and shared by all calls that agree in
these. `CheckedNet` adds what inference found, in tables beside the net; only `infer` makes one, and emitters take
nothing else.
"""

from __future__ import annotations

from operator import add

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeAlias

    from ..base.diagnostics import Diagnostic
    from ..base.dims import Dim, Shape
    from ..base.source import Source, Span
    from ..layers.base import Layer, Weight
    from ..layers.cell_uses import CellUse
    from ..syntax.tree import Const, Definition, Expect, Node

    Item: TypeAlias = "Step | BlockCall | Region"


# --- resolve -----------------------------------------------------------------------------------------------------


class Design(Record):
    """A file with its definitions bound: its own nets in order, and by name all nets and blocks that it knows, and all
    constants as written.

    Imported definitions stand among them; those of `import ... as b` have names such as `b.stage`, and `modules` maps
    `b` to its file. `files` are the designs of all files that this one leads to. `lost` are names that an import should
    have brought and did not, with a fault; `partial` says that there may be more of them. `own` are the definitions and
    constants of the file itself.
    """

    source: Source
    nets: tuple[Definition, ...] = ()
    definitions: Mapping[str, Definition] = {}
    constants: Mapping[str, Const] = {}
    modules: Mapping[str, Source] = {}
    files: Mapping[Source, Design] = {}
    lost: frozenset[str] = frozenset()
    partial: bool = False
    own: Mapping[str, Definition | Const] = {}

    def home(self, source: Source) -> Design:
        """The design of the file that something was written in, in which its names mean what they mean."""
        return self if source is self.source else self.files[source]

    def excuses(self, name: str) -> bool:
        """Is it no wonder that a name is not known? What kept it away has been reported."""
        module, dot, _ = name.partition(".")
        return name in self.lost or (module in self.lost if dot else self.partial)


# --- elaborate ---------------------------------------------------------------------------------------------------


class Tensor(Record):
    """A value that flows: its number in the table of its body, its shape without the batch axis, its type.

    `span` is where it was made. Without `batched` it is made of weights alone, the same for every sample: it has no
    batch axis. `flattened` is the shape that it was before a `flatten`, where the sizes of that are not known.
    """

    number: int
    shape: Shape
    dtype: str
    span: Span
    batched: bool = True
    flattened: Shape = ()

    @property
    def size(self) -> Dim:
        return product(self.shape)

    def __str__(self) -> str:
        return f"a value of shape {show(self.shape)}"


class Port(Record):
    """An input of a net or block. `limit` bounds the integers of an integer input (a vocabulary)."""

    name: str
    value: Tensor
    limit: Dim | None = None


class OutputPort(Record):
    """An output of a net or block."""

    name: str
    value: Tensor


class Instance(Record):
    """A thing declared once with `layer name = ...` and used several times: uses of it share their weights."""

    name: str
    span: Span


class Step(Record):
    """One layer applied.

    `name` is its segment of the path; `given` is the name that the author chose, or empty (in a loop, the path numbers
    it). `written` maps an argument to the expression it was written as.
    """

    name: str
    given: str
    layer: Layer
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    span: Span
    written: Mapping[str, Node]
    frozen: bool = False
    shared: Instance | None = None

    @property
    def output(self) -> Tensor:
        """The value that comes out, or the first of several."""
        return self.outputs[0]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of what goes in."""
        return tuple(t.shape for t in self.inputs)

    @property
    def hands_on(self) -> bool:
        """Is what comes out the value that goes in, as it is?"""
        return self.layer.hands_on(*self.shapes)

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The arrays that the layer holds."""
        return self.layer.weights(*self.shapes)

    @property
    def depth(self) -> Dim:
        """How many recurrent steps it does one after the other."""
        return self.layer.steps(*self.shapes)


class BlockCall(Record):
    """One block applied. `arguments` are the values of its parameters, defaults filled in.

    `use` says how a cell is used, and is None for all else. A cell that is run over time takes the sequence, and
    perhaps a first state; one that is a step takes the state behind its input, and gives it behind its output.
    """

    name: str
    given: str
    body: Body
    arguments: Mapping[str, Any]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    span: Span
    written: Mapping[str, Node]
    frozen: bool = False
    shared: Instance | None = None
    use: CellUse | None = None

    @property
    def over_time(self) -> bool:
        """True if it runs a cell over the steps of a sequence."""
        return self.use is not None and self.use.over_time


class Region(Record):
    """Steps that belong together within a body; their values are in the body's table.

    `kind` is `repeat` or `for` (its items are the turns), `turn`, `flow` (`{ ... }`), or `if` (the branch that was
    taken; `choice` is its number). `node` is the statement or body that it was written as. `name` is empty where the
    scope adds no segment to paths. `bindings` are the loop variables of a turn. `times` says how often for each sample
    that is done which is in it: at each step of a sequence.
    """

    kind: str
    name: str
    items: tuple[Item, ...]
    node: Node
    bindings: Mapping[str, Any] = {}
    choice: int = 0
    times: Dim = 1

    @property
    def span(self) -> Span:
        return self.node.span


def applied(items: Iterable[Item]) -> Iterator[Step | BlockCall]:
    """The steps and calls among items and in their scopes, in order; what calls hold is not among them."""
    for item in items:
        if isinstance(item, Region):
            yield from applied(item.items)
        else:
            yield item


def taken(items: Iterable[Item]) -> Iterator[Tensor]:
    """The values that items take, also those in scopes."""
    for item in applied(items):
        yield from item.inputs


def layers_of(items: Iterable[Item]) -> Iterator[Layer]:
    """All layers in items, those of blocks too."""
    for item in applied(items):
        if isinstance(item, Step):
            yield item.layer
        else:
            yield from layers_of(item.body.items)


class State(Record):
    """What a cell remembers: its value at a step, what it will be at the next one, and what it is at first."""

    name: str
    value: Tensor
    later: Tensor
    start: Tensor


class Body(Record):
    """A net, block or cell, elaborated for given arguments and input shapes.

    `defaults` are those of its parameters that are the same wherever it is used. `sizes` are the names that `input x
    [h, w, c]` bound. `size` counts the instances in it, inner calls included.
    `labels` are the names that the author bound to values, by number of the value; `marks` those given with `as`,
    `renamed` a second name that a value got later. `upto` names the value that a net was cut off at, or is empty.
    The states of a cell are inputs behind the others, and what they will be stands behind the outputs. What only their
    first values hang on is not in `items` but `begins`, and is done once; `starts` makes these values, and another one
    of the shape of the output.
    """

    definition: Definition
    arguments: Mapping[str, Any]
    sizes: Mapping[str, Dim]
    inputs: tuple[Port, ...]
    items: tuple[Item, ...]
    outputs: tuple[OutputPort, ...]
    size: int
    labels: Mapping[int, str] = {}
    marks: Mapping[int, str] = {}
    defaults: Mapping[str, Any] = {}
    renamed: Mapping[int, str] = {}
    upto: str = ""
    states: tuple[State, ...] = ()
    begins: tuple[Item, ...] = ()
    starts: tuple[Step | BlockCall, ...] = ()

    @property
    def name(self) -> str:
        return self.definition.name.text

    @property
    def held(self) -> tuple[Item, ...]:
        """All items that may hold weights."""
        return self.items + self.begins

    @property
    def given(self) -> tuple[Port, ...]:
        """The inputs but for the states."""
        return self.inputs[: len(self.inputs) - len(self.states)]

    @property
    def output(self) -> Tensor:
        """The output, the first one where there are several."""
        return self.outputs[0].value

    @property
    def doc(self) -> str:
        if not self.upto:
            return self.definition.doc
        return f"{self.definition.doc or self.name}\nUp to `{self.upto}`."


class Expectation(Record):
    """An `expect` line, with the names that were bound where it stands."""

    statement: Expect
    names: Mapping[str, Any]


class Net(Record):
    """One net, elaborated.

    `whole` is False where a fault stopped it on the way: `body` then holds what came before the fault. `settings` are
    the values that were given to it from outside, `cache` what elaboration worked out on the way.
    """

    design: Design
    body: Body
    expectations: tuple[Expectation, ...]
    symbols: tuple[str, ...]
    whole: bool
    settings: Mapping[str, Any] = {}
    cache: Any = None

    @property
    def name(self) -> str:
        return self.body.name


# --- infer -------------------------------------------------------------------------------------------------------


class Figures(Record):
    """What a layer weighs and costs, for one sample. Sizes may be symbolic.

    `params` are learned numbers (`weights` + `biases`), `trainable` those not frozen; `statistics` are running means
    and variances. A shared layer has its params at its first use only. `alike` are activations once for all samples.
    """

    params: Dim = 0
    weights: Dim = 0
    biases: Dim = 0
    trainable: Dim = 0
    statistics: Dim = 0
    macs: Dim = 0
    other_ops: Dim = 0
    activations: Dim = 0
    alike: Dim = 0

    def of_batch(self, batch: int) -> Dim:  # the activations of so many samples
        return self.alike + (self.activations - self.alike) * batch

    def __add__(self, other: Figures) -> Figures:
        return Figures(*map(add, self.__dict__.values(), other.__dict__.values()))


class CostRow(Record):
    """One line of the report: a step, or a block call or named scope with the sum of what is in it.

    `field` is the receptive field along each spatial axis, None where the whole input is seen. `steps` says how many
    elements of sequences it goes over with a state, or as a part of a cell; None where nothing recurs. Of its MACs,
    `step_macs` are those for one of them.
    """

    path: str
    name: str
    kind: str
    depth: int
    span: Span
    node: Item
    output: Tensor | None
    figures: Figures
    field: tuple[Dim, ...] | None
    is_layer: bool
    again: bool = False
    steps: Dim | None = None
    step_macs: Dim | None = None


class Outcome(Record):
    """What became of an expectation."""

    text: str
    ok: bool
    actual: Any
    span: Span


class CheckedNet(Record):
    """A net with everything that is known of it; the `rows` of its instances are made when first asked for."""

    net: Net
    find_rows: Callable[[], tuple[CostRow, ...]]
    totals: Figures
    sequential_depth: Dim
    outcomes: tuple[Outcome, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def name(self) -> str:
        return self.net.name

    @property
    def ok(self) -> bool:
        return not any(d.severity == "error" for d in self.diagnostics)

    @property
    def rows(self) -> tuple[CostRow, ...]:
        return self.find_rows()

    @property
    def layers(self) -> Iterator[CostRow]:
        return (row for row in self.rows if row.is_layer)
