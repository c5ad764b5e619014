"""Modules as blocks: the tree of a model's modules becomes the definitions and the net of a spec."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from .bodies import BodyNode, BodyWriter
from .graph import ImportedStep
from .levels import CONTAINERS, ModuleCall, has_weights, part_name, snake, taken_by
from .loops import looped
from .naming import NameSupply, cleaned, is_name, reserved
from .pieces import BodyLine, CallPiece, braced, complete, lines_of
from .templates import BlockInstance, clustered, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .graph import ImportedModel, ImportedPort
    from .levels import Part
    from .pieces import BlockSignature, Pieces
    from .templates import BlockTemplate


# the beginning of the name that a step is marked with
MARK = "step_"
# modules that are not called, between two that are
_WIDEST = 8


class SpecStyle(Record):
    """How much a spec is shortened. `strict` names no step as a layer is called; `marks` gives a number of its own to
    each step with weights that has no name, for proofs."""

    loops: bool = True
    equal_first: bool = True
    strict: bool = False
    marks: bool = False


class Writing:
    """A model on its way to text. `shared` are the paths of what is called more than once."""

    def __init__(
        self, model: ImportedModel, tree: ModuleCall, style: SpecStyle, shared: Mapping[tuple[str, ...], str]
    ) -> None:
        self.model, self.tree, self.style, self.shared = model, tree, style, shared
        self.name = cleaned(snake(model.name).replace("_net", "net"), "model")
        self.lowest = 0  # the numbers of values that are not in the model are below 0
        self.marks = {id(step): place for place, step in enumerate(model.steps)}
        self.templates: list[BlockTemplate] = []
        self.parts_of: dict[str, set[str]] = {}  # by block, the names of its parts
        self.signatures: dict[str, BlockSignature] = {}
        self.calls: dict[int, CallPiece] = {}  # by the identity of a module, the call that stands for it
        self.shapes = {port.number: port.shape for port in model.inputs}
        self.shapes |= {n: s for step in model.steps for n, s in zip(step.results, step.shapes)}

    def text(self) -> str:
        """The spec."""
        for level in self._levels():
            self._blocks(level)
        called = self.called()
        names = NameSupply({*self.ports(), *called, self.name})
        named = {port.number: found for port, found in zip(self.model.inputs, self.ports())}
        flow = self.model.inputs[0].number if len(self.model.inputs) == 1 else None
        outputs = [number for _, number in self.model.outputs]
        nodes = self._nodes(self.tree, 0, False)
        writer = BodyWriter(nodes, outputs, flow, named, names, called)
        atoms = writer.write()
        atoms = self._looped(atoms, names)
        head = [_port(port, found) for port, found in zip(self.model.inputs, self.ports())]
        body = "\n".join((*head, "", self._declared(nodes), lines_of(atoms, self.signatures)))
        blocks = "\n".join(template.text(self.signatures) for template in self.templates)
        return f"{blocks}\nnet {self.name} {{\n{body}\n}}\n"

    def ports(self) -> list[str]:
        """The names of the inputs."""
        names = NameSupply()
        return [names.new(cleaned(port.name, "x")) for port in self.model.inputs]

    def called(self) -> list[str]:
        """The names of the outputs; empty where they have none."""
        names = NameSupply(self.ports())
        return [names.new(cleaned(name, "output")) if name else "" for name, _ in self.model.outputs]

    # --- blocks -------------------------------------------------------------------------------------------------------

    def _levels(self) -> list[list[ModuleCall]]:
        """The modules that become blocks, those that hold no other ones first."""
        levels: dict[int, list[ModuleCall]] = {}

        def height(module: ModuleCall) -> int:
            inner = [height(part) for part in module.parts if isinstance(part, ModuleCall)]
            found = 1 + max(inner, default=0)
            if module is not self.tree and not _is_braces(module, self.shared):
                levels.setdefault(found, []).append(module)
            return found

        height(self.tree)
        return [levels[n] for n in sorted(levels)]

    def _blocks(self, modules: Sequence[ModuleCall]) -> None:
        instances = [self._instance(module) for module in modules]
        for numbers in clustered(instances):
            template = template_of(self._name(modules[numbers[0]]), [instances[n] for n in numbers])
            self.templates.append(template)
            self.signatures[template.name] = template.signature
            for number, pairs in zip(numbers, template.values):
                self.calls[id(modules[number])] = CallPiece(template.name, pairs, block=True)

    def _name(self, module: ModuleCall) -> str:
        """A name for the block of a module: its class, and where that is taken what it has more than the others."""
        named = module.kind not in (*CONTAINERS, "Functional", "Model")
        stem = cleaned(snake(module.kind), "block") if named else f"{cleaned(snake(module.name), 'part')}_block"
        names = NameSupply({t.name for t in self.templates} | set(self.ports()) | {self.name})
        same = [t for t in self.templates if t.name == stem or t.name.startswith(f"{stem}_")]
        if same:
            own = {part_name(part, len(module.path)) for part in module.parts}
            others = self.parts_of.get(same[0].name, set())
            more = sorted(name for name in own - others if is_name(name))
            stem = f"{stem}_{more[0]}" if len(more) == 1 else stem
        found = names.new(stem)
        self.parts_of[found] = {part_name(part, len(module.path)) for part in module.parts}
        return found

    def _instance(self, module: ModuleCall) -> BlockInstance:
        names = NameSupply()
        inputs = tuple(names.new("x") for _ in module.inputs)
        named = dict(zip(module.inputs, inputs))
        flow = module.inputs[0] if len(module.inputs) == 1 else None
        nodes = self._nodes(module, len(module.path), False)
        writer = BodyWriter(nodes, module.outputs, flow, named, names)
        atoms = writer.write()
        atoms = self._looped(atoms, names)
        shape = self.shapes.get(module.inputs[0], ()) if module.inputs else ()
        channels = shape[-1] if shape and isinstance(shape[-1], int) else 0
        header = any(n in writer.asked for n in module.inputs)
        return BlockInstance(module.kind, atoms, inputs, header, channels, frozenset(names.taken))

    # --- nodes --------------------------------------------------------------------------------------------------------

    def _nodes(self, module: ModuleCall, depth: int, sequence: bool) -> list[BodyNode]:
        """What stands in the body of a module; in a `sequence` steps without a name are numbered."""
        nodes: list[BodyNode] = []
        for part in module.parts:
            name = self._relative(part, depth)
            gap = int(name) - len(nodes) if sequence and name.isdigit() else 0
            fillers = self._fillers(nodes, gap, part) if 0 < gap <= _WIDEST else []
            nodes += fillers
            node = self._node(part, name, depth, sequence and name == str(len(nodes)))
            nodes.append(node.replace(operands=fillers[-1].results) if fillers else node)
        return nodes

    def _fillers(self, nodes: Sequence[BodyNode], count: int, part: Part) -> list[BodyNode]:
        """Steps that do nothing in the place of modules that the model does not call, so that numbers stay.

        They stand in front of what takes the value before it, and hand that on.
        """
        inputs = part.inputs if isinstance(part, ModuleCall) else part.operands
        found: list[BodyNode] = []
        if len(inputs) == 1 and (not nodes or nodes[-1].results == inputs):
            for _ in range(count):
                self.lowest -= 1
                found.append(
                    BodyNode(CallPiece("identity", ()), found[-1].results if found else inputs, (self.lowest,))
                )
        return found

    def _relative(self, part: Part, depth: int) -> str:
        """The path of a part within the module that it stands in."""
        if isinstance(part, ModuleCall):
            return ".".join(part.path[depth:])
        names = [level.name for level in part.path[depth:]]
        return ".".join(names) if has_weights(part) and all(names) else ""

    def _node(self, part: Part, name: str, depth: int, numbered: bool) -> BodyNode:
        if isinstance(part, ModuleCall):
            return self._call(part, name, numbered)
        pairs = complete(part.kind, part.args)
        if part.kind == "weight":
            named = (("", own_name(part, depth)), *pairs[1:])
            return BodyNode(CallPiece("weight", named), (), part.results)
        path = tuple(level.name for level in part.path)
        refs = tuple(n for n in taken_by(part)[len(part.operands) :])
        if not part.kind:
            return BodyNode(CallPiece(unknown_name(part), ()), part.operands, part.results, hint=_hint(part, depth))
        if path in self.shared and has_weights(part):
            return BodyNode(CallPiece(self.shared[path], ()), part.operands, part.results)
        label, more = self._said(name, numbered)
        if label and len(part.results) > 1:
            label, more = "", (("name", label),)
        if self.style.marks and has_weights(part) and not name:
            more = (("name", f"{MARK}{self.marks[id(part)]}"),)
        return BodyNode(
            CallPiece(part.kind, (*pairs, *more)),
            part.operands,
            part.results,
            label,
            refs=refs,
            hint=_hint(part, depth),
        )

    def _call(self, module: ModuleCall, name: str, numbered: bool) -> BodyNode:
        if module.path in self.shared:
            return BodyNode(CallPiece(self.shared[module.path], ()), module.inputs, module.outputs)
        label, more = self._said(name, numbered)
        if id(module) in self.calls:
            call = self.calls[id(module)]
            return BodyNode(call.replace(pairs=(*call.pairs, *more)), module.inputs, module.outputs, label)

        def inner(named: Mapping[int, str]) -> Pieces:
            return braced(self._braces(module, named))

        flow, *others = module.inputs
        return BodyNode(CallPiece("{", ()), (flow,), module.outputs, label, inner=inner, refs=tuple(others))

    def _braces(self, module: ModuleCall, named: Mapping[int, str]) -> tuple[BodyLine, ...]:
        names = NameSupply(named.values())
        nodes = self._nodes(module, len(module.path), True)
        atoms = BodyWriter(nodes, module.outputs, module.inputs[0], named, names).write()
        return self._looped(atoms, names)

    def _looped(self, atoms: tuple[BodyLine, ...], names: NameSupply) -> tuple[BodyLine, ...]:
        if not self.style.loops:
            return atoms
        return looped(atoms, self.signatures, frozenset(names.taken), self.style.equal_first)

    def _said(self, name: str, numbered: bool) -> tuple[str, tuple[tuple[str, Any], ...]]:
        """How a step is called so: with `as`, by its number, or with `name=`."""
        if not name or numbered:
            return "", ()
        if is_name(name) and not (self.style.strict and reserved(name)):
            return name, ()
        return "", (("name", name),)

    def _declared(self, _nodes: Sequence[BodyNode]) -> str:
        """The layers that are used more than once, each declared before all steps."""
        first: dict[tuple[str, ...], str] = {}
        stack: list[Part] = list(self.tree.parts)
        for part in stack:
            path = part.path if isinstance(part, ModuleCall) else tuple(level.name for level in part.path)
            if path not in self.shared or path in first:
                continue
            if isinstance(part, ModuleCall):
                call = self.calls[id(part)]
            elif has_weights(part):
                call = CallPiece(part.kind, complete(part.kind, part.args))
            else:
                continue
            first[path] = f"layer {self.shared[path]} = {lines_of((BodyLine((call,)),), self.signatures)}"
        return "\n".join(first.values())


def _is_braces(module: ModuleCall, shared: Mapping[tuple[str, ...], str]) -> bool:
    """Can a module be braces with a name?"""
    fits = module.is_container and is_name(module.name) and module.path not in shared
    return fits and len(module.outputs) == 1 and bool(module.inputs)


def own_name(step: ImportedStep, depth: int) -> str:
    """What a weight of the model's own is called in a body of that depth."""
    names = [level.name for level in step.path[depth:] if level.name]
    return cleaned("_".join((*names, str(step.args[0][1]))), "w")


def _hint(step: ImportedStep, depth: int) -> str:
    """What the value of a step is called where it needs a name: what the model calls the step, else its kind."""
    own = step.path[-1].name if len(step.path) > depth else ""
    if is_name(own) and not reserved(own):
        return own
    return {"+": "total", "*": "product", "": "result"}.get(step.kind, cleaned(step.kind, "value").rstrip("_"))


def unknown_name(step: ImportedStep) -> str:
    """What a step that is not understood is called: check points at it, and a block of that name may stand for it."""
    kind = step.unknown.partition(":")[0].strip()
    found = cleaned(snake(kind), "unknown")
    return f"unknown_{found}" if reserved(found) else found


def _port(port: ImportedPort, name: str) -> str:
    sizes = ", ".join(map(str, port.shape))
    kind = {"bool": " bool", "int": f" int({port.below})" if port.below is not None else " int"}.get(port.dtype, "")
    return f"input {name} [{sizes}]{kind}"
