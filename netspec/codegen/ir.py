"""Templates: what one generated class or function says, for all the instances that it stands for.

The nodes of a template hold code in which numbers that differ between instances have become terms over the template's
parameters. Values are numbers of the template's own.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Call, Named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Sequence as Seq
    from typing import Any, Protocol, TypeAlias

    from typing_extensions import Self

    from ..ir.types import BlockCall, Body, Instance, Step
    from ..layers.base import Apply
    from ..layers.cell_uses import CellForm
    from ..pycode.expr import Code
    from .lowering.lower import LoweredCall, LoweredStep

    # the loops and choices around something: the number of each, with the turn or the branch
    Path: TypeAlias = "tuple[tuple[int, int], ...]"
    Node: TypeAlias = "Leaf | Invoke | Loop | Choice | ModuleChain"
    # by the number of the body and the turns and branches around: what a node stands for there
    Acts: TypeAlias = "Mapping[tuple[int, Path], LoweredStep]"
    Enters: TypeAlias = "Mapping[tuple[int, Path], LoweredCall]"

    class Valued(Protocol):
        @property
        def inputs(self) -> tuple[int, ...]: ...
        @property
        def outputs(self) -> tuple[int, ...]: ...


class TemplateNode(Record):
    """A node of a template, as what works on any of them sees it."""

    @property
    def parts(self) -> tuple[tuple[Node, ...], ...]:
        """The lists of nodes below it."""
        return ()

    def with_parts(self, parts: tuple[tuple[Node, ...], ...]) -> Self:
        """The node with other nodes below it, as many lists as before."""
        return self

    @property
    def codes(self) -> tuple[Code, ...]:
        """Its own expressions."""
        return ()

    @property
    def variables(self) -> tuple[tuple[int, tuple[int | None, ...]], ...]:
        """The variables that it leaves, each with what it is made of; None where nobody takes that."""
        return ()

    @property
    def takes(self) -> tuple[int, ...]:
        """The values that it takes itself, each time."""
        return tuple(v for _, operands in self.variables for v in operands if v is not None)

    @property
    def leaves(self) -> tuple[int, ...]:
        """The values that stand behind it, but for those that are made below."""
        return tuple(own for own, _ in self.variables)


class TemplateStep(TemplateNode):
    """A node that takes values and makes others."""

    @property
    def takes(self: Valued) -> tuple[int, ...]:
        return self.inputs

    @property
    def leaves(self: Valued) -> tuple[int, ...]:
        return self.outputs


class Leaf(TemplateStep):
    """One layer. `step` is that of the first instance (None for a conversion), for its kind and shape.

    `slots` and `names` are the outputs among the values of its `applies`, and names for these, as `Use` has them;
    `origins` are the layers that it stands for.
    """

    name: str
    given: str
    kind: str
    style: str
    applies: tuple[Apply, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    step: Step | None
    shared: Instance | None
    constant: bool
    slots: tuple[int, ...] = (0,)
    names: Mapping[int, str] = {}
    origins: Acts = {}

    @property
    def codes(self) -> tuple[Code, ...]:
        return tuple(code for apply in self.applies for code in (apply.make, apply.call))


class Invoke(TemplateStep):
    """One call of a block or net, with values for the callee's parameters; those at their defaults are left out.

    `frozen` says that what is called is held still. `origins` are the calls that it stands for. `form` is how a cell is
    made and called.
    """

    name: str
    given: str
    template: Template
    arguments: tuple[tuple[str, Code], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shared: Instance | None
    shape: Any
    frozen: bool
    origins: Enters = {}
    form: CellForm | None = None

    @property
    def slots(self) -> tuple[int, ...]:
        """The outputs among the values that its expressions give."""
        return tuple(range(len(self.outputs))) if self.form is None else self.form.outputs

    @property
    def names(self) -> Mapping[int, str]:
        """Names that these values may have."""
        return {} if self.form is None else self.form.names

    @property
    def call(self) -> BlockCall:
        """The first of the calls."""
        first: BlockCall = next(iter(self.origins.values())).call
        return first

    @property
    def codes(self) -> tuple[Code, ...]:
        return tuple(value for _, value in self.arguments)


class Loop(TemplateNode):
    """`for names in items`; `carried` are the values that a turn takes from the one before: (first, later, own number).

    `first` is None where no turn takes what the value is at first.
    """

    names: tuple[str, ...]
    items: Code
    nodes: tuple[Node, ...]
    carried: tuple[tuple[int | None, int, int], ...]
    # its number in the paths of what its nodes stand for
    uid: int

    @property
    def parts(self) -> tuple[tuple[Node, ...], ...]:
        return (self.nodes,)

    def with_parts(self, parts: tuple[tuple[Node, ...], ...]) -> Self:
        return self.replace(nodes=parts[0])

    @property
    def codes(self) -> tuple[Code, ...]:
        return (self.items,)

    @property
    def variables(self) -> tuple[tuple[int, tuple[int | None, ...]], ...]:
        return tuple((own, (first, later)) for first, later, own in self.carried)


class Choice(TemplateNode):
    """Branches with their conditions (None: else). `phis` are values that come from a different branch each time.

    A phi maps the numbers of the branches' values, in the order of the branches, to its own number; None where nobody
    takes it behind that branch.
    """

    branches: tuple[tuple[Code | None, tuple[Node, ...]], ...]
    phis: tuple[tuple[tuple[int | None, ...], int], ...]
    name: str

    @property
    def parts(self) -> tuple[tuple[Node, ...], ...]:
        return tuple(nodes for _, nodes in self.branches)

    def with_parts(self, parts: tuple[tuple[Node, ...], ...]) -> Self:
        return self.replace(branches=tuple((c, nodes) for (c, _), nodes in zip(self.branches, parts)))

    @property
    def codes(self) -> tuple[Code, ...]:
        return tuple(condition for condition, _ in self.branches)

    @property
    def variables(self) -> tuple[tuple[int, tuple[int | None, ...]], ...]:
        return tuple((own, operands) for operands, own in self.phis)


class ModuleChain(TemplateStep):
    """A named scope whose steps follow one another: an `nn.Sequential`."""

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shape: Any

    @property
    def parts(self) -> tuple[tuple[Node, ...], ...]:
        return (self.nodes,)

    def with_parts(self, parts: tuple[tuple[Node, ...], ...]) -> Self:
        return self.replace(nodes=parts[0])


def constructed(node: Invoke) -> Call:
    """A block's name called on its parameters: the required ones by place, those with defaults by name."""
    required = {p.name for p in node.template.parameters if p.default is REQUIRED}
    args = tuple(v for n, v in node.arguments if n in required)
    return Call(node.template.name, args, tuple((n, v) for n, v in node.arguments if n not in required))


