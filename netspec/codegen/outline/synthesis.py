"""Saying numbers that differ from instance to instance.

They are said in the spec's own words, by what is known of the inputs, by a product or sum of these, and in the last
resort by a parameter of their own.
"""

from __future__ import annotations

from functools import reduce

from ...base.record import TYPE_CHECKING, Record
from ...pycode.expr import Call, Infix, Opt, given
from ...pycode.names import free_names
from ...syntax.tree import Attribute, List, Name, TupleExpression, walk
from ..lowering.lower import LoweredStep
from .expressions import express
from .ssa import MismatchError
from .terms import Contexts, Term, code, combine, constant, equal, matches, pair, plain, same, window

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...layers.base import Apply, Use
    from ...syntax.tree import Node as Written
    from ..lowering.lower import LoweredCall
    from .parameters import Parameters


# what the frameworks call arguments of the language that a parameter often stands for
_FRAMEWORK_WORDS = {
    "stride": ("stride", "strides"),
    "dilation": ("dilation", "dilation_rate"),
    "groups": ("groups",),
}

# what an expression is, beside the parts that it has
_FIXED = frozenset(("op", "name", "names", "text", "index", "default"))


class Solver:
    """Says the differing numbers of one item. `hints` are terms to try first, such as the channels of its input."""

    def __init__(
        self,
        parameters: Parameters,
        contexts: Contexts,
        hints: Seq[Term] = (),
        column: Seq[LoweredStep | LoweredCall] = (),
    ) -> None:
        self.adds = True
        self.parameters = parameters
        self.contexts = contexts
        self.hints = hints
        steps = [a.step for a in column if isinstance(a, LoweredStep) and a.step is not None]
        written = steps[0].written if steps else {}
        self.written = [part for node in written.values() for part in _with_items(node)]
        self.said = dict(written)
        self.arguments = {name: [s.layer.said(name) for s in steps] for name in written}
        self.incoming = [s.inputs[0].shape[-1] for s in steps if s.inputs and s.inputs[0].shape]

    # --- layers -------------------------------------------------------------------------------------------------------

    def applies(self, uses: list[Use], name: str, in_chain: bool, adds: bool) -> tuple[Apply, ...]:
        """The steps of a layer, each for all contexts; with `adds`, a parameter may be added. Raises MismatchError."""
        self.adds = adds
        if len({(len(u.steps), u.outputs) for u in uses}) != 1:
            raise MismatchError
        return tuple(self._apply([u.steps[i] for u in uses], name, in_chain) for i in range(len(uses[0].steps)))

    def _apply(self, column: list[Apply], name: str, in_chain: bool) -> Apply:
        first = column[0]
        if len({(a.stateful, a.name, a.helpers, a.gives, a.make is None, a.call is None) for a in column}) != 1:
            raise MismatchError
        if len({(a.fresh, a.in_place) for a in column}) != 1:
            raise MismatchError
        makes, calls = [a.make for a in column], [a.call for a in column]
        classes = self.parameters.style.sequences
        if not first.stateful and first.make is not None and first.call is not None and not same(calls):
            # a module in a chain or function, an expression elsewhere: solving both would ask for the numbers of both
            if in_chain or not classes:
                return first.replace(make=self.code(makes, name), call=None)
            return first.replace(make=None, call=self._in_method(calls, name))
        in_forward = classes and (first.make is None or first.stateful)
        call = self._in_method(calls, name) if in_forward else self.code(calls, name)
        found = first.replace(make=self.code(makes, name), call=call)
        if self.contexts.branch:
            self._pin(free_names(found.make) | free_names(found.call))
        return found

    def _pin(self, said: set[str]) -> None:
        """Note the lists of a caller whose items are numbers in a branch, where all that take it have the same."""
        for argument, values in self.arguments.items():
            term = express(self.said[argument], self.contexts) if same(values) else None
            if term is not None and len(values) == len(self.contexts) and not term.names & said:
                self.parameters.pinned |= term.names

    def _in_method(self, column: list[Any], name: str) -> Any:
        """An expression in a `forward`, which does not know the number of the turn. Raises MismatchError."""
        before, self.parameters.used = self.parameters.used, set()
        found = self.code(column, name)
        if self.parameters.used.intersection(self.contexts.loops):
            raise MismatchError
        self.parameters.used |= before
        return found

    # --- expressions --------------------------------------------------------------------------------------------------

    def code(self, column: list[Any], name: str) -> Any:
        """One expression for a column of expressions. Raises MismatchError."""
        first = column[0]
        if same(column) and not (self.contexts.branch and isinstance(first, Call)):
            return self._in_branch(column) if type(first) is int else first
        if any(type(c) is not type(first) for c in column):
            return self.leaf(column, name)
        if isinstance(first, Call):
            return self._call(_with_defaults(column), name)
        if isinstance(first, Record):
            if isinstance(first, Opt) and not same([c.default for c in column]):
                return self._optional(column, name)
            column = _added(column) if isinstance(first, Infix) else column
            if any(not same([c.__dict__[field] for c in column]) for field in _FIXED.intersection(first.__dict__)):
                raise MismatchError
            return type(first)(*(self.code(list(f), name) for f in zip(*(c.__dict__.values() for c in column))))
        if isinstance(first, slice):
            return slice(*(self.code(list(part), name) for part in zip(*((c.start, c.stop, c.step) for c in column))))
        if isinstance(first, tuple | list) and len({len(c) for c in column}) == 1 and not self._known(column):
            return type(first)(self.code([c[i] for c in column], name) for i in range(len(first)))
        return self.leaf(column, name)

    def _optional(self, column: list[Opt], name: str) -> Any:
        """An argument whose default hangs on another one, such as the stride of a pool: left out where all have that
        default, or else written."""
        if all(equal(c.value, c.default) for c in column):
            return column[0]
        return self.code([c.value for c in column], name)

    def _call(self, column: list[Call], name: str) -> Call:
        first = column[0]
        if len({len(c.args) for c in column}) > 1 or len({tuple(n for n, _ in c.kwargs) for c in column}) > 1:
            raise MismatchError
        if isinstance(first.func, str) and any(c.func != first.func for c in column):
            raise MismatchError
        func = first.func if isinstance(first.func, str) else self.code([c.func for c in column], name)
        args = tuple(self.code([c.args[i] for c in column], name) for i in range(len(first.args)))
        kwargs = tuple(
            (n, self._named(n, [c.kwargs[i][1] for c in column], name)) for i, (n, _) in enumerate(first.kwargs)
        )
        return Call(func, args, kwargs)

    def _named(self, word: str, column: list[Any], name: str) -> Any:
        """A named argument. In a branch all instances may have one number for what the spec says with a parameter
        (`stride=stride` where it is always 2); then the parameter is what a person would write."""
        first = column[0]
        node = next((n for argument, n in self.said.items() if word in _FRAMEWORK_WORDS.get(argument, ())), None)
        if self.contexts.branch and node is not None and same(column):
            term = express(node, self.contexts)
            if term is not None and term.names and matches(term.values, [given(c) for c in column]):
                self.parameters.use(term)
                return Opt(first.default, code(term)) if isinstance(first, Opt) else code(term)
        return self.code(column, f"{name}_{word}")

    def _known(self, column: list[Any]) -> bool:
        return any(matches(t.values, column) for t in self._candidates(self.written))

    def _candidates(self, written: Seq[Written]) -> list[Term]:
        hints = [self._fit(h) for h in self.hints]
        said = [term for node in written for term in self._expressed(node, hints)]
        return [t for t in [*said, *hints, *self.contexts.terms.values()] if t is not None]

    def _expressed(self, node: Written, hints: Seq[Term | None]) -> list[Term | None]:
        """What was written, in Python. A value whose channels it asks for, and that is not known by its name, may be
        what comes in."""
        term, names = express(node, self.contexts), self.contexts.names
        if term is not None:
            return [term]
        asked = [n.value.text for n in walk(node) if isinstance(n, Attribute) and isinstance(n.value, Name)]
        unknown = [name for name in asked if f"{name}.channels" not in names]
        found = []
        for hint in hints if unknown else ():
            if hint is not None:
                self.contexts.names = {**names, **{f"{name}.channels": hint for name in unknown}}
                found.append(express(node, self.contexts))
                self.contexts.names = names
        return found

    def _fit(self, hint: Term) -> Term | None:
        """A hint whose column is of these contexts (one from before a loop or branch has another length)."""
        return hint if len(hint.values) == len(self.contexts) else self.contexts.terms.get(hint.text)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def argument(self, column: Seq[Any], name: str, written: Written | None) -> Any:
        """An argument of a block, as `written`; channels are not written. Raises MismatchError.

        In a branch all instances may have one number for what the spec says with a parameter, or for their channels.
        """
        if self.contexts.branch and same(column):
            said = [express(written, self.contexts)] if written is not None else [self._fit(h) for h in self.hints]
            for term in said:
                if term is not None and term.names and matches(term.values, column):
                    self.parameters.use(term)
                    return code(term)
        return self.leaf(column, name, [] if written is None else [written])

    def leaf(self, column: Seq[Any], name: str, written: Seq[Written] | None = None) -> Any:
        """A value, or the term that gives the column. Raises MismatchError."""
        if same(column):
            return self._in_branch(column)
        term = self.known(tuple(column), written)
        if term is None and not self.adds:
            raise MismatchError
        if term is None:
            term = self.parameters.add(self._parameter_name(column, name), column, self.contexts)
        self.parameters.use(term)
        self.parameters.fitted |= term.fitted
        return code(term)

    def _in_branch(self, column: Seq[Any]) -> Any:
        """A number that is the same wherever a branch is taken, which may be seldom: as the argument that it is."""
        alike = [n for n, values in self.arguments.items() if len(values) == len(column) and matches(values, column)]
        said = [express(self.said[n], self.contexts) for n in alike] if self.contexts.branch else []
        if not said or any(term is None or not term.names or not matches(term.values, column) for term in said):
            return column[0]
        found = said[0]
        assert found is not None
        self.parameters.use(found)
        return code(found)

    def kept(self, column: tuple[Any, ...]) -> Term | None:
        """In a branch, the channels of what comes in, where a layer that is told nothing keeps them."""
        if not self.contexts.branch or self.written or not same(column):
            return None
        hints = [hint for hint in map(self._fit, self.hints) if hint is not None and hint.names]
        return next((hint for hint in hints if matches(hint.values, column)), None)

    def known(self, column: tuple[Any, ...], written: Seq[Written] | None = None) -> Term | None:
        """The term that gives a column, from what is there already."""
        if same(column):
            return constant(column[0], len(column)) if plain(column[0]) else None
        candidates = self._candidates(self.written if written is None else written)
        for term in candidates:
            if matches(term.values, column):
                self.contexts.learn(term)
                return term
        for term in candidates:  # `(1, 1)` is written as 1, and taken as well
            if any(isinstance(v, tuple) for v in term.values) and matches([window(v) for v in term.values], column):
                return term
        fitted = (
            self._item(column)
            or combine(column, self.contexts, self.parameters.extra)
            or self._first_and_rest(column)
            or self._affine(column)
            or self._by_flag(column)
        )
        return None if fitted is None else fitted.replace(fitted=True)

    def _item(self, column: tuple[Any, ...]) -> Term | None:
        """An item of a list of the same length everywhere, as what a comprehension makes of it, turn by turn."""
        for term in self.contexts.terms.values():
            if not term.text.isidentifier() or not all(isinstance(value, tuple) for value in term.values):
                continue
            lengths = {len(value) for value in term.values}
            rows = zip(*term.values) if len(lengths) == 1 else ()
            place = next((k for k, row in enumerate(rows) if matches(row, column)), None)
            if place is not None:
                as_many = Term(f"len({term.text}) == {lengths.pop()}", (), term.names, 4)
                return Term(f"{term.text}[{place}]", column, term.names, needs=(*term.needs, as_many))
        return None

    def sum_of(self, terms: Seq[Term | None], column: Seq[Any]) -> Term | None:
        """The sum of some terms, where it gives the column."""
        known = [self._fit(t) for t in terms if t is not None]
        found = reduce(lambda a, b: pair("+", a, b), known) if len(known) == len(terms) else None
        return found if found is not None and matches(found.values, column) else None

    def _parameter_name(self, column: Seq[Any], name: str) -> str:
        if name.endswith("_trainable"):
            return "trainable"
        for argument, values in self.arguments.items():
            if len(values) == len(column) and matches(values, column):
                stem = name.split("_")[0]
                return f"{stem}_{argument}" if stem.isidentifier() else argument
        stem = name if name.isidentifier() else f"layer{name}"
        return f"{stem}_in" if list(column) == self.incoming else stem

    def _by_flag(self, column: tuple[Any, ...]) -> Term | None:
        """`a if flag else b`, for a parameter that is true or false and two terms that are there already."""
        for flag in list(self.contexts.terms.values()):
            if same(flag.values) or not all(isinstance(v, bool) for v in flag.values):
                continue
            sides = []
            for wanted in (True, False):
                places = [k for k, v in enumerate(flag.values) if v is wanted]
                inner = self.contexts.select(places)
                terms = [inner.terms[h.text] for h in self.hints if h.text in inner.terms] + list(inner.terms.values())
                values = [column[k] for k in places]
                sides.append(next((t for t in terms if t.names and matches(t.values, values)), None))
            a, b = sides
            if a is not None and b is not None:
                text = f"{a.within(1)} if {flag.within(1)} else {b.within(0)}"
                return Term(text, column, a.names | b.names | flag.names, 0)
        return None

    # --- numbers that hang on the turn of a loop --------------------------------------------------------------------

    def _without_index(self, places: Seq[int]) -> Solver:
        index, inner = self.contexts.index, self.contexts.select(places)
        if index is not None:
            inner.terms.pop(index.text, None)
        inner.index = None
        solver = Solver(self.parameters, inner)
        solver.written = self.written
        return solver

    def _first_and_rest(self, column: tuple[Any, ...]) -> Term | None:
        """`a if i == 0 else b`"""
        index = self.contexts.index
        if index is None or 0 not in index.values or not any(index.values):
            return None
        sides = []
        for places in ([k for k, t in enumerate(index.values) if t == 0], [k for k, t in enumerate(index.values) if t]):
            side = self._without_index(places).known(tuple(column[k] for k in places))
            if side is None or index.names & side.names:
                return None
            sides.append(side)
        names = sides[0].names | sides[1].names | index.names
        return Term(f"{sides[0].within(1)} if {index.text} == 0 else {sides[1].within(0)}", column, names, 0)

    def _affine(self, column: tuple[Any, ...]) -> Term | None:
        """`a + i * b`"""
        index, owners = self.contexts.index, self.contexts.owners
        if index is None or not all(type(v) is int for v in column):
            return None
        turns = index.values
        starts = {owner: value for owner, turn, value in zip(owners, turns, column) if turn == 0}
        steps = {o: v - starts[o] for o, turn, v in zip(owners, turns, column) if turn == 1 and o in starts}
        if not steps or any(o not in starts for o in owners):
            return None
        if any(v != starts[o] + t * steps.get(o, 0) for o, t, v in zip(owners, turns, column)):
            return None
        solver = self._without_index(range(len(column)))
        solver.written = []
        base = solver.known(tuple(starts[o] for o in owners))
        several = [k for k, o in enumerate(owners) if o in steps]
        stepping = self._without_index(several)
        stepping.written = []
        step = stepping.known(tuple(steps[owners[k]] for k in several))
        if base is None or step is None or index.names & (base.names | step.names):
            return None
        text = f"{base.within(5)} + {index.text} * {step.within(7)}"
        return Term(text, column, base.names | step.names | index.names, 5)


