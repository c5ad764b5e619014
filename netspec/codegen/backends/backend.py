"""What the pipeline asks of a form of code: how bodies are lowered, how definitions are written, how a file is."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Set
    from typing import TypeAlias

    from ...ir.types import Body, CheckedNet
    from ..ir import Template
    from ..lowering.lower import LoweredBody, Lowering
    from ..styles import Style
    from .weight_map import Called, WeightBinding

    Layouts: TypeAlias = "tuple[tuple[str, ...], tuple[str, ...]]"


def _accept(_code: LoweredBody) -> None:
    """Every lowered net has this form."""


def _as_the_language(_body: Body, _taken: tuple[str, ...]) -> Layouts:
    """Values have the channels last."""
    return (), ()


class Backend(Record):
    """One form of the code of one framework.

    `lowering` makes the lowering of one program, and `check` raises SpecError where the form cannot say the lowered
    net. `styles` say how definitions are written, by the kind of body; no definition has one of the names `taken`.
    `write` gives the text of a file of a net and its templates. Of `held` and `called` one is there: it finds the
    weights by the attributes of classes, or by the calls of straight-line code. `layouts` says how the class of a body
    takes its inputs and gives its outputs.
    """

    framework: str
    lowering: Callable[[], Lowering]
    styles: Mapping[str, Style]
    taken: Set[str]
    write: Callable[[CheckedNet, Sequence[Template]], str]
    held: Callable[[CheckedNet, Sequence[Template]], list[WeightBinding]] | None = None
    called: Callable[[CheckedNet, Sequence[Template]], list[Called]] | None = None
    check: Callable[[LoweredBody], None] = _accept
    layouts: Callable[[Body, tuple[str, ...]], Layouts] = _as_the_language
