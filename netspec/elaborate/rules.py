"""The rules of elaboration, by the nodes of the tree: the one file that knows them all."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .evaluate import EXPRESSIONS
from .session import Rules, Session
from .statements import STATEMENTS

if TYPE_CHECKING:
    from typing import Any

    from ..base.diagnostics import Collector
    from ..ir.types import Body, Design
    from .session import Poison

_RULES = Rules(STATEMENTS, EXPRESSIONS)


def begin(design: Design, faults: Collector, bodies: dict[Any, Body | Poison] | None = None) -> Session:
    """An elaboration. `bodies` holds what is elaborated already, and takes what is elaborated now."""
    return Session(design, faults, _RULES, bodies)
