"""Loops: turns that one piece of code can say stay a loop, others are written out."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Call, inline
from ...pycode.names import free_names
from ...syntax import tree
from ..ir import Loop
from ..lowering.lower import LoweredRegion
from .align import aligned, by_pick, kind_of, turns_of
from .choices import plan_choice
from .expressions import express
from .ssa import MismatchError, WriteOutError
from .synthesis import Solver
from .terms import Contexts, Term, code, constant, matches, pair, plain, same

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any, TypeAlias

    from ...pycode.expr import Code
    from ..lowering.lower import Lowered
    from .ssa import ControlRegion, InstancePath
    from .unification import Unification, Unified

    Turns: TypeAlias = "list[list[LoweredRegion]]"


# what may stand around the items of a loop
_OF_PYTHON = frozenset(("range", "enumerate", "zip", "reversed", "len"))


def unify_loop(
    unifier: Unification, column: tuple[LoweredRegion, ...], contexts: Contexts, arounds: Seq[InstancePath]
) -> list[Unified]:
    """A loop of all instances. Raises MismatchError; WriteOutError where it would go without the loop."""
    turns = turns_of(column)
    if not any(turns):
        return []
    if not _rolls(unifier, column, turns):
        return _unrolled(unifier, column[0].region.node, turns, contexts, arounds)
    try:
        return [_rolled(unifier, column, turns, contexts, arounds)]
    except MismatchError as error:
        if isinstance(error, WriteOutError) or len({len(t) for t in turns}) != 1:
            raise
        raise WriteOutError(column[0].region.node.span) from None


def _rolls(unifier: Unification, column: tuple[LoweredRegion, ...], turns: Turns) -> bool:
    """Is it to be a loop? Raises MismatchError where it could be neither that nor written out."""
    counts = [len(t) for t in turns]
    fixed = len(set(counts)) == 1
    if fixed and counts[0] <= 1:
        return False
    style, inner = unifier.style, [t for ts in turns for t in ts]
    named = style.sequences and any(t.region.name for t in inner)
    # a list of lists of modules is nothing to read
    deep = style.sequences and any(isinstance(i, LoweredRegion) for t in inner for i in t.items)
    small = fixed and counts[0] * max(_steps(t.items) for t in inner) <= style.unroll
    if named or deep or small or column[0].region.node.span in unifier.written_out:
        if not fixed:
            raise MismatchError
        return False
    return True


def _steps(items: Seq[Lowered]) -> int:
    return sum(_steps(i.items) if isinstance(i, LoweredRegion) else 1 for i in items)


# --- written out ----------------------------------------------------------------------------------------------------


def _unrolled(
    unifier: Unification, node: Any, turns: Turns, contexts: Contexts, arounds: Seq[InstancePath]
) -> list[Unified]:
    for demand in _as_many(node, len(turns[0]), contexts):
        if contexts.branch:  # it is needed where the branch is taken
            unifier.parameters.needs.append(demand)
        else:
            unifier.demand(demand, contexts)
    found: list[Unified] = []
    for number, row in enumerate(zip(*turns)):
        inner = contexts.select(range(len(contexts)))
        for name in row[0].region.bindings:
            values = tuple(t.region.bindings.get(name) for t in row)
            inner.names.pop(name, None)
            term = _said(node, name, number, values, contexts)
            if term is not None:
                inner.names[name] = term
        found.extend(unifier.scope(row, inner, arounds))
    return found


def _as_many(node: Any, turns: int, contexts: Contexts) -> list[Term]:
    """The demand that there are as many turns as are written out, where that depends on what a caller may say."""
    if isinstance(node, tree.For) and isinstance(node.items, tree.List):
        return []
    bounds = _bounds(node)
    start, stop = (express(side, contexts) for side in bounds) if bounds is not None else (None, None)
    if start is not None and stop is not None:
        counted = pair("-", stop, start)
    else:
        counted = express(node.count if isinstance(node, tree.Repeat) else node.items, contexts)
    if counted is None or not counted.names:
        return []
    text = f"len({counted.text})" if isinstance(node, tree.For) and bounds is None else counted.within(5)
    return [counted.replace(text=f"{text} == {turns}", values=(True,) * len(contexts), rank=4)]


def _said(node: Any, name: str, number: int, values: tuple[Any, ...], contexts: Contexts) -> Term | None:
    """What the variable of a loop is in one turn, as its list says it."""
    if same(values) and plain(values[0]):
        return constant(values[0], len(values))
    if not isinstance(node, tree.For):
        return None
    place = [n.text for n in node.target.names].index(name)
    term = _item(node, number, place, contexts)
    return term if term is not None and matches(term.values, values) else None


def _item(node: tree.For, number: int, place: int, contexts: Contexts) -> Term | None:
    """An item of a list that is written out, or else of one that has a name."""
    if isinstance(node.items, tree.List) and number < len(node.items.items):
        item = node.items.items[number]
        if not node.target.unpacks:
            return express(item, contexts)
        return express(item.items[place], contexts) if isinstance(item, tree.TupleExpression | tree.List) else None
    items = express(node.items, contexts)
    if items is None or not items.text.isidentifier() or not all(isinstance(v, tuple) for v in items.values):
        return None
    text = f"{items.text}[{number}]" + (f"[{place}]" if node.target.unpacks else "")
    found = [v[number] for v in items.values if len(v) > number]
    if node.target.unpacks:
        found = [v[place] for v in found if isinstance(v, tuple)]
    part = items.parts[number] if items.parts else None
    part = part.parts[place] if part is not None and node.target.unpacks and part.parts else part
    needs = part.needs if part is not None else ()
    return Term(text, tuple(found), items.names, needs=needs) if len(found) == len(items.values) else None


# --- as a loop ------------------------------------------------------------------------------------------------------


def _rolled(
    unifier: Unification,
    column: tuple[LoweredRegion, ...],
    turns: Turns,
    contexts: Contexts,
    arounds: Seq[InstancePath],
) -> Unified:
    loop = _plan(unifier, column, turns, contexts, arounds)
    pairs, around = _turned(turns, arounds, loop)
    inner = contexts.select([c for c, _ in pairs])
    variables = _LoopVariables(unifier, inner, pairs, turns)
    parameters = unifier.parameters
    before, parameters.used = parameters.used, set()
    needs, parameters.needs = parameters.needs, []
    undecided: set[str] = set()
    unifier.undecided.append(undecided)
    demanded: list[Term] = []
    unifier.demanded.append(demanded)
    try:
        nodes = unifier.items([turns[c][t].items for c, t in pairs], inner, around)
    finally:
        unifier.undecided.pop()
        unifier.demanded.pop()
    used, parameters.used = parameters.used, before
    needed, parameters.needs = parameters.needs, needs
    names, items = variables.header(column, contexts, used | undecided)
    parameters.used |= used - variables.own
    for need in needed:
        if variables.own.intersection(need.names) <= {*names}:
            parameters.needs.append(_in_any_turn(need, names, items, variables.own))
    for term in demanded:
        if variables.own.intersection(term.names) <= {*names}:
            unifier.demand(_in_all_turns(term, names, items, variables.own), contexts)
    doubts = unifier.values.doubts.get(loop.uid, set())
    if loop.carried and _hangs_on_a_caller(doubts, variables, items):
        # taken by the first turn alone: from before the loop, or what each turn hands on to the next?
        raise WriteOutError(column[0].region.node.span)
    unifier.values.close(loop)
    node = column[0].region.node
    count = express(node.count, contexts) if isinstance(node, tree.Repeat) else None
    if count is not None:
        unifier.counts[loop.uid] = count

    def close() -> Loop:
        carried = tuple((v.first, v.later, v.own) for v in loop.carried if v.later is not None)
        closed = unifier.close(nodes)
        idle = undecided - used
        return Loop(tuple("_" if n in idle else n for n in names), items, closed, carried, loop.uid)

    return close


def _hangs_on_a_caller(names: set[str], variables: _LoopVariables, items: Code) -> bool:
    """May a caller give names other values? What a loop brings comes from its items, the number of a turn from none."""
    brought = names & variables.own - {variables.index.text}
    return bool(names - variables.own) or (bool(brought) and bool(free_names(items) - _OF_PYTHON))


def _in_any_turn(need: Term, names: Seq[str], items: Code, own: set[str]) -> Term:
    """What the body of a loop needs, of which there may be no turn."""
    counted = free_names(items) - _OF_PYTHON
    listed = inline(items).startswith("[") and " for " not in inline(items)
    if not counted or listed or not own.isdisjoint(need.names):
        return _in_all_turns(need, names, items, own)
    ranged = isinstance(items, Call) and items.func == "range" and len(items.args) == 1
    none = f"{inline(items.args[0])} == 0" if ranged else f"not {inline(items)}"
    return Term(f"{none} or {need.within(1)}", (), need.names | counted, 1)


def _in_all_turns(term: Term, names: Seq[str], items: Code, own: set[str]) -> Term:
    """A condition on what a loop brings, said of all its turns."""
    if own.isdisjoint(term.names):
        return term
    text = f"all({term.text} for {', '.join(names)} in {inline(items)})"
    return Term(text, term.values, (term.names - own) | (free_names(items) - _OF_PYTHON))


def _turned(
    turns: Turns, arounds: Seq[InstancePath], loop: ControlRegion
) -> tuple[list[tuple[int, int]], list[InstancePath]]:
    """The turns of all instances in one row: (instance, turn), and what is around each."""
    pairs = [(c, t) for c, ts in enumerate(turns) for t in range(len(ts))]
    return pairs, [arounds[c].within(loop.uid, t) for c, t in pairs]


class _LoopVariables:
    """The variables of a loop: those of the spec, and the number of the turn."""

    def __init__(self, unifier: Unification, inner: Contexts, pairs: list[tuple[int, int]], turns: Turns) -> None:
        self.parameters = unifier.parameters
        self.turns = turns
        self.names: dict[str, Term] = {}
        index = tuple(t for _, t in pairs)
        around = list(inner.loops)
        for name in turns[pairs[0][0]][0].region.bindings:
            values = tuple(turns[c][t].region.bindings.get(name) for c, t in pairs)
            term = self.names[name] = self._term(name, values, around)
            inner.names[name] = term
            if all(plain(v) for v in values):
                inner.learn(term)
        counting = next((t for t in self.names.values() if t.values == index), None)
        self.index = counting or self._index(index, around)
        inner.learn(self.index)
        inner.index = self.index
        inner.loops = tuple(around)
        # the names that the loop itself brings
        self.own = {t.text for t in (*self.names.values(), self.index)}

    def _term(self, wish: str, values: tuple[Any, ...], around: list[str]) -> Term:
        name = self.parameters.loop_name(wish, around)
        around.append(name)
        return Term(name, values, frozenset((name,)))

    def _index(self, values: tuple[int, ...], around: list[str]) -> Term:
        """The number of the turn, under a name that no loop inside asks for."""
        asked = {name for ts in self.turns for t in ts for name in _bound(t.items)}
        return self._term(next((name for name in ("i", "j", "k") if name not in asked), "turn"), values, around)

    def header(
        self, column: tuple[LoweredRegion, ...], contexts: Contexts, used: set[str]
    ) -> tuple[tuple[str, ...], Any]:
        """The names between `for` and `in`, and what stands behind. Raises MismatchError."""
        solver = Solver(self.parameters, contexts)
        wanted = [n for n, t in self.names.items() if t.text in used]
        node = column[0].region.node
        if not wanted or (len(wanted) == 1 and self.names[wanted[0]] is self.index):
            count = self._said([len(t) for t in self.turns], "n", _count(node), solver)
            return (self.index.text if self.index.text in used else "_",), Call("range", (count,))
        items: Any = self._range(node, wanted, solver) or self._list(node, wanted, solver)
        if self.index.text not in used or self.index in self.names.values():
            return tuple(self.names[n].text for n in wanted), items
        if len(wanted) > 1:
            raise MismatchError
        return (self.index.text, self.names[wanted[0]].text), Call("enumerate", (items,))

    def _range(self, node: Any, wanted: list[str], solver: Solver) -> Any:
        """`range(a, b)` for `a..b`."""
        bounds = _bounds(node)
        if bounds is None or len(wanted) != 1 or not all(self.turns):
            return None
        rows = [[t.region.bindings[wanted[0]] for t in ts] for ts in self.turns]
        start = self._said([row[0] for row in rows], "start", [bounds[0]], solver)
        return Call("range", (start, self._said([row[-1] + 1 for row in rows], "stop", [bounds[1]], solver)))

    def _said(self, column: Seq[Any], name: str, written: Seq[Any], solver: Solver) -> Any:
        """How often, as it is written, also where all instances come to one number: a caller's list may be longer."""
        for term in (express(node, solver.contexts) for node in written):
            told = term is not None and term.names and term.names.isdisjoint(solver.contexts.loops)
            if term is not None and told and matches(term.values, column):
                self.parameters.use(term)
                return code(term)
        return solver.leaf(column, name, written)

    def _list(self, node: Any, wanted: list[str], solver: Solver) -> Any:
        """The items, written down where all instances have the same ones."""
        rows = [[tuple(t.region.bindings[n] for n in wanted) for t in ts] for ts in self.turns]
        plainly = [tuple(row) if len(wanted) > 1 else tuple(v for (v,) in row) for row in rows]
        if not all(plain(v) for v in plainly):
            raise MismatchError
        if same(plainly):
            return list(plainly[0])
        if len(wanted) < len(self.names):
            raise MismatchError
        return solver.leaf(plainly, "items", [node.items])


