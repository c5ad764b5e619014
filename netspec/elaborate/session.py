"""What one elaboration shares: the design, the faults, the limits, and the bodies that are known already."""

from __future__ import annotations

from ..base.bounds import TooLarge
from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING, Record
from ..consteval import items_in
from ..ir.types import Tensor
from ..layers.arguments import Word, describe
from .names import Plan
from .uses import Uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.dims import Shape
    from ..base.source import Span
    from ..ir.types import Body, Design, Instance, Port
    from ..layers.base import Layer
    from ..syntax.tree import Definition, Identifier, Node
    from .given import Settled

MOST_INSTANCES = 10_000_000
# Steps and turns of loops in bodies, each body counted once: some 20 microseconds and 2 kB for one.
MOST_PLACED = 500_000
# work on one net beside them, in units of about 20 microseconds
MOST_WORK = 50_000
MORE = "use fewer repeats, or allow more instances with `--limit`"
# a block for arguments and shapes that are new, and a layer likewise, cost more than one that is known already
NEW_BODY = 6
NEW_LAYER = 1
# so many items of a list, gone over by a function or an operator, count as one step
ITEMS = 100
# so many names that are bound, put aside while others stand in their place, count as one
NAMES = 1_000
DEEPEST = 60


class Poison:
    """Stands for a value that a fault kept from being; what is made of it is a hole too, and nothing is said twice."""

    def __repr__(self) -> str:
        return "POISON"


POISON = Poison()


class SharedStep(Record):
    """What `layer name = step` binds: the step, to be applied wherever the name is used.

    `names` are those that are bound where it is declared, which the step's arguments are made of.
    """

    step: Node
    instance: Instance
    names: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash(self.instance)  # names hold lists, which have no hash

    def __str__(self) -> str:
        return f"the layer `{self.instance.name}`"


class Stop(Exception):
    """Elaboration cannot go on: a limit is reached. The diagnostic has been reported."""


class Unsound(Stop):
    """An error was found, and whoever asked wants to know no more than that."""


class Rules(Record):
    """What is done for each kind of node: statements change a scope, expressions give a value at a place."""

    statements: Mapping[type, Callable[[Any, Any], None]]
    expressions: Mapping[type, Callable[[Any, Any], Any]]


class Cache:
    """What is worked out once for several elaborations of one design, since it hangs on no setting."""

    def __init__(self) -> None:
        # bodies by their definitions, arguments and inputs; POISON where one is at fault
        self.bodies: dict[Any, Body | Poison] = {}
        # those of them in which an error was reported: once, in the elaboration that found it
        self.broken: set[Any] = set()
        self.layers: dict[Any, tuple[Layer, tuple[Shape, ...], str]] = {}
        # by the id of a call: its arguments, where they are the same each time
        self.settled: dict[int, Settled] = {}
        self.plans: dict[int, Plan] = {}

    def copy(self) -> Cache:
        """The same, to which bodies can be added apart."""
        found = Cache()
        found.__dict__ |= self.__dict__
        found.bodies, found.broken = dict(self.bodies), set(self.broken)
        return found


