"""Unification: many instances of a block become one template (anti-unification).

Lowered bodies of one block are laid over one another, item by item. What is equal stays; a number that differs
becomes a term over the parameters. Loops are laid over themselves, turn by turn. Where the structure differs, a
condition of the spec says why; where none does, the instances become two classes.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import product

from ...base.record import TYPE_CHECKING
from ...syntax import tree
from ..ir import REQUIRED, Choice, Invoke, Leaf, Loop, ModuleChain, Template
from ..lowering.lower import LoweredCall, LoweredStep, key_of
from .align import aligned, check_used_by_all, kind_of, last_name, shape_after
from .choices import unify_choice
from .decisions import alternatives
from .expressions import express
from .loops import unify_loop
from .ssa import DefinitionSite, InstancePath, MismatchError
from .synthesis import Solver
from .terms import Contexts, Term, chosen, combine, constant, equal, negated, same, without_implied
from .unification import Unification

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...layers.base import Apply
    from ..ir import Node
    from ..lowering.lower import Lowered, LoweredBody, LoweredRegion
    from .unification import Unified


class Unifier(Unification):
    """Unifies the bodies of one template."""

    # --- the whole ------------------------------------------------------------------------------------------------

    def unify(self) -> Template:
        """Raises MismatchError."""
        first = self.bodies[0]
        arounds = [InstancePath({}, ()) for _ in self.bodies]
        inputs = []
        if len({len(b.body.inputs) for b in self.bodies}) > 1 or _torn(self.bodies):
            raise MismatchError
        for place, port in enumerate(first.body.inputs):
            value = self.values.new()
            inputs.append((port.name, value))
            self.values.inputs.add(value)
            for body, around in zip(self.bodies, arounds):
                around.values[body.inputs[place]] = DefinitionSite(value, ())
        contexts = self.parameters.contexts()
        self.channels = self.parameters.inputs(contexts, inputs)
        self.parameters.name_locals(contexts)
        self.guards += _decided(first.body.definition, contexts)
        if self.shares:
            check_used_by_all([b.items for b in self.bodies])
        nodes = self.items([(*b.items, *b.starts) for b in self.bodies], contexts, arounds)
        if len({len(b.outputs) for b in self.bodies}) > 1:
            raise MismatchError
        ends = [self.values.ref([b.outputs[i] for b in self.bodies], arounds) for i in range(len(first.outputs))]
        shapes = self.parameters.declared_sizes(contexts) if self.declares else []
        self.parameters.used |= self.parameters.declaring
        for demand in self.guards:  # a class is told what it has to refuse
            if demand.names <= self.parameters.columns.keys():
                self.parameters.used |= demand.names
        return self._template(self.close(nodes), tuple(inputs), ends).replace(shapes=shapes)

    def _template(self, nodes: tuple[Node, ...], inputs: tuple[tuple[str, int], ...], ends: list[int]) -> Template:
        named = self.parameters.kept_locals()
        chosen = self.parameters.chosen()
        columns = {p.name: self.parameters.values(p.name) for p in chosen}
        values = {key_of(b): {n: c[i] for n, c in columns.items()} for i, b in enumerate(self.bodies)}
        sizes = {n: s for n, s in self.parameters.sizes().items() if n in self.parameters.used}
        bodies = tuple(b.body for b in self.bodies)
        outputs = tuple((result.name, value) for result, value in zip(bodies[0].outputs, ends))
        return Template(
            self.name, bodies, chosen, values, nodes, inputs, outputs, self.values.labels, self.marks, sizes,
            tuple(ends[len(outputs) :]), self.bodies[0].kind, locals=named,
            added=frozenset(self.parameters.extra).intersection(p.name for p in chosen), fitted=self.parameters.fitted,
            guards=self._guards({*named, *sizes, *(p.name for p in chosen)}),
            layouts=self.bodies[0].layouts, out_layouts=self.bodies[0].out_layouts,
        )  # fmt: skip

    def _guards(self, words: set[str]) -> tuple[str, ...]:
        """Those of the demands that the arguments of the class decide, each once."""
        found = [term.text for term in (*self.guards, *self.parameters.needs) if term.names and term.names <= words]
        pins = [text for text in self.parameters.pins() if text.split(" ")[0] in words]
        return tuple(without_implied(list(dict.fromkeys([*found, *pins]))))

    # --- items --------------------------------------------------------------------------------------------------------

    def items(
        self, columns: list[tuple[Lowered, ...]], contexts: Contexts, arounds: Seq[InstancePath]
    ) -> list[Unified]:
        """The items of all instances as nodes. Raises MismatchError."""
        found: list[Unified] = []
        for column in aligned(columns):
            first = column[0]
            if isinstance(first, LoweredStep):
                found.append(self._act(column, contexts, arounds))
            elif isinstance(first, LoweredCall):
                found.append(self._enter(column, contexts, arounds))
            else:
                found.extend(self._part(column, contexts, arounds))
        return found

    def _act(self, column: tuple[LoweredStep, ...], contexts: Contexts, arounds: Seq[InstancePath]) -> Leaf:
        first = column[0]
        traits = {
            (a.step and a.step.layer.kind, len(a.inputs), len(a.outputs), a.given, a.step and a.step.shared)
            for a in column
        }
        if len(traits) != 1:
            raise MismatchError
        inputs = self._inputs(column, arounds)
        solver = Solver(self.parameters, contexts, self._hints(inputs, contexts), column)
        applies = self._applies(column, solver)
        places = range(len(first.outputs))
        outputs = tuple(self._made([a.outputs[i] for a in column], contexts, arounds) for i in places)
        if first.label:
            self.values.labels.setdefault(outputs[0], first.label)
        step = first.step
        origins = _origins(column, contexts, arounds)
        if step is None:
            if inputs[0] in self.channels:
                self.channels[outputs[0]] = self.channels[inputs[0]]
            return Leaf(first.name, "", "", "", applies, inputs, outputs, None, None, True, origins=origins)
        shapes = [[a.step.outputs[i].shape for a in column if a.step is not None] for i in places]
        for output, found in zip(outputs, shapes):
            self._channel(output, found, solver)
        if step.layer.kind == "concat" and outputs[0] not in self.channels and shapes[0][0]:
            term = solver.sum_of([self.channels.get(v) for v in inputs], [s[-1] for s in shapes[0]])
            if term is not None:
                self.channels[outputs[0]] = term
                contexts.learn(term)  # branches behind it ask for it
        own = self._own(column, contexts)
        alike = all(a.step is not None and a.step.output.shape == step.output.shape for a in own)
        layer = step.layer
        return Leaf(
            last_name(own), first.given, layer.kind, layer.style, applies, inputs, outputs, step, step.shared, alike,
            first.use.outputs, first.use.names, origins,
        )  # fmt: skip

    def _applies(self, column: tuple[LoweredStep, ...], solver: Solver) -> tuple[Apply, ...]:
        """The code of a layer: with what is known, in its shortest or a general form, or else with parameters of its
        own. Raises MismatchError."""
        used, extra, terms = set(self.parameters.used), dict(self.parameters.extra), dict(solver.contexts.terms)
        needs = len(self.parameters.needs)
        uses = {0: [a.use for a in column]}
        for adds, form in product((False, True), range(3)):
            if form not in uses:
                uses[form] = [a.general(form) for a in column]
            with suppress(MismatchError):
                return solver.applies(uses[form], column[0].name, self.in_chain, adds)
            self.parameters.used, self.parameters.extra = set(used), dict(extra)
            del self.parameters.needs[needs:]
            solver.contexts.terms = dict(terms)  # a parameter that is not added is no term
        raise MismatchError

    def _enter(self, column: tuple[LoweredCall, ...], contexts: Contexts, arounds: Seq[InstancePath]) -> Invoke:
        first = column[0]
        templates = [self.known.of(e.code) for e in column]
        template = templates[0]
        if template is None or any(t is not template for t in templates):
            raise MismatchError
        if len({(e.given, e.shared, e.frozen, e.call.use) for e in column}) > 1:
            raise MismatchError
        if self.declares and first.shared and first.form is None and len({_taken_shapes(e) for e in column}) > 1:
            raise MismatchError  # the model that is shared would need an input of another shape
        inputs = self._inputs(column, arounds)
        solver = Solver(self.parameters, contexts, self._hints(inputs, contexts), column)
        arguments = []
        given = [template.values[key_of(e.code)] for e in column] if template.parameters else []
        for parameter in template.parameters:
            values = [row[parameter.name] for row in given]
            written = first.call.written.get(parameter.name)
            value = solver.argument(values, f"{first.name}_{parameter.name}", written)
            if parameter.default is REQUIRED or not equal(value, parameter.default):
                arguments.append((parameter.name, value))
        outputs = []
        solver.written = list(first.call.written.values())  # channels that are an argument are called so
        for i in range(len(first.outputs)):
            outputs.append(self._made([e.outputs[i] for e in column], contexts, arounds))
            self._channel(outputs[-1], [e.call.outputs[i].shape for e in column], solver)
        shape = first.call.outputs[0].shape
        own = self._own(column, contexts)
        alike = all(e.call.outputs[0].shape == shape for e in own)
        return Invoke(
            last_name(own), first.given, template, tuple(arguments), inputs, tuple(outputs), first.shared,
            shape if alike else None, first.frozen, _origins(column, contexts, arounds), first.form,
        )  # fmt: skip

    def _own(self, column: Seq[Any], contexts: Contexts) -> Seq[Any]:
        """The items of a column that the program has itself; where it has none, what the witnesses have."""
        return [item for item, owner in zip(column, contexts.owners) if owner < self.own] or column

    # --- values -------------------------------------------------------------------------------------------------------

    def _inputs(self, column: Seq[LoweredStep | LoweredCall], arounds: Seq[InstancePath]) -> tuple[int, ...]:
        count = len(column[0].inputs)
        return tuple(self.values.ref([item.inputs[i] for item in column], arounds) for i in range(count))

    def _hints(self, inputs: tuple[int, ...], contexts: Contexts) -> list[Term]:
        sources = [v for value in inputs for v in (value, *self.values.operands(value))]
        found = [self.channels[v] for v in sources if v in self.channels]
        behind = (look(value, contexts) for value in inputs for look in (self._behind_loop, self._behind_choice))
        return found + [term for term in behind if term is not None]

    def _behind_choice(self, value: int, contexts: Contexts) -> Term | None:
        """The channels of what a choice of two branches leaves: those of one where its condition holds."""
        found = self.values.behind_choice(value)
        branches = self.branches.get(found[0], {}) if found is not None else {}
        if found is None or len(branches) != 2 or sum(len(places) for _, places in branches.values()) != len(contexts):
            return None
        sides: list[Term] = []
        values: dict[int, Any] = {}
        for pick, (_, places) in branches.items():
            side = self.channels.get(found[1].operands.get(pick, -1))
            if side is None or len(side.values) not in (len(places), len(contexts)):
                return None
            values |= zip(
                places, side.values if len(side.values) == len(places) else map(side.values.__getitem__, places)
            )
            sides.append(side)
        condition, (one, other) = branches[min(branches)][0], sides
        if condition is None or one.text == other.text:
            return None
        column = tuple(values[place] for place in range(len(contexts)))
        # `n * expand if expand > 1 else n` is `n * expand` where no other numbers come than 1 and larger ones
        plainly = combine(column, contexts, self.parameters.extra)
        return chosen(condition, one, other, column) if plainly is None else plainly.replace(fitted=True)

    def _behind_loop(self, value: int, contexts: Contexts) -> Term | None:
        """The channels of what a loop leaves, which may have no turn."""
        found = self.values.behind_loop(value)
        count = self.counts.get(found[0]) if found is not None else None
        if found is None or count is None or all(count.values) or len(count.values) != len(contexts):
            return None
        texts = [self.channels[v].text for v in (found[1].later, found[1].first) if v in self.channels]
        sides = [contexts.terms[text] for text in texts if text in contexts.terms]
        if len(sides) < 2:
            return None
        later, first = sides
        if later.text == first.text:
            return later
        values = tuple(a if turns else b for turns, a, b in zip(count.values, later.values, first.values))
        return chosen(count, later, first, values)

    def _made(self, numbers: Seq[int], contexts: Contexts, arounds: Seq[InstancePath]) -> int:
        """The template's number for a value that a step makes; the one that was announced, if it was."""
        value = self.announced(numbers, contexts, arounds)
        mark = self.bodies[contexts.owners[0]].body.marks.get(numbers[0])
        if mark is not None:
            self.marks[value] = mark
        return value

    def _channel(self, output: int, shapes: Seq[tuple[Any, ...]], solver: Solver) -> None:
        """How the channels of a value are said, for the layers behind it, and where the text asks for them."""
        names = {self.values.labels.get(output), self.values.renamed.get(output)} & self.asked
        if same([len(shape) for shape in shapes]):
            rank = constant(len(shapes[0]), len(shapes))
            solver.contexts.names.update((f"{name}.rank", rank) for name in names)
        column = tuple(s[-1] for s in shapes if s)
        asked = (names or self.style.channels) and all(shapes)
        term = (solver.kept(column) or solver.known(column)) if asked else None
        if term is not None:
            solver.contexts.names.update((f"{name}.channels", term) for name in names)
            if self.style.channels:
                self.channels[output] = term

    # --- scopes -------------------------------------------------------------------------------------------------------

    def _part(self, column: tuple[LoweredRegion, ...], contexts: Contexts, arounds: Seq[InstancePath]) -> list[Unified]:
        kind = kind_of(column)
        if kind == "loop":
            return unify_loop(self, column, contexts, arounds)
        if kind == "if":
            return unify_choice(self, column, contexts, arounds)
        return self.scope(column, contexts, arounds)

    def scope(self, column: tuple[LoweredRegion, ...], contexts: Contexts, arounds: Seq[InstancePath]) -> list[Unified]:
        """A turn that stands on its own, or a scope that `as` made: where it is a chain, an `nn.Sequential`."""
        name = column[0].region.name
        if name and self.style.sequences and len({p.region.name for p in column}) > 1:
            raise MismatchError
        inner = self.opened(column, contexts)
        if inner is None:
            nodes = self.items([p.items for p in column], contexts, arounds)
            return [_prefixed(name, n) for n in nodes] if name and self.style.sequences else nodes
        self.in_chain = True
        try:
            chain = self.close(self.items(inner, contexts, arounds))
        finally:
            self.in_chain = False
        inputs, outputs = ends(chain)
        shapes = {shape_after(items[-1]) for items in inner}
        return [ModuleChain(name, chain, inputs, outputs, shapes.pop() if len(shapes) == 1 else None)]


