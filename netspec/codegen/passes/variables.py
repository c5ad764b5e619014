"""Variables: which value of a template stands in which variable of the code, and for how long.

A variable is named after the author's name for its value where there is one; a value that is used once, by the next
step, shares the variable of what is made of it, so that a chain reads `x = f(x)`. A variable is never overwritten
while its value is needed.
"""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Raw, inline
from ..identifiers import BUILTINS, safe
from ..ir import Choice, Invoke, Leaf, Loop, ModuleChain, inside, opened, uses
from .liveness import Lives, Stretches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...pycode.expr import Code
    from ..ir import Node, Template

# the variable of what nobody takes
NOBODY = "_"


class Variables:
    """The variables of one template's code.

    `taken` are names that no variable may have, `kept` are values that are needed beyond the last node.
    """

    def __init__(self, template: Template, taken: frozenset[str] | set[str], kept: Seq[int] = ()) -> None:
        self.template = template
        self.taken = taken | BUILTINS | called(template.nodes) | loop_names(template.nodes)
        # by whom each value is taken, each time
        self.users: dict[int, list[Any]] = {}
        # where each value stands, and all that ever stand in each variable
        self.variable: dict[int, Code] = {}
        self.holders: dict[str, set[int]] = {}
        self.stretches: dict[str, Stretches] = {}
        # names that values have to have: those that a loop or choice leaves
        self.forced: dict[int, str] = {}
        # how far the search for a name may go at once from a value, and the values that have names at some time only
        self.beyond: dict[int, int] = {}
        self.left = set(left_by(template.nodes))
        wanted = [*(value for _, value in template.outputs), *kept]
        for user, value in uses(template.nodes):
            self.users.setdefault(value, []).append(user)
        for value in wanted:
            self.users.setdefault(value, []).append(None)
        self.lives = Lives(template.nodes, [value for _, value in template.inputs], wanted)

    def is_used(self, value: int) -> bool:
        return value in self.users

    def is_used_once(self, value: int) -> bool:
        return len(self.users.get(value, ())) == 1

    def free(self, name: str, value: int) -> bool:
        """May a value stand in a variable, without overwriting what is still needed?"""
        if not self.holders.get(name, set()).isdisjoint(self.lives.of(value)):
            return False
        made = self.lives.made_at.get(value)
        return made is None or name not in self.stretches or not self.stretches[name].meet(made, self._end(value))

    def _end(self, value: int) -> int:
        return self.lives.taken_at[value]

    def hold(self, value: int, name: str) -> None:
        """A value stands in a variable."""
        self.variable[value] = Raw(name)
        if name == NOBODY:
            return
        self.holders.setdefault(name, set()).add(value)
        made = self.lives.made_at.get(value)
        if made is not None:
            self.stretches.setdefault(name, Stretches()).add(made, self._end(value))

    def get(self, values: Seq[int]) -> list[Code]:
        return [self.variable[v] for v in values]

    def name_of(self, value: int) -> str:
        return inline(self.variable[value])

    # --- names --------------------------------------------------------------------------------------------------------

    def start(self, inputs: Seq[tuple[str, int]]) -> list[str]:
        """Give the inputs their names; the names."""
        names: dict[str, None] = {}
        for name, value in inputs:
            chosen = safe(name, self.taken)
            while chosen in names:
                chosen += "_"
            names[chosen] = None
            self.hold(value, chosen)
        return list(names)

    def name(self, value: int, inputs: Seq[int]) -> str:
        """The name for a new value; that of one of its inputs where that is done with."""
        if not self.is_used(value):
            return NOBODY
        wish = self.wish(value)
        if self.free(wish, value):
            return wish
        if any(self.name_of(source) == "x" for source in inputs) and self.free("x", value):
            return "x"
        return self.first_free(wish, [value])

    def variable_for(self, value: int) -> str:
        """The name for what a loop or choice leaves."""
        return self.first_free(self.wish(value), [value])

    def first_free(self, wish: str, values: Iterable[int], others: Iterable[str] = ()) -> str:
        """The name, or the first one with a number behind it, that is free for some values and not among `others`."""
        values, others = list(values), set(others)
        stem = wish.rstrip("0123456789")
        stem = stem if stem == "x" else f"{wish}_" if stem != wish else wish
        name, number = wish, 2
        while name in others or (name != wish and name in self.taken) or not all(self.free(name, v) for v in values):
            name, number = f"{stem}{number}", number + 1
        return name

    def wish(self, value: int) -> str:
        """The name that a value should have: its own, or that of what is made of it next."""
        seen: list[int] = []
        known = set()
        found: int | str | None = value
        while isinstance(found, int) and found not in known:
            seen.append(found)
            known.add(found)
            found = self.beyond.get(found) or self._own_name(found) or self._following(found)
        self._skip(seen)
        return found if isinstance(found, str) and found else safe("x", self.taken)

    def _following(self, value: int) -> int | str | None:
        """The value that is made of one alone, or the name that its role in it gives."""
        users = self.users.get(value, [])
        following = _made_of(value, users[0]) if len(users) == 1 else None
        return safe(following, self.taken) if isinstance(following, str) else following

    def _skip(self, seen: list[int]) -> None:
        """The next search passes over what has led to no name, but for values that may have one then."""
        end = seen[-1]
        for value in reversed(seen[:-1]):
            self.beyond[value] = end
            if value in self.left:
                end = value

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
    if isinstance(user, Leaf | ModuleChain | Invoke):
        return user.outputs[0] if len(user.outputs) == 1 and user.inputs[0] == value else None
    if isinstance(user, Loop):
        return next((own for first, later, own in user.carried if value in (first, later)), None)
    if isinstance(user, Choice):
        return next((own for operands, own in user.phis if value in operands), None)
    return None


# --- what nodes take and name ----------------------------------------------------------------------------------------


def left_by(nodes: Seq[Node]) -> Iterator[int]:
    """The values that loops and choices have variables for, and those that turns and branches leave in them."""
    for node in inside(nodes):
        if isinstance(node, Loop):
            yield from (value for _first, later, own in node.carried for value in (later, own))
        elif isinstance(node, Choice):
            yield from (v for operands, own in node.phis for v in (*operands, own) if v is not None)


def called(nodes: Seq[Node]) -> set[str]:
    """The functions and classes of the file that the nodes call, which no variable may hide."""
    calls = [node for node in opened(nodes) if isinstance(node, Invoke)]
    leaves = (node for node in opened(nodes) if isinstance(node, Leaf))
    helpers = {helper for leaf in leaves for apply in leaf.applies for helper in apply.helpers}
    helpers.update(helper for call in calls if call.form is not None for helper in call.form.helpers)
    return {call.template.name for call in calls}.union(*(helper.defines for helper in helpers))


def loop_names(nodes: Seq[Node]) -> set[str]:
    """The variables of loops."""
    return {name for node in inside(nodes) if isinstance(node, Loop) for name in node.names}
