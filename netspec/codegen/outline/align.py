"""Columns: the items of all instances side by side, and what can be asked of them."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Call, written
from ..lowering.lower import LoweredCall, LoweredRegion, LoweredStep
from .ssa import MismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...ir.types import Instance
    from ...pycode.expr import Code
    from ..lowering.lower import Lowered, LoweredBody


def aligned(columns: list[tuple[Lowered, ...]]) -> list[tuple[Any, ...]]:
    """The items of all instances, side by side. Raises MismatchError where they are not of the same kinds."""
    if len({len(c) for c in columns}) != 1:
        raise MismatchError
    found = list(zip(*columns))
    if any(len({type(item) for item in column}) != 1 for column in found):
        raise MismatchError
    return found


def kind_of(column: tuple[LoweredRegion, ...]) -> str:
    """`loop`, `if` or the kind of a plain scope. Raises MismatchError where the parts are not the same in the spec."""
    first = column[0].region
    if any(p.region.kind != first.kind or p.region.node.span != first.node.span for p in column):
        raise MismatchError
    return "loop" if first.kind in ("repeat", "for") else first.kind


def check_used_by_all(columns: Seq[tuple[Lowered, ...]]) -> None:
    """Raises MismatchError where only some instances use a thing that is made once, as in a loop of no turn: the others
    would have its weights for nothing. What one branch alone uses is made in that branch."""
    uses = [_shared_in(items) for items in columns]
    for instance in set().union(*uses):
        around = set().union(*(found.get(instance, ()) for found in uses))
        if not all(instance in found for found in uses) and (len(around) > 1 or None in around):
            raise MismatchError


def _shared_in(items: Seq[Lowered], around: Any = None) -> dict[Instance, set[Any]]:
    """The things that are made once and used in some items, each with the branches around its uses."""
    found: dict[Instance, set[Any]] = {}
    for item in items:
        if isinstance(item, LoweredRegion):
            region = item.region
            inner = (region.span, region.choice) if region.kind == "if" and around is None else around
            for instance, places in _shared_in(item.items, inner).items():
                found.setdefault(instance, set()).update(places)
        else:
            shared = _shared_by(item)
            if shared is not None:
                found.setdefault(shared, set()).add(around)
    return found


def by_form(bodies: Iterable[LoweredBody]) -> list[list[LoweredBody]]:
    """Bodies that have the same steps in the same branches, each form apart."""
    found: dict[Any, list[LoweredBody]] = {}
    for body in bodies:
        found.setdefault(_form(body.items), []).append(body)
    return list(found.values())


def _form(items: Seq[Lowered]) -> tuple[Any, ...]:
    """What steps and branches there are; of loops what their turns may be."""
    found: list[Any] = []
    for item in items:
        if isinstance(item, LoweredRegion):
            inner, region = _form(item.items), item.region
            found.append((region.kind, region.choice if region.kind == "if" else 0, inner))
        elif isinstance(item, LoweredCall):
            found.append(("call", item.code.body.definition.span))
        else:
            kind = item.step.layer.kind if item.step is not None else ""
            found.append((kind, *((a.name, a.stateful, *_callee(a.make)) for a in item.use.steps)))
    return tuple(dict.fromkeys(found)) if all(part[0] == "turn" for part in found) else tuple(found)


def _callee(make: Code) -> tuple[str, ...]:
    """What constructs a module, and which words it is given."""
    known = isinstance(make, Call) and isinstance(make.func, str)
    return (str(make.func), *(word for word, _ in written(make.kwargs))) if known else ()


def turns_of(column: tuple[LoweredRegion, ...]) -> list[list[LoweredRegion]]:
    """The turns of a loop in each instance."""
    return [[t for t in p.items if isinstance(t, LoweredRegion)] for p in column]


def by_pick(column: tuple[LoweredRegion, ...]) -> dict[int, list[int]]:
    """The places of the instances that take each branch, in the order of the branches."""
    found: dict[int, list[int]] = {}
    for place, part in enumerate(column):
        found.setdefault(part.region.choice, []).append(place)
    return dict(sorted(found.items()))


def last_name(column: Seq[LoweredStep | LoweredCall]) -> str:
    """The name of an item that has another number in other instances: the highest, which no other item has."""
    return max((item.name for item in column), key=lambda n: (len(n), n))


def branch_name(column: tuple[LoweredRegion, ...]) -> str:
    """A name for a branch: that of the first thing in it that the author named, else what it begins with."""
    items = [item for part in column for item in part.items]
    for item in items:
        if isinstance(item, LoweredRegion) and item.region.name:
            return item.region.name
        if isinstance(item, LoweredStep | LoweredCall) and item.given:
            return item.given
    for item in items:
        if isinstance(item, LoweredStep) and item.step is not None:
            return item.step.layer.kind
        if isinstance(item, LoweredCall):
            return item.code.body.name
    return "branch"


# --- chains ----------------------------------------------------------------------------------------------------------


def flattened(items: Seq[Lowered]) -> tuple[Lowered, ...]:
    """A scope's steps in a row: loops, turns, branches and nameless scopes opened."""
    found: list[Lowered] = []
    for item in items:
        if isinstance(item, LoweredRegion) and not item.region.name:
            found.extend(flattened(item.items))
        else:
            found.append(item)
    return tuple(found)


def is_chain(items: Seq[Lowered], uses: Mapping[int, int]) -> bool:
    """Does each step take just the one before it, and could each stand in a Sequential?"""
    before = None
    for item in items:
        if (
            isinstance(item, LoweredRegion)
            or _shared_by(item) is not None
            or (isinstance(item, LoweredCall) and item.form is not None)
        ):
            return False
        if isinstance(item, LoweredStep) and not all(a.plain for a in item.use.steps):
            return False
        if len(item.inputs) != 1 or len(item.outputs) != 1 or (before is not None and item.inputs[0] != before):
            return False
        if before is not None and uses.get(before) != 1:
            return False
        before = item.outputs[0]
    return bool(items)


def _shared_by(item: LoweredStep | LoweredCall) -> Instance | None:
    """The thing made once that a layer or call uses."""
    holder = item if isinstance(item, LoweredCall) else item.step
    return holder.shared if holder is not None else None


def shape_after(item: Lowered) -> Any:
    """The shape of what comes out of a step; None where it has none of its own."""
    if isinstance(item, LoweredCall):
        return item.call.outputs[0].shape
    return item.step.output.shape if isinstance(item, LoweredStep) and item.step is not None else None
