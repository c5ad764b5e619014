"""The picture of a net as boxes, groups and edges, before it is put into words.

A box is a layer with what follows it in a straight line (batch norm, activation, dropout), a block that is not
opened, or an input or output of the net. A group is a block or named scope that is opened, or a repeat.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..ir.types import BlockCall, Region, Step, applied
from ..layers.cell_uses import Run
from .canvas import Canvas
from .folding import Folder, Wiring, leaves, made
from .labels import TIMES, block_text, layer_text, params_text, shape_text, steps_text, total
from .model import Box, Edge, EdgeSource, Frame
from .scenes import Scene, WeightUses, unseen
from .unroll import UnrolledSteps, of_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.dims import Dim
    from ..ir.types import Body, CheckedNet, Item, Tensor
    from .folding import Unit
    from .unroll import Unrolled

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


class Diagram(Canvas):
    """All boxes and edges of a net. Raises TooLarge where there are more than `limit` boxes."""

    def __init__(self, net: CheckedNet, opening: Opening, limit: int) -> None:
        super().__init__(net.name, limit)
        self.opening = opening
        self._folder = Folder()
        self._known: set[int] = set()
        # a shared layer stands in several rows, and weighs something in the first
        self._params = {row.path: row.figures.params for row in reversed(net.rows)}
        self._uses = WeightUses(net.rows)
        self._weighed: set[str] = set()
        self._wirings: dict[int, Wiring] = {}
        learned = {row.path: row.figures for row in reversed(net.rows) if row.figures.params != 0}
        self._still = {path for path, figures in learned.items() if figures.trainable == 0}
        self._net(net.net.body)

    def _net(self, body: Body) -> None:
        scene = Scene([("", self._wiring(body))])
        for port in body.inputs:
            box = self.box(self.root, f"input:{port.name}", "input", [port.name, shape_text(port.value.shape)], None)
            box.leaving = port.value.shape
            scene.sources[port.value.number] = EdgeSource(box, port.value.shape)
        self._parts(body.items, scene, self.root, "", 0)
        for result in body.outputs:
            source = scene.sources[result.value.number]
            lines = [result.name, shape_text(result.value.shape)]
            box = self.box(self.root, f"output:{result.name}", "output", lines, result.value.shape)
            self.edge(source, box)

    # --- pieces ------------------------------------------------------------------------------------------------

    def _wiring(self, body: Body) -> Wiring:
        if id(body) not in self._wirings:
            self._wirings[id(body)] = Wiring(body)
        return self._wirings[id(body)]

    def _weights(self, items: Sequence[Item], scene: Scene) -> tuple[Dim, ...]:
        """What the items weigh in each of the instances that they stand for; shared weights at their first use."""
        found: list[list[Dim]] = []
        for leaf in leaves(items):
            found.append([])
            for path, _ in scene.alike(leaf):
                spent = scene.spent or path in self._weighed
                found[-1].append(0 if spent else self._params.get(path, 0))
                self._weighed.add(path)
        return tuple(map(total, zip(*found)))

    # --- walking -----------------------------------------------------------------------------------------------

    def _parts(self, items: Sequence[Item], scene: Scene, group: Frame, prefix: str, level: int) -> None:
        for unit in self._folder.units(items, scene.wiring):
            if unit.count > 1:
                self._repeated(unit, scene, group, prefix, level)
            else:
                self._one(unit, scene, group, prefix, level)

    def _one(self, unit: Unit, scene: Scene, group: Frame, prefix: str, level: int) -> None:
        item = unit.items[0]
        unrolled = of_item(item) if self.opening.unroll else None
        if unrolled is not None and not isinstance(item, Region):
            self._unrolled(item, unrolled, unit, scene, group)
        elif isinstance(item, Step):
            self._step(item, scene, group)
        elif self._is_closed(item, level):
            self._closed(item, unit, scene, group, prefix)
        else:
            self._opened(item, unit, scene, group, prefix, level)

    def _repeated(self, unit: Unit, scene: Scene, group: Frame, prefix: str, level: int) -> None:
        """The first of several equal turns; what the others make comes from its boxes too."""
        makes = [self._folder.part(items).makes for items in unit.turns]
        scene.fold(unit.turns)
        first = unit.items[0]
        whole = len(unit.items) == 1 and bool(first.name) and not isinstance(first, Step)
        path = _path(first, scene, prefix) if whole else scene.path(*unit.items)
        frame = Frame(self.id(f"cluster:{path}{TIMES}"), "", count=unit.count)
        outer = self.varying
        if any([t.shape for t in turn] != [t.shape for t in makes[0]] for turn in makes[1:]):
            self.varying = frame
        if whole:
            self._one(unit, scene, frame, prefix, level)
        else:
            self._parts(unit.items, scene, frame, prefix, level)
        self.varying = outer
        _put(group, frame)
        for turn in makes:
            for tensor, like in zip(turn, makes[0]):
                scene.sources[tensor.number] = scene.sources[like.number].replace(shape=tensor.shape)

    def _is_closed(self, item: BlockCall | Region, level: int) -> bool:
        if self.opening.unroll and isinstance(item, Region) and _recurs(item):
            return False
        if level >= self.opening.depth:
            return True
        if not self.opening.once or isinstance(item, Region):
            return False
        structure = self._folder.structure(item.body)
        if structure in self._known:
            return True
        self._known.add(structure)
        return False

    def _step(self, step: Step, scene: Scene, group: Frame) -> None:
        sources = [scene.sources[t.number] for t in step.inputs]
        if unseen(step):
            scene.sources[step.output.number] = sources[0]
            return
        if sources and self._follows(step, sources[0].box, scene, group):
            box = sources[0].box
        else:
            entering = sources[0].shape if sources else None
            box = self.box(group, scene.path(step), step.layer.style, [], entering)
            for place, source in enumerate(sources):
                if place not in step.layer.sized_by:
                    self.edge(source, box, _place(step, place), place)
        self._say(step, box, scene)
        box.leaving = step.output.shape
        box.frozen = box.frozen or scene.path(step) in self._still
        box.tail = step.output
        if step.depth != 0:
            self._loop(box, step.inputs[0])
        scene.give(step.outputs, [EdgeSource(box, t.shape) for t in step.outputs], step.layer.results)

    def _say(self, step: Step, box: Box, scene: Scene) -> None:
        """Write a step into its box. The name of the first is that of the box; another has its own on its line."""
        alike = scene.alike(step)
        name = step.name if step.given else ""
        if not box.lines:
            box.name = name
        elif name:
            box.names[len(box.lines)] = name
        weights = self._weights((step,), scene)
        box.weights = tuple(w + b for w, b in zip(weights, box.weights)) if box.lines else weights
        box.lines.append(layer_text(step, [leaf for _, leaf in alike]))
        if step.shared is not None and self._params.get(alike[0][0], 0) != 0:
            box.shared = self._uses.note([path for path, _ in alike])

    def _follows(self, step: Step, box: Box, scene: Scene, group: Frame) -> bool:
        """Does the step go into the box before it? Only where nothing else takes the value between them, and where
        both learn or are held still, if they have weights. Shared weights have a box of their own."""
        path = scene.path(step)
        return (
            (self._params.get(path, 0) == 0 or self._joins(step, path, box))
            and len(step.inputs) == 1
            and box.tail is step.inputs[0]
            and box.group is group
            and step.layer.style in _FOLLOWERS
            and box.style in _HOSTS
            and len(scene.wiring.readers[step.inputs[0].number]) == 1
        )

    def _joins(self, step: Step, path: str, box: Box) -> bool:
        """Can what a step with weights says of them be said of the whole box?"""
        return step.shared is None and not box.shared and box.frozen is (path in self._still)

    def _unrolled(self, item: Step | BlockCall, what: Unrolled, unit: Unit, scene: Scene, group: Frame) -> None:
        """A recurrence as steps side by side, in a frame."""
        path = scene.path(item)
        frame = Frame(self.id("cluster:" + path), "", frozen=path in self._still)
        sources = [scene.sources[t.number] for t in item.inputs]
        steps = UnrolledSteps(self, frame, path, what, self.opening.unroll)
        steps.caption.name = item.name if item.given and unit.count == 1 else ""
        steps.caption.leaving = item.outputs[0].shape
        steps.caption.weights = self._weights((item,), scene)
        steps.caption.shared = self._note(item, scene)
        found = steps.draw(sources, item.outputs)
        scene.give(item.outputs, found, item.layer.results if isinstance(item, Step) else ())
        _put(group, frame)

    def _note(self, item: BlockCall | Region | Step, scene: Scene) -> str:
        """Which use it is of weights that are used several times."""
        if isinstance(item, Region) or item.shared is None:
            return ""
        return self._uses.note([path for path, _ in scene.alike(item)])

    def _closed(self, item: BlockCall | Region, unit: Unit, scene: Scene, group: Frame, prefix: str) -> None:
        """A block or named scope as one box, with what it gives and weighs."""
        takes, gives = _ends(item, self._folder)
        sources = [scene.sources[n] for n in takes]
        title = _block_title(item, scene) if isinstance(item, BlockCall) else item.name
        path = _path(item, scene, prefix)
        box = self.box(group, path, "block", [title], sources[0].shape if sources else None)
        for place, source in enumerate(sources):
            self.edge(source, box, _port(item, place), place)
        box.name = item.name if isinstance(item, BlockCall) and item.given and unit.count == 1 else ""
        last = _ends(unit.turns[-1][0], self._folder)[1]
        box.leaving = last[-1].shape if last else box.leaving
        box.weights = self._weights((item,), scene)
        box.shared = self._note(item, scene)
        box.frozen = path in self._still
        said = [*dict.fromkeys(shape_text(t.shape) for t in _given(unit.turns[-1][0], last))]
        box.lines.append(", ".join([*said, params_text(box.weights)] if box.params else said))
        if isinstance(item, BlockCall) and isinstance(item.use, Run):
            self._loop(box, item.inputs[0])
        if isinstance(item, Region):
            scene.hold(gives, [EdgeSource(box, t.shape) for t in gives])
        else:
            words = tuple(result.name for result in item.body.outputs)
            scene.give(gives, [EdgeSource(box, t.shape) for t in gives], words)

    def _opened(
        self, item: BlockCall | Region, unit: Unit, scene: Scene, group: Frame, prefix: str, level: int
    ) -> None:
        path = _path(item, scene, prefix)
        frame = Frame(self.id("cluster:" + path), _title(item, scene), frozen=path in self._still)
        if isinstance(item, BlockCall):
            frame.name = item.name if item.given and unit.count == 1 else ""
            frame.shared = self._note(item, scene)
            inner = Scene([(f"{p}.", self._wiring(leaf.body)) for p, leaf in scene.alike(item)])
            inner.spent = scene.spent or path in self._weighed
            self._weighed.update(p for p, _ in scene.alike(item))
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

    def _states(self, call: BlockCall, scene: Scene, inner: Scene, frame: Frame) -> None:
        """The states of a cell that is run: boxes that its equations begin with."""
        entering = call.inputs[0]
        inner.sources[call.body.inputs[0].value.number] = scene.sources[entering.number]
        given = call.inputs[1:]
        for place, state in enumerate(call.body.states):
            shape = state.value.shape
            box = self.box(frame, f"state:{inner.prefix}{state.name}", "state", [state.name, shape_text(shape)], shape)
            inner.sources[state.value.number] = EdgeSource(box, shape)
            if given:
                self.edge(scene.sources[given[place].number], box)

    def _back(self, body: Body, inner: Scene) -> None:
        """The edges that close the loop of a cell."""
        for state in body.states:
            box = inner.sources[state.value.number].box
            self.returns.append(Edge(inner.sources[state.later.number].box, box, state.value.shape))


def _path(item: Item, scene: Scene, prefix: str) -> str:
    """The path of a named scope, a block or a step; scopes are no part of that of what is shared."""
    return prefix + item.name if isinstance(item, Region) else scene.path(item)


def _block_title(call: BlockCall, scene: Scene) -> str:
    return block_text(call, [leaf for _, leaf in scene.alike(call)])


def _place(step: Step, place: int) -> str:
    """Which of its inputs a value is, where that counts; what is given by name is known by its shape."""
    one = step.layer.arity == 1 or len({t.number for t in step.inputs}) == 1
    return str(place + 1) if step.layer.ordered and not one else ""


def _port(item: BlockCall | Region, place: int) -> str:
    """The name that a block with several inputs has for a value."""
    if isinstance(item, Region) or len(item.inputs) == 1 or place >= len(item.body.inputs):
        return ""
    return item.body.inputs[place].name


def _title(item: BlockCall | Region, scene: Scene) -> str:
    """What stands above a block or scope that is opened; over a cell that is run, for how many steps."""
    if isinstance(item, Region):
        return item.name
    times = f", {steps_text(item.inputs[0].shape[0])}" if isinstance(item.use, Run) else ""
    return _block_title(item, scene) + times


def _recurs(region: Region) -> bool:
    """Is a recurrence among its steps? Both directions of a `scan`, and layers of them, make a scope."""
    return any(of_item(item) is not None for item in applied(region.items))


def _ends(item: Item, folder: Folder) -> tuple[tuple[int, ...], tuple[Tensor, ...]]:
    """The numbers of the values that an item takes, and the values that it makes."""
    if isinstance(item, Region):
        part = folder.part((item,))
        return part.takes, part.makes
    return tuple(t.number for t in item.inputs), made(item)


def _given(item: Item, makes: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Of the values that an item makes, those to be named as its results."""
    return makes[-1:] if isinstance(item, Region) else makes


def _put(group: Frame, frame: Frame) -> None:
    """Add a frame to a group; what has a frame of its own for no reason is added as it is, counted."""
    part = frame.parts[0] if len(frame.parts) == 1 else None
    if part is None or (frame.title and isinstance(part, Frame)) or (frame.count > 1 and part.count > 1):
        group.parts.extend([frame] if frame.parts else [])
        return
    part.count *= frame.count
    part.name = part.name or frame.name
    part.shared = part.shared or frame.shared
    part.frozen = part.frozen or frame.frozen
    group.parts.append(part)
