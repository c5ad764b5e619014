"""`scan`: a cell run over time, alone, in both directions, or in several layers.

Both directions are two runs and what merges them; several layers are runs one behind the other. So nothing else needs
to know of more than one run.
"""

from __future__ import annotations

from ..base.dims import show
from ..base.record import TYPE_CHECKING, Record
from ..ir.types import Body, Tensor
from ..layers import LAYERS
from ..layers.arguments import Violation
from ..layers.base import bind, read
from ..layers.cell_uses import Run
from ..layers.cells import Scan
from ..layers.directions import check_both_ways, check_stack
from ..layers.recurrence import check_time
from ..layers.returning import JOINED, check_initial, numbered
from ..resolve.resolve import dotted
from ..syntax import tree
from .arguments import read_arguments, take_inputs
from .blocks import Bound, bind_block, body_of, caller
from .holding import NOTHING, Held, bind_plain, deep, is_part, refuse_shared, shared_step, take_held
from .layering import layer, violated
from .lookup import unknown_step
from .session import POISON

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from ..layers.base import Layer
    from ..syntax.tree import Definition, Node
    from .given import Given
    from .scope import Context

    # what a run gives, by the word that asks for it
    Found: TypeAlias = "dict[str, tuple[Tensor, ...]]"


class Ready(Record):
    """A scan with its arguments, before anything flows in. `values` are the arguments as they were written."""

    callee: tree.Name
    definition: Definition
    cell: Given
    bound: Bound
    options: Scan
    given: Given
    initial: tuple[Tensor, ...]
    values: Mapping[str, Any]
    node: Node
    depth: int = 1
    ways: int = 1
    merge: str = "concat"

    @property
    def runs(self) -> int:
        return self.depth * self.ways


def is_scan(at: Context, cls: type[Layer] | None, arguments: tuple[Node, ...]) -> bool:
    """Is it `scan`, or a layer around it?"""
    if cls is None:
        return False
    return cls.calls == "scan" or (bool(cls.holds) and _inner(at, arguments) is not None)


def _callee(node: Node) -> Node:
    node = node.value if isinstance(node, tree.Keyword) else node
    return node.callee if isinstance(node, tree.CallExpression) else node


def _arguments(node: Node) -> tuple[Node, ...]:
    node = node.value if isinstance(node, tree.Keyword) else node
    return node.arguments if isinstance(node, tree.CallExpression) else ()


def _inner(at: Context, arguments: tuple[Node, ...]) -> Node | None:
    """The argument that is a scan, or a layer around one."""
    for node in arguments:
        callee = _callee(node)
        if not isinstance(callee, tree.Name) or callee.text in at.scope.names:
            continue
        if is_scan(at, deep(at, LAYERS.get(callee.text), _arguments(node)), _arguments(node)):
            return node
    return None


