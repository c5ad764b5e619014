"""Grouping: which bodies one class or function stands for, and holding these classes against witnesses."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...syntax import tree
from ..identifiers import AT_THE_TOP, safe
from ..lowering.lower import LoweredCall, LoweredRegion, entered, key_of
from ..passes.dce import eliminate_dead_code
from ..passes.loop_exits import close_all
from ..printer import print_templates
from .align import by_form
from .changes import is_number, ranks_of
from .guards import contradictions, limited
from .ssa import MismatchError, WriteOutError
from .terms import same
from .unification import KnownTemplates
from .unify import Unifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...base.source import Span
    from ...layers.base import Helper
    from ..ir import Template
    from ..lowering.lower import Lowered, LoweredBody
    from ..styles import Style
    from .witnesses import Witnesses

# a class that refuses so many witnesses of one form refuses the others of that form, and all after so many sets
_ALIKE, _REFUSALS = 8, 100


class InstanceGroup:
    """Bodies of the program that one class stands for, and witnesses of them."""

    template: Template

    def __init__(self, bodies: Seq[LoweredBody], style: Style, name: str, outermost: bool = False) -> None:
        self.bodies = bodies
        self.style = style
        self.name = name
        self.outermost = outermost
        # what has to be as in one of the bodies: words, and windows that are the same in all
        windows = [name for name, column in _columns(bodies) if not isinstance(column[0], int | float) and same(column)]
        self.fixed = {*windows, *(name for name, column in _columns(bodies) if not all(map(is_number, column)))}
        self.words = [self._words_of(body) for body in bodies]
        self.witnesses: list[LoweredBody] = []
        # how many sets of witnesses were refused, and how many witnesses of one form
        self.refusals = self.alike = 0
        # witnesses that the class cannot stand for, and those of them that were tried by themselves
        self.refused: list[LoweredBody] = []
        self.tried: list[LoweredBody] = []

    def again(self) -> InstanceGroup:
        """The group without witnesses."""
        found = InstanceGroup(self.bodies, self.style, self.name, self.outermost)
        found.template = self.template
        return found

    def suits(self, code: LoweredBody) -> bool:
        """True if a body has words of the group, and inputs of the ranks of one of it, so that only numbers differ, and
        which words go together."""
        words = self._words_of(code)
        known = all(any(value == other[name] for other in self.words) for name, value in words.items())
        return known and any(ranks_of(code) == ranks_of(body) for body in self.bodies)

    @property
    def kinds(self) -> list[list[LoweredBody]]:
        """The bodies, those of the same words together."""
        found: list[list[LoweredBody]] = [[] for _ in self.words]
        for body, words in zip(self.bodies, self.words):
            found[self.words.index(words)].append(body)
        return [kind for kind in found if kind]

    def _words_of(self, code: LoweredBody) -> dict[str, Any]:
        return {name: value for name, value in code.body.arguments.items() if name in self.fixed}

    def unify(self, witnesses: Seq[LoweredBody], known: KnownTemplates) -> None:
        """Make the template, and let others call it. Raises MismatchError."""
        self._accept(self._made(witnesses, known), witnesses, known)

    def _made(self, witnesses: Seq[LoweredBody], known: KnownTemplates) -> Template:
        bodies = [*self.bodies, *witnesses]
        return _unified(bodies, self.style, known, self.name, self.outermost, len(self.bodies))

    def _accept(self, template: Template, witnesses: Seq[LoweredBody], known: KnownTemplates) -> None:
        self.template, self.witnesses = template, list(witnesses)
        known.stands_for(template, [*self.bodies, *witnesses])

    def hold_against(self, witnesses: Seq[list[LoweredBody]], known: KnownTemplates) -> None:
        """Make the template anew, with those witnesses of several kinds that it can stand for. Others take another way
        through the text: the class is not for them. Raises MismatchError."""
        alone = self.template
        for kind in witnesses:
            self.refusals = 0
            if kind and self._stands_for(kind, alone, known):
                continue
            for part in by_form(kind):  # those of one form fail together, and do not stand in the way of others
                self.alike = 0
                self._admit(part, alone, known)
        while contradicted := contradictions(self.template, self.bodies, self.witnesses, self.tried):
            self.refused += contradicted
            gone = {key_of(code) for code in contradicted}
            self.unify([code for code in self.witnesses if key_of(code) not in gone], known)
        if not self.witnesses:
            self.unify([], known)

    @property
    def said(self) -> list[str]:
        """The parameters of the spec that the class has."""
        return [parameter.said for parameter in self.template.parameters if parameter.said]

    def limit(self, idle: Mapping[str, Seq[LoweredBody]], known: KnownTemplates) -> None:
        """Let the class refuse what it is not for. `idle` are bodies with 0 for a parameter, such as one that counts
        turns: where the class would have to say more for one than it does, it is for larger numbers alone."""
        found = limited(self.template, self.bodies, self.witnesses, self.refused)
        told = {p.name: idle.get(p.said, ()) for p in found.parameters}
        # what it says for all it says for each: one template in place of one for each
        says_all = self._says([code for codes in told.values() for code in codes], known)
        failing = (n for n, codes in told.items() if not all(self._says([code], known) for code in codes))
        names = () if says_all else tuple(failing)
        guards = dict.fromkeys((*found.guards, *(f"{name} >= 1" for name in names)))
        self._accept(found.replace(guards=tuple(guards)), self.witnesses, known)

    def _says(self, codes: Seq[LoweredBody], known: KnownTemplates) -> bool:
        """True if the template stands for further bodies as it is."""
        mine = set(map(key_of, (*self.bodies, *self.witnesses)))
        further = {key_of(code): code for code in codes if key_of(code) not in mine}
        if not further:
            return True
        try:
            made = self._made([*self.witnesses, *further.values()], known)
        except MismatchError:
            return False
        return print_templates([close_all(made)]) == print_templates([close_all(self.template)])

    def _admit(self, witnesses: list[LoweredBody], alone: Template, known: KnownTemplates) -> None:
        weary = self.refusals > _REFUSALS or self.alike > _ALIKE
        if not witnesses or (not weary and self._stands_for(witnesses, alone, known)):
            return
        self.refusals += 1
        half, weary = len(witnesses) // 2, weary or self.refusals > _REFUSALS
        self.alike += not half
        if not half or weary:
            self.refused += witnesses
            self.tried += witnesses[: not weary]
        else:
            self._admit(witnesses[:half], alone, known)
            self._admit(witnesses[half:], alone, known)

    def _stands_for(self, witnesses: Seq[LoweredBody], alone: Template, known: KnownTemplates) -> bool:
        """Make the template with more witnesses, if that goes.

        What it says without them may need more parameters with them. It is so where it said what only happened to be
        true; where all of it is what the spec says, the witnesses are another case.
        """
        wider = [*self.witnesses, *witnesses]
        try:
            made = self._made(wider, known)
        except MismatchError:
            return False
        if not alone.fitted and len(made.added) > len(alone.added):
            return False
        self._accept(made, wider, known)
        return True


def grouped(net: LoweredBody, styles: Mapping[str, Style], taken: set[str]) -> list[InstanceGroup]:
    """The groups of a net's blocks, callees first, and at the end that of the net; each with its template.

    Raises MismatchError.
    """
    known = KnownTemplates(_carried(net))
    groups: list[InstanceGroup] = []
    written = _written(net)
    taken = taken | known.names
    for bodies in _by_definition(net):
        definition, style = bodies[0].body.name, styles[bodies[0].kind]
        parts = _groups(bodies, style, known)
        for part, word in zip(parts, _words(parts, written)):
            name = _named(style, f"{word}_{definition}" if word else definition, taken)
            groups.append(InstanceGroup(part, style, name))
            groups[-1].unify([], known)
    style = styles[net.kind]
    groups.append(InstanceGroup([net], style, _named(style, net.body.name, taken), outermost=True))
    groups[-1].unify([], known)
    return groups


def _carried(net: LoweredBody) -> set[str]:
    """The names of what a program carries along."""
    return set().union(*(helper.defines for helper in {*_helpers(net, set())}))


def _helpers(code: LoweredBody, seen: set[Any]) -> Iterator[Helper]:
    """The helpers that a program carries along."""
    if key_of(code) not in seen:
        seen.add(key_of(code))
        yield from _helpers_of((*code.items, *code.starts), seen)


def _helpers_of(items: Seq[Lowered], seen: set[Any]) -> Iterator[Helper]:
    for item in items:
        if isinstance(item, LoweredRegion):
            yield from _helpers_of(item.items, seen)
        elif isinstance(item, LoweredCall):
            yield from item.form.helpers if item.form is not None else ()
            yield from _helpers(item.code, seen)
        else:
            yield from (helper for apply in item.use.steps for helper in apply.helpers)


def hold_against(groups: Seq[InstanceGroup], witnesses: Witnesses, nets: Seq[LoweredBody]) -> list[Template]:
    """The templates of the groups, held against witnesses of each block, and of the net. Raises MismatchError."""
    groups = [group.again() for group in groups]
    # what a group, and what all groups of a block are held against
    own: dict[int, list[LoweredBody]] = {}
    offered: dict[Any, dict[Any, LoweredBody]] = {}
    for group in reversed(groups):
        codes = list(nets)
        if not group.outermost:
            place = offered.setdefault(_source(group.bodies[0]), {})
            suited = [code for code in place.values() if group.suits(code)]
            own[id(group)] = witnesses.of_block(group.kinds, suited, group.style.sizes)
            codes = [*own[id(group)], *place.values()]
        for enter in (enter for code in codes for enter in entered(code.items)):
            offered.setdefault(_source(enter.code), {})[key_of(enter.code)] = enter.code
    known = KnownTemplates(_carried(groups[-1].bodies[0]))
    taken: set[Any] = {key_of(b) for group in groups for b in group.bodies}
    # the classes of one definition
    of_source: dict[Any, list[InstanceGroup]] = {}
    for group in groups[:-1]:
        of_source.setdefault(_source(group.bodies[0]), []).append(group)
    for group in groups[:-1]:
        mine = {key_of(code): code for code in own[id(group)]}
        of_others = {key: code for key, code in offered[_source(group.bodies[0])].items() if key not in mine}
        ways = ([c for k, c in there.items() if k not in taken and group.suits(c)] for there in (mine, of_others))
        group.hold_against(list(ways), known)
        others = (other for other in of_source[_source(group.bodies[0])] if other is not group)
        group.refused += [code for other in others for code in other.bodies if group.suits(code)]
        group.limit(witnesses.idle_of_block(group.bodies[0], group.said), known)
        taken.update(map(key_of, group.witnesses))
    more = [code for code in nets if key_of(code) not in taken]
    if more or known.templates:
        groups[-1].unify(more, known)
        groups[-1].limit(witnesses.idle_of_net(groups[-1].said), known)
    return [group.template for group in groups]


def _columns(bodies: Seq[LoweredBody]) -> Iterator[tuple[str, list[Any]]]:
    """The parameters of a block, each with what it is in all bodies."""
    return ((name, [body.body.arguments[name] for body in bodies]) for name in bodies[0].body.arguments)


def _written(net: LoweredBody) -> dict[Any, list[Mapping[str, Any]]]:
    """What the calls of each body give for its parameters, as it is written."""
    found: dict[Any, list[Mapping[str, Any]]] = {}
    for enter in _all_enters(net, set()):
        found.setdefault(key_of(enter.code), []).append(enter.call.written)
    return found


def _words(groups: Seq[Seq[LoweredBody]], written: Mapping[Any, list[Mapping[str, Any]]]) -> list[str]:
    """What tells the classes of one block apart: the word that all calls of each give for some parameter, as in
    `table=reduction`. Empty where there is no such parameter.
    """
    columns = _columns([body for group in groups for body in group]) if len(groups) > 1 else ()
    for name in (name for name, column in columns if not any(map(is_number, column))):
        said = [{_word(w.get(name)) for b in group for w in written[key_of(b)]} for group in groups]
        words = [word for found in said for word in found]
        if all(words) and len(words) == len(set(words)) == len(groups):
            return words
    return [""] * len(groups)


def _word(node: object) -> str:
    return node.text if isinstance(node, tree.Name) else ""


def _all_enters(code: LoweredBody, seen: set[Any]) -> Iterator[LoweredCall]:
    """The block calls of a program, those in blocks included."""
    if key_of(code) not in seen:
        seen.add(key_of(code))
        for enter in entered(code.items):
            yield enter
            yield from _all_enters(enter.code, seen)


def _unified(
    bodies: Seq[LoweredBody], style: Style, known: KnownTemplates, name: str, outermost: bool = False, own: int = 0
) -> Template:
    """One template. Loops whose turns are needed one by one behind them are written out. Raises MismatchError."""
    written_out: set[Span] = set()
    while True:
        found = _attempt(Unifier(style, known, bodies, name, outermost, frozenset(written_out), own))
        if not isinstance(found, WriteOutError):
            return eliminate_dead_code(found)
        if found.place in written_out:
            raise found
        written_out.add(found.place)


def _attempt(unifier: Unifier) -> Template | WriteOutError:
    """The template, or the loop that is in its way."""
    try:
        return unifier.unify()
    except WriteOutError as error:
        return error


def _named(style: Style, name: str, taken: set[str]) -> str:
    """The name of a class or function for that of a definition."""
    name = safe(style.name(name), AT_THE_TOP)
    chosen, number = name, 2
    while chosen in taken:
        chosen, number = f"{name}_{number}" if name[-1].isdigit() else f"{name}{number}", number + 1
    taken.add(chosen)
    return chosen


def _groups(bodies: Seq[LoweredBody], style: Style, known: KnownTemplates) -> list[list[LoweredBody]]:
    """Bodies that one class can stand for; all of them, where that goes."""
    groups: list[list[LoweredBody]] = []
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


def _fits(bodies: Seq[LoweredBody], style: Style, known: KnownTemplates) -> bool:
    try:
        template = _unified(bodies, style, known, "")
    except MismatchError:
        return False
    # a class that two words lead to, and that is not told which, is right for either only by the numbers of the program
    told = {parameter.said for parameter in template.parameters}
    return all(name in told or same(column) or all(map(is_number, column)) for name, column in _columns(bodies))


def _by_definition(net: LoweredBody) -> list[list[LoweredBody]]:
    """The bodies of each block in the program, blocks that others use first."""
    order: dict[Any, list[LoweredBody]] = {}
    seen: set[Any] = set()

    def visit(items: Seq[Lowered]) -> None:
        for item in items:
            if isinstance(item, LoweredRegion):
                visit(item.items)
            elif isinstance(item, LoweredCall) and key_of(item.code) not in seen:
                seen.add(key_of(item.code))
                visit(item.code.items)
                order.setdefault(_source(item.code), []).append(item.code)

    visit(net.items)
    depths: dict[Any, int] = {}
    return [order[place] for place in sorted(order, key=lambda place: _depth(place, order, depths))]


def _source(code: LoweredBody) -> Any:
    """What bodies of one class have in common."""
    return code.body.definition.span, code.kind


def _depth(place: Any, order: Mapping[Any, Seq[LoweredBody]], known: dict[Any, int]) -> int:
    if place not in known:
        inner = {_source(i.code) for body in order[place] for i in entered(body.items)}
        known[place] = 1 + max((_depth(p, order, known) for p in inner), default=0)
    return known[place]
