"""The parameters of a template: those of the spec, channels that PyTorch has to be told, and what nothing else says."""

from __future__ import annotations

from collections import Counter

from ...base.record import TYPE_CHECKING
from ...pycode.expr import inline
from ...syntax import tree
from ..identifiers import BUILTINS, Names, safe
from ..ir import REQUIRED, TemplateParameter
from .expressions import express
from .ssa import MismatchError
from .terms import Contexts, Term, code, constant, equal, matches, plain, same, sometimes_whole, window

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..lowering.lower import LoweredBody
    from ..styles import Style


class Parameters:
    """The names of one template's parameters and loops, with their values for each body that it stands for."""

    def __init__(self, style: Style, bodies: Seq[LoweredBody], reserved: set[str], outermost: bool) -> None:
        self.style = style
        self.bodies = bodies
        self.outermost = outermost
        self.reserved = Names(reserved, style.reserved, BUILTINS)
        # names that are in use for the whole of the template, and those of loops
        self.names: set[str] = set()
        self.loops: set[str] = set()
        # the names that the code asks for, and what it needs to be right
        self.used: set[str] = set()
        self.needs: list[Term] = []
        # does the code hold expressions that the spec does not say?
        self.fitted = False
        # numbers that the author has given names to
        self.locals: dict[str, Term] = {}
        # those that the shapes of inputs ask for
        self.declaring: set[str] = set()
        # parameters of the spec by their name in Python; parameters that nothing else could say
        self.declared: dict[str, tree.ParameterDeclaration] = {}
        self.columns: dict[str, list[Any]] = {}
        # the inputs whose channels parameters are
        self.ports: dict[str, int] = {}
        # the names in Python of sizes that can be asked for
        self.named: dict[str, str] = {}
        self.extra: dict[str, list[Any]] = {}
        # parameters of the spec that are nothing but arguments of steps
        self.handed_on: set[str] = set()
        # those whose items stand as numbers in a branch
        self.pinned: set[str] = set()

    def fresh(self, wish: str) -> str:
        """A name that nothing else in the template has."""
        name = stem = safe(wish, self.reserved)
        number = 2
        while name in self.names or name in self.loops:
            name, number = f"{stem}{number}", number + 1
        return name

    def loop_name(self, wish: str, around: Seq[str]) -> str:
        """A name for the variable of a loop, which loops beside it may have, too; `around` are those around it."""
        name = stem = safe(wish, self.reserved)
        number = 2
        while name in self.names or name in around:
            name, number = f"{stem}{number}", number + 1
        self.loops.add(name)
        return name

    # --- what the spec gives ----------------------------------------------------------------------------------------

    def contexts(self) -> Contexts:
        """One context for each body, with the spec's own parameters."""
        definition = self.bodies[0].body.definition
        names: dict[str, Term] = {}
        only_handed_on = _only_handed_on(definition) if definition.parameters else set()
        spoken = {n.text for n in definition.nodes if isinstance(n, tree.Name)} if definition.parameters else set()
        for parameter in definition.parameters:
            if parameter.name.text not in spoken:
                continue  # what the text never asks for is no number of its
            column = [b.body.arguments[parameter.name.text] for b in self.bodies]
            if parameter.name.text in only_handed_on:
                self.handed_on.add(parameter.name.text)
                column = [window(value) for value in column]
            said = self._default_term(parameter, column, names)
            if said is not None:
                names[parameter.name.text] = said
                continue
            names[parameter.name.text] = self._term(parameter.name.text, column)
            for name in names[parameter.name.text].names:
                self.declared[name] = parameter
        terms = {t.text: t for t in names.values() if t.names}
        return Contexts(tuple(range(len(self.bodies))), terms, names, bound_once(definition))

    def _default_term(
        self, parameter: tree.ParameterDeclaration, column: list[Any], names: dict[str, Term]
    ) -> Term | None:
        """What a default says with the parameters before it, where no body has anything else."""
        if parameter.default is None:
            return None
        term = express(parameter.default, Contexts(tuple(range(len(column))), {}, names))
        return term if term is not None and term.names and matches(term.values, column) else None

    def _term(self, wish: str, column: list[Any]) -> Term:
        """A constant where all bodies agree, or else a name for the column."""
        if same(column) and plain(column[0]):
            return constant(column[0], len(column))
        name = self.fresh(wish)
        self.names.add(name)
        self.columns[name] = column
        return Term(name, tuple(column), frozenset((name,)))

    def inputs(self, contexts: Contexts, ports: Seq[tuple[str, int]]) -> dict[int, Term]:
        """What can be known of the inputs: their channels, by value, and by the names of the spec their sizes."""
        channels = self._channels(ports, contexts) if self.style.channels else {}
        for place, (port, value) in enumerate(ports):
            ranks = [len(body.body.inputs[place].value.shape) for body in self.bodies]
            if same(ranks):
                contexts.names.setdefault(f"{port}.rank", constant(ranks[0], len(ranks)))
            if value in channels:
                contexts.names.setdefault(f"{port}.channels", channels[value])
                if channels[value].names:
                    contexts.learn(channels[value])
        for name in self.bodies[0].body.sizes:
            column = [b.body.sizes.get(name) for b in self.bodies]
            known = [t for t in channels.values() if t.names and matches(t.values, column)]
            if same(column):
                contexts.names[name] = constant(column[0], len(column))
            elif known:
                contexts.names[name] = known[0]
            elif self.style.sizes:  # a class is not told the sizes of what it is applied to
                contexts.names[name] = self._term(name, column)
                contexts.learn(contexts.names[name])
                self.named[name] = contexts.names[name].text
        return channels

    def name_locals(self, contexts: Contexts) -> None:
        """The numbers that the author has given a name to, at the top of the body, keep it. What is a size in one
        branch, and a quotient that is not whole elsewhere, is written out in each."""
        bound = contexts.bound
        for statement in self.bodies[0].body.definition.body.statements:
            target = statement.target if isinstance(statement, tree.Binding) else None
            names = target.names if isinstance(target, tree.BindingTarget) else ()
            for name in (n.text for n in names if n.text in bound and n.text not in contexts.names):
                term = express(bound[name], contexts)
                if term is None or sometimes_whole(term):
                    continue
                contexts.names[name] = self._local(name, term) if self._deserves_name(term) else term

    def _deserves_name(self, term: Term) -> bool:
        """A name for another name, or for a number, says nothing; a class is told no sizes in its constructor."""
        sizes = set(self.named.values()) if self.style.sequences else set()
        return bool(term.names) and not term.text.isidentifier() and not term.names & sizes

    def _local(self, wish: str, term: Term) -> Term:
        name = self.fresh(wish)
        self.names.add(name)
        self.locals[name] = term
        return term.replace(text=name, names=frozenset((name,)), rank=9)

    def use(self, term: Term) -> None:
        """The code says a term, and needs what it needs."""
        self.used |= term.names
        self.needs += term.needs

    def pins(self) -> list[str]:
        """Lists of a caller, each with all that it may be."""
        names = [n for n in self.columns if n in self.pinned and all(isinstance(v, tuple) for v in self.columns[n])]
        return [f"{n} in {inline(tuple(dict.fromkeys(self.columns[n])))}" for n in names if n not in self.handed_on]

    def kept_locals(self) -> dict[str, Any]:
        """Those of the named numbers that the code asks for; with them it asks for what they are made of."""
        for name, term in reversed(self.locals.items()):
            if name in self.used:
                self.used |= term.names
        return {name: code(term) for name, term in self.locals.items() if name in self.used}

    def _channels(self, ports: Seq[tuple[str, int]], contexts: Contexts) -> dict[int, Term]:
        found: dict[int, Term] = {}
        written = self._written_sizes()
        for place, (port, value) in enumerate(ports):
            shapes = [b.body.inputs[place].value.shape for b in self.bodies]
            if not all(shapes):
                continue
            column = [s[-1] for s in shapes]
            said = express(written[port][-1], contexts) if written.get(port) else None
            if said is not None and matches(said.values, column):
                found[value] = said
                continue
            stem = "features" if all(len(s) == 1 for s in shapes) else "channels"
            found[value] = self._term(f"in_{stem}" if len(ports) == 1 else f"{port}_{stem}", column)
            self.ports.update(dict.fromkeys(found[value].names, place))
        return found

    def declared_sizes(self, contexts: Contexts) -> list[tuple[Any, ...]]:
        """The shape of each input of a net, as code; None for a size that is not known. Raises MismatchError."""
        written = self._written_sizes()
        found = []
        for place, port in enumerate(self.bodies[0].body.inputs):
            columns = [*zip(*(b.body.inputs[place].value.shape for b in self.bodies))]
            nodes = written.get(port.name) or (None,) * len(columns)
            found.append(tuple(self._size(n, c, contexts) for n, c in zip(nodes, columns)))
        return found

    def _size(self, node: tree.Node | None, column: tuple[Any, ...], contexts: Contexts) -> Any:
        if same(column):
            return column[0] if isinstance(column[0], int) else None
        term = express(node, contexts) if node is not None else None
        if term is None or not matches(term.values, column):
            raise MismatchError
        self.declaring |= term.names
        self.needs += term.needs
        return code(term)

    def _written_sizes(self) -> dict[str, tuple[tree.Node, ...]]:
        """The sizes of each input and state as they are written, where they are written once."""
        definition = self.bodies[0].body.definition
        states = (node for node in definition.nodes if isinstance(node, tree.StateDeclaration))
        written: list[tree.Input | tree.StateDeclaration] = [*tree.inputs(definition), *states]
        names = [port.name.text for port in written]
        return {port.name.text: port.sizes or () for port in written if names.count(port.name.text) == 1}

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Where in the inputs the sizes are that the code asks for: (input, axis) by name."""
        found: dict[str, tuple[int, int]] = {}
        written = self._written_sizes()
        for place, port in enumerate(self.bodies[0].body.inputs if self.style.sizes else ()):
            sizes = written.get(port.name, ())
            dots = next((i for i, s in enumerate(sizes) if isinstance(s, tree.Ellipsis)), len(sizes))
            for axis, size in enumerate(sizes):
                if isinstance(size, tree.Name) and size.text in self.named:
                    last = axis == len(sizes) - 1
                    number = -1 if last else axis + 1 if axis < dots else axis - len(sizes)
                    found.setdefault(self.named[size.text], (place, number))
        return found

    # --- what nothing else says -------------------------------------------------------------------------------------

    def add(self, wish: str, column: Seq[Any], contexts: Contexts) -> Term:
        """A parameter of its own. Raises MismatchError where it would change from turn to turn."""
        values: list[Any] = [None] * len(self.bodies)
        seen: set[int] = set()
        for owner, value in zip(contexts.owners, column):
            if owner in seen and not equal(values[owner], value):
                raise MismatchError
            seen.add(owner)
            values[owner] = value
        if len(self.bodies) == 1 or not all(plain(v) for v in column):
            raise MismatchError
        name = next((n for n, v in self.extra.items() if v == values and n.startswith(wish)), None) or self.fresh(wish)
        self.names.add(name)
        self.extra[name] = values
        term = Term(name, tuple(column), frozenset((name,)))
        contexts.learn(term)
        return term

    # --- the outcome --------------------------------------------------------------------------------------------------

    def chosen(self) -> tuple[TemplateParameter, ...]:
        """The parameters that the code asks for, those without a default first."""
        sizes = self.sizes()
        order = [*(n for n in self.columns if n not in self.declared), *self.declared, *self.extra]
        said = {name: parameter.name.text for name, parameter in self.declared.items()}
        names = [n for n in order if n in self.used and n not in sizes]
        found = [TemplateParameter(n, self._default(n), said.get(n, ""), self.ports.get(n)) for n in names]
        return tuple(sorted(found, key=lambda p: p.default is not REQUIRED))

    def _default(self, name: str) -> Any:
        parameter = self.declared.get(name)
        if parameter is None:
            return REQUIRED
        if self.outermost:
            return self.columns[name][0]
        default = self.bodies[0].body.defaults.get(parameter.name.text, REQUIRED)
        return window(default) if parameter.name.text in self.handed_on else default

    def values(self, name: str) -> list[Any]:
        """The values of a parameter, one for each body."""
        return self.extra[name] if name in self.extra else self.columns[name]


def bound_once(definition: tree.Definition) -> dict[str, tree.Node]:
    """The names that a body binds at one place to an expression, and these expressions."""
    nodes = definition.nodes
    other = {id(n.name) for n in nodes if isinstance(n, tree.Keyword | tree.Attribute)}
    given = Counter(n.text for n in nodes if isinstance(n, tree.Identifier) and id(n) not in other)
    found: dict[str, tree.Node] = {}
    for node in nodes:
        names = (
            node.target.names if isinstance(node, tree.Binding) and isinstance(node.target, tree.BindingTarget) else ()
        )
        if isinstance(node, tree.Binding) and len(names) == len(node.values):
            found.update(zip((n.text for n in names), node.values))
    return {name: value for name, value in found.items() if given[name] == 1}


def _only_handed_on(definition: tree.Definition) -> set[str]:
    """The names that stand nowhere but as arguments of steps."""
    nodes = definition.body_nodes
    arguments = [a for n in nodes if isinstance(n, tree.CallExpression) for a in n.arguments]
    values = [a.value if isinstance(a, tree.Keyword) else a for a in arguments]
    handed = Counter(v.text for v in values if isinstance(v, tree.Name))
    said = Counter(n.text for n in nodes if isinstance(n, tree.Name))
    return {p.name.text for p in definition.parameters if handed[p.name.text] == said[p.name.text]}
