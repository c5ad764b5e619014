"""A whole program: the templates of all blocks that a net uses, callees first, and that of the net."""

from __future__ import annotations

from ..record import TYPE_CHECKING
from .lower import Enter, Part
from .weave import MismatchError, Style, Weaver, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .lower import Code, Lowered
    from .template import Template


def weave(net: Code, style: Style, name: Callable[[str], str], taken: set[str]) -> list[Template]:
    """The templates of a program; the net's is the last."""
    known: dict[Any, Template] = {}
    found: list[Template] = []
    for definition, bodies in _by_definition(net):
        for group in _groups(bodies, style, known):
            chosen = _unique(name(definition), taken)
            template = Weaver(style, known, group, chosen).weave()
            found.append(template)
            known.update((key_of(b), template) for b in group)
    template = Weaver(style, known, [net], _unique(name(net.body.name), taken)).weave()
    return [*found, template]


def _unique(name: str, taken: set[str]) -> str:
    chosen, number = name, 2
    while chosen in taken:
        chosen, number = f"{name}{number}", number + 1
    taken.add(chosen)
    return chosen


def _groups(bodies: Sequence[Code], style: Style, known: dict[Any, Template]) -> list[list[Code]]:
    """Bodies that one class can stand for; all of them, where that goes."""
    groups: list[list[Code]] = []
    if len(bodies) > 1 and _fits(bodies, style, known):
        return [list(bodies)]
    for body in bodies:
        for group in groups:
            if _fits([*group, body], style, known):
                group.append(body)
                break
        else:
            groups.append([body])
    return groups


def _fits(bodies: Sequence[Code], style: Style, known: dict[Any, Template]) -> bool:
    try:
        Weaver(style, known, bodies, "").weave()
    except MismatchError:
        return False
    return True


def _by_definition(net: Code) -> list[tuple[str, list[Code]]]:
    """The bodies of each block in the program, blocks that others use first."""
    order: dict[str, list[Code]] = {}
    seen: set[Any] = set()

    def visit(items: Sequence[Lowered]) -> None:
        for item in items:
            if isinstance(item, Part):
                visit(item.items)
            elif isinstance(item, Enter) and key_of(item.code) not in seen:
                seen.add(key_of(item.code))
                visit(item.code.items)
                order.setdefault(item.code.body.name, []).append(item.code)

    visit(net.items)
    ranks = {name: _depth(name, order) for name in order}
    return sorted(order.items(), key=lambda pair: ranks[pair[0]])


def _depth(name: str, order: dict[str, list[Code]]) -> int:
    inner = {i.code.body.name for body in order[name] for i in _enters(body.items)}
    return 1 + max((_depth(n, order) for n in inner), default=0)


def _enters(items: Sequence[Lowered]) -> list[Enter]:
    found: list[Enter] = []
    for item in items:
        if isinstance(item, Enter):
            found.append(item)
        elif isinstance(item, Part):
            found.extend(_enters(item.items))
    return found
