"""The flow of a template as statements."""

from __future__ import annotations

from ..pycode import Raw, inline, lay_out
from ..record import TYPE_CHECKING, Record
from .naming import safe
from .pieces import Piece, bare, in_a_row, live, numbers_in, targets, with_names
from .template import Choice, Invoke, Leaf, Loop, Sequence
from .terms import negated
from .variables import Variables, uses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..pycode import Code
    from .template import Node, Template


class Writer:
    """What a framework writes for the nodes of a template. The base is a function of calls."""

    reserved: frozenset[str] = frozenset()

    def leaf(self, leaf: Leaf, arguments: list[Code]) -> list[Piece]:
        """The expressions of a layer, one for each line; later ones take what earlier ones give as `X(i)`."""
        raise NotImplementedError

    def invoke(self, invoke: Invoke, arguments: list[Code]) -> Code:
        raise NotImplementedError

    def sequence(self, sequence: Sequence, arguments: list[Code]) -> Code:
        raise NotImplementedError

    def joins_line(self, leaf: Leaf) -> bool:
        """May the layer be written around the expression that it takes, on the same line?"""
        return False

    def header(self, loop: Loop) -> tuple[str, Code]:
        """`for NAMES in ITEMS`."""
        return ", ".join(loop.names), loop.items

    def condition(self, choice: Choice, place: int) -> Code:
        return choice.branches[place][0]

    def short_choice(self, choice: Choice) -> tuple[Leaf | Sequence | Invoke, str] | None:
        """The one node of a choice that can be told by asking whether it is there, and its attribute."""
        return None

    def note(self, shape: Any) -> str:
        return ""


class Line(Record):
    """A statement: `indent` in levels; `code` laid out behind `prefix`."""

    indent: int
    prefix: str
    code: Code
    suffix: str = ""
    note: str = ""

    def render(self, indent: int) -> list[str]:
        return lay_out(self.prefix, self.code, self.suffix, indent + 4 * self.indent, self.note)


# stands for what a layer makes on its way and nobody else takes
_PASSING = -1
# an expression up to this length may stand among others on a line
_SHORT = 50