# --- small questions -------------------------------------------------------------------------------------------------


def _decided(definition: tree.Definition, contexts: Contexts) -> Iterator[Term]:
    """What has to hold since all instances take the same of two values: the code has that one alone."""
    for node in alternatives(definition):
        term = express(node.condition, contexts)
        if term is not None and term.names and same(term.values):
            yield term if term.values[0] else term.replace(text=negated(term.text))


def _torn(bodies: Seq[LoweredBody]) -> bool:
    """Do bodies give values of one rank in several layouts? One class gives each in one."""
    found: dict[tuple[int, int], str] = {}
    ranks = (
        (place, len(result.value.shape), layout)
        for body in bodies
        for place, (result, layout) in enumerate(zip(body.body.outputs, body.out_layouts))
    )
    return any(found.setdefault((place, rank), layout) != layout for place, rank, layout in ranks)


def _taken_shapes(enter: LoweredCall) -> tuple[Any, ...]:
    return tuple(t.shape for t in enter.call.inputs)


def _origins(column: Seq[Any], contexts: Contexts, arounds: Seq[InstancePath]) -> dict[Any, Any]:
    """What a node stands for, by body and by the turns and branches around."""
    return {(owner, around.path): item for item, owner, around in zip(column, contexts.owners, arounds)}


def ends(chain: Seq[Node]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the first step of a chain takes, and the last one gives."""
    first, last = chain[0], chain[-1]
    assert not isinstance(first, Loop | Choice)  # a chain is of plain steps
    assert not isinstance(last, Loop | Choice)
    return first.inputs, last.outputs


def _prefixed(name: str, node: Any) -> Any:
    """A node of a named scope that is no chain: its attribute carries the name of the scope."""
    if callable(node):
        return lambda: _prefixed(name, node())
    return node.replace(name=f"{name}_{node.name}") if isinstance(node, Leaf | Invoke | ModuleChain) else node
