"""The flow of a template as statements: which value stands in which variable.

Variables are named after the author's names where there are some; a value that is used once, by the next step, shares
the variable of what is made of it, so that a chain reads `x = f(x)`. A variable is never overwritten while its value is needed.
"""

from __future__ import annotations

import keyword

from ..pycode import Raw, fill, inline, lay_out
from ..record import TYPE_CHECKING, Record
from .template import Choice, Invoke, Leaf, Loop, Sequence

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..pycode import Code
    from .template import Node, Template


class Writer:
    """What a framework writes for the nodes of a template. The base is a function of calls."""

    reserved: frozenset[str] = frozenset()

    def leaf(self, leaf: Leaf, arguments: list[Code]) -> list[Code]:
        """The expressions of a layer, one for each line; later ones take the variable as `X()`."""
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

    def short_choice(self, choice: Choice) -> tuple[Node, str] | None:
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


def safe(name: str, reserved: frozenset[str] | set[str] = frozenset()) -> str:
    """A name that Python takes, and that hides nothing."""
    cleaned = "".join(c if c.isalnum() or c == "_" else "_" for c in name) or "value"
    if cleaned[0].isdigit():
        cleaned = "_" + cleaned
    while keyword.iskeyword(cleaned) or cleaned in reserved:
        cleaned += "_"
    return cleaned


