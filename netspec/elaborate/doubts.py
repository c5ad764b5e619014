"""What compiles and is hardly meant: shapes and arguments in the order of another library, a flow that is left out.

These are warnings. They come only with a sound spec, and what they say is the help of an error that such a habit leads
to.
"""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label
from ..base.dims import DimExpr, show
from ..base.record import TYPE_CHECKING
from ..ir.types import BlockCall, Region, Step, Tensor
from ..layers import LAYERS
from ..layers.arguments import describe
from ..syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.dims import Dim, Shape
    from ..base.source import Span
    from ..ir.types import Body, Item, Port
    from ..syntax.tree import Node
    from .given import Given
    from .scope import Context

# --- arguments -------------------------------------------------------------------------------------------------------


def misread(kind: str, values: Mapping[str, Any], inputs: Sequence[Tensor], given: Given | None) -> str:
    """What to write for arguments that look like those of another library; empty where they do not."""
    if given is None or not inputs or not inputs[0].shape:
        return ""
    return LAYERS[kind].misread(values, inputs[0].shape, len(given.positional))


def misread_window(kind: str, values: Mapping[str, Any], inputs: Sequence[Tensor], given: Given | None) -> str:
    """The same for a window that does not fit: then nobody minds how many channels come in."""
    if given is None or not inputs or "filters" not in values:
        return ""
    return LAYERS[kind].misread(values, (*inputs[0].shape[:-1], values["filters"]), len(given.positional))


def doubt_arguments(at: Context, kind: str, values: Mapping[str, Any], span: Span, help: str) -> None:
    read = ", ".join(f"{name}={describe(value)}" for name, value in values.items())
    _doubt(at, "foreign-arguments", f"`{LAYERS[kind].word}` is given `{read}` here", span, help)


def doubt_flow(at: Context, node: Node, callee: str, given: Given) -> None:
    """A layer of several values that is given one, beside a flow that has no part in it."""
    cls, flow = LAYERS[callee], at.flow
    # a join takes any number of values, a comparison has numbers for the others
    takes_others = cls.most is not None and cls.least == 1 and not cls.places
    if not takes_others or len(given.tensors) != 1 or at.piped or at.binding or not isinstance(flow, Tensor):
        return
    value, written = given.tensors[0], given.flowing[0].span.text
    if value.number == flow.number or flow.number in _ancestors(at, value) or _begins_statement(at, node):
        return
    message = f"`{callee}` works on `{written}` alone, and what flows here has no part in it"
    rest = node.span.text.partition("(")[2]
    help = f"the value that asks stands first: `{callee}(identity, {rest}`"
    _doubt(at, "flow-left-out", message, node.span, help)


def _begins_statement(at: Context, node: Node) -> bool:
    """Does a statement begin with the call? Then it is a new flow, and the old one has a use or is told of as lost."""
    flows = [n.value for n in tree.walk(at.scope.definition.body) if isinstance(n, tree.Flow)]
    first = [value.stages[0] if isinstance(value, tree.Pipeline) else value for value in flows]
    return any(node is (step.step if isinstance(step, tree.NamedStep) else step) for step in first)


def _ancestors(at: Context, value: Tensor) -> set[int]:
    """The numbers of all values that one was made of."""
    found: set[int] = set()
    todo = [value.number]
    while todo:
        maker = at.scope.makers.get(todo.pop())
        new = {t.number for t in maker.inputs} - found if maker is not None else set()
        found |= new
        todo += new
    return found


def _doubt(at: Context, code: str, message: str, span: Span, help: str) -> None:
    found = Diagnostic(code, message, Label(span), help=help, severity="warning")
    at.scope.session.doubts.setdefault(span, found)


# --- shapes ----------------------------------------------------------------------------------------------------------

BATCHES = ("batch", "batch_size", "batchsize", "bs", "B", "b", "n_batch")
_CHANNELS = ("C", "c", "channels", "ch")
_EXTENTS = ("H", "W", "D", "T", "L", "S", "h", "w", "d", "t", "l", "s", "height", "width", "time", "length")
# an image has so many channels at most, and so many cells along each side at least
_FEW, _SIDE = 4, 8
# a sequence is hardly shorter
_LONG = 32
# the layers that slide over the axes in front of the channels, or run along them
_SLIDING = ("conv", "pool", "recurrent")


def habit(shape: Shape) -> tuple[str, Shape] | None:
    """The code of a habit that a shape shows, and what to write; None where it shows none."""
    without = _without_batch(shape)
    if without is not None:
        return "batch-written", _channels_last(without) or without
    last = _channels_last(shape)
    return None if last is None else ("channels-first", last)


