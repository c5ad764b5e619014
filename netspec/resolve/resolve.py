"""Resolve: definitions bound, names of callees known, cycles refused. Blocks stay templates."""

from __future__ import annotations

from ..base.diagnostics import Collector, Diagnostic, Label, did_you_mean
from ..base.record import TYPE_CHECKING, Record
from ..base.source import Span
from ..consteval import FUNCTIONS
from ..ir.types import Design
from ..layers import LAYERS
from ..syntax import tree
from ..syntax.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..base.source import Source
    from ..syntax.tree import Definition, Spec

_IMPORTS = (tree.Import, tree.ImportNames)


def resolve(spec: Spec, faults: Collector, allowed: Sequence[str] = ()) -> Design:
    """Bind the definitions of a file and of all files that it imports. `allowed` are folders from which any file may be
    imported.

    Faults: `duplicate-name`, `recursion`, `unknown-name`, and those of `imports`.
    """
    if not any(isinstance(d, _IMPORTS) for d in spec.definitions):
        return _File(spec, {}, faults, {}).design()
    from .imports import gather

    designs: dict[Source, Design] = {}  # all of them share it, so that a long chain of files costs no more than each
    for loaded in gather(spec, faults, allowed):
        targets = {at: None if to is None else designs[to] for at, to in loaded.targets.items()}
        designs[loaded.spec.source] = _File(loaded.spec, targets, faults, designs).design()
    return designs[spec.source]


class _Claim(Record):
    """What a name stands for in a file: the definition, or the file of `import ... as`."""

    meaning: object
    span: Span
    told: str


class _File:
    """One file on the way; `targets` are the designs of what it imports, by the place of the import."""

    def __init__(
        self, spec: Spec, targets: Mapping[Span, Design | None], faults: Collector, files: Mapping[Source, Design]
    ) -> None:
        self.spec = spec
        self.files = files
        self.targets = targets
        self.faults = faults
        self.own: dict[str, Definition] = {}
        self.definitions: dict[str, Definition] = {}
        self.constants: dict[str, tree.Const] = {}
        self.modules: dict[str, Source] = {}
        self.lost: set[str] = set()
        self.partial = False
        self.claims: dict[str, _Claim] = {}
        self._dotted: dict[str, list[str]] | None = None

    def design(self) -> Design:
        for node in self.spec.definitions:
            if isinstance(node, tree.Definition | tree.Const):
                self._define(node)
            elif isinstance(node, _IMPORTS):
                self._import(node)
            elif isinstance(node, tree.Broken):
                self._lose(node)
        nets = tuple(d for d in self.own.values() if d.word == "net")
        lost = frozenset(self.lost)
        known_here: dict[str, Definition | tree.Const] = {**self.definitions, **self.constants}
        own = {n: d for n, d in known_here.items() if d.span.source is self.spec.source}
        design = Design(
            self.spec.source, nets, self.definitions, self.constants, self.modules, self.files, lost, self.partial, own
        )
        known = {*LAYERS, *FUNCTIONS, *self.definitions, *(n for n in self.constants if "." in n)}
        for definition in self.own.values():
            _callees(definition, design, known, self.faults)
        _cycles(self.own, self.faults)
        return design

    # --- definitions of its own ---------------------------------------------------------------------------------

    def _define(self, node: Definition | tree.Const) -> None:
        name = node.name.text
        first = self.claims.get(name)
        self._claim(name, _Claim(node, node.name.span, _OWN))
        if first is None or first.told != _OWN:
            self._bind(name, node)
        word = node.word if isinstance(node, tree.Definition) else "const"
        if name in LAYERS and word != "net":
            message = f"{word} `{name}` hides the layer of that name"
            place = Label(node.name.span)
            self.faults.add(Diagnostic("shadowed-name", message, place, help=_RENAME, severity="warning"))
        if isinstance(node, tree.Definition):
            self.own.setdefault(name, node)
            _parameters_once(node, self.faults)

    def _bind(self, name: str, node: Definition | tree.Const) -> None:
        if isinstance(node, tree.Const):
            self.constants[name] = node
        else:
            self.definitions[name] = node

    def _claim(self, name: str, claim: _Claim) -> bool:
        """Take a name. False where it stands for something else already, which is a fault."""
        first = self.claims.setdefault(name, claim)
        if first.meaning is claim.meaning:
            return True
        if first.told == claim.told == _OWN:
            self.faults.add(_twice(name, claim.span, first.span))
            return False
        told = Label(claim.span, claim.told), (Label(first.span, first.told),)
        self.faults.add(Diagnostic("duplicate-name", f"`{name}` stands for two things here", *told, _APART))
        return False

    def _lose(self, node: tree.Broken) -> None:
        """What did not parse would have brought names; that they are missing is not said again."""
        self.partial = self.partial or node.span.text.startswith(("import", "from"))
        self.lost.update(tree.lost_names(node))

    # --- imports ----------------------------------------------------------------------------------------------------

    def _import(self, node: tree.Import | tree.ImportNames) -> None:
        target = self.targets[node.path.span]
        if isinstance(node, tree.ImportNames):
            self._import_names(node, target)
        elif node.name is not None:
            self._import_as(node.name, target)
        elif target is None:
            self.partial = True
        else:
            self.lost |= target.lost
            for name, definition in exports(target).items():
                if self._claim(name, _Claim(definition, node.path.span, f"`{name}` is imported here")):
                    self._bind(name, definition)

    def _import_as(self, alias: tree.Identifier, target: Design | None) -> None:
        if target is None:
            self.lost.add(alias.text)
        elif self._claim(alias.text, _Claim(target, alias.span, "a file is imported under this name here")):
            self.modules[alias.text] = target.source
            self.lost.update(f"{alias.text}.{name}" for name in target.lost)
            there = exports(target)
            for name in self._mentioned.get(alias.text, ()):
                if name in there:
                    self._bind(f"{alias.text}.{name}", there[name])

    @property
    def _mentioned(self) -> Mapping[str, Sequence[str]]:
        """By what stands before a dot in this file: all names that stand behind it."""
        if self._dotted is None:
            self._dotted = {}
            nodes = (node for node in walk(self.spec.definitions) if isinstance(node, tree.Attribute))
            for node in nodes:
                if isinstance(node.value, tree.Name):
                    self._dotted.setdefault(node.value.text, []).append(node.name.text)
        return self._dotted

    def _import_names(self, node: tree.ImportNames, target: Design | None) -> None:
        there = {} if target is None else exports(target)
        for item in node.items:
            name = item.alias or item.name
            definition = there.get(item.name.text)
            if definition is not None:
                if self._claim(name.text, _Claim(definition, name.span, f"`{name.text}` is imported here")):
                    self._bind(name.text, definition)
                continue
            self.lost.add(name.text)
            if target is not None and item.name.text not in target.lost:
                self.faults.add(lacks(target, item.name.text, item.name.span))


