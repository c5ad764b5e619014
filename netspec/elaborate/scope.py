"""Scopes: the names, the flow and the items of one body while it is elaborated, and places within it."""

from __future__ import annotations

from ..base.bounds import METER, TooLarge
from ..base.record import TYPE_CHECKING
from ..ir.types import BlockCall, Body, Expectation, Instance, OutputPort, Port, Region, Step, Tensor
from ..layers import LAYERS
from ..syntax import tree
from .cutting import End, Reached, instances, leading
from .names import Namer
from .padding import Padding
from .session import MORE, NAMES, POISON, SharedStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..base.dims import Dim, Shape
    from ..base.source import Span
    from ..ir.types import Design, Item
    from ..syntax.tree import Definition, Node
    from .session import Session


class Remembered:
    """A state on the way. `start` is a number or a value, `sizes` how its shape was written; `call` is the step that it
    belongs to, if it is a cell's."""

    def __init__(
        self,
        name: str,
        value: Tensor,
        span: Span,
        start: Any = 0,
        sizes: tuple[tree.Node, ...] = (),
        call: BlockCall | None = None,
    ) -> None:
        self.name = name
        self.value = value
        self.span = span
        self.start = start
        self.sizes = sizes
        self.call = call
        self.later: Any = None
        self.later_span = span


