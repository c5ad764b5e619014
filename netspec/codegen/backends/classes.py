"""Classes: what the writers of PyTorch modules and of Keras layers have in common.

A class makes its modules in the constructor and applies them in a method. Loops become lists of modules, named chains a
Sequential, and a branch that has modules is made only where it is taken.
"""

from __future__ import annotations

from collections import Counter

from ...base.record import TYPE_CHECKING, Record
from ...pycode.doc import lay_out
from ...pycode.expr import Bare, Call, Generator, Infix, Raw, Star, X, call, each_part, fill, inline
from ...pycode.names import WORD, free_names
from ...pycode.statements import Assign, IfElse, choose
from ..identifiers import safe
from ..ir import Choice, Invoke, Leaf, Loop, ModuleChain, constructed, inside, uses
from ..outline.terms import negated
from ..passes.attributes import first_module, is_kept, of_part, part_names, singular
from ..passes.dce import needed
from ..passes.reroll import optional, plural
from .assignments import Assignment, Draft
from .axes import axes_line
from .constructors import NESTED, each_turn, folded, guarded, is_shared, shared_of
from .module import doc_of, docstring
from .statements import StatementWriter
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Seq
    from typing import Any, ClassVar

    from ...ir.types import Instance
    from ...layers.base import Apply, Helper
    from ...layers.cell_uses import CellForm
    from ...pycode.expr import Code
    from ...pycode.statements import Statement
    from ..ir import Node, Template


class HeldModule(Record):
    """A module that the class keeps: its attribute, and how it is made."""

    attribute: str
    make: Code