class Flow(Variables):
    """Writes the statements of one template."""

    def __init__(self, template: Template, writer: Writer, taken: frozenset[str]) -> None:
        super().__init__(template, taken | writer.reserved)
        self.writer = writer
        self.lines: list[Line] = []
        self.level = 0

    def put(self, prefix: str, code: Code, suffix: str = "", note: str = "") -> None:
        self.lines.append(Line(self.level, prefix, code, suffix, note))

    def run(self, nodes: Seq[Node]) -> None:
        place = 0
        while place < len(nodes):
            node = nodes[place]
            if isinstance(node, Loop):
                self._loop(node)
            elif isinstance(node, Choice):
                self._choice(node)
            elif isinstance(node, Invoke):
                self._invoke(node)
            else:
                place = self._line(nodes, place)
            place += 1

    # --- steps --------------------------------------------------------------------------------------------------------

    def _line(self, nodes: Seq[Node], place: int) -> int:
        """A layer, and those behind it that may stand on its line. Gives the place of the last one."""
        node = nodes[place]
        assert isinstance(node, Leaf | Sequence)
        pieces = self._pieces(node, self.get(node.inputs))
        if not node.inputs:  # a weight of the class goes by its own name
            self.variable[node.outputs[0]] = pieces[0].code
            return place
        last: Leaf | Sequence = node
        while len(pieces) == 1 and pieces[0].gives == 0 and place + 1 < len(nodes):
            follower = nodes[place + 1]
            if not isinstance(follower, Leaf) or not self._may_join(last, follower):
                break
            wider = self._pieces(follower, [pieces[0].code])
            if len(wider) != 1 or len(inline(wider[0].code)) > 60:
                break
            pieces, last, place = wider, follower, place + 1
        self._assign(last, node.inputs, pieces, self._shape(last))
        return place

    def _may_join(self, last: Leaf | Sequence, follower: Leaf) -> bool:
        """May a layer be written around the one before it?"""
        return follower.inputs == last.outputs and self.left(last.outputs[0]) == 1 and self.writer.joins_line(follower)

    def _pieces(self, node: Leaf | Sequence | Invoke, arguments: list[Code]) -> list[Piece]:
        if isinstance(node, Sequence):
            return [Piece(0, self.writer.sequence(node, arguments))]
        if isinstance(node, Invoke):
            return [Piece(in_a_row(len(node.outputs)), self.writer.invoke(node, arguments))]
        return self.writer.leaf(node, arguments)

    def _shape(self, node: Leaf | Sequence) -> Any:
        if isinstance(node, Leaf):
            return node.step.output.shape if node.step is not None and node.constant else None
        return node.shape

    def _assign(self, node: Leaf | Sequence | Invoke, inputs: Seq[int], pieces: list[Piece], shape: Any) -> None:
        """The statements that make the values of a node; `inputs` are what the first node on the line takes."""
        slots = node.slots if isinstance(node, Leaf) else tuple(range(len(node.outputs)))
        self._merge(node.outputs, slots)
        late = inputs[1:] if len(pieces) > 1 else ()  # a later line may still take them
        self.spend(inputs[: len(inputs) - len(late)])
        wanted = {slot for value, slot in zip(node.outputs, slots) if self.left(value) > 0}
        kept = live(pieces, wanted)
        names = self._names(dict(zip(slots, node.outputs)), kept, inputs, node.names if isinstance(node, Leaf) else {})
        self.spend(late)
        for number, piece in enumerate(kept):
            code = with_names(piece.code, names) if number else piece.code
            note = self.writer.note(shape) if number == len(kept) - 1 and shape is not None else ""
            self.put(f"{targets(piece.gives, names)} = ", bare(code), note=note)
        for value, slot in zip(node.outputs, slots):
            self.hold(value, names.get(slot, "_"))

    def _merge(self, values: Seq[int], slots: Seq[int]) -> None:
        """Outputs that are one and the same value."""
        first: dict[int, int] = {}
        for value, slot in zip(values, slots):
            if first.setdefault(slot, value) != value:
                self.uses[first[slot]] = self.left(first[slot]) + self.left(value)
                self.alias[value] = first[slot]

    def _names(
        self, values: Mapping[int, int], kept: list[Piece], inputs: Seq[int], wishes: Mapping[int, str]
    ) -> dict[int, str]:
        """The variables of what the pieces of a node give, by slot."""
        found: dict[int, str] = {}
        for slot in dict.fromkeys(n for piece in reversed(kept) for n in numbers_in(piece.gives)):
            if slot in values and len(values) == 1:
                found[slot] = self.name(values[slot], inputs)
                continue
            value = values.get(slot, _PASSING)
            own = self._own_name(value) or wishes.get(slot) or ("x" if wishes else self.wish(value))
            wish = safe(own, self.taken)
            is_free = self.free(wish, value) and wish not in found.values()
            found[slot] = wish if is_free else self.numbered(wish, value, list(found.values()))
        return found

    def _invoke(self, node: Invoke) -> None:
        self._assign(node, node.inputs, self._pieces(node, self.get(node.inputs)), node.shape)

    # --- loops --------------------------------------------------------------------------------------------------------

    def _loop(self, node: Loop) -> None:
        # what was made before is needed until the last turn
        outer = [v for _, v in uses(node.nodes) if v in self.variable]
        outer += [later for _first, later, _own in node.carried if later in self.variable]
        self.spend(outer, -1)
        behind = self._inside_only(node)
        self._begin(node.carried)
        names, items = self.writer.header(node)
        self.put(f"for {names} in ", items, ":")
        self.level += 1
        self.forced.update((later, self.name_of(own)) for _first, later, own in node.carried)
        self.outlasting.append(({self.name_of(own) for _first, _later, own in node.carried}, self._outlasting(node)))
        self.run(node.nodes)
        self.outlasting.pop()
        self._move([(self.name_of(own), later) for _first, later, own in node.carried])
        self.level -= 1
        fixed = {*outer, *(own for _first, _later, own in node.carried)}
        for (_first, later, own), count in zip(node.carried, behind):
            self._end(later, own, count, later in fixed)
        self.spend(outer)

    def _inside_only(self, node: Loop) -> list[int]:
        """How often each variable of a loop is taken behind it; within, only what its turns take counts."""
        inside: dict[int, int] = {}
        for _, value in uses((node,)):
            inside[value] = inside.get(value, 0) + 1
        found = []
        for _first, _later, own in node.carried:
            found.append(self.uses.get(own, 0) - inside.get(own, 0))
            self.uses[own] = inside.get(own, 0)
        return found

    def _outlasting(self, node: Loop) -> set[int]:
        """What is made in a turn and taken behind the loop, but for what the loop's own variables hold then."""
        inside: dict[int, int] = {}
        for _, value in uses((node,)):
            inside[value] = inside.get(value, 0) + 1
        held = {later for _first, later, _own in node.carried}
        return {v for v, count in self.uses.items() if count > inside.get(v, 0) and v not in self.variable} - held

    def _begin(self, carried: Seq[tuple[int | None, int, int]]) -> None:
        """Give the variables of a loop what they start with, all at once."""
        self.spend(first for first, _later, _own in carried if first is not None)
        names: list[str] = []
        moves = []
        for first, _later, own in carried:
            wish, known = self.wish(own), "" if first is None else self.name_of(first)
            name = known if known == "x" else wish
            if name in names or not self.free(name, own):
                name = wish if wish not in names and self.free(wish, own) else self.numbered(wish, own, names)
            names.append(name)
            if known and name != known:
                moves.append((name, known))
        for (_first, _later, own), name in zip(carried, names):
            self.hold(own, name)
        if moves:
            targets, sources = (", ".join(side) for side in zip(*moves))
            self.put(f"{targets} = ", Raw(sources))

    def _end(self, later: int, own: int, count: int, is_fixed: bool) -> None:
        """Behind a loop, its variable holds what the last turn left, unless that keeps to another one (`is_fixed`)."""
        name = self.name_of(own)
        self.uses[own] = count
        if not is_fixed and later not in self.alias:
            self.uses[own] += self.left(later)
            self.alias[later] = own
            self.variable[later] = Raw(name)
        self.forced.pop(later, None)
        self.hold(own, name)

    def _move(self, pairs: list[tuple[str, int]]) -> None:
        """At the end of a turn or branch: what comes after it goes into the variables for it, all at once."""
        moves = [(target, self.name_of(value)) for target, value in pairs]
        self.spend(value for _, value in pairs)
        moves = [(target, source) for target, source in moves if target != source]
        if not moves:
            return
        made = self._last_made([source for _, source in moves])
        targets, sources = (", ".join(side) for side in zip(*((t, made.get(s, s)) for t, s in moves)))
        self.put(f"{targets} = ", Raw(sources))

    def _last_made(self, sources: list[str]) -> dict[str, str]:
        """The variable that the last line makes for this end of a turn only: its expression may stand there instead."""
        last = self.lines[-1] if self.lines else None
        if last is None or last.indent != self.level or not last.prefix.endswith(" = "):
            return {}
        name, text = last.prefix[:-3], inline(last.code)
        if sources.count(name) != 1 or len(sources) < 2 or len(text) > _SHORT:
            return {}
        self.lines.pop()
        return {name: text}

    # --- choices ------------------------------------------------------------------------------------------------------

    def _choice(self, node: Choice) -> None:
        short = self.writer.short_choice(node)
        if short is not None:
            self._short(node, *short)
            return
        taken = [_taken_in(node, place) for place in range(len(node.branches))]
        everything = [v for values in taken for v in values]
        self.spend(everything)
        names = self._phi_names(node)
        before, holders = dict(self.variable), dict(self.holder)
        blocks = []
        for place in range(len(node.branches)):
            self.holder = dict(holders)
            self.spend(taken[place], -1)
            blocks.append(self._branch(node, place, names))
        self.variable = {**self.variable, **before}
        self.holder = holders
        for (_operands, own), name in zip(node.phis, names):
            self.hold(own, name)
        self._put_blocks(node, blocks)

    def _branch(self, node: Choice, place: int, names: list[str]) -> list[Line]:
        """The statements of one branch, which leave its values in the variables of these names."""
        lines, self.lines = self.lines, []
        left = [(name, v) for (operands, _own), name in zip(node.phis, names) if (v := operands[place]) is not None]
        self.level += 1
        self.forced.update((value, name) for name, value in left)
        self.run(node.branches[place][1])
        self._move(left)
        for _name, value in left:
            self.forced.pop(value, None)
        self.level -= 1
        lines, self.lines = self.lines, lines
        return lines

    def _put_blocks(self, node: Choice, blocks: list[list[Line]]) -> None:
        """The branches with their conditions, without those that have nothing to do."""
        if len(blocks) == 2 and not blocks[0] and blocks[1]:
            self.put("if ", Raw(negated(inline(self.writer.condition(node, 0)))), ":")
            self.lines += blocks[1]
            return
        while blocks and not blocks[-1]:
            blocks.pop()
        for place, block in enumerate(blocks):
            if place == len(node.branches) - 1:
                self.put("else", Raw(""), ":")
            else:
                self.put("elif " if place else "if ", self.writer.condition(node, place), ":")
            self.lines += block or [Line(self.level + 1, "pass", Raw(""))]

    def _phi_names(self, node: Choice) -> list[str]:
        """Names for what a choice leaves; a variable that is done with when it ends may be taken over."""
        names: list[str] = []
        for _operands, own in node.phis:
            wish = self.wish(own)
            names.append(wish if self.free(wish, own) and wish not in names else self.numbered(wish, own, names))
        return names

    def _short(self, node: Choice, inner: Leaf | Sequence | Invoke, attribute: str) -> None:
        """`y = x if self.shortcut is None else self.shortcut(x)`"""
        ((operands, own),) = node.phis
        made = inner.outputs[0]
        other = next((v for v in operands if v not in (made, None)), inner.inputs[0])
        code = self._pieces(inner, self.get(inner.inputs))[0].code
        self.spend([*inner.inputs, *(v for v in operands if v is not None)])
        before, name = self.name_of(other), self.name(own, inner.inputs)
        if name == before:
            self.put("if ", Raw(f"{attribute} is not None"), ":")
            self.lines.append(Line(self.level + 1, f"{name} = ", code))
        else:
            self.put(f"{name} = ", Raw(f"{before} if {attribute} is None else {inline(code)}"))
        self.hold(own, name)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _return_in_branches(self, made: str) -> bool:
        """`if c: return a`, `return b` for a choice that only decides what is returned."""
        heads = [k for k, line in enumerate(self.lines) if line.indent == 0]
        if len(heads) < 2 or self.lines[heads[-1]].prefix != "else" or self.lines[heads[-2]].prefix != "if ":
            return False
        ends = (self.lines[heads[-1] - 1], self.lines[-1])
        if any(line.indent != 1 or line.prefix != made for line in ends):
            return False
        self.lines[heads[-1] - 1] = ends[0].replace(prefix="return ")
        otherwise = [line.replace(indent=line.indent - 1) for line in self.lines[heads[-1] + 1 : -1]]
        self.lines[heads[-1] :] = [*otherwise, ends[1].replace(prefix="return ", indent=0)]
        return True

    def finish(self) -> None:
        """`return` what comes out; a last line that only makes it is returned as it is."""
        values = [v for _, v in self.template.outputs]
        names = [self.name_of(v) for v in values]
        if len(values) == 1 and self.lines:
            last = self.lines[-1]
            if last.indent == 0 and last.prefix == f"{names[0]} = ":
                self.lines[-1] = last.replace(prefix="return ")
                return
            if self._return_in_branches(f"{names[0]} = "):
                return
        self.put("return ", Raw(", ".join(names)))


def _taken_in(node: Choice, place: int) -> list[int]:
    """The values that a branch takes, and those that it leaves."""
    left = [v for operands, _own in node.phis if (v := operands[place]) is not None]
    return [*(v for _, v in uses(node.branches[place][1])), *left]
