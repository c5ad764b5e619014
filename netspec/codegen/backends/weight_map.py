"""Origins: which weights of the spec each module of the generated code holds.

A template remembers which layer each of its nodes stands for, in every body and turn; a walk over the nodes of a whole
program, in the order in which its code runs, gives them back with their paths in the spec.
"""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record
from ...ir.paths import paths_of, weight_path
from ...layers.base import Apply
from ...layers.cell_uses import Open
from ...pycode.expr import call
from ..ir import Choice, Invoke, Leaf, Loop, ModuleChain
from ..lowering.lower import key_of
from ..passes.attributes import is_kept
from ..passes.shared import shared_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Seq
    from typing import Any, TypeAlias

    from ...ir.types import Body
    from ...layers.base import Weight, WeightLayout
    from ..ir import Node, Template
    from ..lowering.lower import LoweredStep
    from ..orders.axis_order import WeightOrder
    from .classes import ClassWriter

    # a module that is called, with the weights that it holds
    Called: TypeAlias = "tuple[Apply, tuple[WeightBinding, ...]]"


class WeightBinding(Record):
    """A weight of the spec in generated code.

    `path` is its own. `module` is the path of attributes that leads to the module that holds it, or the number of the
    call in code that keeps its modules in no attributes; `name` is the path from there to the array, empty where it is
    no module but the array itself. `order` is that of its numbers, where it is another one than the language's.
    """

    path: str
    weight: Weight
    place: WeightLayout
    module: str
    name: str
    order: WeightOrder | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the framework's array. Raises ValueError where it hangs on a symbol."""
        sizes = self.weight.sizes
        return self.place.shape_of(self.order.shape_of(sizes) if self.order else sizes)

    @property
    def key(self) -> str:
        """Where the array is, such as `layer1.0.conv1.weight`."""
        return f"{self.module}.{self.name}" if self.name else self.module

    @property
    def layer(self) -> str:
        """The path of the layer that it belongs to."""
        return self.path.removesuffix(f".{self.weight.name}") if self.weight.name else self.path

    @property
    def plus(self) -> str:
        """Where the array is that is added to this one, or empty: the two stand side by side."""
        beside = self.key.rpartition(".")[0]
        return f"{beside}.{_last(self.place.plus)}" if self.place.plus else ""


class _NodeRun(Record):
    """One run of a node: `time` orders the runs in a body, `turns` are those of the loops around it."""

    time: tuple[int, ...]
    turns: tuple[int, ...]
    node: Leaf | Invoke
    item: Any


def _runs(nodes: Iterable[Node], owner: int) -> list[_NodeRun]:
    """All runs of the nodes in one body, in order."""
    return sorted(_gathered(nodes, owner, ()), key=lambda run: run.time)


def _gathered(nodes: Iterable[Node], owner: int, around: tuple[tuple[str, int], ...]) -> Iterator[_NodeRun]:
    """The runs of the nodes. `around` are the places of what they stand in, and the loops, by their numbers."""
    for place, node in enumerate(nodes):
        here = (*around, ("place", place))
        if isinstance(node, Loop):
            yield from _gathered(node.nodes, owner, (*here, ("turn", node.uid)))
        elif isinstance(node, Choice | ModuleChain):
            for pick, inner in enumerate(node.parts):
                yield from _gathered(inner, owner, (*here, ("place", pick)))
        else:
            for (body, path), item in node.origins.items():
                if body == owner:
                    turn = dict(path)
                    time = tuple(turn[n] if kind == "turn" else n for kind, n in here)
                    yield _NodeRun(time, tuple(turn[n] for kind, n in here if kind == "turn"), node, item)


class _SpecPaths:
    """Paths in the spec, looked up by step or call."""

    def __init__(self) -> None:
        self.known: dict[int, dict[int, str]] = {}

    def of(self, body: Body, thing: Any) -> str:
        if id(body) not in self.known:
            self.known[id(body)] = paths_of(body)
        return self.known[id(body)][id(thing)]


def _owner(template: Template, code: Any) -> int:
    """The number of a body among those that a template stands for."""
    return list(template.values).index(key_of(code))


class _BodyPath(Record):
    """A body on the walk: the path that leads to it in the spec, and the framework."""

    body: Body
    prefix: str
    paths: _SpecPaths
    target: str


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _held(
    act: LoweredStep, apply: Apply, applies: Iterable[Apply], module: str, where: _BodyPath
) -> Iterator[WeightBinding]:
    """The weights of a layer that one of its modules holds."""
    if act.step is None or not apply.stateful:
        return
    names = {a.name for a in applies if a.stateful}
    path = where.prefix + (act.path or where.paths.of(where.body, act.step))
    for weight in act.step.weights:
        place: WeightLayout = getattr(weight, where.target)
        part, name = place.within(names)
        if part == apply.name:
            yield WeightBinding(weight_path(path, weight), weight, place, module, name)


# what calls a model within a model
_MODEL = Apply(call("keras.Functional"))


# --- in the order of the code -----------------------------------------------------------------------------------------


def calls(templates: Seq[Template], target: str, writers: Seq[ClassWriter] = ()) -> Iterator[Called]:
    """Each module that straight-line code calls, in the order of its calls, with the weights that it holds. `writers`
    are those of the classes among the templates, which are cells and what these are made of."""
    walk = _ProgramWalk(writers, target)
    for number, (apply, found) in enumerate(_called(templates[-1], 0, "", walk, target)):
        yield apply, tuple(held.replace(module=str(number)) for held in found)


