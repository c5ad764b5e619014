"""Weights that hang on an order of numbers which PyTorch code of the usual kind does not have: refused, with what to
write."""

from __future__ import annotations

from ..base.diagnostic import Diagnostic, Label
from ..base.diagnostics import SpecError
from ..base.dims import show
from ..base.record import TYPE_CHECKING
from ..codegen.orders.usual import usual_orders

if TYPE_CHECKING:
    from ..base.dims import Shape
    from ..codegen.orders.usual import Doubt
    from ..ir.types import CheckedNet

_BUILT = "a file of the code that `netspec build` writes is the form `built`: `--from built`, `--to built`"


def refuse_doubts(net: CheckedNet) -> None:
    """Raises SpecError (`unknown-order`) where nothing tells where weights of code that people wrote belong."""
    doubts = usual_orders(net.net.body).doubts
    if doubts:
        raise SpecError([_diagnostic(doubt) for doubt in doubts])


def _diagnostic(doubt: Doubt) -> Diagnostic:
    step = doubt.step
    y = step.output.shape
    x = step.inputs[0].shape if step.inputs else y
    held = f"{show(x)} with the channels first" if len(x) > 1 else f"{show(y)} with the channels first"
    verb = {"flatten": "flattens", "reshape": "reshapes"}.get(step.layer.kind, "norms" if step.inputs else "holds")
    message = f"PyTorch code usually {verb} {held}, and then the weights around it belong elsewhere; but {doubt.why}"
    others = () if doubt.where == step.span else (Label(doubt.where, "here"),)
    return Diagnostic(
        "unknown-order", message, Label(step.span), others, f"{_explicit(step.layer.kind, x, y)}\n{_BUILT}"
    )


def _explicit(kind: str, x: Shape, y: Shape) -> str:
    """A spec that says the order which the code has."""
    if kind not in ("flatten", "reshape"):
        back = ", ".join(map(str, (*range(1, len(x)), 0)))
        return f"for weights with the channels first write `{_first(x)} -> ... -> permute({back})`"
    if len(y) == 1 and len(x) > 1:
        return f"for code that flattens with the channels first write `{_first(x)} -> flatten`"
    if len(x) == 1:
        sizes, back = ", ".join(map(str, (y[-1], *y[:-1]))), ", ".join(map(str, (*range(1, len(y)), 0)))
        return f"for code that has the channels first write `reshape({sizes}) -> permute({back})`"
    return "`permute` before it brings the axes into the order in which the code has them"


def _own(shape: Shape) -> str:
    back = ", ".join(map(str, (*range(1, len(shape)), 0)))
    return f"for a weight with the channels first write `permute({back})` of it"


def _first(x: Shape) -> str:
    return f"permute({', '.join(map(str, (len(x) - 1, *range(len(x) - 1))))})"
