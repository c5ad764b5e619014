"""Which function reads which operator of PyTorch: the one place that names them."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from .building import Building
    from .layout import HeldValue
    from .program import ProgramNode

    # gives what comes out, in the order of the results; None stands for one that is not there
    Operator: TypeAlias = "Callable[[Building, ProgramNode], HeldValue | tuple[HeldValue | None, ...]]"

OPERATORS: dict[str, Any] = {}
# operators that want their first argument as (N, C, spatial...)
ON_GRIDS: set[str] = set()

# operators that may give the numbers that they take, seen otherwise or a part of them
_SHARING = (
    "view reshape flatten unflatten squeeze unsqueeze permute transpose t swapaxes numpy_T mT adjoint movedim "
    "expand expand_as broadcast_to select slice narrow split split_with_sizes chunk tensor_split unbind "
    "contiguous alias detach to type_as view_as reshape_as dropout feature_dropout alpha_dropout positive "
    "lift_fresh"
)
SHARING = frozenset(_SHARING.split())


def reads(*names: str, grid: bool = False) -> Callable[[Operator], Operator]:
    """Marks a function as the reader of operators; `grid` says that they work on `(N, C, spatial...)`."""

    def mark(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(names, function))
        ON_GRIDS.update(names if grid else ())
        return function

    return mark


def given(node: ProgramNode, name: str, default: Any = None) -> Any:
    """An argument of an operator by the name that it has in PyTorch's schema."""
    return node.args.get(name, default)


def first(node: ProgramNode) -> Any:
    """The first argument: `self` or `input`."""
    return next(iter(node.args.values()))
