"""Infer: the figures of a net, and what it expects of them."""

from __future__ import annotations

from ..base.bounds import TooLarge
from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING
from ..ir.types import CheckedNet, Figures
from .cost import Costs
from .critical_path import sequential_depth
from .expectations import check_expectations, check_settings
from .rows import RowWalk

if TYPE_CHECKING:
    from ..base.diagnostics import Collector
    from ..base.dims import Dim
    from ..ir.types import Net, Outcome


def infer(net: Net, faults: Collector) -> CheckedNet:
    """All figures of a net, and its expectations held against them. Faults: `expectation-failed` and what the
    conditions themselves get wrong."""
    costs = Costs()
    walk = RowWalk(net, costs)
    totals = Figures()
    depth: Dim = 0
    outcomes: tuple[Outcome, ...] = ()
    try:
        _, totals = costs.body(net.body)
        if net.symbols:
            walk.walk()  # symbolic arithmetic is counted, and may be too large, here and not later
        depth = sequential_depth(net)
        outcomes = _outcomes(net, totals, depth, walk, faults)
    except TooLarge as error:
        _too_large(net, str(error), faults)
    return CheckedNet(net, walk.rows, totals, depth, outcomes, faults.all)


def _outcomes(net: Net, totals: Figures, depth: Dim, walk: RowWalk, faults: Collector) -> tuple[Outcome, ...]:
    """What became of the expectations; of a net that went wrong only those on its parameters are looked at."""
    if net.whole:
        return check_expectations(net, totals, depth, walk.field, faults)
    check_settings(net, faults)
    return ()


def _too_large(net: Net, message: str, faults: Collector) -> None:
    """Report that the sums over a net are too large, unless elaboration has run into a limit already."""
    if faults.has("too-large"):
        return
    help = "give its symbolic sizes a value with `--set`"
    place = Label(net.body.definition.name.span, "its figures are sums over all layers")
    faults.add(Diagnostic("too-large", message, place, (), help))