_OWN = "defined here"
_RENAME = "give it another name"
_APART = 'import one of them under another name: `from "file.net" import a as b`, or `import "file.net" as c`'


def exports(design: Design) -> Mapping[str, Definition | tree.Const]:
    """What a file defines itself; what it imports it does not hand on."""
    return design.own


def lacks(design: Design, name: str, span: Span) -> Diagnostic:
    """A name that an imported file does not define."""
    there = exports(design)
    help = did_you_mean(name, there)
    if name in design.definitions or name in design.constants:
        known = design.definitions.get(name) or design.constants[name]
        help = f"it imports `{name}` from {known.span.source.name} itself; import it from there"
    listed = f"it has {', '.join(there)}" if 0 < len(there) <= _MOST_LISTED else ""
    return Diagnostic(
        "unknown-name", f"{design.source.name} has no definition `{name}`", Label(span), help=help or listed
    )


_MOST_LISTED = 12
_LAYERS_LISTED = "`netspec layers` lists the layers"


def _parameters_once(definition: Definition, faults: Collector) -> None:
    """Parameters and inputs share one set of names."""
    seen: dict[str, tree.Identifier] = {}
    inputs = [s.name for s in definition.body.statements if isinstance(s, tree.Input)]
    for name in [*(p.name for p in definition.parameters), *inputs]:
        first = seen.setdefault(name.text, name)
        if first is not name:
            faults.add(_twice(first.text, name.span, first.span))


def _twice(name: str, span: Span, first: Span) -> Diagnostic:
    others = (Label(first, "first defined here"),)
    help = "give one of them another name"
    return Diagnostic("duplicate-name", f"`{name}` is defined twice", Label(span, "the second time"), others, help)


def bound_names(definition: Definition) -> set[str]:
    """Every name that something in the definition binds, wherever it stands."""
    lost = {name for node in definition.nodes if isinstance(node, tree.Broken) for name in tree.lost_names(node)}
    return lost | {name.text for name in tree.binders((definition.parameters, definition.body))}


def _callees(definition: Definition, design: Design, known: set[str], faults: Collector) -> None:
    local: set[str] | None = None
    for node in definition.body_nodes:
        if not isinstance(node, tree.CallExpression):
            continue
        name = node.callee if isinstance(node.callee, tree.Name) else dotted(design, node.callee)
        if name is None or name.text in known or name.text in ("memory", "receptive_field"):
            continue
        local = bound_names(definition) if local is None else local
        if name.text.partition(".")[0] not in local and not design.excuses(name.text):
            faults.add(unknown_callee(name, local, design, faults.patient))


