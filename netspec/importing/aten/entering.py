"""In which order the axes of an input lie: as the operators that it comes to want them."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from .building import refs_in
from .layout import channels_last
from .pointwise import POINTWISE
from .table import ON_GRIDS

if TYPE_CHECKING:
    from .program import Program, ProgramNode

_PASSING = frozenset((*POINTWISE, "add", "sub", "mul", "div", "cat", "to", "clone", "contiguous", "pad", "slice"))


def input_orders(program: Program) -> dict[str, tuple[int, ...]]:
    """For each input the framework's axes in the order in which they lie in the language."""
    users: dict[str, list[ProgramNode]] = {}
    for node in program.nodes:
        for name in refs_in(node.args):
            users.setdefault(name, []).append(node)
    return {name: _order(program, name, users) for name in program.inputs}


def _order(program: Program, name: str, users: dict[str, list[ProgramNode]]) -> tuple[int, ...]:
    shape = program.metas[name].shape or ()
    rank = len(shape)
    if rank < 3:
        return tuple(range(1, rank))
    found = _wanted(name, tuple(range(rank)), users)
    if found is not None:
        return found
    return channels_last(rank) if rank > 3 else tuple(range(1, rank))


def _wanted(name: str, seen: tuple[int, ...], users: dict[str, list[ProgramNode]]) -> tuple[int, ...] | None:
    """What the first operator that cares wants; `seen` are the input's axes as a value on the way to it has them."""
    todo, known = [(name, seen)], {name}
    for here, axes in todo:
        for node in users.get(here, ()):
            target = node.target.removesuffix("_")
            if target in ON_GRIDS and target != "pad":
                return tuple(axes[n] for n in channels_last(len(axes)))
            if target in ("linear", "layer_norm", "lstm", "gru", "matmul"):
                return tuple(n for n in axes if n != 0)
            turned = _turned(node, axes)
            if turned is not None and node.results[0] not in known:
                known.add(node.results[0])
                todo.append((node.results[0], turned))
    return None


def _turned(node: ProgramNode, axes: tuple[int, ...]) -> tuple[int, ...] | None:
    if node.target == "permute":
        return tuple(axes[n] for n in node.args["dims"])
    if node.target == "transpose":
        a, b = node.args["dim0"] % len(axes), node.args["dim1"] % len(axes)
        return tuple(axes[{a: b, b: a}.get(n, n)] for n in range(len(axes)))
    return axes if node.target.removesuffix("_") in _PASSING else None