class Flow:
    """Writes the statements of one template."""

    def __init__(self, template: Template, writer: Writer, taken: frozenset[str]) -> None:
        self.template = template
        self.writer = writer
        self.taken = taken | writer.reserved
        self.uses: dict[int, int] = {}
        self.users: dict[int, list[Any]] = {}
        self.variable: dict[int, Code] = {}
        self.holder: dict[str, int] = {}
        self.lines: list[Line] = []
        self.level = 0
        self.forced: dict[int, str] = {}
        self._count(template.nodes)
        for _, value in template.outputs:
            self._use(value, None)

    # --- counting ---------------------------------------------------------------------------------------------------

    def _use(self, value: int, user: Any) -> None:
        self.uses[value] = self.uses.get(value, 0) + 1
        self.users.setdefault(value, []).append(user)

    def _count(self, nodes: Seq[Node]) -> None:
        for node in nodes:
            if isinstance(node, Loop):
                for first, later, _own in node.carried:
                    self._use(first, node)
                    self._use(later, node)
                self._count(node.nodes)
            elif isinstance(node, Choice):
                for operands, _own in node.phis:
                    for operand in operands:
                        self._use(operand, node)
                for _condition, inner in node.branches:
                    self._count(inner)
            else:
                for value in node.inputs:
                    self._use(value, node)

    # --- variables ----------------------------------------------------------------------------------------------------

    def start(self, inputs: Seq[tuple[str, int]]) -> list[str]:
        """Give the inputs their names; the names."""
        names = []
        for name, value in inputs:
            chosen = safe(name, self.taken)
            while chosen in names:
                chosen += "_"
            names.append(chosen)
            self._hold(value, chosen)
        return names

    def _hold(self, value: int, name: str) -> None:
        self.variable[value] = Raw(name)
        self.holder[name] = value

    def _free(self, name: str) -> bool:
        holder = self.holder.get(name)
        return holder is None or self.uses.get(holder, 0) <= 0

    def _spend(self, values: Seq[int]) -> None:
        for value in values:
            self.uses[value] = self.uses.get(value, 0) - 1

    def _wish(self, value: int) -> str:
        """The name that a value should have: its own, or that of what is made of it next."""
        seen = 0
        while seen < 10_000:
            seen += 1
            if value in self.forced:
                return self.forced[value]
            if value in self.template.labels:
                return safe(self.template.labels[value], self.taken)
            users = self.users.get(value, [])
            if len(users) > 1 and value in self.template.marks:
                return safe(self.template.marks[value], self.taken)
            if len(users) != 1:
                return "x"
            user = users[0]
            if isinstance(user, Leaf) and len(user.inputs) > 1:
                if user.kind == "concat" and len(set(user.inputs)) > 2 - (user.inputs[0] == value):
                    return f"branch{user.inputs.index(value) + 1}"
                if user.inputs[0] != value:
                    return "y"
            if isinstance(user, Leaf | Sequence):
                value = user.output
            elif isinstance(user, Invoke) and len(user.outputs) == 1 and user.inputs[0] == value:
                value = user.outputs[0]
            elif isinstance(user, Loop):
                value = next((own for first, later, own in user.carried if value in (first, later)), value)
                if value in self.variable:
                    return inline(self.variable[value])
            elif isinstance(user, Choice):
                value = next((own for operands, own in user.phis if value in operands), value)
            else:
                return "x"
        return "x"

    def _name(self, value: int, inputs: Seq[int]) -> str:
        wish = safe(self._wish(value), self.taken)
        if self._free(wish):
            return wish
        for source in inputs:
            known = self.variable.get(source)
            if isinstance(known, Raw) and known.text.isidentifier() and self._free(known.text) and known.text == "x":
                return known.text
        number = 2
        while not self._free(f"{wish}{number}") or f"{wish}{number}" in self.taken:
            number += 1
        return f"{wish}{number}"

    def get(self, values: Seq[int]) -> list[Code]:
        return [self.variable[v] for v in values]

    def put(self, prefix: str, code: Code, suffix: str = "", note: str = "") -> None:
        self.lines.append(Line(self.level, prefix, code, suffix, note))

    # --- statements ---------------------------------------------------------------------------------------------------

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

    def _line(self, nodes: Seq[Node], place: int) -> int:
        """A layer, and those behind it that may stand on its line. Gives the place of the last one."""
        node = nodes[place]
        assert isinstance(node, Leaf | Sequence)
        first_inputs = node.inputs
        codes = self._codes(node, self.get(node.inputs))
        last: Leaf | Sequence = node
        while len(codes) == 1 and place + 1 < len(nodes):
            follower = nodes[place + 1]
            if not isinstance(follower, Leaf) or follower.inputs != (last.output,) or not self.writer.joins_line(follower):
                break
            if self.uses.get(last.output) != 1 or (last.output in self.template.labels and len(self.users[last.output]) > 1):
                break
            wider = self._codes(follower, [codes[0]])
            if len(wider) != 1 or len(inline(wider[0])) > 60:
                break
            codes, last, place = wider, follower, place + 1
        self._spend(first_inputs)
        self._assign(last.output, first_inputs, codes, self._shape(last))
        return place

    def _codes(self, node: Leaf | Sequence, arguments: list[Code]) -> list[Code]:
        if isinstance(node, Sequence):
            return [self.writer.sequence(node, arguments)]
        return self.writer.leaf(node, arguments)

    def _shape(self, node: Leaf | Sequence | Invoke) -> Any:
        if isinstance(node, Leaf):
            return node.step.output.shape if node.step is not None and node.constant else None
        return node.shape

    def _assign(self, value: int, inputs: Seq[int], codes: list[Code], shape: Any) -> None:
        name = self._name(value, inputs)
        for number, code in enumerate(codes):
            filled = fill(code, [Raw(name)]) if number else code
            note = self.writer.note(shape) if number == len(codes) - 1 and shape is not None else ""
            self.put(f"{name} = ", filled, note=note)
        self._hold(value, name)

    def _invoke(self, node: Invoke) -> None:
        code = self.writer.invoke(node, self.get(node.inputs))
        self._spend(node.inputs)
        if len(node.outputs) == 1:
            self._assign(node.outputs[0], node.inputs, [code], node.shape)
            return
        names: list[str] = []
        for output in node.outputs:
            name = self._name(output, ())
            while name in names:
                name += "_"
            names.append(name)
            self._hold(output, name)
        self.put(", ".join(names) + " = ", code)

    def _loop(self, node: Loop) -> None:
        outer = self._outer(node)
        for value in outer:
            self.uses[value] = self.uses.get(value, 0) + 1
        for first, _later, own in node.carried:
            self._spend((first,))
            self._carry(first, own)
        names, items = self.writer.header(node)
        self.put(f"for {names} in ", items, ":")
        self.level += 1
        for _first, later, own in node.carried:
            known = self.variable[own]
            assert isinstance(known, Raw)
            self.forced[later] = known.text
        self.run(node.nodes)
        self._turn_over([(later, own) for _f, later, own in node.carried])
        self.level -= 1
        for _first, later, own in node.carried:
            known = self.variable[own]
            assert isinstance(known, Raw)
            self._hold(later, known.text)
        self._spend(outer)

    def _outer(self, node: Loop) -> list[int]:
        """Values from before the loop that its turns take: needed until it ends."""
        found: list[int] = []
        stack: list[Node] = list(node.nodes)
        while stack:
            inner = stack.pop()
            if isinstance(inner, Loop):
                found += [first for first, _l, _o in inner.carried if first in self.variable]
                stack.extend(inner.nodes)
            elif isinstance(inner, Choice):
                found += [v for operands, _own in inner.phis for v in operands if v in self.variable]
                stack.extend(n for _c, nodes in inner.branches for n in nodes)
            else:
                found += [v for v in inner.inputs if v in self.variable]
        return found

    def _carry(self, first: int, own: int) -> None:
        """Give a carried value a variable that holds what it starts with."""
        known = self.variable[first]
        if isinstance(known, Raw) and self._free(known.text) and (known.text == "x" or known.text == safe(self._wish(own), self.taken)):
            self._hold(own, known.text)
            return
        name = self._name(own, (first,))
        if inline(known) != name:
            self.put(f"{name} = ", known)
        self._hold(own, name)

    def _turn_over(self, pairs: list[tuple[int, int]]) -> None:
        """At the end of a turn (or branch): what the next one takes goes into its variable, all at once."""
        moves = [(inline(self.variable[own]), self.variable[later]) for later, own in pairs]
        moves = [(target, source) for target, source in moves if target != inline(source)]
        self._spend([later for later, _own in pairs])
        if moves:
            targets = ", ".join(target for target, _ in moves)
            sources = ", ".join(inline(source) for _, source in moves)
            self.put(f"{targets} = ", Raw(sources))

    def _choice(self, node: Choice) -> None:
        short = self.writer.short_choice(node)
        if short is not None:
            self._short(node, *short)
            return
        names = []
        for operands, own in node.phis:
            name = self._phi_name(own, operands, names)
            names.append(name)
        before, holders = dict(self.variable), dict(self.holder)
        for place, (_condition, inner) in enumerate(node.branches):
            self._branch_header(node, place)
            self.level += 1
            self.holder = dict(holders)
            start = len(self.lines)
            for (operands, own), name in zip(node.phis, names):
                self.forced[operands[place]] = name
            self.run(inner)
            for (operands, own), name in zip(node.phis, names):
                source = self.variable[operands[place]]
                self._spend((operands[place],))
                if inline(source) != name:
                    self.put(f"{name} = ", source)
                self.forced.pop(operands[place], None)
            if len(self.lines) == start:
                self.put("pass", Raw(""))
            self.level -= 1
        self._drop_empty_else(node)
        self.variable.update(before)
        self.holder = holders
        for (_operands, own), name in zip(node.phis, names):
            self._hold(own, name)

    def _phi_name(self, own: int, operands: Seq[int], names: list[str]) -> str:
        wish = safe(self._wish(own), self.taken)
        same = [v for v in operands if v in self.variable and inline(self.variable[v]) == wish]
        if same and self.uses.get(same[0], 0) <= len(same):
            return wish
        if self._free(wish) and wish not in names:
            return wish
        number = 2
        while not self._free(f"{wish}{number}") or f"{wish}{number}" in names:
            number += 1
        return f"{wish}{number}"

    def _branch_header(self, node: Choice, place: int) -> None:
        if place == len(node.branches) - 1:
            self.put("else", Raw(""), ":")
        else:
            self.put("if " if place == 0 else "elif ", self.writer.condition(node, place), ":")

    def _drop_empty_else(self, node: Choice) -> None:
        """No `else: pass`."""
        if len(self.lines) > 1 and self.lines[-1].prefix == "pass" and self.lines[-2].prefix == "else":
            del self.lines[-2:]

    def _short(self, node: Choice, inner: Any, attribute: str) -> None:
        """`y = x if self.shortcut is None else self.shortcut(x)`"""
        (operands, own), = node.phis
        made = inner.outputs[0] if isinstance(inner, Invoke) else inner.output
        other = next(v for v in operands if v != made)
        code = self._codes(inner, self.get(inner.inputs))[0] if not isinstance(inner, Invoke) else self.writer.invoke(inner, self.get(inner.inputs))
        text = f"{inline(self.variable[other])} if {attribute} is None else {inline(code)}"
        self._spend((*inner.inputs, *operands))
        self._assign(own, inner.inputs, [Raw(text)], None)

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
        if len(values) == 1 and self.lines:
            last = self.lines[-1]
            name = inline(self.variable[values[0]])
            if last.indent == 0 and last.prefix == f"{name} = ":
                self.lines[-1] = last.replace(prefix="return ")
                return
            if self._return_in_branches(f"{name} = "):
                return
        self.put("return ", self.variable[values[0]] if len(values) == 1 else Raw(", ".join(inline(self.variable[v]) for v in values)))

