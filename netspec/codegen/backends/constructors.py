"""What the constructor of a class is written with: its words, turns of loops, branches, things said once."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Call, Generator, Raw, Star, call
from ...pycode.names import free_names
from ...pycode.statements import Assign, IfElse, Refuse
from ..ir import Invoke, Leaf
from ..outline.terms import negated

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence as Seq

    from ...ir.types import Instance
    from ...pycode.expr import Code
    from ...pycode.statements import Statement
    from ..ir import Loop, Node, Template

# an expression longer than this is not put inside another one
NESTED = 60


# letters of a condition that is written in the line of its `if`
_LONG = 60


def _as_it_is(code: Code) -> Code:
    return code


def guarded(template: Template, guards: Seq[str], owned: Callable[[Code], Code] = _as_it_is) -> list[Statement]:
    """Refusals of arguments, or of sizes of inputs, that a template has no code for. `owned` says a condition in the
    words of the method that it stands in."""
    found: list[Statement] = []
    for guard in guards:
        listed = _membership(guard) if len(guard) > _LONG else None
        if listed is not None:
            found += _one_of(template, owned(Raw(listed[0])), listed[1])
            continue
        said = f"{template.name} is written for {guard}"
        message = Raw(f"'{said}'" if '"' in said else f'"{said}"')
        found.append(IfElse(((owned(Raw(negated(guard))), (Refuse(message),)),)))
    return found


def _membership(guard: str) -> tuple[str, str] | None:
    """What has to be in which list, where a condition says that and no more."""
    said, _, listed = guard.partition(" in ")
    alone = {"for", "if", "or", "and", "not"}.isdisjoint(guard.split(" "))
    return (said, listed) if alone and listed.startswith("[") and listed.endswith("]") else None


def _one_of(template: Template, said: Code, listed: str) -> list[Statement]:
    """A refusal of all but the arguments in a list that is too long for one line."""
    given, known = (name if name not in template.words else f"{name}_" for name in ("given", "written_for"))
    message = Raw(f'f"{template.name} is written for {{{known}}}"')
    refusal = IfElse(((Raw(f"{given} not in {known}"), (Refuse(message),)),))
    return [Assign(said, given), Assign(Raw(listed), known), refusal]


def each_turn(make: Code, loop: Loop) -> Generator:
    """The same for each turn of a loop, with the names that it uses."""
    names, items, used = loop.names, loop.items, free_names(make)
    if isinstance(items, Call) and items.func == "enumerate" and names[0] not in used:
        names, items = names[1:], items.args[0]
    if used.isdisjoint(names):
        return Generator(make, "_", call("range", len(items)) if isinstance(items, list) else items)
    return Generator(make, ", ".join(names), items)


def is_shared(node: Node) -> bool:
    return shared_of(node) is not None


def shared_of(node: Node) -> Instance | None:
    """What a node uses that is made once."""
    return node.shared if isinstance(node, Leaf | Invoke) else None


def folded(made: list[Code]) -> list[Code]:
    """The same thing several times in a row, said once."""
    found: list[Code] = []
    place = 0
    while place < len(made):
        end = place
        while end < len(made) and made[end] == made[place]:
            end += 1
        several = end - place > 1
        found.append(Star(Generator(made[place], "_", call("range", end - place))) if several else made[place])
        place = end
    return found