def opened(nodes: Iterable[Node]) -> Iterator[Node]:
    """All nodes, those within loops, branches and chains included."""
    for node in nodes:
        yield node
        for part in node.parts:
            yield from opened(part)


def inside(nodes: Iterable[Node]) -> Iterator[Node]:
    """All nodes, those within loops and branches included."""
    for node in nodes:
        yield node
        if isinstance(node, Loop | Choice):
            for part in node.parts:
                yield from inside(part)


def uses(nodes: Iterable[Node]) -> Iterator[tuple[Node, int]]:
    """The values that nodes take, each time, with the node that takes them."""
    return ((node, value) for node in inside(nodes) for value in node.takes)


def definitions(nodes: Iterable[Node]) -> Iterator[int]:
    """The values that nodes make, those within loops and branches included."""
    return (value for node in inside(nodes) for value in node.leaves)


def out_layout(node: Leaf | Invoke | ModuleChain) -> str:
    """The layout of the value that comes out of a node, or the first of several."""
    last: Node = node
    while isinstance(last, ModuleChain | Loop):
        last = last.nodes[-1]
    assert isinstance(last, Leaf | Invoke)  # a chain is of plain steps
    origins: Mapping[Any, LoweredStep | LoweredCall] = last.origins
    return next(iter(origins.values())).out_layout


class TemplateParameter(Record):
    """A parameter of a class or function. `default` is a value, or REQUIRED; `said` is its name in the spec, if it has
    one there; `port` the input whose channels it is, if it is that."""

    name: str
    default: Any
    said: str = ""
    port: int | None = None


REQUIRED = object()


class Template(Record):
    """One generated class or function.

    Of a cell `first` is the state before the first step, with a value of the shape of what comes out behind it.
    `kind` says in which way it is written, where there are several. `layouts` are those of what comes in, where it is
    not that of a net, `out_layouts` those of what goes out.

    `values` gives the parameters' values for each body that it stands for, by the body's key. `labels` are the names
    that the author bound values to, `marks` those that `as` gave on the way. `sizes` are sizes of the inputs that are
    asked for, (input, axis) by name. `shapes` are those that a net declares for its inputs.
    `locals` are names that the author gave to numbers, with the expressions that they stand for. `guards` have to hold
    for the arguments: the code is for no others. `added` are parameters
    that are none of the spec's; it is `fitted` where it has expressions that are none of the spec's.
    """

    name: str
    bodies: tuple[Body, ...]
    parameters: tuple[TemplateParameter, ...]
    values: Mapping[Any, Mapping[str, Any]]
    nodes: tuple[Node, ...]
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    labels: Mapping[int, str]
    marks: Mapping[int, str]
    sizes: Mapping[str, tuple[int, int]]
    first: tuple[int, ...] = ()
    kind: str = ""
    shapes: Seq[tuple[Code, ...]] = ()
    locals: Mapping[str, Code] = {}
    guards: tuple[str, ...] = ()
    added: frozenset[str] = frozenset()
    fitted: bool = False
    layouts: tuple[str, ...] = ()
    out_layouts: tuple[str, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        """The names that the constructor knows, and other methods only as attributes."""
        return frozenset((*(p.name for p in self.parameters), *self.locals))

    @property
    def states(self) -> int:
        """How many parts the state of a cell has; 0 for all else."""
        return len(self.bodies[0].states)

    def signature(self) -> list[str | Named]:
        """The parameters, with their defaults."""
        return [p.name if p.default is REQUIRED else Named(p.name, p.default) for p in self.parameters]


def rewrite(templates: Iterable[Template], change: Callable[[Template], Template]) -> list[Template]:
    """Each template as a pass changes it, callees first; calls lead to what became of their callees, without arguments
    for parameters that are gone."""
    made: dict[int, Template] = {}
    for template in templates:
        made[id(template)] = change(template.replace(nodes=tuple(_led(node, made) for node in template.nodes)))
    return list(made.values())


def _led(node: Node, made: Mapping[int, Template]) -> Node:
    """A node whose calls lead to the templates that were made of theirs."""
    if isinstance(node, Invoke):
        callee = made[id(node.template)]
        known = {parameter.name for parameter in callee.parameters}
        return node.replace(template=callee, arguments=tuple(a for a in node.arguments if a[0] in known))
    return node.with_parts(tuple(tuple(_led(inner, made) for inner in part) for part in node.parts))
