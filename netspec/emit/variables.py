"""Variables: which value of a template stands in which variable of the code, and for how long.

A variable is named after the author's name for its value where there is one; a value that is used once, by the next
step, shares the variable of what is made of it, so that a chain reads `x = f(x)`. A variable is never overwritten
while its value is needed.
"""

from __future__ import annotations

from ..pycode import Raw, inline
from ..record import TYPE_CHECKING
from .naming import BUILTINS, safe
from .template import Choice, Invoke, Leaf, Loop, Sequence, inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..pycode import Code
    from .template import Node, Template


class Variables:
    """The variables of one template's code. `taken` are names that no variable may have."""

    def __init__(self, template: Template, taken: frozenset[str] | set[str]) -> None:
        self.template = template
        self.taken = taken | BUILTINS | called(template.nodes) | loop_names(template.nodes)
        # how often a value is still to be taken, and by whom it is taken at all
        self.uses: dict[int, int] = {}
        self.users: dict[int, list[Any]] = {}
        # where each value stands, and whose each variable is now
        self.variable: dict[int, Code] = {}
        self.holder: dict[str, int] = {}
        # names that values have to have: those that a loop or choice leaves
        self.forced: dict[int, str] = {}
        # for each loop around: its variables, which the end of a turn sets, and values of its turns that outlast it
        self.outlasting: list[tuple[set[str], set[int]]] = []
        # behind a loop, what its last turn left is what its variable holds
        self.alias: dict[int, int] = {}
        for user, value in uses(template.nodes):
            self._use(value, user)
        for _, value in template.outputs:
            self._use(value, None)

    def _use(self, value: int, user: Any) -> None:
        self.uses[value] = self.uses.get(value, 0) + 1
        self.users.setdefault(value, []).append(user)

    # --- how long a value is needed ---------------------------------------------------------------------------------

    def left(self, value: int) -> int:
        """How often a value is still to be taken."""
        return self.uses.get(self.alias.get(value, value), 0)

    def spend(self, values: Iterable[int], times: int = 1) -> None:
        """Values have been taken; with a negative number they are to be taken once more."""
        for value in values:
            value = self.alias.get(value, value)
            self.uses[value] = self.uses.get(value, 0) - times

    def free(self, name: str, value: int) -> bool:
        """May a new value stand in a variable?"""
        holder = self.holder.get(name)
        lost = any(value in values and name in names for names, values in self.outlasting)
        return not lost and (holder is None or self.left(holder) <= 0)

    def hold(self, value: int, name: str) -> None:
        """A value stands in a variable from now on."""
        self.variable[value] = Raw(name)
        self.holder[name] = value

    def get(self, values: Seq[int]) -> list[Code]:
        return [self.variable[v] for v in values]

    def name_of(self, value: int) -> str:
        return inline(self.variable[value])

    # --- names --------------------------------------------------------------------------------------------------------

    def start(self, inputs: Seq[tuple[str, int]]) -> list[str]:
        """Give the inputs their names; the names."""
        names: list[str] = []
        for name, value in inputs:
            chosen = safe(name, self.taken)
            while chosen in names:
                chosen += "_"
            names.append(chosen)
            self.hold(value, chosen)
        return names

    def name(self, value: int, inputs: Seq[int]) -> str:
        """The name for a new value; that of one of its inputs where that is done with."""
        if not self.left(value):
            return "_"
        wish = self.wish(value)
        if self.free(wish, value):
            return wish
        if any(self.name_of(source) == "x" for source in inputs) and self.free("x", value):
            return "x"
        return self.numbered(wish, value)

    def numbered(self, wish: str, value: int, others: Seq[str] = ()) -> str:
        """The name with the first number behind it that makes it free."""
        stem = wish.rstrip("0123456789")
        stem = stem if stem == "x" else f"{wish}_" if stem != wish else wish
        number = 2
        while not self.free(f"{stem}{number}", value) or f"{stem}{number}" in self.taken or f"{stem}{number}" in others:
            number += 1
        return f"{stem}{number}"

    def wish(self, value: int) -> str:
        """The name that a value should have: its own, or that of what is made of it next."""
        seen: set[int] = set()
        while value not in seen:
            seen.add(value)
            name = self._own_name(value)
            if name:
                return name
            users = self.users.get(value, [])
            following = _made_of(value, users[0]) if len(users) == 1 else None
            if following is None:
                break
            if isinstance(following, str):
                return safe(following, self.taken)
            value = following
        return safe("x", self.taken)

    def _own_name(self, value: int) -> str:
        if value in self.forced:
            return self.forced[value]
        if value in self.template.labels:
            return safe(self.template.labels[value], self.taken)
        mark = self.template.marks.get(value, "")
        if len(self.users.get(value, [])) > 1 and mark and mark not in self.taken:
            return safe(mark, self.taken)
        known = self.variable.get(value)  # a variable of a loop that has been given one
        return known.text if isinstance(known, Raw) else ""


def _made_of(value: int, user: Any) -> int | str | None:
    """The value that the only user of a value makes of it, or a name that its role in it gives."""
    if isinstance(user, Leaf) and len(user.inputs) > 1:
        if user.kind == "concat" and len(set(user.inputs)) > 2:
            return f"branch{user.inputs.index(value) + 1}"
        if user.inputs[0] != value:
            return "y"
    if isinstance(user, Leaf | Sequence | Invoke):
        return user.outputs[0] if len(user.outputs) == 1 and user.inputs[0] == value else None
    if isinstance(user, Loop):
        return next((own for first, later, own in user.carried if value in (first, later)), None)
    if isinstance(user, Choice):
        return next((own for operands, own in user.phis if value in operands), None)
    return None


# --- what nodes take and name ----------------------------------------------------------------------------------------


def uses(nodes: Seq[Node]) -> Iterator[tuple[Node, int]]:
    """The values that nodes take, each time, with the node that takes them."""
    for node in nodes:
        if isinstance(node, Loop):
            yield from ((node, v) for first, later, _ in node.carried for v in (first, later) if v is not None)
            yield from uses(node.nodes)
        elif isinstance(node, Choice):
            yield from ((node, v) for operands, _ in node.phis for v in operands if v is not None)
            for _condition, inner in node.branches:
                yield from uses(inner)
        else:
            yield from ((node, v) for v in node.inputs)


def called(nodes: Seq[Node]) -> set[str]:
    """The functions and classes of the file that the nodes call, which no variable may hide."""
    found: set[str] = set()
    for node in inside(nodes):
        if isinstance(node, Invoke):
            found.add(node.template.name)
        elif isinstance(node, Leaf):
            found.update(h.name for a in node.applies for h in a.helpers)
        elif isinstance(node, Sequence):
            found.update(called(node.nodes))
    return found


def loop_names(nodes: Seq[Node]) -> set[str]:
    """The variables of loops."""
    return {name for node in inside(nodes) if isinstance(node, Loop) for name in node.names}
