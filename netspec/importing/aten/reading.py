"""From an exported program to the neutral graph."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ..graph import ImportedModel, ImportedPort
from . import arithmetic, pointwise, products, shaping, windows
from .building import Building, written
from .container import read_container
from .entering import input_orders
from .layout import HeldValue, NoCounterpart, placed
from .program import TensorRef, program_of
from .table import OPERATORS, SHARING, first

if TYPE_CHECKING:
    from .program import Program, ProgramNode

# the modules whose functions are in the table
_READERS = (arithmetic, pointwise, products, shaping, windows)
_PORT_TYPES = {"bool": "bool", "int64": "int", "int32": "int", "uint8": "int", "int8": "int", "int16": "int"}


def read_pt2(path: str) -> ImportedModel:
    """The model in a file of `torch.export.save`. Raises ReadError."""
    return model_of(program_of(read_container(path)))


def model_of(program: Program) -> ImportedModel:
    """The graph of a program, in time that grows with its nodes."""
    made = Building(program)
    for name, order in input_orders(program).items():
        _enter(made, name, order)
    for node in program.nodes:
        _read(made, node)
    made.path = ()
    found = [_output(made, ref) for _, ref in program.outputs]
    outputs = tuple((name, number) for (name, _), (number, _) in zip(program.outputs, found))
    steps = made.used([number for _, number in outputs])
    axes = tuple(axes for _, axes in found)
    return ImportedModel(program.name, tuple(made.inputs), steps, outputs, tuple(made.notes), axes)


def _enter(made: Building, name: str, order: tuple[int, ...]) -> None:
    meta = made.program.metas[name]
    number = made.number()
    if meta.shape is None or not meta.shape or meta.shape[0] != made.batch:
        made.values[name] = f"the input `{name}`, which has no batch axis"
        sizes = meta.shape or ()
        made.inputs.append(ImportedPort(name, number, written(sizes), _PORT_TYPES.get(meta.dtype, "float32")))
        return
    sizes = tuple(meta.shape[t] for t in order)
    kind = _PORT_TYPES.get(meta.dtype, "float32")
    made.inputs.append(ImportedPort(name, number, written(sizes), kind, None, order))
    made.values[name] = HeldValue(number, sizes, placed(order, 0), meta.dtype)


def _read(made: Building, node: ProgramNode) -> None:
    made.path = node.path
    target = node.target
    writes = target.endswith("_") and target not in OPERATORS
    reader = OPERATORS.get(target.removesuffix("_") if writes else target)
    if reader is None:
        if node.results:
            made.unknown(node, "")
        return
    before = len(made.steps)
    try:
        if writes:
            _may_write(made, node)
        found = reader(made, node.replace(target=target.removesuffix("_")) if writes else node)
        results = found if isinstance(found, tuple) else (found,)
        made.values.update(zip(node.results, results))
        if writes:
            _written_over(made, node)
    except NoCounterpart as odd:
        del made.steps[before:]
        made.unknown(node, str(odd))
        return
    if target in SHARING:
        for name in node.results:
            made.shares(name, first(node).name)


def _may_write(made: Building, node: ProgramNode) -> None:
    """Raises NoCounterpart where an operator writes into numbers of which others see a part."""
    target = first(node)
    if not isinstance(target, TensorRef) or target.name in made.program.tensors:
        raise NoCounterpart("it writes into the model")
    before = made.held(target).number
    for name in made.alike.get(made.roots.get(target.name, target.name), ()):
        held = made.values.get(name)
        if not isinstance(held, HeldValue) or made.held(TensorRef(name)).number != before:
            raise NoCounterpart("it writes into a part of another value")


def _written_over(made: Building, node: ProgramNode) -> None:
    """All names of a value that was written over stand for what it is now. Raises NoCounterpart where they cannot."""
    target = first(node).name
    before, after = made.held(TensorRef(target)), made.values[node.results[0]]
    family = made.alike.get(made.roots.get(target, target), [target])
    if before.sizes == after.sizes and before.axes == after.axes:
        if before.number != after.number:
            made.moved[before.number] = after.number
    elif len(family) == 1:
        made.values[target] = after
    else:
        raise NoCounterpart("it writes into a value that others see otherwise")
    made.shares(node.results[0], target)


def _output(made: Building, ref: object) -> tuple[int, tuple[int, ...]]:
    """The number of an output, and its axes in the framework. Views that joined axes are steps here."""
    if not isinstance(ref, TensorRef):
        return made.lost("an output that is no tensor"), ()
    try:
        held = made.held(ref)
        if held.lead or held.batch_axis is None:
            raise NoCounterpart("joined with its samples" if held.lead else "the same for every sample")
        held = made.plain(held)
        return held.number, held.order()
    except NoCounterpart as odd:
        return made.lost(f"an output that is {odd}"), ()