class Session:
    """One elaboration. `rules` are handed in, so that they may use it, and one another through it."""

    def __init__(
        self,
        design: Design,
        faults: Collector,
        rules: Rules,
        cache: Cache | None = None,
        limit: int = MOST_INSTANCES,
        ends_early: bool = False,
    ) -> None:
        self.design = design
        # does the first error end it?
        self.ends_early = ends_early
        self.rules = rules
        self.faults = faults
        # instances that a net may have
        self.limit = limit
        self.most_placed = max(MOST_PLACED, limit // 20)
        self.placed = 0
        self.work = 0
        # how many errors were reported, here and in the bodies that were known
        self.errors = 0
        # the calls that lead to where we are: what is called, and where
        self.chain: list[tuple[Definition, Span]] = []
        # by the id of a body: by name, the first place that binds it; by the id of a statement, the one before it
        self.binders: dict[int, dict[str, Identifier]] = {}
        self.above: dict[int, dict[int, Node]] = {}
        # the definitions whose defaults are being worked out
        self.filling: list[Definition] = []
        self.cache = Cache() if cache is None else cache
        # constants by where they are defined: their values, and which of them are being worked out
        self.constants: dict[Span, Any] = {}
        self.pending: set[Span] = set()
        self.uses = Uses()
        # the inputs of the net that was asked for
        self.inputs: list[Port] = []
        # by place: warnings of what compiles and is hardly meant, told where all else is sound
        self.doubts: dict[Span, Diagnostic] = {}

    def home(self, node: Node) -> Design:
        """The file that something was written in."""
        return self.design.home(node.span.source)

    def plan(self, definition: Definition) -> Plan:
        found = self.cache.plans.get(id(definition))
        if found is None:
            found = self.cache.plans[id(definition)] = Plan(definition)
        return found

    def fault(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        others: tuple[tuple[Span, str], ...] = (),
        help: str = "",
    ) -> Poison:
        """Report an error; the hole that is left in its place."""
        notes = tuple(_within(d, at, span) for d, at in reversed(self.chain[-3:]) if at != span)
        return self.report(
            Diagnostic(code, message, Label(span, label), tuple(Label(s, t) for s, t in others), help, notes)
        )

    def report(self, error: Diagnostic) -> Poison:
        """Report an error that is there already; the hole that is left in its place."""
        self.errors += 1
        self.faults.add(error)
        if self.ends_early:
            raise Unsound
        return POISON

    def spend(self, span: Span, amount: int = 1) -> None:
        """Count work. Raises Stop past the limit, with the calls that lead there."""
        self.work += amount
        if self.work > MOST_WORK:
            self.too_large(span, f"this net takes more than {MOST_WORK:,} steps to work out")

    def place(self, span: Span) -> None:
        """Count a step or a turn of a loop. Raises Stop past the limit."""
        self.placed += 1
        if self.placed > self.most_placed:
            message = f"there are more than {self.most_placed:,} layers and turns of loops"
            self.too_large(span, message, "put what is repeated into a block, which is worked out once")

    def spend_items(self, span: Span, values: Iterable[Any]) -> None:
        """Count the work of going over values: that of the lists among them."""
        lists = [value for value in values if value.__class__ is tuple]
        if lists:
            self.spend(span, sum(map(items_in, lists)) // ITEMS)

    def attempt(self, span: Span, work: Callable[[], None]) -> bool:
        """Do something as far as the limits allow. False where they do not, which is reported."""
        try:
            work()
        except Stop:
            return False
        except TooLarge as error:
            self.fault("too-large", str(error), span)
            return False
        except RecursionError:
            self.fault("too-large", "an expression is nested too deeply", span)
            return False
        return True

    def too_large(self, span: Span, message: str, help: str = "use fewer repeats") -> None:
        """Report that the spec is too large. Always raises Stop."""
        trail = tuple(
            (at, f"`{d.name.text}` is reached from here") for d, at in reversed(self.chain[-8:]) if at != span
        )
        self.fault("too-large", message, span, "it grows past the limit here", trail, help)
        raise Stop


def _within(definition: Definition, at: Span, span: Span) -> str:
    """That something happened in a block, and where that is used."""
    file = "" if at.source is span.source else f" of {at.source.name}"
    return f"in {definition.word} {definition.name.text}, line {at.line}{file}"


def no_condition(session: Session, value: Any, node: Node) -> Poison:
    """Report what should decide something when the net is compiled, and cannot."""
    if isinstance(value, Tensor):
        message = "values of the net are not known when it is compiled, so they decide nothing"
        return session.fault("not-a-value", message, node.span, help="choose number by number: `where(x > 0, x, 0)`")
    return session.fault("wrong-value", f"a condition is true or false, not {kind_of(value)}", node.span)


def kind_of(value: Any) -> str:
    """What a value is, in words, for messages."""
    if isinstance(value, Tensor):
        return str(value)
    if isinstance(value, bool):
        return f"`{describe(value)}`"
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the word `{value}`" if isinstance(value, Word) else f"the text {describe(value)}"
    return "a shared layer" if isinstance(value, SharedStep) else f"`{describe(value)}`"