class ClassWriter(Writer):
    """Writes one class."""

    # are channels first where windows slide over a value?
    first: ClassVar[bool] = False
    # attributes that the framework's own class has already
    attributes_taken: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, template: Template, is_net: bool) -> None:
        self.template = template
        self.is_net = is_net
        self.helpers: list[Helper] = []
        self.attributes: set[str] = set()
        self.names: dict[int, list[str]] = {}
        # how each branch of a choice is asked for
        self.asked: dict[int, list[str]] = {}
        # parameters that are needed behind the constructor, and their attributes
        self.saved: dict[str, str] = {}
        self.shared: dict[Any, list[str]] = {}
        self.nodes = template.nodes
        # the statements that make the modules, those of one node together
        self.made = self._side_by_side(self.nodes)
        # within a loop, modules go by the loop's own names
        self.local = self._local_names()

    @property
    def nests(self) -> bool:
        """The equations of a cell read as they stand in a paper."""
        return bool(self.template.states)

    # --- what each framework says in its own way ------------------------------------------------------------------

    def listed(self, make: Generator) -> Code:
        """A list of modules."""
        raise NotImplementedError

    def chained(self, elements: list[Code]) -> Code:
        """Modules one behind the other."""
        raise NotImplementedError

    def applied(self, module: str, values: list[Code]) -> Code:
        """A layer called on values."""
        raise NotImplementedError

    def held_still(self, node: Invoke, make: Call) -> Code:
        """The module of a block or net that is frozen."""
        raise NotImplementedError

    def making(self, apply: Apply) -> Code:
        """How a module is made."""
        return apply.make

    # --- the class ------------------------------------------------------------------------------------------------

    def flow(self, taken: Iterable[str] = ()) -> tuple[list[str], list[Statement]]:
        """The names of the inputs, and the statements that apply the modules."""
        later = {id(node) for node in needed(self.nodes, [value for _, value in self.template.outputs])}
        first = {id(node) for node in needed(self.nodes, self.template.first)} - later
        nodes = tuple(node for node in self.nodes if id(node) not in first)
        return self._flow(self.template.replace(nodes=nodes), taken)

    def start(self, taken: Iterable[str] = ()) -> tuple[list[str], list[Statement]]:
        """The same for the state of a cell before the first step. The first input only tells what that must suit."""
        template = self.template
        first = template.first[: template.states]
        outputs = tuple(("", value) for value in first)
        nodes = needed(self.nodes, first)
        return self._flow(template.replace(nodes=nodes, inputs=template.inputs[:1], outputs=outputs), taken)

    def _flow(self, template: Template, taken: Iterable[str]) -> tuple[list[str], list[Statement]]:
        flow = StatementWriter(template, self, frozenset({*taken, *self.local.values()}))
        names = flow.start(template.inputs)
        flow.run(template.nodes)
        flow.finish()
        return names, flow.body

    def returned(self, names: list[str]) -> Code:
        """A cell gives its output and, in a group of their own, the parts of its next state."""
        if not self.template.states:
            return super().returned(names)
        cut = len(names) - self.template.states
        code = self.grouped(names[cut:])
        if not cut and isinstance(code, tuple) and len(names) > 1:
            return super().returned(names)
        return Bare((*map(Raw, names[:cut]), code)) if cut else code

    def grouped(self, names: list[str]) -> Code:
        """The parts of a state as one value."""
        return tuple(map(Raw, names))

    def text(self, base: str, methods: Iterable[list[str]], names: Seq[str] = ()) -> list[str]:
        """The class with its methods, which may be empty; `names` are those of its inputs."""
        head = lay_out("class ", call(self.template.name, Raw(base)), ":")
        found = [*head, *docstring(doc_of(self.template), 4, axes_line(self.template, names, self.first))]
        for method in methods:
            if method and len(found) > len(head):
                found.append("")
            found += method
        return found

    def saves(self) -> list[Statement]:
        """The numbers that the author named, and what the other methods need of them and of the parameters."""
        template = self.template
        names = (*(p.name for p in template.parameters), *template.locals)
        named = [Assign(code, name) for name, code in template.locals.items()]
        refusals = guarded(template, [guard for guard in template.guards if not self.sizes_in(guard)])
        return [*named, *refusals, *(Assign(Raw(n), f"self.{self.saved[n]}") for n in names if n in self.saved)]

    def sizes_in(self, guard: str) -> set[str]:
        """The sizes of inputs that a guard asks for, which the constructor is not told."""
        return free_names(Raw(guard)).intersection(self.template.sizes)

    # --- the constructor ------------------------------------------------------------------------------------------

    def _side_by_side(self, nodes: Seq[Node]) -> list[list[Statement]]:
        """The statements that make the modules of nodes, those of one node together. What a branch uses and others
        use as well is made before them."""
        sharing: Counter[Instance | None] = Counter(instance for node in nodes for instance in _sharing(node))
        found = []
        for node in nodes:
            inner = inside([node]) if isinstance(node, Choice) else ()
            users = (part for part in inner if isinstance(part, Leaf | Invoke) and sharing[part.shared] > 1)
            common = [held for user in users for held in self._held(user)]
            found.append([*map(_assigned, common), *self._modules(node)])
        return found

    def _modules(self, node: Node) -> list[Statement]:
        """The statements that make the modules of a node."""
        if isinstance(node, Loop):
            return self._loop_modules(node)
        if isinstance(node, Choice):
            return self._choice_modules(node)
        return [_assigned(held) for held in self._held(node)]

    def _held(self, node: Leaf | Invoke | ModuleChain, stem: str = "") -> list[HeldModule]:
        """The modules of a node, each with its attribute; none where an earlier node has made them."""
        shared = None if isinstance(node, ModuleChain) else node.shared
        if shared is not None and shared in self.shared:
            self.names[id(node)] = self.shared[shared]
            return []
        makes = self._makes(node)
        names = [self._attribute(of_part(node, stem or node.name, part)) for part, _ in makes]
        self.names[id(node)] = names
        if shared is not None:
            self.shared[shared] = names
        return [HeldModule(name, make) for name, (_, make) in zip(names, makes)]

    def _makes(self, node: Leaf | Invoke | ModuleChain) -> list[tuple[str, Code]]:
        if isinstance(node, ModuleChain):
            return [("", self.chained(self._elements(node.nodes)))]
        if isinstance(node, Invoke):
            return [("", self.construct(node))]
        self._carry(node)
        kept = [a for a in node.applies if is_kept(a)]
        return list(zip(part_names(kept), (self.making(a) for a in kept)))

    def construct(self, node: Invoke) -> Code:
        """The module of a block, and of a cell what runs it."""
        make = constructed(node)
        held = self.held_still(node, make) if node.frozen else make
        if node.form is None:
            return held
        self.helpers += node.form.helpers
        return fill(node.form.make, [], held)

    def _carry(self, leaf: Leaf) -> None:
        """Note the helpers that a layer needs."""
        self.helpers += [h for a in leaf.applies for h in a.helpers]

    def _elements(self, nodes: Seq[Node]) -> list[Code]:
        """The modules of a chain; the same one several times in a row is said once."""
        made: list[Code] = []
        for node in nodes:
            if isinstance(node, Invoke):
                made.append(self.construct(node))
            elif isinstance(node, Loop):
                inner = node.nodes[0]
                assert isinstance(inner, Invoke)  # `reroll` makes a chain of no other loop
                made.append(Star(each_turn(self.construct(inner), node)))
            elif isinstance(node, Leaf):
                self._carry(node)
                made += [self.making(a) for a in node.applies]
        return folded(made)

    def _attribute(self, wish: str) -> str:
        name = safe(wish.lstrip("_") or "value", self.attributes_taken)
        stem, number = name, 2
        while name in self.attributes:
            name, number = f"{stem}_{number}", number + 1
        self.attributes.add(name)
        return name

    def _loop_modules(self, loop: Loop) -> list[Statement]:
        """A list for each module of a turn."""
        found = []
        for node in loop.nodes:
            if not isinstance(node, Leaf | Invoke | ModuleChain):
                continue
            if is_shared(node):
                found += [_assigned(held) for held in self._held(node)]
                continue
            stem = node.name if isinstance(node, ModuleChain) else node.given or plural(node)
            for held in self._held(node, stem):
                found.append(_assigned(held.replace(make=self.listed(each_turn(held.make, loop)))))
        return found

    def _choice_modules(self, choice: Choice) -> list[Statement]:
        short = optional(choice)
        if short is not None:
            return self._optional_module(choice, *short)
        told: list[Statement] = []
        asked = []
        for place, (condition, nodes) in enumerate(choice.branches[:-1]):
            if self._is_short(condition):
                asked.append(inline(condition))
                continue
            module = first_module(nodes) if place else ""
            name = self._attribute(f"has_{module or choice.name}")
            told.append(Assign(condition, f"self.{name}"))
            asked.append(f"self.{name}")
        self.asked[id(choice)] = asked
        return [*told, *choose([*zip((*map(Raw, asked), None), self._exclusive(choice))], negated)]

    def _is_short(self, condition: Code) -> bool:
        """Does a condition ask for one parameter, so that it may stand wherever it is asked?"""
        names = free_names(condition)
        return len(names) == 1 and names <= self.template.words

    def _exclusive(self, choice: Choice) -> list[tuple[Statement, ...]]:
        """The modules of each branch. Only one branch is ever taken, so their attributes may have the same names."""
        before, after, found = self.attributes, set(self.attributes), []
        for _condition, nodes in choice.branches:
            self.attributes = set(before)
            found.append(tuple(line for lines in self._side_by_side(nodes) for line in lines))
            after |= self.attributes
        self.attributes = after
        return found

    def _optional_module(self, choice: Choice, node: Any, place: int) -> list[Statement]:
        """A module that is there or is None."""
        held = self._held(node)[0]
        condition = inline(choice.branches[0][0])
        there = Raw(condition if place == 0 else negated(condition))
        return [Assign(None, f"self.{held.attribute}"), IfElse(((there, (_assigned(held),)),))]

    # --- the method -----------------------------------------------------------------------------------------------

    def cell(self, invoke: Invoke, form: CellForm, arguments: list[Code]) -> list[Assignment]:
        draft = Draft(arguments)
        draft.add(form.call, form.gives, Raw(self._module(self.names[id(invoke)][0])))
        for apply in form.steps:
            draft.add(self.owned(apply.call), apply.gives)
        return draft.done()

    def leaf(self, leaf: Leaf, arguments: list[Code]) -> list[Assignment]:
        names = list(self.names.get(id(leaf), ()))
        draft = Draft(arguments)
        for number, apply in enumerate(leaf.applies):
            if number and len(inline(draft.values[0])) > NESTED:
                draft.cut()
            if not is_kept(apply):
                draft.add(self.owned(apply.call), apply.gives)
                continue
            module = self._module(names.pop(0))
            taken = len(arguments) if number == 0 else 1
            plain = self.applied(module, [X(i) for i in range(taken)])
            draft.add(plain if apply.call is None else self.owned(apply.call), apply.gives, Raw(module), apply.stateful)
        return draft.done()

    def _module(self, name: str) -> str:
        return self.local.get(name, f"self.{name}")

    def invoke(self, invoke: Invoke, arguments: list[Code]) -> Code:
        return Call(self._module(self.names[id(invoke)][0]), tuple(arguments))

    def sequence(self, sequence: ModuleChain, arguments: list[Code]) -> Code:
        return Call(self._module(self.names[id(sequence)][0]), tuple(arguments))

    def owned(self, code: Code) -> Code:
        """Code for outside the constructor, where its parameters are attributes."""
        return self._owned(code, self.template.words)

    def _owned(self, code: Code, parameters: frozenset[str]) -> Code:
        if isinstance(code, Generator):
            inside = parameters - frozenset(code.names.split(", "))
            element, items = self._owned(code.element, inside), self._owned(code.items, parameters)
            return code.replace(element=element, items=items)
        if not isinstance(code, Raw):
            return each_part(code, lambda part: self._owned(part, parameters))
        return Raw(WORD.sub(lambda m: self._save(m[0]) if m[0] in parameters else m[0], code.text))

    def _save(self, parameter: str) -> str:
        """What a parameter is called outside the constructor."""
        if parameter not in self.saved:
            clash = parameter in self.attributes
            self.saved[parameter] = self._attribute(f"{parameter}_value" if clash else parameter)
        return f"self.{self.saved[parameter]}"

    def joins_line(self, leaf: Leaf) -> bool:
        if len(leaf.inputs) == 1:
            return leaf.style in ("norm", "activation", "dropout") and leaf.kind != "softmax"
        only = leaf.applies[0] if len(leaf.applies) == 1 else None
        return only is not None and not is_kept(only) and isinstance(only.call, Infix)

    def header(self, loop: Loop) -> tuple[str, Code]:
        attributes = self._lists(loop)
        if not attributes:
            return "_", self.owned(loop.items)
        lists = [Raw(f"self.{name}") for name in attributes]
        names = ", ".join(self.local[name] for name in attributes)
        return names, lists[0] if len(lists) == 1 else call("zip", *lists)

    def _lists(self, loop: Loop) -> list[str]:
        """The attributes that hold a module for each turn."""
        return [name for node in loop.nodes if not is_shared(node) for name in self.names.get(id(node), ())]

    def _local_names(self) -> dict[str, str]:
        """What a loop calls the modules of a turn: one of `convs` is a `conv`, unless a value is called so."""
        template = self.template
        taken = [value for _, value in uses(self.nodes)] + [value for _, value in template.outputs]
        several = {value for value, count in Counter(taken).items() if count > 1}
        marks = (mark for value, mark in template.marks.items() if value in several)
        values = {"x", "y", *template.labels.values(), *marks, *(name for name, _ in template.inputs)}
        found: dict[str, str] = {}
        for loop in (node for node in inside(self.nodes) if isinstance(node, Loop)):
            hidden = self.reserved | values
            for name in self._lists(loop):
                found[name] = safe(singular(name, hidden), hidden)
                hidden |= {found[name]}
        return found

    def condition(self, choice: Choice, place: int) -> Code:
        return self.owned(Raw(self.asked[id(choice)][place]))

    def short_choice(self, choice: Choice) -> tuple[Any, str] | None:
        found = optional(choice)
        return None if found is None else (found[0], f"self.{self.names[id(found[0])][0]}")


def _sharing(node: Node) -> Iterator[Instance]:
    """The things that are made once and used in a node, for each of its branches."""
    parts = [nodes for _, nodes in node.branches] if isinstance(node, Choice) else [(node,)]
    for part in parts:
        yield from {shared for inner in inside(part) if (shared := shared_of(inner)) is not None}


def _assigned(held: HeldModule) -> Statement:
    return Assign(held.make, f"self.{held.attribute}")
