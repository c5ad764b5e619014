"""The rules of elaboration, by the nodes of the tree: the one file that knows them all."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .evaluate import EXPRESSIONS
from .session import MOST_INSTANCES, Rules, Session
from .statements import STATEMENTS

if TYPE_CHECKING:
    from ..base.diagnostics import Collector
    from ..ir.types import Design
    from .session import Cache

_RULES = Rules(STATEMENTS, EXPRESSIONS)


def begin(
    design: Design,
    faults: Collector,
    cache: Cache | None = None,
    limit: int = MOST_INSTANCES,
    ends_early: bool = False,
) -> Session:
    """An elaboration. `cache` holds what is worked out already, and takes what is worked out now; a net may have
    `limit` instances; `ends_early` says that the first error ends it, as `Unsound`."""
    return Session(design, faults, _RULES, cache, limit, ends_early)
