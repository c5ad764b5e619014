"""The body of a net or block: its steps as chains, sums and named values, in the order in which a person says them.

A run of steps of which each takes only what the one before gives is a chain. What is used more than once, or by a join,
gets a name, unless it is what flows where it is used.
"""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush

from ..base.record import TYPE_CHECKING, Record
from .graph import ValueRef
from .naming import NameSupply
from .pieces import BodyLine, CallPiece, LabelPiece, ParameterText, TailPiece, part_text, sign_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .pieces import Piece

# joins whose values stand in the brackets, pipelines too
_JOINS = frozenset(["add", "concat", "average", "maximum", "minimum", "mul", "stack"])


class BodyNode(Record):
    """A step or call in a body. `refs` are the values in its arguments, by number.

    `inner` writes braces in place of a call: a function of the names of the values in `refs`. `hint` is what its
    value is called where it needs a name and has none.
    """

    call: CallPiece
    operands: tuple[int, ...]
    results: tuple[int, ...]
    label: str = ""
    inner: Any = None
    refs: tuple[int, ...] = ()
    hint: str = ""


class ChainSegment(Record):
    """Nodes of which each takes what the one before gives, and nobody else does."""

    nodes: tuple[BodyNode, ...]

    @property
    def end(self) -> int:
        return self.nodes[-1].results[0]


def segments_of(nodes: Sequence[BodyNode], outputs: Sequence[int]) -> list[ChainSegment]:
    """The chains of a body, each behind those that it takes values from."""
    uses = Counter(n for node in nodes for n in (*node.operands, *node.refs))
    uses.update(outputs)
    ends: dict[int, list[BodyNode]] = {}
    chains: list[list[BodyNode]] = []
    for node in nodes:
        before = ends.get(node.operands[0]) if node.operands else None
        if before is not None and uses[node.operands[0]] == 1 and _continues(node):
            del ends[node.operands[0]]
            before.append(node)
        else:
            before = [node]
            chains.append(before)
        if len(node.results) == 1:
            ends[node.results[0]] = before
    return _ordered([ChainSegment(tuple(chain)) for chain in chains])


def _ordered(segments: Sequence[ChainSegment]) -> list[ChainSegment]:
    """Each chain behind those that it takes values from, else in the order of their beginnings."""
    makes = {n: place for place, s in enumerate(segments) for node in s.nodes for n in node.results}
    needs = [
        {makes[n] for node in s.nodes for n in (*node.operands, *node.refs) if makes.get(n, place) != place}
        for place, s in enumerate(segments)
    ]
    behind: dict[int, list[int]] = {}
    for place, before in enumerate(needs):
        for other in before:
            behind.setdefault(other, []).append(place)
    ready = [place for place, before in enumerate(needs) if not before]
    found: list[ChainSegment] = []
    heapify(ready)
    while ready:
        place = heappop(ready)
        found.append(segments[place])
        for other in behind.get(place, ()):
            needs[other].discard(place)
            if not needs[other]:
                heappush(ready, other)
    return found


def _continues(node: BodyNode) -> bool:
    """May it stand behind an arrow?"""
    if node.call.kind == "slice" or sign_of(node.call.kind):
        return False
    return len(node.operands) == 1 or node.call.kind not in _JOINS


