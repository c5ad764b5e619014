"""Weaving: many instances of a block become one template (anti-unification).

Lowered bodies of one block are laid over one another, item by item. What is equal stays; a number that differs becomes
a term over the parameters. Loops are laid over themselves, turn by turn. Where the structure differs, a condition of the spec says why; where none
does, the instances become two classes.
"""

from __future__ import annotations

from ..ir import Scope
from ..pycode import Call as CodeCall
from ..pycode import Opt
from ..record import TYPE_CHECKING, Record
from ..syntax import tree
from .lower import Act, Enter, Part
from .template import REQUIRED, Choice, Invoke, Leaf, Loop, Parameter, Sequence, Template
from .terms import Contexts, Term, code, combine, constant, equal, express, matches, same

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..layers.base import Apply, Use
    from ..syntax.tree import Node as Written
    from ..source import Span
    from .lower import Code as LoweredBody
    from .lower import Lowered
    from .template import Node


class MismatchError(Exception):
    """These items cannot be said by one piece of code."""


class NotLastError(MismatchError):
    """A value of a loop's turn other than the last is needed behind the loop, so the loop has to be written out."""

    def __init__(self, place: Span) -> None:
        super().__init__()
        self.place = place


class Style(Record):
    """What differs between the ways of writing.

    `channels`: parameters carry the channels of the inputs (PyTorch). `sequences`: named chains become a Sequential.
    `sizes`: sizes of the inputs can be asked for when the code runs (Keras functions). `unroll`: loops of up to so many
    steps are written out.
    """

    channels: bool
    sequences: bool
    sizes: bool
    unroll: int


class Place(Record):
    """Where a value was made: its number in the template, and the loop turns around it."""

    value: int
    path: tuple[tuple[int, int], ...]


class Around(Record):
    """One context while weaving: whose values they are, and the loop turns around."""

    values: dict[int, Place]
    path: tuple[tuple[int, int], ...]


class _Open(Record):
    """A loop or choice whose carried values or phis are still being found."""

    uid: int
    found: dict[tuple[int, ...], int]
    picks: dict[Any, int]