def _called(template: Template, owner: int, prefix: str, walk: _ProgramWalk, target: str) -> Iterator[Called]:
    """The calls that one body makes. What is shared or frozen is a model: its layers are called where it is made, and
    it is called itself wherever it is used."""
    paths = walk.paths
    where = _BodyPath(template.bodies[owner], prefix, paths, target)
    runs = _runs(template.nodes, owner)
    for instance, first in shared_calls(template.nodes).items():
        used = next((run.item for run in runs if run.node.shared == instance), None)
        item = used or next(iter(first.origins.values()))
        inner = _called(first.template, _owner(first.template, item.code), f"{prefix}{instance.name}.", walk, target)
        yield from inner if used else ((apply, ()) for apply, _ in inner)
    for run in runs:
        node = run.node
        if isinstance(node, Invoke):
            inside, path = node.template, f"{prefix}{paths.of(where.body, run.item.call)}."
            if node.form is not None:
                within = walk.body(inside, _owner(inside, run.item.code), path, f"{node.form.inner}.")
                yield Apply(node.form.make), tuple(held.replace(name=held.key) for held in within)
                continue
            if node.shared is None:
                yield from _called(inside, _owner(inside, run.item.code), path, walk, target)
            if node.frozen or node.shared is not None:
                yield _MODEL, ()
            continue
        for apply in node.applies:
            if apply.make is not None:
                yield apply, tuple(_held(run.item, apply, node.applies, "", where))


# --- by attribute -----------------------------------------------------------------------------------------------------


def attributes(writers: Seq[ClassWriter], target: str) -> Iterator[WeightBinding]:
    """Each weight with the attributes that lead to the module that holds it, such as `layer1.0.conv1`."""
    yield from _ProgramWalk(writers, target).body(writers[-1].template, 0, "", "")


class _ProgramWalk:
    """One walk over the classes of a program."""

    def __init__(self, writers: Seq[ClassWriter], target: str) -> None:
        self.writers = {id(writer.template): writer for writer in writers}
        self.target = target
        self.paths = _SpecPaths()

    def body(self, template: Template, owner: int, prefix: str, stem: str) -> Iterator[WeightBinding]:
        """The weights of one body; `prefix` leads to it in the spec, `stem` in the code."""
        writer = self.writers[id(template)]
        where = _BodyPath(template.bodies[owner], prefix, self.paths, self.target)
        for node, loops in _standing(writer.nodes, ()):
            names = [stem + name for name in writer.names.get(id(node), ())]
            for module, apply, inner, item in _modules(node, owner, loops, names):
                if isinstance(inner, Invoke) and isinstance(item.call.use, Open):
                    continue  # the cell stands where its step does
                if isinstance(inner, Invoke):
                    callee, path = inner.template, self.paths.of(where.body, item.call)
                    within = f"{module}.{inner.form.inner}." if inner.form and inner.form.inner else f"{module}."
                    yield from self.body(callee, _owner(callee, item.code), f"{prefix}{path}.", within)
                else:
                    yield from _held(item, apply, inner.applies, module, where)


def _standing(nodes: Iterable[Node], loops: tuple[int, ...]) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """The nodes that a class has modules for, with the loops around them."""
    for node in nodes:
        if isinstance(node, Loop | Choice):
            around = (*loops, node.uid) if isinstance(node, Loop) else loops
            for part in node.parts:
                yield from _standing(part, around)
        else:
            yield node, loops


def _modules(node: Any, owner: int, loops: tuple[int, ...], names: list[str]) -> Iterator[tuple[str, Any, Any, Any]]:
    """Each module of a node: its attribute, its `Apply`, the node within and what that stands for."""
    if isinstance(node, ModuleChain):
        yield from _elements(node, owner, names[0])
        return
    for turn, item in _turns(node, owner, () if node.shared is not None else loops):
        kept = [a for a in node.applies if is_kept(a)] if isinstance(node, Leaf) else [None]
        for name, apply in zip(names, kept):
            yield name + turn, apply, node, item


def _elements(sequence: ModuleChain, owner: int, name: str) -> Iterator[tuple[str, Any, Any, Any]]:
    """The modules of a chain. Each layer and block has its places in the row, a loop as many as it has turns."""
    place = 0
    for node in sequence.nodes:
        if isinstance(node, Loop):
            (inner,) = node.nodes
            assert isinstance(inner, Invoke)  # `reroll` makes a chain of no other loop
            found = list(_turns(inner, owner, (node.uid,)))
            for turn, item in found:
                yield f"{name}.{place + int(turn[1:])}", None, inner, item
            place += len(found)
            continue
        assert isinstance(node, Leaf | Invoke)  # a chain is of plain steps
        applies: tuple[Any, ...] = node.applies if isinstance(node, Leaf) else (None,)
        for _turn, item in _turns(node, owner, ()):
            for k, apply in enumerate(applies):
                yield f"{name}.{place + k}", apply, node, item
        place += len(applies)


def _turns(node: Leaf | Invoke, owner: int, loops: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    """What a node stands for in one body: the places in the lists of its loops, as a path, and the item."""
    for (body, path), item in node.origins.items():
        if body == owner:
            turns = dict(path)
            yield "".join(f".{turns[uid]}" for uid in loops), item
