"""A whole program: the templates of all blocks that a net uses, callees first, and that of the net."""

from __future__ import annotations

from ..diagnostics import SpecError
from ..record import TYPE_CHECKING
from ..syntax import tree
from .lower import Enter, Part
from .sharing import check_shared
from .template import REQUIRED
from .values import MismatchError, WriteOutError
from .weave import Weaver, key_of
from .witnesses import Witnesses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..ir import CheckedNet
    from ..source import Span
    from .lower import Code, Lowered, Lowering
    from .parameters import Style
    from .template import Template


def program(net: CheckedNet, lowering: Lowering, styles: Mapping[str, Style], taken: set[str]) -> list[Template]:
    """The templates of a program; the net's is the last. `styles` are the ways of writing by the kind of body.

    A number among the net's parameters stays a parameter of the program where the same text is right for its other
    values: the net is elaborated with several of them, and all are woven into one.
    """
    base = lowering.lower(net.net.body)
    witnesses = Witnesses(net.net, lowering)
    found = _exposing(base, witnesses, styles, taken) or weave([base], styles, set(taken), witnesses)
    check_shared(found, lowering.target)
    return found


def _exposing(base: Code, witnesses: Witnesses, styles: Mapping[str, Style], taken: set[str]) -> list[Template] | None:
    """The templates with as many of the net's parameters as can be had; None where there are none."""
    names = witnesses.exposable()
    if not names:
        return None
    plain = len(weave([base], styles, set(taken)))

    def attempt(codes: Seq[Code]) -> list[Template] | None:
        try:
            woven = weave([base, *codes], styles, set(taken), witnesses)
        except (MismatchError, SpecError):
            return None
        whole = len(woven) == plain and all(p.default is not REQUIRED for p in woven[-1].parameters)
        return woven if whole else None

    together = witnesses.of_net(names)
    found = attempt(together) if together else None
    if found is not None:
        return found
    kept: list[Code] = []
    for name in names:
        codes = [*kept, *witnesses.of_net([name])]
        woven = attempt(codes) if len(codes) > len(kept) else None
        if woven is not None:
            kept, found = codes, woven
    return found


def weave(
    nets: Seq[Code], styles: Mapping[str, Style], taken: set[str], witnesses: Witnesses | None = None
) -> list[Template]:
    """One net, or several that differ in numbers only, as templates. Raises MismatchError."""
    known: dict[Any, Template] = {}
    groups: list[_Group] = []
    for bodies in _by_definition(nets):
        definition, style = bodies[0].body.name, styles[bodies[0].kind]
        parts = _groups(bodies, style, known)
        for part, word in zip(parts, _words(parts, nets)):
            name = _unique(style.name(f"{word}_{definition}" if word else definition), taken)
            groups.append(_Group(part, style, name))
            groups[-1].weave(part, known)
    style = styles[nets[0].kind]
    groups.append(_Group(nets, style, _unique(style.name(nets[0].body.name), taken), outermost=True))
    if witnesses is not None:
        _hold_against(groups, witnesses, known)
    groups[-1].weave([*nets, *groups[-1].witnesses], known)
    return [group.template for group in groups]


class _Group:
    """Bodies that one class stands for, and witnesses of them."""

    template: Template

    def __init__(self, bodies: Seq[Code], style: Style, name: str, outermost: bool = False) -> None:
        self.bodies = bodies
        self.style = style
        self.name = name
        self.outermost = outermost
        self.witnesses: list[Code] = []

    def weave(self, bodies: Seq[Code], known: dict[Any, Template]) -> None:
        """Make the template of these bodies, and let others call it. Raises MismatchError."""
        self._accept(self._made(bodies, known), bodies, known)

    def _made(self, bodies: Seq[Code], known: dict[Any, Template]) -> Template:
        own = 1 if self.outermost else len(self.bodies)
        return _woven(bodies, self.style, known, self.name, self.outermost, own)

    def _accept(self, template: Template, bodies: Seq[Code], known: dict[Any, Template]) -> None:
        self.template = template
        known.update((key_of(b), template) for b in bodies)

    def hold_against(self, witnesses: Seq[Code], known: dict[Any, Template]) -> None:
        """Make the template anew, with those witnesses that it can stand for. Others take another way through the text:
        the class is not for them."""
        alone, self.witnesses = self.template, []
        if self._stands_for(witnesses, alone, known):
            return
        for witness in witnesses:
            self._stands_for([*self.witnesses, witness], alone, known)
        if not self.witnesses:
            self.weave(self.bodies, known)

    def _stands_for(self, witnesses: Seq[Code], alone: Template, known: dict[Any, Template]) -> bool:
        """Make the template with witnesses, if that goes.

        What it says without them may need more parameters with them. It is so where it said what only happened to be
        true; where all of it is what the spec says, the witnesses are another case.
        """
        bodies = [*self.bodies, *witnesses]
        try:
            made = self._made(bodies, known)
        except MismatchError:
            return False
        if not alone.fitted and len(made.added) > len(alone.added):
            return False
        self.witnesses = list(witnesses)
        self._accept(made, bodies, known)
        return True


def _hold_against(groups: Seq[_Group], witnesses: Witnesses, known: dict[Any, Template]) -> None:
    """Weave all blocks anew with witnesses, blocks that others use first."""
    offered: dict[Any, dict[Any, Code]] = {}
    for group in reversed(groups):
        own = [] if group.outermost else witnesses.of_block(group.bodies)
        group.witnesses = own
        place = offered.setdefault(_source(group.bodies[0]), {})
        place.update((key_of(code), code) for code in own)
        for code in [*place.values()]:
            for enter in _enters(code.items):
                offered.setdefault(_source(enter.code), {})[key_of(enter.code)] = enter.code
    taken: set[Any] = {key_of(b) for group in groups for b in group.bodies}
    for group in groups[:-1]:
        codes = [c for key, c in offered[_source(group.bodies[0])].items() if key not in taken]
        group.witnesses = []
        group.hold_against(codes, known)
        taken.update(map(key_of, group.witnesses))


def _words(groups: Seq[Seq[Code]], nets: Seq[Code]) -> list[str]:
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
    bodies: Seq[Code], style: Style, known: dict[Any, Template], name: str, outermost: bool = False, own: int = 0
) -> Template:
    """One template. Loops whose turns are needed one by one behind them are written out. Raises MismatchError."""
    written_out: set[Span] = set()
    while True:
        found = _attempt(Weaver(style, known, bodies, name, outermost, frozenset(written_out), own))
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


def _groups(bodies: Seq[Code], style: Style, known: dict[Any, Template]) -> list[list[Code]]:
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


def _fits(bodies: Seq[Code], style: Style, known: dict[Any, Template]) -> bool:
    try:
        _woven(bodies, style, known, "")
    except MismatchError:
        return False
    return True


def _by_definition(nets: Seq[Code]) -> list[list[Code]]:
    """The bodies of each block in the program, blocks that others use first."""
    order: dict[Any, list[Code]] = {}
    seen: set[Any] = set()

    def visit(items: Seq[Lowered]) -> None:
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


def _enters(items: Seq[Lowered]) -> list[Enter]:
    found: list[Enter] = []
    for item in items:
        if isinstance(item, Enter):
            found.append(item)
        elif isinstance(item, Part):
            found.extend(_enters(item.items))
    return found
