"""A whole program: the templates of all blocks that a net uses, callees first, and that of the net."""

from __future__ import annotations

from ..diagnostics import Collector, SpecError
from ..elaborate.net import elaborate
from ..record import TYPE_CHECKING
from ..syntax import tree
from .lower import Enter, Part
from .sharing import check_shared
from .template import REQUIRED
from .values import MismatchError, WriteOutError
from .weave import Weaver, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from ..ir import Body, CheckedNet, Net
    from ..source import Span
    from .lower import Code, Lowered, Lowering
    from .parameters import Style
    from .template import Template


def program(net: CheckedNet, lowering: Lowering, styles: Mapping[str, Style], taken: set[str]) -> list[Template]:
    """The templates of a program; the net's is the last. `styles` are the ways of writing by the kind of body.

    A whole number among the net's parameters stays a parameter of the program where changing it changes numbers only:
    the net is elaborated with another value too, and both are woven into one.
    """
    nets = [lowering.lower(net.net.body)]
    found = weave(nets, styles, set(taken))
    for other in _variants(net.net):
        try:
            wider = [*nets, lowering.lower(other)]
            woven = weave(wider, styles, set(taken))
        except (MismatchError, SpecError):
            continue
        if len(woven) == len(found) and all(p.default is not REQUIRED for p in woven[-1].parameters):
            nets, found = wider, woven
    check_shared(found, lowering.target)
    return found


def _variants(net: Net) -> Iterator[Body]:
    """The net with each of its whole-number parameters one larger."""
    for parameter, value in net.body.arguments.items():
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        settings = {**net.settings, parameter: value + 1}
        faults = Collector()
        other = elaborate(net.design, net.body.definition, settings, faults)
        if other.whole:
            yield other.body


def weave(nets: Sequence[Code], styles: Mapping[str, Style], taken: set[str]) -> list[Template]:
    """One net, or several that differ in numbers only, as templates. Raises MismatchError."""
    known: dict[Any, Template] = {}
    found: list[Template] = []
    for bodies in _by_definition(nets):
        definition, style = bodies[0].body.name, styles[bodies[0].kind]
        groups = _groups(bodies, style, known)
        for group, word in zip(groups, _words(groups, nets)):
            chosen = _unique(style.name(f"{word}_{definition}" if word else definition), taken)
            template = _woven(group, style, known, chosen)
            found.append(template)
            known.update((key_of(b), template) for b in group)
    style = styles[nets[0].kind]
    template = _woven(nets, style, known, _unique(style.name(nets[0].body.name), taken), outermost=True)
    return [*found, template]


def _words(groups: Sequence[Sequence[Code]], nets: Sequence[Code]) -> list[str]:
    """What tells the classes of one block apart: the word that all calls of each give for some parameter, as in
    `table=reduction`. Empty where there is no such parameter.
    """
    written: dict[Any, list[Mapping[str, Any]]] = {}
    seen: set[Any] = set()
    for enter in (e for net in nets for e in _all_enters(net, seen)):
        written.setdefault(key_of(enter.code), []).append(enter.call.written)
    for parameter in groups[0][0].body.definition.parameters if len(groups) > 1 else ():
        said = [{_word(w.get(parameter.name.text)) for b in group for w in written[key_of(b)]} for group in groups]
        words = [word for found in said for word in found]
        if all(words) and len(words) == len(set(words)) == len(groups):
            return words
    return [""] * len(groups)


def _word(node: object) -> str:
    return node.text if isinstance(node, tree.Name) else ""


def _all_enters(code: Code, seen: set[Any]) -> Iterator[Enter]:
    """The block calls of a program, those in blocks included."""
    if key_of(code) not in seen:
        seen.add(key_of(code))
        for enter in _enters(code.items):
            yield enter
            yield from _all_enters(enter.code, seen)


def _woven(
    bodies: Sequence[Code], style: Style, known: dict[Any, Template], name: str, outermost: bool = False
) -> Template:
    """One template. Loops whose turns are needed one by one behind them are written out. Raises MismatchError."""
    written_out: set[Span] = set()
    while True:
        found = _attempt(Weaver(style, known, bodies, name, outermost, frozenset(written_out)))
        if not isinstance(found, WriteOutError):
            return found
        if found.place in written_out:
            raise found
        written_out.add(found.place)


def _attempt(weaver: Weaver) -> Template | WriteOutError:
    """The template, or the loop that is in its way."""
    try:
        return weaver.weave()
    except WriteOutError as error:
        return error


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
        _woven(bodies, style, known, "")
    except MismatchError:
        return False
    return True


def _by_definition(nets: Sequence[Code]) -> list[list[Code]]:
    """The bodies of each block in the program, blocks that others use first."""
    order: dict[Any, list[Code]] = {}
    seen: set[Any] = set()

    def visit(items: Sequence[Lowered]) -> None:
        for item in items:
            if isinstance(item, Part):
                visit(item.items)
            elif isinstance(item, Enter) and key_of(item.code) not in seen:
                seen.add(key_of(item.code))
                visit(item.code.items)
                order.setdefault(_source(item.code), []).append(item.code)

    for net in nets:
        visit(net.items)
    ranks = {place: _depth(place, order) for place in order}
    return [order[place] for place in sorted(order, key=lambda place: ranks[place])]


def _source(code: Code) -> Any:
    """What bodies of one class have in common."""
    return code.body.definition.span, code.kind


def _depth(place: Any, order: dict[Any, list[Code]]) -> int:
    inner = {_source(i.code) for body in order[place] for i in _enters(body.items)}
    return 1 + max((_depth(p, order) for p in inner), default=0)


def _enters(items: Sequence[Lowered]) -> list[Enter]:
    found: list[Enter] = []
    for item in items:
        if isinstance(item, Enter):
            found.append(item)
        elif isinstance(item, Part):
            found.extend(_enters(item.items))
    return found
