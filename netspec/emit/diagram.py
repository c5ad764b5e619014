"""The picture of a net as boxes, groups and edges, before it is put into words.

A box is a layer with what follows it in a straight line (batch norm, activation, dropout), a block that is not
opened, or an input or output of the net. A group is a block or named scope that is opened, or a repeat.
"""

from __future__ import annotations

from ..ir import Call, Scope, Step, applied
from ..layers.cells import Run
from ..record import TYPE_CHECKING, Record
from .boxes import Box, Edge, Group, Source
from .captions import TIMES, amount_text, block_text, layer_text, shape_text, steps_text
from .folding import Folder, Wiring, made
from .unrolled import Steps, of_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dims import Dim, Shape
    from ..ir import Body, CheckedNet, Item, Tensor
    from .folding import Unit
    from .unrolled import Unrolled

# layers that join the box of the layer before them, and the layers that take them in
_FOLLOWERS = ("norm", "activation", "dropout")
_HOSTS = ("conv", "dense", "pool", "join", *_FOLLOWERS)


class Opening(Record):
    """How far the hierarchy is opened: to `depth` levels, and with `once` a block only where it is new.

    Of recurrences `unroll` steps are drawn; 0 draws them as loops.
    """

    depth: int
    once: bool = False
    unroll: int = 0


class TooLarge(ValueError):
    """The picture has more boxes than it may have."""


class Scene:
    """One instance of a body: its wiring, and where its values come from."""

    def __init__(self, body: Body, owner: str) -> None:
        self.wiring = Wiring(body)
        self.owner = owner
        self.sources: dict[int, Source] = {}