class Weaver:
    """Weaves the bodies of one template."""

    def __init__(
        self,
        style: Style,
        known: dict[Any, Template],
        bodies: Seq[LoweredBody],
        name: str,
        written_out: frozenset[Span] = frozenset(),
    ) -> None:
        self.style = style
        self.written_out = written_out
        self.places: dict[int, Span] = {}
        self.known = known
        self.bodies = bodies
        self.name = name
        self.count = 0
        self.labels: dict[int, str] = {}
        self.marks: dict[int, str] = {}
        self.planned: dict[tuple[int, ...], int] = {}
        self.channels: dict[int, Term] = {}
        self.used: set[str] = set()
        self.extra: dict[str, list[Any]] = {}
        self.loops: list[_Open] = []
        self.choices: list[_Open] = []
        self.turns: dict[int, dict[Any, int]] = {}
        self.uids = 0
        self.attributes: dict[Any, str] = {}
        # are the items those of a Sequential?
        self.in_chain = False

    # --- the whole ------------------------------------------------------------------------------------------------

    def weave(self) -> Template:
        """Raises MismatchError."""
        first = self.bodies[0]
        arounds = [Around({}, ()) for _ in self.bodies]
        inputs = []
        for place, port in enumerate(first.body.inputs):
            value = self._new()
            inputs.append((port.name, value))
            for body, around in zip(self.bodies, arounds):
                around.values[body.inputs[place]] = Place(value, ())
        contexts = self._contexts()
        self._input_terms(contexts, inputs)
        nodes = self._items([b.items for b in self.bodies], contexts, arounds)
        if len({len(b.outputs) for b in self.bodies}) > 1:
            raise MismatchError
        outputs = tuple(
            (result.name, self._ref([b.outputs[i] for b in self.bodies], arounds))
            for i, result in enumerate(first.body.outputs)
        )
        return self._template(tuple(self._close(nodes)), tuple(inputs), outputs, contexts)

    def _contexts(self) -> Contexts:
        count = len(self.bodies)
        names: dict[str, Term] = {}
        for name in self.bodies[0].body.arguments:
            column = tuple(b.body.arguments[name] for b in self.bodies)
            names[name] = constant(column[0], count) if same(column) and _plain(column[0]) else Term(name, column, frozenset((name,)))
        terms = {n: t for n, t in names.items() if t.names}
        return Contexts(tuple(range(count)), terms, names)

    def _input_terms(self, contexts: Contexts, inputs: list[tuple[str, int]]) -> None:
        """What can be known of the inputs: their channels and, by the names of the spec, their sizes."""
        for place, (port, value) in enumerate(inputs):
            shapes = [b.body.inputs[place].value.shape for b in self.bodies]
            if any(not s for s in shapes):
                continue
            column = tuple(s[-1] for s in shapes)
            if self.style.channels:
                stem = "features" if all(len(s) == 1 for s in shapes) else "channels"
                name = f"in_{stem}" if len(inputs) == 1 else f"{port}_{stem}"
                term = constant(column[0], len(shapes)) if same(column) else Term(name, column, frozenset((name,)))
                self.channels[value] = term
                if term.names:
                    contexts.learn(term)
        for name in self.bodies[0].body.sizes:
            column = tuple(b.body.sizes.get(name) for b in self.bodies)
            if same(column):
                contexts.names[name] = constant(column[0], len(column))
                continue
            known = [t for t in self.channels.values() if t.names and matches(t.values, column)]
            if not known and not self.style.sizes:
                continue  # a class is not told the sizes of what it is applied to
            contexts.names[name] = known[0] if known else Term(name, column, frozenset((name,)))
            contexts.learn(contexts.names[name])

    def _template(
        self,
        nodes: tuple[Node, ...],
        inputs: tuple[tuple[str, int], ...],
        outputs: tuple[tuple[str, int], ...],
        contexts: Contexts,
    ) -> Template:
        body = self.bodies[0].body
        sizes = self._sizes() if self.style.sizes else {}
        columns = {**{n: list(t.values) for n, t in contexts.terms.items() if t.names == {n}}, **self.extra}
        declared = {p.name.text: p for p in body.definition.parameters}
        order = [n for n in columns if n not in declared and n not in self.extra] + list(declared) + list(self.extra)
        chosen = [n for n in order if n in self.used and n in columns and n not in sizes]
        parameters = []
        for name in chosen:
            default: Any = REQUIRED
            parameter = declared.get(name)
            if parameter is not None and body.definition.word == "net":
                default = columns[name][0]
            elif parameter is not None and isinstance(parameter.default, tree.Literal):
                default = parameter.default.value
            parameters.append(Parameter(name, default))
        parameters.sort(key=lambda p: p.default is not REQUIRED)
        values = {key_of(b): {n: columns[n][i] for n in chosen} for i, b in enumerate(self.bodies)}
        used_sizes = {n: s for n, s in sizes.items() if n in self.used}
        return Template(
            self.name, tuple(b.body for b in self.bodies), tuple(parameters), values, nodes, inputs, outputs,
            self.labels, self.marks, used_sizes, self.attributes,
        )  # fmt: skip

    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Where in the inputs the sizes are that the spec gave names to."""
        found: dict[str, tuple[int, int]] = {}
        body = self.bodies[0].body
        statements = [s for s in body.definition.body.statements if isinstance(s, tree.Input)]
        for place, statement in enumerate(statements):
            sizes = statement.sizes or ()
            dots = next((i for i, s in enumerate(sizes) if isinstance(s, tree.Ellipsis)), len(sizes))
            for axis, size in enumerate(sizes):
                if isinstance(size, tree.Name) and size.text in body.sizes:
                    last = axis == len(sizes) - 1
                    found.setdefault(size.text, (place, -1 if last else axis + 1 if axis < dots else axis - len(sizes)))
        return found

    # --- values -----------------------------------------------------------------------------------------------------

    def _new(self) -> int:
        self.count += 1
        return self.count - 1

    def _uid(self) -> int:
        self.uids += 1
        return self.uids

    def _ref(self, numbers: Seq[int], arounds: Seq[Around]) -> int:
        """The template's number of a value that each context takes under its own number."""
        found = []
        for number, around in zip(numbers, arounds):
            place = around.values.get(number)
            if place is None:
                raise MismatchError
            found.append((place.value, self._distance(place.path, around)))
        return self._merge(found, arounds)

    def _merge(self, found: Seq[tuple[int, int | None]], arounds: Seq[Around]) -> int:
        if all(f == found[0] for f in found) and found[0][1] is None:
            return found[0][0]
        if any(distance is not None for _, distance in found):
            return self._carried(found, arounds)
        return self._phi(found, arounds)

    def _distance(self, path: tuple[tuple[int, int], ...], around: Around) -> int | None:
        """None where the value is at hand; the loop's number where it is the turn before's."""
        here = around.path
        for level, (uid, turn) in enumerate(path):
            if level < len(here) and here[level][0] == uid:
                if here[level][1] == turn:
                    continue
                if here[level][1] == turn + 1 and self._are_last(path, range(level + 1, len(path)), around):
                    return uid
                raise NotLastError(self.places[uid])
            if not self._are_last(path, range(level, len(path)), around):
                raise NotLastError(self.places[path[level][0]])
            break
        return None

    def _are_last(self, path: tuple[tuple[int, int], ...], levels: range, around: Around) -> bool:
        """Was it the last turn of each of these loops?"""
        counts = (self.turns[path[k][0]].get((id(around.values), path[:k])) for k in levels)
        return all(count == path[k][1] + 1 for k, count in zip(levels, counts))

    def _carried(self, found: Seq[tuple[int, int | None]], arounds: Seq[Around]) -> int:
        """A value of the turn before, or in the first turn one from outside."""
        uids = {uid for _, uid in found}
        loop = next((o for o in reversed(self.loops) if o.uid in uids), None)
        if loop is None:
            raise MismatchError
        turns = [dict(around.path)[loop.uid] for around in arounds]
        later = {f for f, turn in zip(found, turns) if turn}
        starts = [k for k, turn in enumerate(turns) if not turn]
        if not starts or len(later) != 1 or next(iter(later))[1] != loop.uid:
            raise MismatchError
        first = self._merge([found[k] for k in starts], [arounds[k] for k in starts])
        key = (first, next(iter(later))[0])
        if key not in loop.found:
            loop.found[key] = self._new()
            if key[1] in self.labels:
                self.labels[loop.found[key]] = self.labels[key[1]]
        return loop.found[key]

    def _phi(self, found: Seq[tuple[int, int | None]], arounds: Seq[Around]) -> int:
        """A value that comes from whichever branch was taken."""
        for choice in reversed(self.choices):
            by_pick: dict[int, set[int]] = {}
            for (value, _), around in zip(found, arounds):
                pick = self._pick(choice, around)
                if pick is None:
                    break
                by_pick.setdefault(pick, set()).add(value)
            else:
                if len(by_pick) > 1 and all(len(v) == 1 for v in by_pick.values()) and len(by_pick) == len(set(choice.picks.values())):
                    key = tuple(next(iter(by_pick[p])) for p in sorted(by_pick))
                    if key not in choice.found:
                        choice.found[key] = self._new()
                        label = next((self.labels[v] for v in key if v in self.labels), None)
                        if label:
                            self.labels[choice.found[key]] = label
                    return choice.found[key]
        raise MismatchError

    def _pick(self, choice: _Open, around: Around) -> int | None:
        for length in range(len(around.path), -1, -1):
            found = choice.picks.get((id(around.values), around.path[:length]))
            if found is not None:
                return found
        return None

    # --- items --------------------------------------------------------------------------------------------------------

    def _items(self, columns: list[tuple[Lowered, ...]], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        if len({len(c) for c in columns}) != 1:
            raise MismatchError
        found: list[Any] = []
        for column in zip(*columns):
            kinds = {type(item) for item in column}
            if len(kinds) != 1:
                raise MismatchError
            found.extend(getattr(self, "_" + kinds.pop().__name__.lower())(column, contexts, arounds))
        return found

    def _close(self, nodes: Seq[Any]) -> list[Node]:
        """Put what was found of open choices and loops into their nodes."""
        closed = [node() if callable(node) else node for node in nodes]
        return [node for node in closed if node is not None]

    def _act(self, column: tuple[Act, ...], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        first = column[0]
        if len({a.step is None for a in column}) != 1:
            raise MismatchError
        if first.step is not None and len({a.step.layer.kind for a in column if a.step is not None}) != 1:
            raise MismatchError
        if len({len(a.inputs) for a in column}) != 1 or len({a.given for a in column}) > 1:
            raise MismatchError
        inputs = tuple(self._ref([a.inputs[i] for a in column], arounds) for i in range(len(first.inputs)))
        hints = [self.channels[v] for v in inputs if v in self.channels]
        solver = _Solver(self, contexts, hints, column)
        used, extra = set(self.used), dict(self.extra)
        try:
            applies = solver.applies([a.use for a in column], first.name)
        except MismatchError:
            self.used, self.extra = used, extra
            applies = solver.applies([a.general for a in column], first.name)
        output = self._made([a.output for a in column], contexts, arounds)
        self._channel(output, column, inputs, solver)
        kind = first.step.layer.kind if first.step is not None else ""
        style = first.step.layer.style if first.step is not None else ""
        shared = first.step.shared if first.step is not None else None
        alike = all(a.step is None or first.step is None or a.step.output.shape == first.step.output.shape for a in column)
        return [Leaf(_last_name(column), first.given, kind, style, applies, inputs, output, first.step, shared, alike)]

    def _made(self, numbers: Seq[int], contexts: Contexts, arounds: Seq[Around]) -> int:
        """The template's number for a value that a step makes; the one that was announced, if it was."""
        known = arounds[0].values.get(numbers[0])
        value = known.value if known is not None and known.path == arounds[0].path else self._new()
        for number, around in zip(numbers, arounds):
            around.values[number] = Place(value, around.path)
        body = self.bodies[contexts.owners[0]].body
        label = body.labels.get(numbers[0])
        if label is not None:
            self.labels[value] = label
        mark = body.marks.get(numbers[0])
        if mark is not None:
            self.marks[value] = mark
        return value

    def _channel(self, output: int, column: tuple[Act, ...], inputs: tuple[int, ...], solver: _Solver) -> None:
        """How the channels of a layer's output are said, for the layers behind it."""
        steps = [a.step for a in column if a.step is not None]
        if not self.style.channels:
            return
        if not steps:
            if inputs and inputs[0] in self.channels:
                self.channels[output] = self.channels[inputs[0]]
            return
        if any(not s.output.shape for s in steps):
            return
        values = tuple(s.output.shape[-1] for s in steps)
        term = solver.term(values, create=False)
        if term is not None:
            self.channels[output] = term

    def _enter(self, column: tuple[Enter, ...], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        first = column[0]
        templates = [self.known.get(key_of(e.code)) for e in column]
        template = templates[0]
        if template is None or any(t is not template for t in templates):
            raise MismatchError
        if len({e.given for e in column}) > 1:
            raise MismatchError
        inputs = tuple(self._ref([e.inputs[i] for e in column], arounds) for i in range(len(first.inputs)))
        hints = [self.channels[v] for v in inputs if v in self.channels]
        solver = _Solver(self, contexts, hints, column)
        arguments = []
        for parameter in template.parameters:
            values = [template.values[key_of(e.code)][parameter.name] for e in column]
            written = first.call.written.get(parameter.name)
            value = solver.leaf(values, f"{first.name}_{parameter.name}", [written] if written is not None else [])
            if parameter.default is REQUIRED or not equal(value, parameter.default):
                arguments.append((parameter.name, value))
        outputs = tuple(
            self._made([e.outputs[i] for e in column], contexts, arounds) for i in range(len(first.outputs))
        )
        for i, output in enumerate(outputs):
            shapes = [e.call.outputs[i].shape for e in column]
            if self.style.channels and all(shapes):
                term = solver.term(tuple(s[-1] for s in shapes), create=False)
                if term is not None:
                    self.channels[output] = term
        shape = first.call.outputs[0].shape if all(e.call.outputs[0].shape == first.call.outputs[0].shape for e in column) else None
        return [Invoke(_last_name(column), first.given, template, tuple(arguments), inputs, outputs, first.call.shared, shape)]

    def _part(self, column: tuple[Part, ...], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        kinds = {p.scope.kind for p in column}
        if len(kinds) != 1 or len({p.scope.node.span for p in column}) != 1:
            raise MismatchError
        kind = kinds.pop()
        if kind in ("repeat", "for"):
            return self._loop(column, contexts, arounds)
        if kind == "if":
            return self._choice(column, contexts, arounds)
        return self._scope(column, contexts, arounds)

    def _scope(self, column: tuple[Part, ...], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        scope = column[0].scope
        if not scope.name or not self.style.sequences:
            return self._items([p.items for p in column], contexts, arounds)
        if len({p.scope.name for p in column}) > 1:
            raise MismatchError
        flats = [_flattened(p.items) for p in column]
        if not all(_is_chain(f, b.uses) for f, b in zip(flats, self._bodies(contexts))):
            nodes = self._items([p.items for p in column], contexts, arounds)
            return [_prefixed(scope.name, n) for n in nodes]
        self.in_chain = True
        try:
            nodes = self._close(self._items(flats, contexts, arounds))
        finally:
            self.in_chain = False
        shapes = {_shape_after(f[-1]) for f in flats}
        last = nodes[-1]
        output = last.outputs[0] if isinstance(last, Invoke) else last.output  # type: ignore[union-attr]  # a chain has only these
        return [Sequence(scope.name, tuple(nodes), nodes[0].inputs, output, shapes.pop() if len(shapes) == 1 else None)]  # type: ignore[union-attr]

    def _bodies(self, contexts: Contexts) -> list[LoweredBody]:
        return [self.bodies[o] for o in contexts.owners]

    # --- branches ---------------------------------------------------------------------------------------------------

    def _choice(self, column: tuple[Part, ...], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        picks = [p.scope.choice for p in column]
        if len(set(picks)) == 1:
            return self._items([p.items for p in column], contexts, arounds)
        empty = not any(p.items for p in column)
        conditions = {} if empty else self._conditions(column[0].scope, picks, contexts)
        keys = {(id(a.values), a.path): p for a, p in zip(arounds, picks)}
        open_choice = _Open(self._uid(), {}, keys)
        branches = []
        for pick in sorted(set(picks)):
            places = [i for i, p in enumerate(picks) if p == pick]
            nodes = self._items([column[i].items for i in places], contexts.select(places), [arounds[i] for i in places])
            branches.append((pick, nodes))
        self.choices.append(open_choice)

        def close() -> Choice | None:
            if empty and not open_choice.found:
                return None  # it decided about expectations only
            said = conditions or self._conditions(column[0].scope, picks, contexts)
            made = tuple((said[pick], tuple(self._close(nodes))) for pick, nodes in branches)
            return Choice(made, tuple(open_choice.found.items()), _choice_name(column))

        return [close]

    def _conditions(self, scope: Scope, picks: list[int], contexts: Contexts) -> dict[int, Any]:
        """What decides for each branch that is taken somewhere; the last one needs no condition."""
        node, number, found = scope.node, 0, {}
        taken = sorted(set(picks))
        while isinstance(node, tree.If) and number < taken[-1]:
            term = express(node.condition, contexts)
            wanted = tuple(p == number for p in picks)
            decided = tuple(p < number for p in picks)
            if number in taken:
                if term is None or not all(d or equal(v, w) for v, w, d in zip(term.values, wanted, decided)):
                    term = self._flag(scope, number, wanted, contexts)
                self.used |= term.names
                found[number] = code(term)
            node, number = node.otherwise or node, number + 1
        found[taken[-1]] = None
        return found

    def _flag(self, scope: Scope, number: int, wanted: tuple[bool, ...], contexts: Contexts) -> Term:
        return self.parameter(f"variant{number + 1 if number else ''}", wanted, contexts)

    # --- loops --------------------------------------------------------------------------------------------------------

    def _loop(self, column: tuple[Part, ...], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        turns = _turns_of(column)
        if not any(turns):
            return []
        if not self._rolls(column, turns):
            return self._unrolled(turns, contexts, arounds)
        choices, used, extra = len(self.choices), set(self.used), dict(self.extra)
        try:
            return [self._rolled(column, turns, contexts, arounds)]
        except MismatchError:
            if len({len(t) for t in turns}) != 1 or tuple(id(p) for p in column) in self.planned:
                raise
            del self.choices[choices:]
            self.used, self.extra = used, extra
            return self._unrolled(turns, contexts, arounds)

    def _unrolled(self, turns: list[list[Part]], contexts: Contexts, arounds: Seq[Around]) -> list[Any]:
        found: list[Any] = []
        for row in zip(*turns):
            inner = contexts.select(range(len(contexts)))
            for name in row[0].scope.bindings:
                values = tuple(t.scope.bindings.get(name) for t in row)
                if same(values) and _plain(values[0]):
                    inner.names[name] = constant(values[0], len(values))
                else:
                    inner.names.pop(name, None)
            if row[0].scope.name:
                found.extend(self._scope(row, inner, arounds))
            else:
                found.extend(self._items([t.items for t in row], inner, arounds))
        return found

    def _rolled(
        self, column: tuple[Part, ...], turns: list[list[Part]], contexts: Contexts, arounds: Seq[Around]
    ) -> Any:
        if self.style.sequences and any(isinstance(i, Part) for ts in turns for t in ts for i in t.items):
            raise MismatchError  # a ModuleList of ModuleLists is nothing to read
        uid = self._plan(column, turns, arounds)
        pairs, around = _turned(turns, arounds, uid)
        inner = contexts.select([c for c, _ in pairs])
        names = self._loop_terms(inner, pairs, turns)
        opened = _Open(uid, {}, {})
        self.loops.append(opened)
        before = set(self.used)
        self.used = set()
        nodes = self._items([turns[c][t].items for c, t in pairs], inner, around)
        used, self.used = self.used, before
        header = self._header(column, turns, contexts, names, used)
        self.used |= used - set(names)
        return lambda: Loop(
            header[0], header[1], tuple(self._close(nodes)), tuple((a, b, own) for (a, b), own in opened.found.items())
        )

    def _plan(self, column: tuple[Part, ...], turns: list[list[Part]], arounds: Seq[Around]) -> int:
        """The number of a loop, its turns counted and its values announced: a turn takes values of the one before,
        which are made by items that stand further down."""
        key = tuple(id(p) for p in column)
        if key in self.planned:
            return self.planned[key]
        uid = self._uid()
        self.places[uid] = column[0].scope.node.span
        self.turns[uid] = {(id(a.values), a.path): len(ts) for a, ts in zip(arounds, turns)}
        pairs, around = _turned(turns, arounds, uid)
        self._announce([turns[c][t].items for c, t in pairs], around)
        return uid

    def _announce(self, columns: list[tuple[Lowered, ...]], arounds: Seq[Around]) -> None:
        if len({len(c) for c in columns}) != 1:
            raise MismatchError
        for column in zip(*columns):
            if len({type(item) for item in column}) != 1:
                raise MismatchError
            first = column[0]
            if isinstance(first, Part):
                self._announce_part(column, arounds)
                continue
            many = [i.outputs if isinstance(i, Enter) else (i.output,) for i in column]
            if len({len(m) for m in many}) != 1:
                raise MismatchError
            for numbers in zip(*many):
                value = self._new()
                for number, around in zip(numbers, arounds):
                    around.values[number] = Place(value, around.path)

    def _announce_part(self, column: tuple[Any, ...], arounds: Seq[Around]) -> None:
        kind = column[0].scope.kind
        if any(p.scope.kind != kind for p in column):
            raise MismatchError
        if kind == "if":
            for pick in {p.scope.choice for p in column}:
                places = [i for i, p in enumerate(column) if p.scope.choice == pick]
                self._announce([column[i].items for i in places], [arounds[i] for i in places])
        elif kind in ("repeat", "for"):
            turns = _turns_of(column)
            if not self._rolls(column, turns):
                for row in zip(*turns):
                    self._announce([t.items for t in row], arounds)
            elif any(turns):
                self.planned[tuple(id(p) for p in column)] = self._plan(column, turns, arounds)
        elif column[0].scope.name and self.style.sequences:
            self._announce([_flattened(p.items) for p in column], arounds)
        else:
            self._announce([p.items for p in column], arounds)

    def _rolls(self, column: tuple[Part, ...], turns: list[list[Part]]) -> bool:
        """Is it to be a loop? Raises MismatchError where it could be neither that nor written out."""
        counts = [len(t) for t in turns]
        fixed = len(set(counts)) == 1
        if fixed and counts[0] == 0:
            return False
        named = any(t.scope.name for ts in turns for t in ts)
        small = fixed and counts[0] * max(_steps(t.items) for ts in turns for t in ts) <= self.style.unroll
        out = column[0].scope.node.span in self.written_out
        if (named and self.style.sequences) or small or out or (fixed and counts[0] == 1):
            if not fixed:
                raise MismatchError
            return False
        return True

    def _loop_terms(self, inner: Contexts, pairs: list[tuple[int, int]], turns: list[list[Part]]) -> dict[str, tuple[Any, ...]]:
        """The loop's variables: those of the spec, and the number of the turn."""
        index = tuple(t for _, t in pairs)
        names: dict[str, tuple[Any, ...]] = {}
        for name in turns[pairs[0][0]][0].scope.bindings:
            names[name] = tuple(turns[c][t].scope.bindings.get(name) for c, t in pairs)
        for name, values in names.items():
            inner.names[name] = Term(name, values, frozenset((name,)))
            inner.terms.pop(name, None)
            if all(_plain(v) for v in values):
                inner.learn(inner.names[name])
        if "i" not in names and "i" not in inner.terms:
            names["i"] = index
            inner.learn(Term("i", index, frozenset("i")))
        return names

    def _header(
        self,
        column: tuple[Part, ...],
        turns: list[list[Part]],
        contexts: Contexts,
        names: dict[str, tuple[Any, ...]],
        used: set[str],
    ) -> tuple[tuple[str, ...], Any]:
        solver = _Solver(self, contexts, [], ())
        wanted = [n for n in names if n in used]
        counts = [len(t) for t in turns]
        node = column[0].scope.node
        written: list[Written] = [node.count] if isinstance(node, tree.Repeat) else []
        if isinstance(node, tree.For) and isinstance(node.items, tree.Chain) and node.items.operators == ("..",):
            written = [node.items.operands[1]]
        index = [t for ts in turns for t in range(len(ts))]
        if not wanted or (len(wanted) == 1 and list(names[wanted[0]]) == index):
            count = solver.leaf(counts, "n", written)
            return tuple(wanted) or ("_",), CodeCall("range", (count,))
        if "i" in wanted and "i" not in turns[0][0].scope.bindings:
            raise MismatchError
        lists = [[tuple(t.scope.bindings[n] for n in wanted) for t in ts] for ts in turns]
        if any(row != lists[0] for row in lists) or not all(_plain(v) for row in lists[0] for v in row):
            raise MismatchError
        return tuple(wanted), [row[0] if len(wanted) == 1 else row for row in lists[0]]

    # --- parameters -----------------------------------------------------------------------------------------------

    def parameter(self, name: str, column: Seq[Any], contexts: Contexts) -> Term:
        """A parameter for what nothing else can say. Raises MismatchError where it would change from turn to turn."""
        values: list[Any] = [None] * len(self.bodies)
        seen: dict[int, Any] = {}
        for owner, value in zip(contexts.owners, column):
            if owner in seen and not equal(seen[owner], value):
                raise MismatchError
            seen[owner] = values[owner] = value
        if len(self.bodies) == 1 or not all(_plain(v) for v in column):
            raise MismatchError
        stem, number = name, 2
        while name in self.extra and self.extra[name] != values or name in contexts.names:
            name, number = f"{stem}{number}", number + 1
        self.extra[name] = values
        term = Term(name, tuple(column), frozenset((name,)))
        contexts.learn(term)
        return term


class _Solver:
    """Says the differing numbers of one item."""

    def __init__(self, weaver: Weaver, contexts: Contexts, hints: list[Term], column: Seq[Act | Enter]) -> None:
        self.weaver = weaver
        self.contexts = contexts
        self.hints = hints
        first = column[0] if column else None
        written = first.step.written if isinstance(first, Act) and first.step is not None else {}
        self.written = list(written.values())
        self.arguments = (
            {n: [getattr(a.step.layer, n) for a in column if isinstance(a, Act) and a.step is not None] for n in written}
            if isinstance(first, Act) and first.step is not None
            else {}
        )

    def applies(self, uses: list[Use], name: str) -> tuple[Apply, ...]:
        """The steps of a layer, each for all contexts. Raises MismatchError."""
        if len({len(u.steps) for u in uses}) != 1:
            raise MismatchError
        return tuple(self.apply([u.steps[i] for u in uses], name) for i in range(len(uses[0].steps)))

    def apply(self, column: list[Apply], name: str) -> Apply:
        first = column[0]
        if len({(a.stateful, a.name, a.helpers, a.make is None, a.call is None) for a in column}) != 1:
            raise MismatchError
        calls = [a.call for a in column]
        if self.weaver.style.sequences and "i" in self.contexts.terms and first.make is None and not same(calls):
            raise MismatchError  # a `forward` does not know the number of the turn
        makes = [a.make for a in column]
        if self.weaver.style.sequences and first.make is not None and first.call is not None and not same(calls):
            # a module in a Sequential, an expression elsewhere: to solve both would ask for the numbers of both
            if self.weaver.in_chain:
                return first.replace(make=self.code(makes, name), call=None)
            return first.replace(make=None, call=self.code(calls, name))
        return first.replace(make=self.code(makes, name), call=self.code(calls, name))

    def code(self, column: list[Any], name: str) -> Any:
        """One expression for a column of expressions."""
        first = column[0]
        if same(column):
            return first
        if any(type(c) is not type(first) for c in column):
            return self.leaf(column, name, self.written)
        if isinstance(first, CodeCall):
            column = _with_defaults(column)
            first = column[0]
            words = {tuple(n for n, _ in c.kwargs) for c in column}
            if len({len(c.args) for c in column}) > 1 or len(words) > 1:
                raise MismatchError
            func = self.code([c.func for c in column], name) if not isinstance(first.func, str) else first.func
            if isinstance(first.func, str) and len({c.func for c in column}) > 1:
                raise MismatchError
            args = tuple(self.code([c.args[i] for c in column], name) for i in range(len(first.args)))
            kwargs = tuple(
                (n, self.code([c.kwargs[i][1] for c in column], f"{name}_{n}")) for i, (n, _) in enumerate(first.kwargs)
            )
            return CodeCall(func, args, kwargs)
        if isinstance(first, Record):
            if isinstance(first, Opt) and not same([c.default for c in column]):
                raise MismatchError
            fields = zip(*(c.__dict__.values() for c in column))
            return type(first)(*(self.code(list(f), name) for f in fields))
        if isinstance(first, slice):
            return slice(*(self.code(list(part), name) for part in zip(*((c.start, c.stop, c.step) for c in column))))
        if isinstance(first, tuple | list) and len({len(c) for c in column}) == 1 and not self._known(column):
            return type(first)(self.code([c[i] for c in column], name) for i in range(len(first)))
        return self.leaf(column, name, self.written)

    def _known(self, column: list[Any]) -> bool:
        return any(t is not None and matches(t.values, column) for t in self._candidates(self.written))

    def _candidates(self, written: Seq[Written]) -> list[Term]:
        said = [express(node, self.contexts) for node in written]
        hints = [self._fit(h) for h in self.hints]
        return [t for t in [*said, *hints, *self.contexts.terms.values()] if t is not None]

    def _fit(self, hint: Term) -> Term | None:
        """A hint whose column is of these contexts (one from before a loop or branch has another length)."""
        return hint if len(hint.values) == len(self.contexts) else self.contexts.terms.get(hint.text)

    def leaf(self, column: Seq[Any], name: str, written: Seq[Written]) -> Any:
        """A value, or the term that gives the column."""
        if same(column):
            return column[0]
        term = self.term(tuple(column), written, name=name)
        if term is None:
            raise MismatchError
        self.weaver.used |= term.names
        return code(term)

    def term(
        self, column: tuple[Any, ...], written: Seq[Written] | None = None, create: bool = True, name: str = ""
    ) -> Term | None:
        """The term that gives a column. `create` allows a parameter of its own, in the last resort."""
        if same(column):
            return constant(column[0], len(column)) if _plain(column[0]) else None
        for term in self._candidates(self.written if written is None else written):
            if matches(term.values, column):
                self.contexts.learn(term)
                return term
        found = combine(column, self.contexts) or self._first_and_rest(column) or self._affine(column)
        if found is not None or not create:
            return found
        return self.weaver.parameter(self._parameter_name(column, name), column, self.contexts)

    def _parameter_name(self, column: tuple[Any, ...], name: str) -> str:
        if name.endswith("_trainable"):
            return "trainable"
        for argument, values in self.arguments.items():
            if len(values) == len(column) and matches(values, column):
                stem = name.split("_")[0]
                return f"{stem}_{argument}" if stem.isidentifier() else argument
        return name if name.isidentifier() else f"layer{name}"

    def _turns(self) -> tuple[int, ...] | None:
        index = self.contexts.terms.get("i")
        return index.values if index is not None and index.names == {"i"} else None

    def _first_and_rest(self, column: tuple[Any, ...]) -> Term | None:
        """`a if i == 0 else b`"""
        turns = self._turns()
        if turns is None or 0 not in turns or not any(turns):
            return None
        sides = []
        for places in ([k for k, t in enumerate(turns) if t == 0], [k for k, t in enumerate(turns) if t]):
            inner = self.contexts.select(places)
            inner.terms.pop("i", None)
            side = _Solver(self.weaver, inner, [], ()).term(tuple(column[k] for k in places), self.written, create=False)
            if side is None or "i" in side.names:
                return None
            sides.append(side)
        names = sides[0].names | sides[1].names | {"i"}
        return Term(f"{sides[0].within(1)} if i == 0 else {sides[1].within(0)}", column, names, 0)

    def _affine(self, column: tuple[Any, ...]) -> Term | None:
        """`a + i * b`"""
        turns = self._turns()
        if turns is None or not all(isinstance(v, int) and not isinstance(v, bool) for v in column):
            return None
        starts: dict[int, int] = {}
        steps: dict[int, int] = {}
        for owner, turn, value in zip(self.contexts.owners, turns, column):
            if turn == 0:
                starts[owner] = value
            elif turn == 1 and owner in starts:
                steps[owner] = value - starts[owner]
        if not starts or any(o not in starts or o not in steps for o in self.contexts.owners):
            return None
        if any(v != starts[o] + t * steps[o] for o, t, v in zip(self.contexts.owners, turns, column)):
            return None
        inner = self.contexts.select(range(len(column)))
        inner.terms.pop("i", None)
        solver = _Solver(self.weaver, inner, [], ())
        base = solver.term(tuple(starts[o] for o in self.contexts.owners), [], create=False)
        step = solver.term(tuple(steps[o] for o in self.contexts.owners), [], create=False)
        if base is None or step is None or "i" in base.names | step.names:
            return None
        text = f"{base.within(5)} + i * {step.within(7)}"
        return Term(text, column, base.names | step.names | {"i"}, 5)


def _with_defaults(calls: list[CodeCall]) -> list[CodeCall]:
    """Calls with the same named arguments, where those that some lack have a known default."""
    names = max((tuple(n for n, _ in c.kwargs) for c in calls), key=len)
    defaults = {n: v.default for c in calls for n, v in c.kwargs if isinstance(v, Opt)}
    found = []
    for call in calls:
        given = dict(call.kwargs)
        if set(given) - set(names) or any(n not in given and n not in defaults for n in names):
            raise MismatchError
        kwargs = tuple((n, given[n] if n in given else Opt(defaults[n], defaults[n])) for n in names)
        found.append(call.replace(kwargs=kwargs))
    return found


# --- small questions -------------------------------------------------------------------------------------------------


def key_of(body: LoweredBody) -> Any:
    """What tells lowered bodies apart."""
    return id(body.body), body.layouts, body.frozen


def _plain(value: Any) -> bool:
    """Can it stand in Python text as it is?"""
    if isinstance(value, tuple):
        return all(_plain(v) for v in value)
    return value is None or isinstance(value, bool | int | float | str)


def _steps(items: Seq[Lowered]) -> int:
    return sum(_steps(i.items) if isinstance(i, Part) else 1 for i in items)


def _turns_of(column: tuple[Part, ...]) -> list[list[Part]]:
    return [[t for t in p.items if isinstance(t, Part)] for p in column]


def _turned(turns: list[list[Part]], arounds: Seq[Around], uid: int) -> tuple[list[tuple[int, int]], list[Around]]:
    """The turns of all contexts in one row: (context, turn), and what is around each."""
    pairs = [(c, t) for c, ts in enumerate(turns) for t in range(len(ts))]
    return pairs, [Around(arounds[c].values, (*arounds[c].path, (uid, t))) for c, t in pairs]


def _flattened(items: Seq[Lowered]) -> tuple[Lowered, ...]:
    """A scope's steps in a row: loops, turns, branches and nameless scopes opened."""
    found: list[Lowered] = []
    for item in items:
        if isinstance(item, Part) and not item.scope.name:
            found.extend(_flattened(item.items))
        else:
            found.append(item)
    return tuple(found)


def _is_chain(items: Seq[Lowered], uses: Any) -> bool:
    """Does each step take just the one before it, and could each stand in a Sequential?"""
    before = None
    for item in items:
        if isinstance(item, Part):
            return False
        outputs = item.outputs if isinstance(item, Enter) else (item.output,)
        if len(item.inputs) != 1 or len(outputs) != 1 or (before is not None and item.inputs[0] != before):
            return False
        if before is not None and uses.get(before) != 1:
            return False
        if isinstance(item, Act) and any(a.make is None for a in item.use.steps):
            return False
        before = outputs[0]
    return bool(items)


def _shape_after(item: Lowered) -> Any:
    if isinstance(item, Enter):
        return item.call.outputs[0].shape
    return item.step.output.shape if isinstance(item, Act) and item.step is not None else None


def _prefixed(name: str, node: Any) -> Any:
    """A node of a named scope that is no chain: its attribute carries the name of the scope."""
    if callable(node):
        return lambda: _prefixed(name, node())
    return node.replace(name=f"{name}_{node.name}") if isinstance(node, Leaf | Invoke | Sequence) else node


def _choice_name(column: tuple[Part, ...]) -> str:
    """A name for a branch: that of the first thing in it that the author named."""
    for part in column:
        for item in part.items:
            if isinstance(item, Part) and item.scope.name:
                return item.scope.name
            if isinstance(item, Act | Enter) and item.given:
                return item.given
    for part in column:
        for item in part.items:
            if isinstance(item, Act) and item.step is not None:
                return item.step.layer.kind
            if isinstance(item, Enter):
                return item.code.body.name
    return "branch"


def _last_name(column: Seq[Act | Enter]) -> str:
    """The name of an item that has another number in other instances: the highest, which no other item has."""
    return max((item.name for item in column), key=lambda n: (len(n), n))
