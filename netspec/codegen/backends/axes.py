"""What a docstring says of the axes of values that come in and go out: `Takes N, C, H, W and gives N, F.`"""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...ir.types import Step, applied
from ..lowering.layout import entering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...ir.types import Body, Tensor
    from ..ir import Template

# the axes in front of the channels, by their number
_GRIDS = {2: ("H", "W"), 3: ("D", "H", "W")}


def axes_line(template: Template, names: Sequence[str], first: bool) -> list[str]:
    """The line for a class or function whose inputs have these names; nothing for a block that takes no maps, and where
    uses of a block differ.

    `first` says that the framework has channels first; else they are last in every value.
    """
    told = [body for body in template.bodies if body.definition.word == "net" or _has_maps(body)]
    lines = {_line(body, template, names, first) for body in told}
    return list(lines) if len(lines) == 1 and len(told) == len(template.bodies) else []


def _has_maps(body: Body) -> bool:
    values = [*(port.value for port in body.inputs), *(result.value for result in body.outputs)]
    return body.definition.word == "block" and any(len(v.shape) > 2 or _is_slid_over(body, v) for v in values)


def _line(body: Body, template: Template, names: Sequence[str], first: bool) -> str:
    taken = [port.value for port in body.inputs]
    given = [result.value for result in body.outputs]
    before = template.layouts or tuple(entering(body, v.shape) for v in taken)
    after = template.out_layouts or tuple(entering(body, v.shape) for v in given)
    inputs = [_axes(body, v, layout if first else "last") for v, layout in zip(taken, before)]
    outputs = [_axes(body, v, layout if first else "last") for v, layout in zip(given, after)]
    heads = [result.name for result in body.outputs]
    return f"Takes {_listed(names, inputs)} and gives {_listed(heads, outputs)}."


def _listed(names: Sequence[str], axes: Sequence[str]) -> str:
    """`N, F`, and with names where there are several."""
    if len(axes) == 1:
        return axes[0]
    said = [f"{name} ({found})" for name, found in zip(names, axes)]
    return f"{', '.join(said[:-1])} and {said[-1]}"


def _axes(body: Body, value: Tensor, layout: str) -> str:
    """`N, C, H, W`"""
    letters = _letters(body, value)
    if layout == "first" and len(letters) > 1:
        letters = (letters[-1], *letters[:-1])
    return ", ".join((*(("N",) if value.batched else ()), *letters)) or "one number"


def _letters(body: Body, value: Tensor) -> tuple[str, ...]:
    """The axes behind the batch, in the language's order."""
    rank = len(value.shape)
    if not value.dtype.startswith("float") and rank < 3:  # indices, and which steps a mask keeps
        return ("L", "T")[2 - rank :]
    if rank < 3:
        return ((), ("F",), ("L", "C") if _is_slid_over(body, value) else ("T", "F"))[rank]
    grid = _GRIDS.get(rank - 1) or tuple(f"S{k + 1}" for k in range(rank - 1))
    return (*grid, "C")


def _is_slid_over(body: Body, value: Tensor) -> bool:
    """Is a value of two axes one that windows slide over, or that they give?"""
    if len(value.shape) != 2:
        return False
    steps = (item for item in applied(body.items) if isinstance(item, Step))
    return any(
        step.layer.layout == "first" and value.number in (*(t.number for t in step.inputs), step.output.number)
        for step in steps
    )