def _count(node: Any) -> list[Any]:
    """How the number of turns was written."""
    if isinstance(node, tree.Repeat):
        return [node.count]
    bounds = _bounds(node)
    return [bounds[1]] if bounds is not None else []


def _bounds(node: Any) -> tuple[Any, Any] | None:
    """The two sides of `a..b`."""
    items = node.items if isinstance(node, tree.For) else None
    if isinstance(items, tree.Chain) and items.operators == ("..",):
        return items.operands[0], items.operands[1]
    return None


def _bound(items: Seq[Lowered]) -> set[str]:
    """The names that the loops in some items bind."""
    parts = [i for i in items if isinstance(i, LoweredRegion)]
    return {name for p in parts for name in (*p.region.bindings, *_bound(p.items))}


# --- announcing -----------------------------------------------------------------------------------------------------


def _plan(
    unifier: Unification,
    column: tuple[LoweredRegion, ...],
    turns: Turns,
    contexts: Contexts,
    arounds: Seq[InstancePath],
) -> ControlRegion:
    """A loop with its values announced: a turn takes values of the one before, made by items further down."""
    key = tuple(id(p) for p in column)
    if key not in unifier.planned:
        loop = unifier.planned[key] = unifier.values.region(
            column[0].region.node.span, True, arounds, [len(t) for t in turns]
        )
        pairs, around = _turned(turns, arounds, loop)
        _announce(unifier, [turns[c][t].items for c, t in pairs], contexts.select([c for c, _ in pairs]), around)
    return unifier.planned[key]