def _with_items(node: Written) -> list[Written]:
    """What was written, and each of its items, where it is several: of `reshape(t, heads, width // heads)` one may be
    known without the others."""
    found = [node]
    for item in node.items if isinstance(node, List | TupleExpression) else ():
        found += [part for part in _with_items(item) if not isinstance(part, List | TupleExpression)]
    return found


def _added(column: list[Infix]) -> list[Infix]:
    """Where some add a number and others take one away, sums of all."""
    if any(c.op not in ("+", "-") or type(c.right) not in (int, float) for c in column):
        return column
    return [c if c.op == "+" else Infix(c.left, "+", -c.right) for c in column]


def _with_defaults(calls: list[Call]) -> list[Call]:
    """Calls with the same named arguments, where those that some lack have a known default."""
    words = [tuple([n for n, _ in c.kwargs]) for c in calls]
    names = max(words, key=len)
    if words.count(names) == len(words):
        return calls
    defaults = {n: v.default for c in calls for n, v in c.kwargs if isinstance(v, Opt)}
    found = []
    for call in calls:
        given = dict(call.kwargs)
        if set(given) - set(names) or any(n not in given and n not in defaults for n in names):
            raise MismatchError
        kwargs = tuple((n, given[n] if n in given else Opt(defaults[n], defaults[n])) for n in names)
        found.append(call.replace(kwargs=kwargs))
    return found