class Diagram:
    """All boxes and edges of a net. Raises TooLarge where there are more than `limit` boxes."""

    def __init__(self, net: CheckedNet, opening: Opening, limit: int) -> None:
        self.opening = opening
        self.limit = limit
        self.root = Group("", net.name)
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        # what goes back in time: from what a state will be to the state
        self.returns: list[Edge] = []
        self._ids: set[str] = set()
        self._folder = Folder()
        self._known: set[int] = set()
        self._varying: Group | None = None
        # a shared layer stands in several rows, and weighs something in the first
        self._params = {row.path: row.figures.params for row in reversed(net.rows)}
        learned = {row.path: row.figures for row in reversed(net.rows) if row.figures.params != 0}
        self._still = {path for path, figures in learned.items() if figures.trainable == 0}
        self._net(net.net.body)

    def _net(self, body: Body) -> None:
        scene = Scene(body, "")
        for port in body.inputs:
            box = self.box(self.root, f"input:{port.name}", "input", [port.name, shape_text(port.value.shape)], None)
            box.leaving = port.value.shape
            scene.sources[port.value.number] = Source(box, port.value.shape)
        self._parts(body.items, scene, self.root, "", 0)
        for result in body.outputs:
            source = scene.sources[result.value.number]
            lines = [result.name, shape_text(result.value.shape)]
            box = self.box(self.root, f"output:{result.name}", "output", lines, result.value.shape)
            self.edge(source, box)

    # --- pieces ------------------------------------------------------------------------------------------------

    def _id(self, wanted: str) -> str:
        """An id of one's own: a shared layer has one path and several boxes."""
        id, number = wanted, 1
        while id in self._ids:
            number += 1
            id = f"{wanted}#{number}"
        self._ids.add(id)
        return id

    def box(self, group: Group, id: str, style: str, lines: list[str], entering: Shape | None) -> Box:
        if len(self.boxes) >= self.limit:
            raise TooLarge
        box = Box(self._id(id), group, style, lines, entering)
        box.varying = self._varying
        group.parts.append(box)
        self.boxes.append(box)
        return box

    def edge(self, source: Source, target: Box) -> None:
        """The way of a value into a box; that of a sequence whose steps are drawn is one from each of them."""
        for box in source.parts:
            self.join(box, target)
        if not source.parts:
            self.edges.append(Edge(source.box, target, source.shape))

    def join(self, source: Box, target: Box) -> None:
        self.edges.append(Edge(source, target, source.leaving))

    def _sum(self, unit: Unit, prefix: str) -> Dim:
        total: Dim = 0
        for items in unit.turns:
            for item in items:
                total = self._params.get(prefix + item.name, 0) + total
        return total

    # --- walking -----------------------------------------------------------------------------------------------

    def _parts(self, items: Sequence[Item], scene: Scene, group: Group, prefix: str, level: int) -> None:
        for unit in self._folder.units(items, scene.wiring):
            if unit.count > 1:
                self._repeated(unit, scene, group, prefix, level)
            else:
                self._one(unit, scene, group, prefix, level)

    def _one(self, unit: Unit, scene: Scene, group: Group, prefix: str, level: int) -> None:
        item = unit.items[0]
        unrolled = of_item(item) if self.opening.unroll else None
        if unrolled is not None and not isinstance(item, Scope):
            self._unrolled(item, unrolled, unit, scene, group, prefix)
        elif isinstance(item, Step):
            self._step(item, scene, group, prefix)
        elif self._is_closed(item, level):
            self._closed(item, unit, scene, group, prefix)
        else:
            self._opened(item, unit, scene, group, prefix, level)

    def _repeated(self, unit: Unit, scene: Scene, group: Group, prefix: str, level: int) -> None:
        """The first of several equal turns; what the others make comes from its boxes too."""
        makes = [self._folder.part(items).makes for items in unit.turns]
        frame = Group(self._id("cluster:" + prefix + unit.items[0].name + TIMES), "", count=unit.count)
        outer = self._varying
        if any([t.shape for t in turn] != [t.shape for t in makes[0]] for turn in makes[1:]):
            self._varying = frame
        if len(unit.items) == 1 and not isinstance(unit.items[0], Step):
            self._one(unit, scene, frame, prefix, level)
        else:
            self._parts(unit.items, scene, frame, prefix, level)
        self._varying = outer
        _put(group, frame)
        for turn in makes:
            for tensor, like in zip(turn, makes[0]):
                scene.sources[tensor.number] = scene.sources[like.number].replace(shape=tensor.shape)

    def _is_closed(self, item: Call | Scope, level: int) -> bool:
        if self.opening.unroll and isinstance(item, Scope) and _recurs(item):
            return False
        if level >= self.opening.depth:
            return True
        if not self.opening.once or isinstance(item, Scope):
            return False
        structure = self._folder.structure(item.body)
        if structure in self._known:
            return True
        self._known.add(structure)
        return False

    def _step(self, step: Step, scene: Scene, group: Group, prefix: str) -> None:
        sources = [scene.sources[t.number] for t in step.inputs]
        if not step.given and step.hands_on:
            scene.sources[step.output.number] = sources[0]
            return
        if sources and self._follows(step, sources[0].box, scene, group, prefix):
            box = sources[0].box
        else:
            entering = sources[0].shape if sources else None
            box = self.box(group, prefix + step.name, step.layer.style, [], entering)
            for source in [s for n, s in enumerate(sources) if n not in step.layer.sized_by]:
                self.edge(source, box)
        box.lines.append(layer_text(step))
        box.name = box.name or (step.name if step.given else "")
        box.leaving = step.output.shape
        box.params = self._params.get(prefix + step.name, 0) + box.params
        box.frozen = box.frozen or prefix + step.name in self._still
        box.tail = step.output
        if step.depth != 0:
            self._loop(box, step.inputs[0])
        for tensor in step.outputs:
            scene.sources[tensor.number] = Source(box, tensor.shape)

    def _follows(self, step: Step, box: Box, scene: Scene, group: Group, prefix: str) -> bool:
        """Does the step go into the box before it? Only where nothing else takes the value between them, and where
        both learn or are held still, if they have weights."""
        path = prefix + step.name
        return (
            (self._params.get(path, 0) == 0 or box.frozen is (path in self._still))
            and len(step.inputs) == 1
            and box.tail is step.inputs[0]
            and box.group is group
            and step.layer.style in _FOLLOWERS
            and box.style in _HOSTS
            and len(scene.wiring.readers[step.inputs[0].number]) == 1
        )

    def _unrolled(self, item: Step | Call, what: Unrolled, unit: Unit, scene: Scene, group: Group, prefix: str) -> None:
        """A recurrence as steps side by side, in a frame."""
        path = prefix + item.name
        frame = Group(self._id("cluster:" + path), "", frozen=path in self._still)
        sources = [scene.sources[t.number] for t in item.inputs]
        steps = Steps(self, frame, path, what, self.opening.unroll)
        steps.caption.name = item.name if item.given and unit.count == 1 else ""
        steps.caption.leaving = item.outputs[0].shape
        steps.caption.params = self._sum(unit, prefix)
        found = steps.draw(sources, item.outputs)
        scene.sources.update((t.number, source) for t, source in zip(item.outputs, found))
        _put(group, frame)

    def _closed(self, item: Call | Scope, unit: Unit, scene: Scene, group: Group, prefix: str) -> None:
        """A block or named scope as one box, with what it gives and weighs."""
        takes, gives = _ends(item, self._folder)
        title = block_text(item) if isinstance(item, Call) else item.name
        sources = [scene.sources[n] for n in takes]
        box = self.box(group, prefix + item.name, "block", [title], sources[0].shape if sources else None)
        for source in sources:
            self.edge(source, box)
        box.name = item.name if isinstance(item, Call) and item.given and unit.count == 1 else ""
        last = _ends(unit.turns[-1][0], self._folder)[1]
        box.leaving = last[-1].shape if last else box.leaving
        box.params = self._sum(unit, prefix)
        box.frozen = prefix + item.name in self._still
        said = [*dict.fromkeys(shape_text(t.shape) for t in _given(unit.turns[-1][0], last))]
        box.lines.append(", ".join([*said, f"{amount_text(box.params)} params"] if box.params else said))
        if isinstance(item, Call) and isinstance(item.use, Run):
            self._loop(box, item.inputs[0])
        for tensor in gives:
            scene.sources[tensor.number] = Source(box, tensor.shape)

    def _opened(self, item: Call | Scope, unit: Unit, scene: Scene, group: Group, prefix: str, level: int) -> None:
        path = prefix + item.name
        title = _title(item)
        frame = Group(self._id("cluster:" + path), title, frozen=path in self._still)
        if isinstance(item, Call):
            frame.name = item.name if item.given and unit.count == 1 else ""
            inner = Scene(item.body, path)
            for port, tensor in zip(item.body.inputs, item.inputs):
                inner.sources[port.value.number] = scene.sources[tensor.number]
            if isinstance(item.use, Run):
                self._states(item, scene, inner, frame)
            self._parts(item.body.items, inner, frame, path + ".", level + 1)
            results = [result.value for result in item.body.outputs]
            if isinstance(item.use, Run):
                self._back(item.body, inner)
                results = item.use.picked(results)
            for tensor, result in zip(item.outputs, results):
                scene.sources[tensor.number] = inner.sources[result.number].replace(shape=tensor.shape)
        else:
            self._parts(item.items, scene, frame, path + ".", level + 1)
        _put(group, frame)

    def _loop(self, box: Box, sequence: Tensor) -> None:
        """What a box hands on to itself, for each step of a sequence."""
        loop = Edge(box, box, box.leaving)
        loop.note = steps_text(sequence.shape[0])
        self.returns.append(loop)

    def _states(self, call: Call, scene: Scene, inner: Scene, frame: Group) -> None:
        """The states of a cell that is run: boxes that its equations begin with."""
        entering = call.inputs[0]
        inner.sources[call.body.inputs[0].value.number] = scene.sources[entering.number]
        given = call.inputs[1:]
        for place, state in enumerate(call.body.states):
            shape = state.value.shape
            box = self.box(frame, f"state:{inner.owner}.{state.name}", "state", [state.name, shape_text(shape)], shape)
            inner.sources[state.value.number] = Source(box, shape)
            if given:
                self.edge(scene.sources[given[place].number], box)

    def _back(self, body: Body, inner: Scene) -> None:
        """The edges that close the loop of a cell."""
        for state in body.states:
            box = inner.sources[state.value.number].box
            self.returns.append(Edge(inner.sources[state.later.number].box, box, state.value.shape))