def _announce(
    unifier: Unification, columns: list[tuple[Lowered, ...]], contexts: Contexts, arounds: Seq[InstancePath]
) -> None:
    for column in aligned(columns):
        if isinstance(column[0], LoweredRegion):
            _announce_part(unifier, column, contexts, arounds)
            continue
        many = [i.outputs for i in column]
        if len({len(m) for m in many}) != 1:
            raise MismatchError
        for numbers in zip(*many):
            unifier.announced(numbers, contexts, arounds)


def _announce_part(
    unifier: Unification, column: tuple[LoweredRegion, ...], contexts: Contexts, arounds: Seq[InstancePath]
) -> None:
    kind, turns = kind_of(column), turns_of(column)
    if kind == "if" and len({p.region.choice for p in column}) > 1:
        region = plan_choice(unifier, column, arounds)
        for pick, places in by_pick(column).items():
            inner = [arounds[k].within(region.uid, pick) for k in places]
            _announce(unifier, [column[k].items for k in places], contexts.select(places), inner)
    elif kind == "loop" and any(turns) and _rolls(unifier, column, turns):
        _plan(unifier, column, turns, contexts, arounds)
    elif kind == "loop":
        for row in zip(*turns):
            _announce(unifier, unifier.opened(row, contexts) or [t.items for t in row], contexts, arounds)
    else:
        _announce(unifier, unifier.opened(column, contexts) or [p.items for p in column], contexts, arounds)
