"""The flow of a template as statements."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record
from ...layers.forms import numbers_in
from ...pycode.expr import Bare, Raw, inline, rebuild
from ...pycode.names import free_names
from ...pycode.statements import Assign, ForIn, IfElse, Return, choose
from ..identifiers import safe
from ..ir import Choice, Invoke, Leaf, Loop, ModuleChain
from ..outline.terms import negated
from ..passes.liveness import passing
from ..passes.variables import NOBODY, Variables
from .assignments import Assignment, bare, in_a_row, live, targets, with_names

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...pycode.expr import Code
    from ...pycode.statements import Statement
    from ..ir import Node, Template
    from .writer import Writer


# behind what is worked out though nobody takes it
NOWHERE = "leads nowhere, but its weights are part of the net"


class PendingExpression(Record):
    """An expression that no line holds yet; `inputs` are the values in it that have variables."""

    node: Leaf
    code: Code
    inputs: list[int]


# an expression up to this length may stand among others on a line
_SHORT = 50
# an expression that holds others may be so long
_NESTED = 70


class StatementWriter(Variables):
    """Writes the statements of one template."""

    def __init__(self, template: Template, writer: Writer, taken: frozenset[str], kept: Seq[int] = ()) -> None:
        super().__init__(template, taken | writer.reserved, kept)
        self.writer = writer
        # the statements of the turn or branch that is being written
        self.body: list[Statement] = []
        # values that no line makes yet: their expressions may stand within the next one
        self.open: dict[int, PendingExpression] = {}

    def run(self, nodes: Seq[Node]) -> None:
        place = 0
        while place < len(nodes):
            node = nodes[place]
            if not isinstance(node, Leaf):
                self._unnest()
            if isinstance(node, Loop):
                self._loop(node)
            elif isinstance(node, Choice):
                self._choice(node)
            elif isinstance(node, Invoke):
                self._invoke(node)
            elif self.writer.nests and isinstance(node, Leaf) and node.inputs:
                self._nest(node, nodes)
            else:
                place = self._line(nodes, place)
            place += 1
        self._unnest()

    # --- steps --------------------------------------------------------------------------------------------------------

    def _line(self, nodes: Seq[Node], place: int) -> int:
        """A layer, and those behind it that may stand on its line. Gives the place of the last one."""
        node = nodes[place]
        assert isinstance(node, Leaf | ModuleChain)
        pieces = self._pieces(node, self.get(node.inputs))
        if not node.inputs:  # a weight of the class goes by its own name
            self.variable[node.outputs[0]] = pieces[0].code
            return place
        last: Leaf | ModuleChain = node
        inputs = list(node.inputs)
        while len(pieces) == 1 and pieces[0].gives == 0 and place + 1 < len(nodes):
            follower = nodes[place + 1]
            if not isinstance(follower, Leaf) or not self._may_join(last, follower):
                break
            made = last.outputs[0]
            wider = self._pieces(follower, [pieces[0].code if v == made else self.variable[v] for v in follower.inputs])
            if len(wider) != 1 or len(inline(wider[0].code)) > 60:
                break
            inputs += [v for v in follower.inputs if v != made]
            pieces, last, place = wider, follower, place + 1
        self._assign(last, inputs, pieces, self._shape(last))
        return place

    def _may_join(self, last: Leaf | ModuleChain, follower: Leaf) -> bool:
        """May a layer be written around the one before it?"""
        if len(last.outputs) != 1 or follower.inputs.count(last.outputs[0]) != 1:
            return False
        if not self.is_used_once(last.outputs[0]) or not self.writer.joins_line(follower):
            return False
        return len(follower.inputs) == 1 or last.outputs[0] not in self.template.labels

    def _pieces(self, node: Leaf | ModuleChain | Invoke, arguments: list[Code]) -> list[Assignment]:
        if isinstance(node, ModuleChain):
            return [Assignment(0, self.writer.sequence(node, arguments))]
        if isinstance(node, Invoke):
            if node.form is not None:
                return self.writer.cell(node, node.form, arguments)
            return [Assignment(in_a_row(len(node.outputs)), self.writer.invoke(node, arguments))]
        return self.writer.leaf(node, arguments)

    def _shape(self, node: Leaf | ModuleChain) -> Any:
        step = node.step if isinstance(node, Leaf) and node.constant else None
        noted = step and step.layer.noted([t.shape for t in step.outputs])
        return noted if isinstance(node, Leaf) else node.shape

    def _assign(
        self, node: Leaf | ModuleChain | Invoke, inputs: Seq[int], pieces: list[Assignment], shape: Any
    ) -> None:
        """The statements that make the values of a node; `inputs` are what the first node on the line takes."""
        slots = tuple(range(len(node.outputs))) if isinstance(node, ModuleChain) else node.slots
        kept = live(pieces, {slot for value, slot in zip(node.outputs, slots) if self.is_used(value)})
        names = self._names(node, slots, kept, inputs)
        # the shape is that of the first value, and is said where a line makes that
        makes = [number for number, piece in enumerate(kept) if numbers_in(piece.gives)[:1] == tuple(slots[:1])]
        told = makes[-1] if makes and shape is not None and self.is_used(node.outputs[0]) else None
        leads_nowhere = not any(map(self.is_used, node.outputs))
        for number, piece in enumerate(kept):
            code = with_names(piece.code, names) if number else piece.code
            note = self.writer.note(node, shape) if number == told else NOWHERE * leads_nowhere
            self.body.append(Assign(bare(code), targets(piece.gives, names), note))
        for value, slot in zip(node.outputs, slots):
            self.hold(value, names.get(slot, NOBODY))

    def _names(
        self, node: Leaf | ModuleChain | Invoke, slots: Seq[int], kept: list[Assignment], inputs: Seq[int]
    ) -> dict[int, str]:
        """The variables of what the pieces of a node give, by slot. Outputs may be one and the same value."""
        wishes = {} if isinstance(node, ModuleChain) else node.names
        found: dict[int, str] = {}
        # what the pieces behind one still take is not to be overwritten by it
        later: set[str] = set()
        for piece in reversed(kept):
            for slot in (n for n in numbers_in(piece.gives) if n not in found):
                if slots == (slot,):
                    found[slot] = self.name(node.outputs[0], inputs)
                    continue
                values = [v for v, s in zip(node.outputs, slots) if s == slot] or [passing(node)]
                own = self._own_name(values[0]) or wishes.get(slot) or ("x" if wishes else self.wish(values[0]))
                found[slot] = self.first_free(safe(own, self.taken), values, {*found.values(), *later})
            later |= free_names(piece.code) & {self.name_of(v) for v in node.inputs} if len(kept) > 1 else set()
        return found

    def _invoke(self, node: Invoke) -> None:
        shape = None if node.form is not None and node.form.steps else node.shape  # it is that of the last line
        self._assign(node, node.inputs, self._pieces(node, self.get(node.inputs)), shape)

    # --- expressions within others ------------------------------------------------------------------------------------

    def _nest(self, node: Leaf, nodes: Seq[Node]) -> None:
        """A layer, with the expressions of what it takes within its own if no line makes these yet.

        No line is written while an expression is open, so the variables in it still hold what they did.
        """
        found = self._nested(node)
        if found is None:
            self._unnest()
            found = self._nested(node)
        if found is None:
            self._assign(node, node.inputs, self._pieces(node, self.get(node.inputs)), None)
            return
        value = node.outputs[0]
        users = self.users.get(value, [])
        for taken in node.inputs:
            self.open.pop(taken, None)
        if len(users) == 1 and any(users[0] is other for other in nodes) and not self._own_name(value):
            self.open[value] = found
            return
        self._unnest()
        self._assign(node, found.inputs, [Assignment(0, found.code)], None)

    def _nested(self, node: Leaf) -> PendingExpression | None:
        """The expression of a layer; None where it has several lines, or too long a one."""
        marks = {value: Raw(f"@{value}") for value in node.inputs if value in self.open}
        pieces = self._pieces(node, [marks.get(v) or self.variable[v] for v in node.inputs])
        if len(pieces) != 1 or pieces[0].gives != 0 or node.slots != (0,):
            return None
        text = inline(pieces[0].code)
        if any(text.count(mark.text) != 1 for mark in marks.values()):
            return None
        inside = {mark: self.open[value].code for value, mark in marks.items()}
        code = rebuild(pieces[0].code, lambda part: inside.get(part, part) if isinstance(part, Raw) else part)
        if marks and len(inline(code)) > _NESTED:
            return None
        inputs = [v for value in node.inputs for v in (self.open[value].inputs if value in self.open else [value])]
        return PendingExpression(node, code, inputs)

    def _unnest(self) -> None:
        """Write a line for each open expression."""
        opened, self.open = self.open, {}
        for one in opened.values():
            self._assign(one.node, one.inputs, [Assignment(0, one.code)], None)

    # --- loops --------------------------------------------------------------------------------------------------------

    def _loop(self, node: Loop) -> None:
        self._begin(node.carried)
        names, items = self.writer.header(node)
        body = self._inside(node.nodes, [(self.name_of(own), later) for _first, later, own in node.carried])
        if body:  # else its turns leave everything as it is
            self.body.append(ForIn(names, items, body))

    def _begin(self, carried: Seq[tuple[int | None, int, int]]) -> None:
        """Give the variables of a loop what they start with, all at once."""
        moves = []
        for first, _later, own in carried:
            known = "" if first is None else self.name_of(first)
            keeps = known in ("x", self.wish(own)) and self.free(known, own)
            self.hold(own, known if keeps else self.variable_for(own))
            if known and self.name_of(own) != known:
                moves.append((self.name_of(own), known))
        if moves:
            self._put_moves(moves)

    def _inside(self, nodes: Seq[Node], left: list[tuple[str, int]]) -> tuple[Statement, ...]:
        """The statements of a turn or branch, which leave values in the variables of these names."""
        around, self.body = self.body, []
        self.forced.update((value, name) for name, value in left)
        self.run(nodes)
        for _name, value in left:
            self.forced.pop(value, None)
        self._move(left)
        body, self.body = self.body, around
        return tuple(body)

    def _move(self, pairs: list[tuple[str, int]]) -> None:
        """At the end of a turn or branch: what comes after it goes into the variables for it, all at once."""
        moved = [(target, value) for target, value in pairs if target != self.name_of(value)]
        moves = [(target, self.name_of(value)) for target, value in moved]
        if not moves:
            return
        # what stays in its variable is made where it stands
        made = self._last_made([self.name_of(value) for _, value in moved if self.is_used_once(value)], len(moves))
        self._put_moves([(t, made.get(s, s)) for t, s in moves])

    def _put_moves(self, moves: Seq[tuple[str, str]]) -> None:
        """`a, b = b, c`"""
        targets, sources = zip(*moves)
        self.body.append(Assign(Bare(tuple(map(Raw, sources))), ", ".join(targets)))

    def _last_made(self, sources: list[str], count: int) -> dict[str, str]:
        """The variable that the last line makes for this end of a turn only: its expression may stand there instead.

        `sources` are the variables that are for this end only, `count` says how many are moved.
        """
        last = self.body[-1] if self.body else None
        if not isinstance(last, Assign) or sources.count(last.to) != 1 or count < 2:
            return {}
        text = inline(last.value)
        if len(text) > _SHORT:
            return {}
        self.body.pop()
        return {last.to: text}

    # --- choices ------------------------------------------------------------------------------------------------------

    def _choice(self, node: Choice) -> None:
        short = self.writer.short_choice(node)
        if short is not None:
            self._short(node, *short)
            return
        for _operands, own in node.phis:
            self.hold(own, self.variable_for(own))
        bodies = [self._branch(node, place) for place in range(len(node.branches))]
        conditions = [self.writer.condition(node, place) for place in range(len(node.branches) - 1)]
        self.body += choose([*zip((*conditions, None), bodies)], negated)

    def _branch(self, node: Choice, place: int) -> tuple[Statement, ...]:
        """The statements of one branch."""
        left = [(self.name_of(own), v) for operands, own in node.phis if (v := operands[place]) is not None]
        return self._inside(node.branches[place][1], left)

    def _short(self, node: Choice, inner: Leaf | ModuleChain | Invoke, attribute: str) -> None:
        """`y = x if self.shortcut is None else self.shortcut(x)`"""
        ((operands, own),) = node.phis
        made = inner.outputs[0]
        other = next((v for v in operands if v not in (made, None)), inner.inputs[0])
        code = self._pieces(inner, self.get(inner.inputs))[0].code
        before, name = self.name_of(other), self.name(own, inner.inputs)
        if name == before:
            self.body.append(IfElse(((Raw(f"{attribute} is not None"), (Assign(code, name),)),)))
        else:
            self.body.append(Assign(Raw(f"{before} if {attribute} is None else {inline(code)}"), name))
        self.hold(own, name)

    # --- the end ------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """`return` what comes out; a last line that only makes it is returned as it is."""
        values = [v for _, v in self.template.outputs]
        names = [self.name_of(v) for v in values]
        code = self.writer.returned(names)
        if len(values) > 1 or code != Raw(names[0]) or not self.body or not self._returns_last(names[0]):
            self.body.append(Return(code))

    def _returns_last(self, name: str) -> bool:
        """Return what the last statement makes, if it makes that variable: `return a`, or `if c: return a`, `return b`
        for a choice that only decides what is returned."""
        last = self.body[-1]
        if isinstance(last, Assign) and last.to == name:
            self.body[-1] = Return(last.value, last.note)
            return True
        if not isinstance(last, IfElse) or len(last.branches) != 2:
            return False
        (condition, taken), (_, otherwise) = last.branches
        ends = [body[-1] if body else None for body in (taken, otherwise)]
        made = [Return(end.value, end.note) for end in ends if isinstance(end, Assign) and end.to == name]
        if len(made) < 2:
            return False
        self.body[-1:] = [IfElse(((condition, (*taken[:-1], made[0])),)), *otherwise[:-1], made[1]]
        return True
