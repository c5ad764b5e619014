"""`input`: the shape that a net asks for, the shape that comes into a block."""

from __future__ import annotations

from ..diagnostics import nearest
from ..dims import DimExpr, show, symbol
from ..ir import Port, Tensor
from ..layers.arguments import CONSTANTS, Violation, describe
from ..layers.shapes import held
from ..record import TYPE_CHECKING
from ..syntax import tree
from .machine import HOLE, Hole, kind_of

if TYPE_CHECKING:
    from typing import Any

    from ..dims import Shape
    from ..source import Span
    from .frame import Frame


def declare_input(frame: Frame, node: tree.Input) -> None:
    if isinstance(frame.flow, Tensor) and frame.flow not in [p.value for p in frame.ports]:
        help = "move it up, before all steps"
        frame.machine.fault("misplaced-input", "this input stands behind the first steps", node.span, help=help)
    value = _net_input(frame, node) if frame.top else _block_input(frame, node)
    frame.bind(node.name, HOLE if node.name.text in frame.arguments else value)  # two things of one name are told of
    if isinstance(value, Tensor):
        limit = frame.evaluate(node.limit) if node.limit is not None else None
        frame.ports.append(Port(node.name.text, value, limit if isinstance(limit, int | DimExpr) else None))
        if frame.top:
            frame.machine.inputs.append(frame.ports[-1])
    frame.flow = value if len(frame.ports) <= 1 else None


_DTYPES = {"int": "int64", "float": "float32", "bool": "bool"}


def _net_input(frame: Frame, node: tree.Input) -> Any:
    if node.sizes is None:
        return frame.machine.fault(
            "missing-shape",
            f"the input `{node.name.text}` of a net needs a shape",
            node.span,
            help=f"write `input {node.name.text} [224, 224, 3]`",
        )
    sizes = []
    for size in node.sizes:
        if isinstance(size, tree.Ellipsis):
            return frame.machine.fault(
                "wrong-value", "`...` stands for axes of a block's input; a net must say its own", size.span
            )
        if isinstance(size, tree.Name) and size.text in CONSTANTS:
            return frame.machine.fault("wrong-value", "a size is a number or a name", size.span, help=NO_BATCH)
        if isinstance(size, tree.Name) and size.text not in frame.names and size.text not in frame.design.constants:
            frame.symbols[size.text] = None
            frame.names[size.text] = symbol(size.text)
        value = frame.evaluate(size)
        if value is HOLE:
            return HOLE
        if isinstance(value, bool) or not isinstance(value, int | DimExpr) or (isinstance(value, int) and value < 1):
            return frame.machine.fault(
                "wrong-value",
                f"a size is a whole number of at least 1, not {kind_of(value)}",
                size.span,
                help=_size_help(value),
            )
        sizes.append(value)
    dtype = _DTYPES.get(node.dtype.text) if node.dtype is not None else "float32"
    if dtype is None and node.dtype is not None:
        return _no_type(frame, node)
    return declared(frame, tuple(sizes), dtype or "float32", node.span)


def declared(frame: Frame, shape: Shape, dtype: str, span: Span, batched: bool = True) -> Tensor | Hole:
    """A value whose shape was written, of an input, a weight or a state."""
    try:
        return frame.tensor(held(shape), dtype, span, batched)
    except Violation as violation:
        return frame.machine.fault(violation.code, violation.message, span)


_TYPES = {"long": "int", "short": "int", "uint": "int", "double": "float", "half": "float", "bfloat": "float"}


def _type_help(name: str) -> str:
    word = name.rstrip("0123456789_t")
    word = _TYPES.get(word, word)
    meant = word if word in _DTYPES else nearest(word, _DTYPES)
    return f"write `{meant}`" if meant else "types are float, int and bool"


NO_BATCH = "the batch is never written; a size that is not known yet is a name, such as `T`"


def _size_help(value: Any) -> str:
    if isinstance(value, tuple):
        return f"sizes stand apart: `[{', '.join(map(describe, value))}]`"
    return NO_BATCH if value is None or value == -1 else ""


def _block_input(frame: Frame, node: tree.Input) -> Any:
    place = len(frame.ports)
    value = frame.given[place] if place < len(frame.given) else HOLE
    if not isinstance(value, Tensor):
        return HOLE
    inner = frame.tensor(value.shape, value.dtype, node.span, value.batched, value.flattened)
    if not _match_dtype(frame, node, value):
        return HOLE
    if node.sizes is not None and not _match_sizes(frame, node, value.shape):
        return HOLE
    return inner


def _match_dtype(frame: Frame, node: tree.Input, value: Tensor) -> bool:
    """Hold the type that is declared (in a net it is float where none is) against what comes in."""
    definition = frame.definition
    if node.dtype is None and definition.word != "net":
        return True
    wanted = _DTYPES.get(node.dtype.text) if node.dtype is not None else "float32"
    if wanted is None:
        _no_type(frame, node)
        return False
    if wanted.rstrip("0123456789") == value.dtype.rstrip("0123456789"):
        return True
    frame.machine.fault(
        "wrong-dtype",
        f"{definition.word} {definition.name.text} wants {wanted} here, but {value.dtype} comes in",
        _called_at(frame, node),
        "called here",
        ((node.span, "declared here"),),
    )
    return False


def _no_type(frame: Frame, node: tree.Input) -> Hole:
    assert node.dtype is not None
    name = node.dtype.text
    return frame.machine.fault("wrong-value", f"there is no type `{name}`", node.dtype.span, help=_type_help(name))


def _called_at(frame: Frame, node: tree.Input) -> Span:
    return frame.machine.chain[-1][1] if frame.machine.chain else node.span


def _match_sizes(frame: Frame, node: tree.Input, shape: Shape) -> bool:
    """Bind the names of `[h, w, c]`, and hold the numbers against what comes in."""
    written = list(node.sizes or ())
    dots = [i for i, s in enumerate(written) if isinstance(s, tree.Ellipsis)]
    where, whole = _called_at(frame, node), f"{frame.definition.word} {frame.definition.name.text}"
    count = len(written) - len(dots)
    if count > len(shape) or (not dots and count != len(shape)):
        frame.machine.fault(
            "wrong-rank",
            f"{whole} takes {count} {'axis' if count == 1 else 'axes'}, but {show(shape)} comes in",
            where,
            "called here",
            ((node.span, "declared here"),),
        )
        return False
    head = dots[0] if dots else len(written)
    pairs = list(zip(written[:head], shape)) + (
        list(zip(written[::-1], shape[::-1]))[: len(written) - head - 1] if dots else []
    )
    for size, actual in pairs:
        if isinstance(size, tree.Name) and size.text not in frame.arguments and size.text not in frame.design.constants:
            bound = frame.sizes.get(size.text, frame.names.get(size.text) if size.text in frame.sizes else None)
            if bound is None:
                frame.sizes[size.text] = frame.names[size.text] = actual
                continue
            wanted = bound
        else:
            wanted = frame.evaluate(size)
        if wanted is HOLE:
            return False
        if wanted != actual:
            frame.machine.fault(
                "shape-mismatch",
                f"{whole} wants {wanted} here, but {show(shape)} comes in with {actual}",
                where,
                f"this gives it {show(shape)}",
                ((size.span, f"{wanted} is asked for here"),),
            )
            return False
    return True