def dotted(design: Design, node: tree.Node) -> tree.Name | None:
    """`b.stage` of `import ... as b` as the one name that it is."""
    if isinstance(node, tree.Attribute) and isinstance(node.value, tree.Name):
        module = node.value.text
        if module in design.modules or module in design.lost:
            return tree.Name(node.span, f"{module}.{node.name.text}")
    return None


def unknown_callee(name: tree.Name, local: Iterable[str], design: Design, patient: bool) -> Diagnostic:
    """A step or function that there is not; `local` are the names that are bound where it stands. What may be meant is
    looked for where one is `patient`."""
    module, _, rest = name.text.rpartition(".")
    if module:
        place = Span(name.span.source, name.span.end - len(rest), name.span.end)
        return lacks(design.files[design.modules[module]], rest, place)
    text = name.text
    help = (meant_by(text, (), [*design.definitions, *local]) if patient else "") or _LAYERS_LISTED
    return Diagnostic("unknown-name", f"there is no layer, block or function `{text}`", Label(name.span), help=help)


def meant_by(name: str, values: Iterable[str], definitions: Iterable[str]) -> str:
    """What may be meant by a name that is unknown where these are bound, as a help line; empty where nobody knows."""
    from ..layers.foreign import suggestion
    from .imports import in_library

    return suggestion(name, values, definitions, [*LAYERS, *FUNCTIONS], in_library(name))


def _cycles(blocks: Mapping[str, Definition], faults: Collector) -> None:
    """Blocks and nets that lead back to themselves, each cycle once, with the calls that lead there.

    Within one that is called like a layer, its name means the layer.
    """
    calls = {
        name: {n.text: n for n in reversed(_uses(block, blocks)) if not n.text == name in LAYERS}
        for name, block in blocks.items()
    }
    done: set[str] = set()
    for name in blocks:
        path: dict[str, None] = {}
        todo = [(name, iter(calls[name]))] if name not in done else []
        while todo:
            here, rest = todo[-1]
            path[here] = None
            for callee in rest:
                if callee in path and not faults.patient:
                    continue  # there are enough of them
                if callee in path:
                    names = list(path)
                    cycle = names[names.index(callee) :]
                    _report_cycle(blocks[callee].word, cycle, calls, faults)
                elif callee not in done:
                    todo.append((callee, iter(calls[callee])))
                    break
            else:
                done.add(here)
                del path[here]
                todo.pop()


def _uses(block: Definition, blocks: Mapping[str, Definition]) -> list[tree.Name]:
    """The names in a body that can stand for a definition: not those of its own values, unless they are steps."""
    nodes = block.body_nodes
    names = [n for n in nodes if isinstance(n, tree.Name) and n.text in blocks]
    if not names:
        return []
    steps = {id(n.callee) for n in nodes if isinstance(n, tree.CallExpression)}
    steps |= {id(stage) for n in nodes if isinstance(n, tree.Pipeline) for stage in n.stages[1:]}
    steps |= {id(n.step) for n in nodes if isinstance(n, tree.NamedStep)}
    own = bound_names(block) | {size.text for n in nodes if isinstance(n, tree.Input) for size in _sizes(n)}
    return [n for n in names if n.text not in own or id(n) in steps]


def _sizes(node: tree.Input) -> list[tree.Name]:
    """The sizes of an input that are names: those of a block's input get their values there."""
    return [size for size in node.sizes or () if isinstance(size, tree.Name)]


def _report_cycle(word: str, cycle: list[str], calls: Mapping[str, Mapping[str, tree.Name]], faults: Collector) -> None:
    ring = [*cycle, cycle[0]]
    places = [calls[a][b] for a, b in zip(cycle, ring[1:])]
    layer = next((name for name in cycle if name in LAYERS), None)
    help = f"`{layer}` is a layer, too: call yours something else" if layer else _TURNS
    faults.add(
        Diagnostic(
            "recursion",
            f"a {word} cannot lead back to itself: {' -> '.join(ring)}",
            Label(places[0].span, f"`{ring[0]}` uses `{ring[1]}` here"),
            tuple(Label(p.span, f"`{a}` uses `{p.text}` here") for a, p in zip(ring[1:], places[1:])),
            help,
        )
    )


_TURNS = "use `repeat` or `for` with a number of turns"


def find_net(design: Design, name: str | None, source: Source) -> Definition | None:
    """The net of that name, or the last one."""
    for net in reversed(design.nets):
        if name is None or net.name.text == name:
            return net
    return None