def _without_batch(shape: Shape) -> Shape | None:
    if len(shape) < 2:
        return None
    first, rest = shape[0], shape[1:]
    named = {name for name in map(_name, rest) if name}
    several = _name(first) == "N" and len(shape) > 2 and (len(shape) == 4 or named & {*_CHANNELS, *_EXTENTS})
    if _name(first) in BATCHES or several:
        return rest
    one_image = len(shape) == 4 and first == 1
    images = len(shape) == 4 and rest[0] in (1, 3) and rest[1] == rest[2] and _is_side(rest[1])
    return rest if one_image or images else None


def _channels_last(shape: Shape) -> Shape | None:
    """The shape with its channels last, where they look to be first."""
    if len(shape) < 2:
        return None
    first, rest = shape[0], shape[1:]
    few = isinstance(first, int) and first <= _FEW
    if len(shape) == 3 and (few or _name(first) in _CHANNELS) and all(_name(n) in _EXTENTS for n in rest):
        return (*rest, first)
    square = rest[0] == rest[-1] or all(isinstance(n, int) and n >= _LONG for n in rest)
    if len(shape) == 3 and few and square and all(map(_is_side, rest)):
        return (*rest, first)
    wave = len(shape) == 2 and first == 1 and isinstance(rest[0], int) and rest[0] >= _LONG
    along = len(shape) == 2 and (isinstance(first, int) or _name(first) in _CHANNELS) and _name(rest[0]) in _EXTENTS
    return (*rest, first) if wave or along else None


def _name(size: Dim) -> str:
    return str(size) if isinstance(size, DimExpr) and str(size).isidentifier() else ""


def _is_side(size: Dim) -> bool:
    return isinstance(size, int) and size >= _SIDE


def habit_help(ports: Iterable[Port]) -> str:
    """The help for an error that the shape of an input may have led to; empty where none shows a habit."""
    for port in ports:
        found = habit(port.value.shape)
        if found is not None:
            return _instead(*found)
    return ""


def _instead(code: str, shape: Shape) -> str:
    return f"{_REASONS[code]}: write `{show(shape)}`"


_REASONS = {
    "channels-first": "channels come last here, whatever the framework",
    "batch-written": "the batch is never written, and channels come last",
}
# the faults that a wrong order of axes leads to
SHAPED = ("wrong-rank", "window-too-large", "shape-mismatch", "no-time-axis", "group-mismatch")


def report_inputs(body: Body, faults: Collector) -> None:
    """Warnings of inputs with their channels first, or with an axis for the batch."""
    for port in body.inputs:
        shape = port.value.shape
        found, alone = habit(shape), len(shape) == 2 and shape[0] == 1
        if found is None and not alone:
            continue
        styles = {step.layer.style: step for step in reversed(list(_met(body.items, {port.value.number})))}
        sliding = next((styles[style] for style in _SLIDING if style in styles), None)
        if found is not None and (sliding is not None or found[0] == "batch-written"):
            faults.add(_of_input(port, *found, sliding))
        elif alone and styles.keys() == {"dense"}:
            faults.add(_of_input(port, "batch-written", shape[1:], styles["dense"]))


def _of_input(port: Port, code: str, instead: Shape, step: Step | None) -> Diagnostic:
    shape, value = port.value.shape, port.value
    said = {
        "channels-first": f"{show(shape)} is read with {shape[-1]} channels, the last axis",
        "batch-written": f"the first axis of {show(shape)} looks like a batch, and is read as one of each sample",
    }
    others = () if step is None else (Label(step.span, f"`{step.layer.word}` takes it so"),)
    help = _instead(code, instead)
    return Diagnostic(code, said[code], Label(value.span), others, help, severity="warning")


def _met(items: Iterable[Item], numbers: set[int]) -> Iterator[Step]:
    """The steps that values meet first; those that work on each number alone hand them on."""
    for item in items:
        if isinstance(item, Region):
            yield from _met(item.items, numbers)
            continue
        if numbers.isdisjoint(t.number for t in item.inputs):
            continue
        if isinstance(item, BlockCall):
            pairs = zip(item.body.inputs, item.inputs)
            yield from _met(item.body.items, {port.value.number for port, t in pairs if t.number in numbers})
            continue
        yield item
        if item.layer.pointwise:
            numbers.update(t.number for t in item.outputs)