def _title(item: Call | Scope) -> str:
    """What stands above a block or scope that is opened; over a cell that is run, for how many steps."""
    if isinstance(item, Scope):
        return item.name
    times = f", {steps_text(item.inputs[0].shape[0])}" if isinstance(item.use, Run) else ""
    return block_text(item) + times


def _recurs(scope: Scope) -> bool:
    """Is a recurrence among its steps? Both directions of a `scan`, and layers of them, make a scope."""
    return any(of_item(item) is not None for item in applied(scope.items))


def _ends(item: Item, folder: Folder) -> tuple[tuple[int, ...], tuple[Tensor, ...]]:
    """The numbers of the values that an item takes, and the values that it makes."""
    if isinstance(item, Scope):
        part = folder.part((item,))
        return part.takes, part.makes
    return tuple(t.number for t in item.inputs), made(item)


def _given(item: Item, makes: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Of the values that an item makes, those to be named as its results."""
    return makes[-1:] if isinstance(item, Scope) else makes


def _put(group: Group, frame: Group) -> None:
    """Add a frame to a group; what has a frame of its own for no reason is added as it is, counted."""
    if len(frame.parts) != 1 or (frame.title and isinstance(frame.parts[0], Group)):
        group.parts.extend([frame] if frame.parts else [])
        return
    part = frame.parts[0]
    part.count *= frame.count
    part.name = part.name or frame.name
    part.frozen = part.frozen or frame.frozen
    group.parts.append(part)
