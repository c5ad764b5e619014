"""A whole program: the templates of all blocks that a net uses, callees first, and that of the net."""

from __future__ import annotations

from ...base.diagnostics import SpecError
from ...base.record import TYPE_CHECKING
from ..ir import REQUIRED, Invoke, opened
from ..passes.shared import check_shared
from .groups import grouped, hold_against
from .ssa import MismatchError
from .witnesses import ENOUGH, FEW, Witnesses

if TYPE_CHECKING:
    from collections.abc import Mapping, Set
    from collections.abc import Sequence as Seq

    from ...ir.types import CheckedNet
    from ..ir import Template
    from ..lowering.lower import LoweredBody, Lowering
    from ..styles import Style
    from .groups import InstanceGroup


def outline(
    net: CheckedNet, code: LoweredBody, lowering: Lowering, styles: Mapping[str, Style], taken: Set[str]
) -> list[Template]:
    """The templates of a program; the net's is the last. `code` is the net as `lowering` has it, `styles` are the ways
    of writing by the kind of body, `taken` are names that no definition may have.

    A number among the net's parameters stays a parameter of the program where the same text is right for its other
    values: the net is elaborated with several of them, and all are unified.
    """
    groups = grouped(code, styles, set(taken))
    witnesses = Witnesses(net.net, lowering)
    found = _exposing(groups, witnesses) or _attempt(groups, witnesses, []) or [g.template for g in groups]
    check_shared(found, lowering.target)
    return _called(found)


def _called(templates: Seq[Template]) -> list[Template]:
    """The templates that the last one calls, and it: all but those of calls that lead nowhere."""
    names: set[str] = set()
    todo = [templates[-1]]
    while todo:
        template = todo.pop()
        if template.name not in names:
            names.add(template.name)
            todo += [node.template for node in opened(template.nodes) if isinstance(node, Invoke)]
    return [template for template in templates if template.name in names]


def _exposing(groups: Seq[InstanceGroup], witnesses: Witnesses) -> list[Template] | None:
    """The templates with as many of the net's parameters as can be had; None where there are none."""
    names = witnesses.exposable()
    together = witnesses.of_net(names)
    if 1 < len(names) <= FEW and 0 < len(together) < 2 * ENOUGH:
        # few of all at once say little
        together += [code for name in names for code in witnesses.of_net([name])]
    found = _attempt(groups, witnesses, together) if together else None
    if found is not None or len(names) == 1:
        return found
    kept: list[LoweredBody] = []
    taken: list[str] = []
    for name in names:
        # what goes by itself may not go with those that are taken already
        codes = witnesses.of_net([*taken, name]) + (witnesses.of_net([name]) if taken else [])
        unified = _attempt(groups, witnesses, [*kept, *codes]) if codes else None
        if unified is not None:
            kept, found = [*kept, *codes], unified
            taken.append(name)
    return found


def _attempt(groups: Seq[InstanceGroup], witnesses: Witnesses, nets: Seq[LoweredBody]) -> list[Template] | None:
    """The templates with these witnesses of the net; None where one text cannot say them all."""
    try:
        unified = hold_against(groups, witnesses, nets)
        check_shared(unified, witnesses.lowering.target)
    except (MismatchError, SpecError):
        return None
    return unified if all(p.default is not REQUIRED for p in unified[-1].parameters) else None
