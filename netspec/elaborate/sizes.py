"""Sizes that are known when a net runs: the values in a body that say them."""

from __future__ import annotations

from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING
from ..ir.types import Tensor
from ..layers import LAYERS
from ..layers.arguments import Violation
from ..layers.base import bind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .scope import Scope


def with_sizes(scope: Scope, kind: str, values: Mapping[str, Any], inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The inputs of a layer, and behind them the values whose sizes its arguments hang on. Raises Violation."""
    cls = LAYERS[kind]
    if not cls.sized_by or not any(map(_is_symbolic, values.values())):
        return inputs
    from ..layers.measured import says, unread

    left = cls.works_out
    for size in bind(cls, values).asks(*(t.shape for t in inputs)):
        for name in unread(size, [t.shape for t in inputs]):
            found = next((t for t in _values(scope) if says(name, (t.shape,))), None)
            if found is not None:
                inputs = (*inputs, found)
            elif left:
                left -= 1  # what is asked of the others settles it
            else:
                raise _unsaid(scope, name, next(iter(cls.arguments)))
    return inputs


def _is_symbolic(value: Any) -> bool:
    return any(map(_is_symbolic, value)) if isinstance(value, tuple) else isinstance(value, DimExpr)


def _values(scope: Scope) -> Iterator[Tensor]:
    """The values of a body that may say a size, its inputs first."""
    yield from (port.value for port in scope.ports)
    yield from (value for value in scope.names.values() if isinstance(value, Tensor) and value.batched)


def _unsaid(scope: Scope, name: str, argument: str) -> Violation:
    where = f"{scope.definition.word} {scope.definition.name.text}"
    help = f"give it a value that is so long, as one more `input`; or give `{name}` a value with `--set`"
    return Violation("unknown-size", f"no value of {where} says how large {name} is when it runs", argument, help)
