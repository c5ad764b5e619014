"""Networks as graphs of what holds weights and of where values meet, so that two of them can be matched by structure.

All else (activations, pools, padding, dropout) has one input and no weights and is passed over: whether it is the same
on both sides, only numbers can tell. No name of a layer is looked at.
"""

from __future__ import annotations

from netspec.base.record import TYPE_CHECKING, Record
from netspec.ir.paths import paths_of, weight_path
from netspec.ir.types import BlockCall, Step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# what a kind of layer is called in Keras; sums are told from each other by what is summed
CLASSES = {
    "conv": "Conv2D",
    "depthwise_conv": "DepthwiseConv2D",
    "separable_conv": "SeparableConv2D",
    "batchnorm": "BatchNormalization",
    "dense": "Dense",
    "add": "Add",
    "concat": "Concatenate",
}
# layers of an application's own: this one adds its second value, scaled, to the first
SAME_AS = {"CustomScaleLayer": "Add"}
UNORDERED = ("Add",)


class Node(Record):
    """A layer with weights, or a place where values meet.

    `shapes` are those of its weights by their names in the Keras layer, `inputs` are numbers of nodes. `holder` is the
    layer of Keras, or of a spec the path of each weight with its `Weight`, by the same names.
    """

    kind: str
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    inputs: tuple[int, ...]
    holder: Any


class Graph:
    """Nodes, each behind those that it takes; the input is number 0."""

    def __init__(self) -> None:
        self.nodes = [Node("input", (), (), None)]
        self.outputs: tuple[int, ...] = ()

    def put(
        self, kind: str, shapes: Mapping[str, tuple[int, ...]], inputs: tuple[int, ...], shape: tuple, holder: Any
    ) -> int:
        """The number of a node, or of what it takes where it is passed over. `shape` is that of its first input."""
        if not shapes and len(inputs) == 1:
            return inputs[0]
        if kind == "Conv2D" and shapes["kernel"][:2] == tuple(shape[:2]) == (1, 1):  # a dense layer by another name
            kind, shapes = "Dense", {name: sizes[2:] or sizes for name, sizes in shapes.items()}
        if kind == "Concatenate":  # one within another is one
            parts = [self.nodes[i].inputs if self.nodes[i].kind == kind else (i,) for i in inputs]
            inputs = tuple(i for part in parts for i in part)
        self.nodes.append(Node(kind, tuple(sorted(shapes.items())), inputs, holder))
        return len(self.nodes) - 1


# --- the graph of a spec ---------------------------------------------------------------------------------------------


def of_net(net) -> Graph:
    """The graph of a checked net."""
    graph = Graph()
    body = net.net.body
    held = {body.inputs[0].value.number: 0}
    _items(graph, body.items, "", paths_of(body), held)
    graph.outputs = tuple(held[result.value.number] for result in body.outputs)
    return graph


def _items(graph, items, prefix, paths, held):
    """Add what is in a body; `held` are its values by number."""
    for item in items:
        if isinstance(item, Step):
            found = _step(graph, item, prefix + paths[id(item)], held)
            held.update((t.number, found) for t in item.outputs)
        elif isinstance(item, BlockCall):
            inner = {port.value.number: held[t.number] for port, t in zip(item.body.inputs, item.inputs)}
            _items(graph, item.body.items, f"{prefix}{paths[id(item)]}.", paths_of(item.body), inner)
            held.update((t.number, inner[r.value.number]) for t, r in zip(item.outputs, item.body.outputs))
        else:
            _items(graph, item.items, prefix, paths, held)


def _step(graph, step, path, held):
    weights = {w.keras.name: (weight_path(path, w), w) for w in step.weights}
    shapes = {name: w.keras.shape_of(w.sizes) for name, (_, w) in weights.items()}
    kind = CLASSES.get(step.layer.kind, step.layer.kind)
    return graph.put(kind, shapes, tuple(held[t.number] for t in step.inputs), step.inputs[0].shape, weights)


# --- the graph of a Keras model --------------------------------------------------------------------------------------


def of_keras(model) -> Graph:
    """The graph of a functional model with one input."""
    graph = Graph()
    held = {id(model.inputs[0]): 0}
    todo = list(model.outputs)
    while todo:
        tensor = todo[-1]
        layer, place, _ = tensor._keras_history
        before = layer._inbound_nodes[place].input_tensors
        missing = [t for t in before if id(t) not in held]
        if id(tensor) in held or missing:
            todo = todo[:-1] if id(tensor) in held else todo + missing
            continue
        kind = type(layer).__name__
        shapes = {v.name: tuple(v.shape) for v in layer.weights}
        inputs = tuple(held[id(t)] for t in before)
        held[id(tensor)] = graph.put(SAME_AS.get(kind, kind), shapes, inputs, before[0].shape[1:], layer)
    graph.outputs = tuple(held[id(t)] for t in model.outputs)
    return graph


# --- matching --------------------------------------------------------------------------------------------------------


def matched(ours: Graph, theirs: Graph) -> list[tuple[Node, Node]]:
    """The nodes with weights in pairs, as the flow of data has them. Raises AssertionError where there is no match.

    A node is known by its kind, the shapes of its weights and all that it comes from; what is summed has no order.
    """
    known: dict[tuple, int] = {}
    labels = [_labels(graph, known) for graph in (ours, theirs)]
    todo = list(zip(ours.outputs, theirs.outputs, strict=True))
    pairs: dict[int, int] = {}
    while todo:
        a, b = todo.pop()
        if a in pairs:
            assert pairs[a] == b, f"{theirs.nodes[b].holder} and {theirs.nodes[pairs[a]].holder} have one counterpart"
            continue
        assert labels[0][a] == labels[1][b], _first_odd(theirs, labels)
        pairs[a] = b
        todo += _partners(ours.nodes[a], theirs.nodes[b], labels)
    assert len(set(pairs.values())) == len(pairs), "two layers of the spec have one counterpart"
    return [(ours.nodes[a], theirs.nodes[b]) for a, b in sorted(pairs.items()) if ours.nodes[a].shapes]


def _labels(graph, known):
    """A number for each node, the same for all that have the same label."""
    labels: list[int] = []
    for node in graph.nodes:
        inputs = [labels[i] for i in node.inputs]
        label = (node.kind, node.shapes, tuple(sorted(inputs) if node.kind in UNORDERED else inputs))
        labels.append(known.setdefault(label, len(known)))
    return labels


def _partners(one, other, labels):
    """The inputs of two nodes in pairs."""
    a, b = list(one.inputs), list(other.inputs)
    if one.kind in UNORDERED:
        a.sort(key=labels[0].__getitem__)
        b.sort(key=labels[1].__getitem__)
        for inputs, known in ((a, labels[0]), (b, labels[1])):
            assert len({known[i] for i in inputs}) == len(set(inputs)), "two summands of one structure cannot be told"
    return zip(a, b, strict=True)


def _first_odd(theirs, labels):
    """The first layer of Keras that has no counterpart, in words."""
    odd = next(n for n, label in zip(theirs.nodes, labels[1]) if label not in labels[0])
    return f"nothing in the spec is like {odd.kind} {getattr(odd.holder, 'name', '')} {dict(odd.shapes)}"
