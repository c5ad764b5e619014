"""Python statements as values: what stands behind `=`, `return` and `if` are expressions, what stands below are more
statements. They become lines at the end."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from .doc import assignment, lay_out, loop_head, split
from .expr import Call, Raw, inline
from .names import free_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from typing_extensions import Self

    from .expr import Code

    Statement: TypeAlias = "Assign | Return | Do | Refuse | ForIn | IfElse"
    Body: TypeAlias = "tuple[Statement, ...]"
    # a condition, or None behind `else`, and what is done then
    Branch: TypeAlias = tuple[Code | None, Body]

_STEP = 4


class _OfOne(Record):
    """A statement of one expression."""

    value: Code

    @property
    def parts(self) -> tuple[tuple[Code, ...], Body]:
        """The expressions of the statement itself, and the statements below it."""
        return (self.value,), ()

    def mapped(self, change: Callable[[Code], Code]) -> Self:
        """The statement with its expressions, and those below it, changed; what is assigned to stays."""
        return self.replace(value=change(self.value))


class Assign(_OfOne):
    """`to = value`; `to` may be several, and groups of them. `note` is a comment at the end of the line."""

    to: str
    note: str = ""

    def render(self, indent: int) -> list[str]:
        return assignment(split(self.to), self.value, indent, self.note)


class Return(_OfOne):
    """`return value`."""

    note: str = ""

    def render(self, indent: int) -> list[str]:
        return lay_out("return ", self.value, "", indent, self.note)


class Do(_OfOne):
    """An expression for what it does."""

    def render(self, indent: int) -> list[str]:
        return lay_out("", self.value, "", indent)


class Refuse(_OfOne):
    """`raise ValueError(value)`."""

    def render(self, indent: int) -> list[str]:
        return lay_out("raise ", Call("ValueError", (self.value,)), "", indent)


class ForIn(Record):
    """`for targets in items:`."""

    targets: str
    items: Code
    body: Body

    def render(self, indent: int) -> list[str]:
        return [*loop_head(split(self.targets), self.items, indent), *render(self.body, indent + _STEP)]

    @property
    def parts(self) -> tuple[tuple[Code, ...], Body]:
        return (self.items,), self.body

    def mapped(self, change: Callable[[Code], Code]) -> ForIn:
        return self.replace(items=change(self.items), body=tuple(inner.mapped(change) for inner in self.body))


class IfElse(Record):
    """`if`, `elif` and `else`."""

    branches: tuple[Branch, ...]

    def render(self, indent: int) -> list[str]:
        found: list[str] = []
        for place, (condition, body) in enumerate(self.branches):
            word = "else" if condition is None else "elif " if place else "if "
            found += lay_out(word, Raw("") if condition is None else condition, ":", indent)
            found += render(body, indent + _STEP) or [f"{' ' * (indent + _STEP)}pass"]
        return found

    @property
    def parts(self) -> tuple[tuple[Code, ...], Body]:
        conditions = (condition for condition, _ in self.branches if condition is not None)
        return tuple(conditions), tuple(inner for _, body in self.branches for inner in body)

    def mapped(self, change: Callable[[Code], Code]) -> IfElse:
        changed = (
            (None if condition is None else change(condition), tuple(inner.mapped(change) for inner in body))
            for condition, body in self.branches
        )
        return IfElse(tuple(changed))


def choose(branches: Sequence[Branch], negated: Callable[[str], str]) -> Iterator[Statement]:
    """The `if` of some branches, without those at the end that do nothing; none where no branch does anything.
    `negated` says the opposite of a condition."""
    kept = list(branches)
    while kept and not kept[-1][1]:
        kept.pop()
    if len(kept) == 2 and not kept[0][1] and kept[1][0] is None:
        kept = [(Raw(negated(inline(kept[0][0]))), kept[1][1])]
    if kept:
        yield IfElse(tuple(kept))


def render(statements: Sequence[Statement], indent: int) -> list[str]:
    """The lines of statements, `indent` columns from the left."""
    return [line for statement in statements for line in statement.render(indent)]


def names_in(statements: Sequence[Statement]) -> set[str]:
    """The names that statements take from around them, or from one another."""
    found: set[str] = set()
    for statement in statements:
        codes, body = statement.parts
        found |= set[str]().union(*map(free_names, codes)) | names_in(body)
    return found