def scan(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Any:
    """`scan(cell)`, or a layer around it, at this place."""
    ready = _read(at, node, callee, arguments)
    if ready is None:
        return POISON
    inputs = take_inputs(at, callee, ready.given.tensors, 1)
    if inputs is None:
        return POISON
    found = _Runs(at, ready).all(inputs[0])
    if found is None:
        return POISON
    values = tuple(value for word in ready.options.returns for value in found[word])
    return values[0] if len(values) == 1 else values


# --- arguments -------------------------------------------------------------------------------------------------------


def _read(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Ready | None:
    """The arguments. None where they do not fit."""
    inner = _inner(at, arguments)
    return _plain(at, node, callee, arguments) if inner is None else _around(at, node, callee, arguments, inner)


def _is_lost(at: Context, node: Node) -> bool:
    """Does an argument name what a fault elsewhere has kept away?"""
    callee = _callee(node)
    return isinstance(callee, tree.Name) and at.scope.design.excuses(callee.text)


def _plain(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...]) -> Ready | None:
    step = next((a for a in arguments if _cell(at, a) is not None), None)
    name, definition = (None, None) if step is None else _cell(at, step) or (None, None)
    if step is None or name is None or definition is None:
        if any(_is_lost(at, a) for a in arguments) or unknown_step(at.scope, arguments):
            return None
        for shared, place in [(shared_step(at, a), a) for a in arguments]:
            if shared is not None:
                refuse_shared(at, callee.text, place, shared)
                return None
        help = "write `scan(name(...))` with the name of a `cell`; built-in ones such as `lstm` run by themselves"
        at.scope.session.fault("not-a-step", "`scan` runs a cell, and none is given", node.span, help=help)
        return None
    held = take_held(at, Scan, tuple(a for a in arguments if a is not step))
    given = read_arguments(at, held.rest, join=False, cls=Scan) if held is not None else None
    cell = read_arguments(at, _arguments(step), join=False)
    if held is None or given is None or cell is None:
        return None
    if cell.tensors:
        message = f"`{name.text}` takes what is at each step; the sequence goes into `scan`"
        at.scope.session.fault("unknown-argument", message, step.span, help="write `x -> scan(...)`")
        return None
    held = held.replace(values={**held.values, "cell": (name.text, step.span, step)})
    values = bind_plain(at, callee, Scan, given, held)
    bound = bind_block(at, name, definition, cell) if values is not None else None
    if values is None or bound is None:
        return None
    try:
        options = bind(Scan, {n: v[0] for n, v in values.items()})
    except Violation as violation:
        violated(at, "scan", violation, (), node.span, values)
        return None
    assert isinstance(options, Scan)
    return Ready(name, definition, cell, bound, options, given, held.inputs, values, node)


def _cell(at: Context, node: Node) -> tuple[tree.Name, Definition] | None:
    """The cell that an argument names."""
    callee = _callee(node)
    name = callee if isinstance(callee, tree.Name) else dotted(at.scope.design, callee)
    definition = at.scope.design.definitions.get(name.text) if name is not None else None
    if name is None or definition is None or definition.word != "cell" or name.text in at.scope.names:
        return None
    return name, definition


def _around(at: Context, node: Node, callee: tree.Name, arguments: tuple[Node, ...], inner: Node) -> Ready | None:
    """A layer that holds a scan: `bidirectional` or `stack`."""
    cls, place = deep(at, LAYERS[callee.text], arguments), _callee(inner)
    assert cls is not None
    assert isinstance(place, tree.Name)  # or it would be no scan
    ready = _read(at, inner, place, _arguments(inner))
    given = read_arguments(at, tuple(a for a in arguments if a is not inner), join=False, cls=cls)
    if ready is None or given is None or not is_part(at, place, _arguments(inner), ready.given):
        return None
    own = inner.value if isinstance(inner, tree.Keyword) else inner
    held: Held = NOTHING.replace(values={**ready.values, cls.holds: (None, own.span, own)})
    values = bind_plain(at, callee, cls, given, held)
    if values is None:
        return None
    try:
        words = {n: read(cls, a, values[n][0]) for n, a in cls.arguments.items() if n in values and n != cls.holds}
        made = _wrapped(cls, ready, words)
    except Violation as violation:
        violated(at, cls.kind, violation, (), node.span, values)
        return None
    return made.replace(given=given, values=values, node=node)


def _wrapped(cls: type[Layer], ready: Ready, words: Mapping[str, Any]) -> Ready:
    """The scan in one more layer. Raises Violation where the two do not go together."""
    if cls.kind == "stacked":
        check_stack(ready.depth, ready.ways, ready.merge)
        return ready.replace(depth=words["n"])
    if ready.runs > 1:
        message = "bidirectional runs one recurrent layer, not several"
        help = "for several layers of both directions: `stack(2, bidirectional(scan(...)))`"
        raise Violation("wrong-value", message, "step", help)
    check_both_ways(ready.options.reverse)
    return ready.replace(ways=2, merge=str(words.get("merge", "concat")))


# --- runs ------------------------------------------------------------------------------------------------------------


class _Runs:
    """All runs of one scan."""

    def __init__(self, at: Context, ready: Ready) -> None:
        self.at = at.called(None)
        self.scope = at.scope
        self.ready = ready
        self.name = ready.given.label or at.chosen
        self.initial = list(ready.initial)
        # is something wrong with the first state?
        self.checked = False

    def all(self, x: Tensor) -> Found | None:
        """The runs of all layers. None where something is at fault."""
        ready = self.ready
        if ready.runs == 1:
            return self._one(x, ready.options.returns, ready.options.reverse, self.name)
        if self.scope.shared is not None:
            said = "`layer` names one scan, and this is several"
            help = f"put it into a block, `block encoder {{ {ready.node.span.text} }}`: `layer enc = encoder`"
            self.scope.session.fault("not-a-step", said, ready.node.span, help=help)
            return None
        found: list[Found | None] = []
        label, _ = self.scope.name_for("stack" if ready.depth > 1 else "bidirectional", self.name)
        self.scope.in_region("flow", label, ready.node, lambda: found.append(self._layers(x)))
        return found[0]

    def _layers(self, x: Tensor) -> Found | None:
        if self.ready.depth == 1:
            return self._directions(x, self.ready.options.returns)
        states: list[Tensor] = []
        last: Found = {"sequence": (x,)}
        for number in range(self.ready.depth):
            found = self._layer(last["sequence"][0], self._returns(number == self.ready.depth - 1), number)
            if found is None:
                return None
            states += found.get("state", ())
            last = found
        return {**last, "state": tuple(states)}

    def _returns(self, is_last: bool) -> tuple[str, ...]:
        """What one layer of several has to give."""
        asked = self.ready.options.returns
        return asked if is_last else ("sequence", *(("state",) if "state" in asked else ()))

    def _layer(self, x: Tensor, returns: tuple[str, ...], number: int) -> Found | None:
        name = tree.Identifier(self.ready.node.span, str(number))
        if self.ready.ways == 1:
            return self._one(x, returns, self.ready.options.reverse, name)
        found: list[Found | None] = []
        self.scope.in_region("flow", name.text, self.ready.node, lambda: found.append(self._directions(x, returns)))
        return found[0]

    def _directions(self, x: Tensor, returns: tuple[str, ...]) -> Found | None:
        names = (tree.Identifier(self.ready.node.span, word) for word in ("forward", "backward"))
        forward, backward = (self._one(x, returns, way == 1, name) for way, name in enumerate(names))
        if forward is None or backward is None:
            return None
        found: Found = {"state": (*forward.get("state", ()), *backward.get("state", ()))}
        for word in returns:
            if word != "state":
                found[word] = self._merged(word, (*forward[word], *backward[word]))
        return found

    def _merged(self, word: str, values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if self.ready.merge == "none":
            return values
        span = self.ready.node.span
        return (layer(self.at.called(tree.Identifier(span, word)), self.ready.merge, {}, values, span),)

    def _one(self, x: Tensor, returns: tuple[str, ...], reverse: bool, name: tree.Identifier | None) -> Found | None:
        """One run of the cell over all steps."""
        ready = self.ready
        try:
            _check_steps(x)
            body = self._body(x)
            if body is None:
                return None
            given = self._given(body)
        except Violation as violation:
            violated(self.at, "scan", violation, (x,), ready.node.span, ready.values)
            return None
        use = Run(tuple(s.name for s in body.states), returns, reverse, bool(given))
        states = tuple(s.value.shape for s in body.states)
        shapes = use.shapes(x.shape, body.output.shape, states)
        outputs = tuple(self.scope.tensor(shape, "float32", ready.node.span) for shape in shapes)
        label = ready.given.replace(label=name)
        make = caller(self.at, ready.node, ready.callee, body, ready.bound, label)
        self.scope.add(make((x, *given), outputs, use), body.size + 1)
        self.scope.padding.called((x,), outputs, ready.node.span)
        return _by_word(returns, outputs, len(states))

    def _body(self, x: Tensor) -> Body | None:
        ready = self.ready
        if self.scope.session.plan(ready.definition).inputs > 1:
            message = f"`scan` runs a cell of one input, and {ready.callee.text} has more"
            raise Violation("wrong-arity", message, "cell", f"{JOINED}, and slice what comes in")
        step = x.replace(shape=x.shape[1:])
        body = body_of(self.scope, ready.definition, ready.bound.values, (step,), ready.callee.span, None)
        return body if isinstance(body, Body) else None

    def _given(self, body: Body) -> tuple[Tensor, ...]:
        """The first state of the next run, where one is given. Raises Violation."""
        if not self.ready.initial:
            return ()
        if not self.checked:
            self.checked = True
            runs = self.ready.runs
            names = numbered([state.name for state in body.states] * runs)
            shapes = [s.value.shape for s in body.states] * runs
            check_initial("cell", names, shapes, tuple(t.shape for t in self.initial))
        taken = self.initial[: len(body.states)]
        del self.initial[: len(body.states)]
        return tuple(taken)


def _check_steps(x: Tensor) -> None:
    """Raises Violation where the values have no steps that a cell can take."""
    if not x.batched:
        message = "scan goes over what comes in for each sample, but x is made of weights alone"
        raise Violation("wrong-value", message, help="join it with something that an input has a part in")
    if len(x.shape) == 1 and not x.dtype.startswith("float"):
        message = (
            f"scan hands a vector to the cell at each step, but its input is {show(x.shape)}, with a number ({x.dtype})"
        )
        raise Violation("wrong-rank", message, help="put `embedding` or `one_hot` before `scan`, and not into the cell")
    check_time("scan", x.shape)


def _by_word(returns: tuple[str, ...], outputs: tuple[Tensor, ...], states: int) -> Found:
    """What a run gives, by the words that asked for it."""
    found: Found = {}
    rest = list(outputs)
    for word in returns:
        count = states if word == "state" else 1
        found[word], rest = tuple(rest[:count]), rest[count:]
    return found
