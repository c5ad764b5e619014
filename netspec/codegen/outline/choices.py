"""Choices: branches of the spec that the instances of a block take differently."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...syntax import tree
from ..ir import Choice
from .align import branch_name, by_pick, check_used_by_all
from .changes import ranks_of
from .expressions import express
from .ssa import MismatchError
from .terms import Contexts, code, equal, negated, under

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..lowering.lower import LoweredRegion
    from .ssa import ControlRegion, InstancePath
    from .terms import Term
    from .unification import Unification, Unified


def unify_choice(
    unifier: Unification, column: tuple[LoweredRegion, ...], contexts: Contexts, arounds: Seq[InstancePath]
) -> list[Unified]:
    """The branches that are taken somewhere, each with its condition. Raises MismatchError."""
    picks = [p.region.choice for p in column]
    if unifier.shares and not contexts.loops:
        for places in by_pick(column).values():
            check_used_by_all([column[k].items for k in places])
    if len(set(picks)) == 1:
        if not contexts.branch:  # within a branch it would be a demand of that branch only
            for term in _demands(column[0].region.node, picks[0], contexts):
                unifier.demand(term, contexts)
        return unifier.items([p.items for p in column], contexts, arounds)
    ranks = [tuple(ranks_of(unifier.bodies[owner])) for owner in contexts.owners]
    if len({frozenset(ranks[place] for place in places) for places in by_pick(column).values()}) > 1:
        raise MismatchError  # whoever takes another branch than before would take it on values of another rank
    region = plan_choice(unifier, column, arounds)
    unifier.values.deciding[region.uid] = _deciding(column[0].region.node, contexts)
    empty = not any(p.items for p in column)
    conditions = {} if empty else _conditions(unifier, column, picks, contexts)
    asked = _asked(column, contexts) if empty else frozenset()
    for names in (around := list(unifier.undecided)):
        names |= asked
    branches = []
    for pick, places in by_pick(column).items():
        inner = [arounds[k].within(region.uid, pick) for k in places]
        before = len(unifier.parameters.needs)
        nodes = unifier.items([column[k].items for k in places], contexts.in_branch(places), inner)
        unifier.parameters.needs[before:] = _where_taken(unifier.parameters.needs[before:], conditions, pick)
        branches.append((pick, nodes))
    unifier.values.close(region)
    if conditions:
        unifier.branches[region.uid] = {pick: (conditions[pick], at) for pick, at in by_pick(column).items()}

    def close() -> Choice | None:
        if empty and not region.phis:
            return None  # it decided about nothing that is left here
        for names in around:
            names -= asked
        said = conditions or _conditions(unifier, column, picks, contexts)
        made = tuple((_code(said[pick]), unifier.close(nodes)) for pick, nodes in branches)
        phis = tuple((tuple(phi.operands.get(pick) for pick, _ in branches), phi.own) for phi in region.phis)
        return Choice(made, phis, branch_name(column))

    return [close]


def _where_taken(needs: Seq[Term], conditions: dict[int, Term | None], pick: int) -> Seq[Term]:
    """What a branch needs, which is needed only where its condition holds and none of those before it."""
    for number, condition in reversed(conditions.items()):
        if condition is not None and number <= pick:
            needs = under(needs, condition, holds=number == pick)
    return needs


def _code(condition: Term | None) -> Any:
    """What stands behind `if`; nothing behind `else`."""
    return None if condition is None else code(condition)


def _demands(node: Any, pick: int, contexts: Contexts) -> list[Term]:
    """What has to hold for the one branch that is taken everywhere, where it depends on what a caller may say."""
    found = []
    for number in range(pick + 1):
        if not isinstance(node, tree.If):
            break
        term = express(node.condition, contexts)
        if term is None or any(value is not (number == pick) for value in term.values):
            return []
        if term.names:
            found.append(term if number == pick else term.replace(text=negated(term.text), rank=0))
        node = node.otherwise
    return found


def _deciding(node: Any, contexts: Contexts) -> frozenset[str]:
    """The names that decide between branches; what cannot be said is decided by a caller."""
    found: set[str] = set()
    while isinstance(node, tree.If):
        term = express(node.condition, contexts)
        found |= {""} if term is None else term.names
        node = node.otherwise
    return frozenset(found)


def plan_choice(unifier: Unification, column: tuple[LoweredRegion, ...], arounds: Seq[InstancePath]) -> ControlRegion:
    """The choice as it was announced, or a new one."""
    key = tuple(id(p) for p in column)
    if key not in unifier.planned:
        unifier.planned[key] = unifier.values.region(
            column[0].region.node.span, False, arounds, [p.region.choice for p in column]
        )
    return unifier.planned[key]


def _asked(column: tuple[LoweredRegion, ...], contexts: Contexts) -> frozenset[str]:
    """The names of loops that the conditions of a choice ask for."""
    node: Any = column[0].region.node
    found: set[str] = set()
    while isinstance(node, tree.If):
        term = express(node.condition, contexts)
        found |= term.names if term is not None else set()
        node = node.otherwise
    return frozenset(found.intersection(contexts.loops))


def _conditions(
    unifier: Unification, column: tuple[LoweredRegion, ...], picks: list[int], contexts: Contexts
) -> dict[int, Term | None]:
    """What decides for each branch that is taken somewhere; the last one needs no condition."""
    node: Any = column[0].region.node
    found: dict[int, Term | None] = {}
    *taken, last = sorted(set(picks))
    for number in range(last):
        if number in taken:
            wanted = tuple(p == number for p in picks)
            term = express(node.condition, contexts)
            # where an earlier branch is taken, it does not matter what the condition says
            if term is None or not all(p < number or equal(v, w) for p, v, w in zip(picks, term.values, wanted)):
                name = branch_name(tuple(p for p, taken in zip(column, wanted) if taken))
                term = unifier.parameters.add(f"has_{name}", wanted, contexts)
            unifier.parameters.use(term)
            found[number] = term
        node = node.otherwise if isinstance(node.otherwise, tree.If) else node
    return {**found, last: None}
