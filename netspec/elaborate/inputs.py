"""`input`: the shape that a net asks for, the shape that comes into a block."""

from __future__ import annotations

from ..diagnostics import nearest
from ..dims import DimExpr, show, symbol
from ..ir import Port, Tensor
from ..layers.arguments import CONSTANTS
from ..record import TYPE_CHECKING
from ..syntax import tree
from .machine import HOLE, kind_of

if TYPE_CHECKING:
    from typing import Any

    from ..dims import Shape
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
            return frame.machine.fault("wrong-value", "a size is a number or a name", size.span, help=_NO_BATCH)
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
        return frame.machine.fault(
            "wrong-value",
            f"there is no type `{node.dtype.text}`",
            node.dtype.span,
            help=_type_help(node.dtype.text),
        )
    return frame.tensor(tuple(sizes), dtype or "float32", node.span)


def _type_help(name: str) -> str:
    word = name.rstrip("0123456789_t")
    meant = word if word in _DTYPES else nearest(word, _DTYPES)
    return f"write `{meant}`" if meant else "types are float, int and bool"


_NO_BATCH = "the batch is never written; a size that is not known yet is a name, such as `T`"


def _size_help(value: Any) -> str:
    if isinstance(value, tuple):
        return f"sizes stand apart: `[{', '.join(map(str, value))}]`"
    return _NO_BATCH if value is None or value == -1 else ""


def _block_input(frame: Frame, node: tree.Input) -> Any:
    place = len(frame.ports)
    value = frame.given[place] if place < len(frame.given) else HOLE
    if not isinstance(value, Tensor):
        return HOLE
    inner = frame.tensor(value.shape, value.dtype, node.span, value.batched)
    if node.sizes is not None and not _match_sizes(frame, node, value.shape):
        return HOLE
    return inner


def _match_sizes(frame: Frame, node: tree.Input, shape: Shape) -> bool:
    """Bind the names of `[h, w, c]`, and hold the numbers against what comes in."""
    written = list(node.sizes or ())
    dots = [i for i, s in enumerate(written) if isinstance(s, tree.Ellipsis)]
    where = frame.machine.chain[-1][1] if frame.machine.chain else node.span
    if len(written) - len(dots) > len(shape) or (not dots and len(written) != len(shape)):
        frame.machine.fault(
            "wrong-rank",
            f"block {frame.definition.name.text} takes {len(written) - len(dots)} axes, but {show(shape)} comes in",
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
                f"block {frame.definition.name.text} wants {wanted} here, but {show(shape)} comes in with {actual}",
                where,
                f"this gives it {show(shape)}",
                ((size.span, f"{wanted} is asked for here"),),
            )
            return False
    return True