class Scope:
    """The state of one body on the way: its names, its flow, and the items so far."""

    def __init__(
        self,
        session: Session,
        definition: Definition,
        arguments: Mapping[str, Any],
        given: Sequence[Tensor],
        end: End | None = None,
    ) -> None:
        self.session = session
        self.expressions = session.rules.expressions
        self.definition = definition
        # the file whose names are known here
        self.design = session.home(definition)
        self.arguments = arguments
        self.names: dict[str, Any] = dict(arguments)
        self.given = list(given)
        self.ports: list[Port] = []
        self.sizes: dict[str, Dim] = {}
        self.flow: Any = None
        self.items: list[Item] = []
        # by the number of a value: what gives it, in whichever region
        self.makers: dict[int, Step | BlockCall] = {}
        self.namer = Namer(session.plan(definition))
        # shared layers are named for the whole body, in whichever region they are declared
        self.body_namer = self.namer
        self.looping = False
        # how many turns of loops are around
        self.turns = 0
        self.outputs: dict[str, OutputPort] = {}
        self.declared_output = False
        self.expectations: list[Expectation] = []
        # what each statement made of the flow: the place of the statement, the number of the value
        self.flows: list[tuple[Span, int]] = []
        self.tensors = 0
        self.size = 0
        self.symbols: dict[str, None] = {}
        self.labels: dict[int, str] = {}
        self.renamed: dict[int, str] = {}
        self.marks: dict[int, str] = {}
        self.padding = Padding()
        # is it the net that was asked for, and not one within another?
        self.top = definition.word == "net" and not session.chain
        # where it ends before its end, and the names of the regions that lead to the present place
        self.end = end
        self.path: tuple[str, ...] = ()
        self.shared: SharedStep | None = None
        # what a cell remembers, and what a fault has kept from being known of it
        self.states: dict[str, Remembered] = {}
        self.missed: set[str] = set()
        # the first use of each shared instance, and where that is
        self.uses: dict[Instance, tuple[Step | BlockCall, Span]] = {}

    # --- values ------------------------------------------------------------------------------------------------

    def tensor(self, shape: Shape, dtype: str, span: Span, batched: bool = True, flattened: Shape = ()) -> Tensor:
        self.tensors += 1
        return Tensor(self.tensors - 1, shape, dtype, span, batched, flattened)

    def defined(self, name: str) -> Definition | None:
        """The block or net of a name. Within itself it cannot be meant, so there a layer of that name is."""
        found = self.design.definitions.get(name)
        return None if found is self.definition and name in LAYERS else found

    def evaluate(self, node: Node, words: bool = True) -> Any:
        return Context(self, self.flow, words, None, False).again(node)

    def evaluate_in(self, design: Design, names: dict[str, Any], node: Node) -> Any:
        """The value of an expression that stands elsewhere: in a file, where these names are bound."""
        before = self.design, self.names
        self.design, self.names = design, names
        try:
            return self.evaluate(node)
        finally:
            self.design, self.names = before

    def bind(self, name: tree.Identifier, value: Any, mark: bool = False) -> None:
        """Give a value a name; `mark` where `as` did, on the way."""
        self.names[name.text] = value
        if isinstance(value, Tensor):
            first = (self.marks if mark else self.labels).setdefault(value.number, name.text)
            if first != name.text:
                self.renamed.setdefault(value.number, name.text)
            if self.end is not None and not self.looping and all(value is not port.value for port in self.ports):
                self.meet(name.text, value)

    def meet(self, name: str, value: Any) -> None:
        """A value has got a name, within the present region. Raises Reached where the net ends there."""
        if self.end is not None:
            self.end.meet(".".join((*self.path, name)), value)

    def name_for(self, kind: str, chosen: tree.Identifier | None) -> tuple[str, str]:
        """The path segment of a new instance, and the name that the author chose for it, if any."""
        if self.shared is not None:
            return self.shared.instance.name, self.shared.instance.name
        if chosen is None:
            return self.namer.automatic(kind), ""
        name = self.take_name(self.namer, chosen, self.looping)
        return (name, chosen.text) if name is not None else (self.namer.automatic(kind), "")

    def take_name(self, namer: Namer, chosen: tree.Identifier, numbered: bool) -> str | None:
        """The name that the author chose, with a number in loops; None, which is reported, where it is taken."""
        name = namer.turn(chosen.text) if numbered else namer.chosen(chosen.text)
        if name is None:
            said = f"`{chosen.text}` already names a layer here"
            help = "give one of the two another name"
            self.session.fault("duplicate-name", said, chosen.span, "the second time", help=help)
        return name

    def add(self, item: Step | BlockCall, instances: int) -> None:
        self.items.append(item)
        self.makers.update((t.number, item) for t in item.outputs)
        self.size += instances
        self.session.place(item.span)
        METER.earn()
        if self.size > self.session.limit:
            name = f"{self.definition.word} {self.definition.name.text}"
            self.session.too_large(item.span, f"{name} has more than {self.session.limit:,} instances", MORE)
        self.meet(item.name, item.outputs[0])

    # --- running -----------------------------------------------------------------------------------------------

    def run(self, body: tree.Braces) -> None:
        statement: tree.Node = body
        try:
            for statement in body.statements:
                self.session.spend(statement.span, 0)
                self.session.rules.statements[type(statement)](self, statement)
        except TooLarge as error:
            self.session.too_large(statement.span, str(error), "give symbolic sizes a value with `--set`")

    def run_upto(self, body: tree.Braces, end: End) -> None:
        """Run as far as a value, and keep what it hangs on."""
        try:
            self.run(body)
            end.overrun, self.flow = self.flow is not POISON, POISON
        except Reached as reached:
            self.flow = reached.args[0]
        self.outputs, self.declared_output = {}, False
        if isinstance(self.flow, Tensor):
            self.items = list(leading(self.items, {self.flow.number}))
            self.size = instances(self.items)

    def implicit_input(self) -> Tensor:
        """The flow of a block that declares no input."""
        value = self.given[0]
        inner = self.tensor(value.shape, value.dtype, value.span, value.batched, value.flattened)
        self.ports.append(Port("x", inner))
        return inner

    def body(self) -> Body:
        """What the statements have made."""
        outputs = tuple(self.outputs.values())
        if not self.declared_output and isinstance(self.flow, Tensor):
            outputs = (OutputPort("output", self.flow),)
        return Body(
            self.definition,
            self.arguments,
            self.sizes,
            tuple(self.ports),
            tuple(self.items),
            outputs,
            self.size,
            self.labels,
            self.marks,
            self.session.plan(self.definition).defaults or {},
            self.renamed,
            self.end.name if self.end is not None else "",
        )

    def in_region(
        self,
        kind: str,
        name: str,
        node: Node,
        run: Callable[[], None],
        bindings: Mapping[str, Any] | None = None,
        choice: int = 0,
        times: Dim = 1,
    ) -> None:
        """Run something whose items go into a region of their own."""
        outer, namer, looping, path = self.items, self.namer, self.looping, self.path
        self.items = []
        if name:
            self.namer, self.looping, self.path = Namer(namer.plan, sequence=True), False, (*path, name)
        try:
            run()
        finally:
            inner, self.items, self.namer, self.looping, self.path = self.items, outer, namer, looping, path
            if inner or kind != "flow":
                self.items.append(Region(kind, name, tuple(inner), node, bindings or {}, choice, times))
        if name:
            self.meet(name, self.flow)

    def subflow(self, body: tree.Braces, flow: Any, name: tree.Identifier | None) -> Any:
        """`{ ... }` as a step: names bound inside stay inside."""
        names, outer = dict(self.names), self.flow
        self.session.spend(body.span, len(names) // NAMES)
        label = self.name_for("flow", name)[0] if name is not None else ""
        self.flow = flow
        self.in_region("flow", label, body, lambda: self.run(body))
        if body.statements and self.flows and self.flows[-1][0] == body.statements[-1].span:
            self.flows.pop()  # what the braces give is no longer a statement's own
        result, self.flow, self.names = self.flow, outer, names
        return result


class Context:
    """How an expression is to be read. `piped` says that the flow comes through an arrow right before it."""

    __slots__ = ("binding", "chosen", "flow", "piped", "scope", "words")

    def __init__(
        self,
        scope: Scope,
        flow: Any,
        words: bool,
        chosen: tree.Identifier | None,
        binding: bool,
        piped: bool = False,
    ) -> None:
        self.scope = scope
        self.flow = flow
        self.words = words
        self.chosen = chosen
        self.binding = binding
        self.piped = piped

    def again(self, node: Node) -> Any:
        """The value of an expression or pipeline here; POISON where a fault was reported."""
        return self.scope.expressions[node.__class__](self, node)

    def unnamed(self, words: bool | None = None) -> Context:
        """The same place, for other expressions, which are not named."""
        if self.chosen is None and not self.piped and (words is None or words is self.words):
            return self
        return Context(self.scope, self.flow, self.words if words is None else words, None, self.binding)

    def plain(self, node: Node, words: bool | None = None) -> Any:
        """Another expression at the same place, not named."""
        return self.scope.expressions[node.__class__](self.unnamed(words), node)

    def called(self, name: tree.Identifier | None) -> Context:
        """The same place, for a step of another name."""
        return Context(self.scope, self.flow, self.words, name, self.binding, self.piped)

    def on(self, flow: Any) -> Context:
        """The same scope, for a nameless step on another flow."""
        return Context(self.scope, flow, False, None, False)
