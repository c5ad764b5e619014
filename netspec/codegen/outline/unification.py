"""What is known while the bodies of one template are laid over one another."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...syntax import tree
from ..lowering.lower import key_of
from .align import flattened, is_chain
from .parameters import Parameters
from .ssa import DefinitionSite, TemplateValues

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence as Seq
    from typing import Any, TypeAlias

    from ...base.source import Span
    from ..ir import Node, Template
    from ..lowering.lower import Lowered, LoweredBody, LoweredRegion
    from ..styles import Style
    from .ssa import ControlRegion, InstancePath
    from .terms import Contexts, Term

    # a loop or choice whose variables are still being found is a function that makes its node
    Unified: TypeAlias = "Node | Callable[[], Node | None]"


class KnownTemplates:
    """The templates so far, by the bodies that they stand for, and their names; and those of what is carried along."""

    def __init__(self, carried: set[str]) -> None:
        self.templates: dict[Any, Template] = {}
        self.names = set(carried)

    def stands_for(self, template: Template, bodies: Seq[LoweredBody]) -> None:
        """A template stands for bodies, in place of one of the same name if there is one."""
        self.templates.update((key_of(body), template) for body in bodies)
        self.names.add(template.name)

    def of(self, body: LoweredBody) -> Template | None:
        return self.templates.get(key_of(body))


class Unification:
    """Bodies on their way to one template, as the rules for layers, loops and choices see it.

    `known` are the templates of the blocks that they call; `outermost` says that it is the net of the program; loops at
    the spans of `written_out` are not kept as loops. The first `own` bodies are the program's, the others witnesses.
    """

    def __init__(
        self,
        style: Style,
        known: KnownTemplates,
        bodies: Seq[LoweredBody],
        name: str,
        outermost: bool = False,
        written_out: frozenset[Span] = frozenset(),
        own: int = 0,
    ) -> None:
        self.style = style
        self.known = known
        self.bodies = bodies
        self.name = name
        self.written_out = written_out
        self.own = own or len(bodies)
        self.values = TemplateValues()
        self.parameters = Parameters(style, bodies, known.names, outermost)
        self.declares = outermost and style.declares
        # is there anything that is made once, and that a class holds?
        nodes = bodies[0].body.definition.nodes
        self.shares = style.sequences and any(isinstance(node, tree.Shared) for node in nodes)
        self.marks: dict[int, str] = {}
        # the names of values whose channels the text asks for
        self.asked = {
            node.value.text
            for node in bodies[0].body.definition.body_nodes
            if isinstance(node, tree.Attribute) and isinstance(node.value, tree.Name)
        }
        # what is known of the channels of a value
        self.channels: dict[int, Term] = {}
        # how many turns a loop has, where an expression says so
        self.counts: dict[int, Term] = {}
        # of each choice, by branch: what decides for it (None for the last one), and which instances take it
        self.branches: dict[int, dict[int, tuple[Term | None, list[int]]]] = {}
        # loops and choices that were announced, by their items
        self.planned: dict[tuple[int, ...], ControlRegion] = {}
        # for each loop around the present place, names that only choices ask for of which it is not known whether they
        # decide about anything
        self.undecided: list[set[str]] = []
        # conditions of branches that are taken everywhere
        self.guards: list[Term] = []
        # for each loop around the present place, those of them that hang on its turns
        self.demanded: list[list[Term]] = []
        # are the items those of a Sequential?
        self.in_chain = False

    # --- what the rules ask of one another ----------------------------------------------------------------------------

    def items(
        self, columns: list[tuple[Lowered, ...]], contexts: Contexts, arounds: Seq[InstancePath]
    ) -> list[Unified]:
        """The items of all instances as nodes. Raises MismatchError."""
        raise NotImplementedError

    def scope(self, column: tuple[LoweredRegion, ...], contexts: Contexts, arounds: Seq[InstancePath]) -> list[Unified]:
        """A turn that stands on its own, or a scope that `as` made. Raises MismatchError."""
        raise NotImplementedError

    def demand(self, term: Term, contexts: Contexts) -> None:
        """A condition that has to hold, in all turns of the loops that it hangs on."""
        if term.names.isdisjoint(contexts.loops):
            self.guards.append(term)
        elif self.demanded:
            self.demanded[-1].append(term)

    def close(self, nodes: Seq[Unified]) -> tuple[Node, ...]:
        """Put the variables of open choices and loops into their nodes."""
        closed = [node() if callable(node) else node for node in nodes]
        return tuple(node for node in closed if node is not None)

    def announced(self, numbers: Seq[int], contexts: Contexts, arounds: Seq[InstancePath]) -> int:
        """The template's number for a value of these instances, a new one where there is none yet."""
        known = arounds[0].values.get(numbers[0])
        if known is not None and known.path == arounds[0].path:
            return known.value
        body, number = self.bodies[contexts.owners[0]].body, numbers[0]
        value = self.values.new(body.labels.get(number), body.renamed.get(number))
        for number, around in zip(numbers, arounds):
            around.values[number] = DefinitionSite(value, around.path)
        return value

    def opened(self, column: tuple[LoweredRegion, ...], contexts: Contexts) -> list[tuple[Lowered, ...]] | None:
        """The steps of a named scope, where it is one chain of modules in every instance."""
        if not column[0].region.name or not self.style.sequences:
            return None
        flat = [flattened(p.items) for p in column]
        bodies = [self.bodies[o] for o in contexts.owners]
        return flat if all(is_chain(items, body.uses) for items, body in zip(flat, bodies)) else None