class BodyWriter:
    """Writes one body. `named` are the values that have a name from the beginning: inputs."""

    def __init__(
        self,
        nodes: Sequence[BodyNode],
        outputs: Sequence[int],
        flow: int | None,
        named: Mapping[int, str],
        names: NameSupply,
        called: Sequence[str] = (),
    ) -> None:
        self.segments = segments_of(nodes, outputs)
        self.outputs = tuple(outputs)
        self.called = called
        self.flow = flow
        self.given = dict(named)
        self.names = names
        self.texts: dict[int, str] = dict(named)
        self.asked: set[int] = set()  # values that are referred to by name
        self.labelled = {n.results[0]: n.label for n in nodes if n.label and n.results}
        self.names.taken.update(self.labelled.values())
        self.hints = {n: node.hint for node in nodes for n in node.results if node.hint}
        self.left = Counter(n for node in nodes for n in (*node.operands, *node.refs))
        self.left.update(outputs)
        self.by_end = {s.end: s for s in self.segments if s.nodes[-1].results}
        self.inlined = self._inlined()
        self.weights: list[BodyLine] = []
        self.atoms: list[BodyLine] = []
        self.free: dict[int, str] = {}  # names that are given to another value once this one is not needed any more

    # --- what stands within another statement -------------------------------------------------------------------------

    def _inlined(self) -> set[int]:
        """The ends of chains that stand in the brackets of the join that takes them."""
        found: set[int] = set()
        uses = self.left
        for segment in self.segments:
            head = segment.nodes[0]
            if head.call.kind not in _JOINS or len(head.operands) < 2:
                continue
            inner = [self.by_end[n] for n in head.operands if uses[n] == 1 and n in self.by_end]
            starts = {s.nodes[0].operands[0] for s in inner if s.nodes[0].operands}
            plain = all(self._is_plain(s) for s in inner)
            # all branches start at one value: the one that flows there
            rest = {n for n in head.operands if all(s.end != n for s in inner)}
            enough = len(inner) > 1 or (head.call.kind == "concat" and bool(inner) and rest == starts)
            if plain and len(starts) == 1 and enough and len(set(head.operands)) == len(head.operands):
                found.update(s.end for s in inner)
        return found

    def _is_plain(self, segment: ChainSegment) -> bool:
        """Is it a pipeline of single values, from one value?"""
        one = all(len(node.results) == 1 and not node.refs for node in segment.nodes)
        return one and len(segment.nodes[0].operands) == 1 and segment.nodes[0].call.kind not in ("weight", "slice")

    # --- the statements ---------------------------------------------------------------------------------------------

    def write(self) -> tuple[BodyLine, ...]:
        """The body, with the names of the values that it refers to."""
        order = [s for s in self.segments if not s.nodes[-1].results or s.end not in self.inlined]
        for place, segment in enumerate(order):
            self._statement(segment, order[place + 1] if place + 1 < len(order) else None)
        self._output()
        return tuple(self._finished(atom) for atom in (*self.weights, *self.atoms))

    def _finished(self, atom: BodyLine) -> BodyLine:
        """An atom whose names stand, now that it is known which values are referred to."""
        pieces = tuple(
            piece.replace(text=piece.text or self._spoken(piece.value)) if isinstance(piece, LabelPiece) else piece
            for piece in atom.pieces
        )
        return atom.replace(pieces=pieces, label=atom.label or self._spoken(atom.value))

    def _spoken(self, number: int) -> str:
        return self.texts[number] if number in self.asked and number not in self.given else ""

    def _statement(self, segment: ChainSegment, later: ChainSegment | None) -> None:
        for value in [n for n in self.free if not self.left[n]]:
            self.names.taken.discard(self.free.pop(value))
        head, last = segment.nodes[0], segment.nodes[-1]
        if head.call.kind == "weight":
            self._declared(head)
            if len(segment.nodes) == 1:
                return
            segment = ChainSegment(segment.nodes[1:])
        flow = self._brought(segment)
        if len(last.results) > 1:
            text = self._pipeline(segment, flow)
            names = ", ".join(self._bound(n) for n in last.results)
            self.atoms.append(BodyLine((names, " = ", *text), flows=False))
        elif self._goes_aside(segment, flow, later):
            text = self._pipeline(segment, flow)
            if isinstance(text[-1], LabelPiece) and not text[-1].text:
                text.pop()
            self.atoms.append(BodyLine((self._bound(segment.end), " = ", *text), flows=False))
        else:
            self._flowing(segment, flow)
            self.flow = segment.end

    def _flowing(self, segment: ChainSegment, flow: int | None) -> None:
        """The steps of a pipeline that becomes what flows, each by itself."""
        head, *rest = segment.nodes
        start = self._head(head, flow)
        self.atoms.append(_split(start, head, bool(head.operands) and self._takes_flow(head, flow)))
        for node in rest:
            self._take(node.operands)
            self.atoms.append(_split(self._stage(node, node.operands[1:]), node, True))

    def _takes_flow(self, node: BodyNode, flow: int | None) -> bool:
        joins = node.call.kind in _JOINS or bool(sign_of(node.call.kind)) or node.call.kind == "slice"
        return node.operands[0] == flow and not joins and len(node.operands) == 1

    def _brought(self, segment: ChainSegment) -> int | None:
        """What flows where the segment begins, for joins of branches: made to flow where it does not."""
        head = segment.nodes[0]
        inner = [self.by_end[n] for n in head.operands if n in self.inlined]
        if not inner:
            return self.flow
        start = inner[0].nodes[0].operands[0]
        if start != self.flow:
            self.atoms.append(BodyLine((self._named(start),)))
            self.flow = start
        return start

    def _goes_aside(self, segment: ChainSegment, flow: int | None, later: ChainSegment | None) -> bool:
        """Is it bound to a name, and what flows stays?"""
        if later is None or segment.end in self.outputs:
            return False
        if self.left[segment.end] > 1:
            return False
        if segment.end in later.nodes[0].operands and (flow is None or not self.left[flow]):
            return False
        return flow is not None and bool(self.left[flow])

    def _declared(self, node: BodyNode) -> None:
        name, sizes = (value for key, value in node.call.pairs if not key)
        found = self.names.chosen(str(name))
        self.texts[node.results[0]] = found
        self.asked.add(node.results[0])
        shown = ", ".join(map(str, sizes))
        options = ", ".join(
            f"{key}={part_text((value,))}" for key, value in node.call.pairs if key and value is not None
        )
        self.weights.append(BodyLine((f"weight {found} [{shown}]{' ' * bool(options)}{options}",), flows=False))

    # --- parts of a statement -----------------------------------------------------------------------------------------

    def _pipeline(self, segment: ChainSegment, flow: int | None) -> list[Piece]:
        head, *rest = segment.nodes
        text = self._head(head, flow)
        for node in rest:
            self._take(node.operands)
            text += [" -> ", *self._stage(node, node.operands[1:])]
        return text

    def _head(self, node: BodyNode, flow: int | None) -> list[Piece]:
        """The first step of a pipeline, with what it takes."""
        call = node.call
        if call.kind == "slice":
            self._take(node.operands)
            return [f"{self._value(node.operands[0], flow)}[{part_text(call.pairs[0][1])}]"]
        sign = sign_of(call.kind)
        if sign and len(node.operands) == 2:
            texts = [self._value(n, flow) for n in node.operands]
            self._take(node.operands)
            return [f" {sign} ".join(texts)]
        if call.kind in _JOINS or (sign and len(node.operands) != 1):
            return self._joined(node, flow)
        self._take(node.operands)
        if not node.operands:
            return self._stage(node, ())
        first = node.operands[0]
        if len(node.operands) > 1 and first == flow:  # a call on values takes nothing else
            return self._stage(node, node.operands, flow)
        start: list[Piece] = [] if first == flow else [self._named(first), " -> "]
        return [*start, *self._stage(node, node.operands[1:])]

    def _joined(self, node: BodyNode, flow: int | None) -> list[Piece]:
        kind = {"+": "add", "*": "mul"}.get(node.call.kind, node.call.kind)
        text: list[Piece] = [kind, "("]
        for place, number in enumerate(node.operands):
            text += [", "] * bool(place)
            inner = self.by_end.get(number) if number in self.inlined else None
            beside = any(n in self.inlined for n in node.operands) and number == flow
            said = "identity" if beside else ""  # as the branches, which take what flows without its name
            text += self._pipeline(inner, flow) if inner is not None else [said or self._value(number, flow)]
        self._take(node.operands)
        options = CallPiece(node.call.kind, node.call.pairs, ("",))
        return [*text, TailPiece(options), ")", *self._label(node)]

    def _stage(self, node: BodyNode, others: Sequence[int], flow: int | None = None) -> list[Piece]:
        if node.inner is not None:
            self._take(node.refs)
            return [*node.inner({n: self._named(n) for n in node.refs}), *self._label(node)]
        operands = tuple(self._value(n, flow) for n in others)
        pairs = tuple((name, self._filled(value)) for name, value in node.call.pairs)
        self._take(node.refs)
        call = node.call.replace(pairs=pairs, operands=operands)
        return [call, *self._label(node)]

    def _filled(self, value: Any) -> Any:
        """An argument in which values of the net stand by name."""
        if isinstance(value, ValueRef):
            return ParameterText(self._named(value.number))
        if isinstance(value, tuple) and any(isinstance(v, ValueRef) for v in value):
            return ParameterText("(" + ", ".join(self._named(v.number) for v in value) + ")")
        if isinstance(value, CallPiece):
            return value.replace(pairs=tuple((name, self._filled(inner)) for name, inner in value.pairs))
        return value

    def _label(self, node: BodyNode) -> list[Piece]:
        return [LabelPiece(node.results[0], node.label)] if len(node.results) == 1 else []

    def _take(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.left[number] -= 1

    # --- names --------------------------------------------------------------------------------------------------------

    def _value(self, number: int, flow: int | None) -> str:
        return "identity" if number == flow and number not in self.given else self._named(number)

    def _named(self, number: int) -> str:
        """The name of a value, which is given one where it has none."""
        self.asked.add(number)
        if number not in self.texts:
            self.texts[number] = self.labelled.get(number) or self.names.new(self.hints.get(number, "y"))
        return self.texts[number]

    def _bound(self, number: int) -> str:
        """A name for a value; where nobody needs the value any more, the name may stand for another one."""
        self.asked.add(number)
        self.texts[number] = self.free[number] = self.names.new("y")
        return self.texts[number]

    def _output(self) -> None:
        alone = len(self.outputs) == 1 and self.outputs[0] == self.flow and not any(self.called)
        if alone:
            return
        said = []
        for number, name in zip(self.outputs, self.called or ("",) * len(self.outputs)):
            value = self._value(number, self.flow) if name and number not in self.labelled else self._named(number)
            said.append(value if name in ("", value) else f"{name} = {value}")
        self.atoms.append(BodyLine(("output ", ", ".join(said)), flows=False))


def _split(pieces: list[Piece], node: BodyNode, arrow: bool) -> BodyLine:
    """An atom of a step; the name behind it stands apart."""
    if isinstance(pieces[-1], LabelPiece):
        last = pieces[-1]
        return BodyLine(tuple(pieces[:-1]), arrow, True, last.text, last.value, scope=node.inner is not None)
    return BodyLine(tuple(pieces), arrow, True, "", node.results[0], scope=node.inner is not None)
