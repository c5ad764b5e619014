"""Which value of a template stands for the values that its instances take.

Every instance names its values by numbers of its own. A `DefinitionSite` says under which number of the template a
value was made, and in which turn of which loops and branch of which choices. A value from the turn before becomes a
carried variable of its loop, one that comes from whichever branch was taken a phi of its choice: the usual static
single assignment, found by walking back from where the value is taken.
"""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import TypeAlias

    from ...base.source import Span
    from ..ir import Path

    Key: TypeAlias = "tuple[int, Path]"


class MismatchError(Exception):
    """These items cannot be said by one piece of code."""


class WriteOutError(MismatchError):
    """The turns of a loop cannot be said by one piece of code, so the loop has to be written out."""

    def __init__(self, place: Span) -> None:
        super().__init__()
        self.place = place


class DefinitionSite(Record):
    """Where a value was made: its number in the template, and the turns and branches around it."""

    value: int
    path: Path


class InstancePath(Record):
    """One instance while it is unified: its values, and the turns and branches around the present place."""

    values: dict[int, DefinitionSite]
    path: Path

    @property
    def key(self) -> Key:
        return id(self.values), self.path

    def within(self, uid: int, number: int) -> InstancePath:
        return InstancePath(self.values, (*self.path, (uid, number)))

    @property
    def above(self) -> InstancePath:
        return InstancePath(self.values, self.path[:-1])


class LoopCarried:
    """A variable of a loop: what it starts with, and what a turn leaves in it for the next.

    `first` is None where no turn takes what it starts with. `known` are its values, by instance and turn.
    """

    def __init__(self, own: int, label: str | None) -> None:
        self.own = own
        self.label = label
        self.known: dict[Key, tuple[DefinitionSite, InstancePath]] = {}
        self.first: int | None = None
        self.later: int | None = None
        self.is_open = True
        self.taken = False

    def agrees(self, request: dict[Key, tuple[DefinitionSite, InstancePath]], label: str | None) -> bool:
        shared = request.keys() & self.known.keys()
        return (bool(shared) or label == self.label) and all(self.known[k] == request[k] for k in shared)


class Phi:
    """A variable of a choice: what each branch leaves in it; branches after which nobody takes it leave nothing."""

    def __init__(self, own: int, operands: dict[int, int], label: str | None) -> None:
        self.own = own
        self.operands = operands
        self.label = label


class ControlRegion:
    """A loop or choice: for each instance the number of its turns, or of the branch that it takes."""

    def __init__(self, uid: int, span: Span, is_loop: bool, numbers: dict[Key, int], above: Path, index: int) -> None:
        self.uid = uid
        self.span = span
        self.is_loop = is_loop
        self.numbers = numbers
        self.above = above
        self.index = index
        self.carried: list[LoopCarried] = []
        self.phis: list[Phi] = []


class TemplateValues:
    """The values of one template."""

    def __init__(self) -> None:
        self.count = 0
        self.labels: dict[int, str] = {}
        self.renamed: dict[int, str] = {}
        self.inputs: set[int] = set()
        self.regions: dict[int, ControlRegion] = {}
        # the loops and choices directly in a scope, in order, and how many of them are done
        self.inside: dict[Path, list[ControlRegion]] = {}
        self.done: dict[Path, int] = {}
        # the names that decide for each choice, and for those choices that a reference leads out of
        self.deciding: dict[int, frozenset[str]] = {}
        self.passed: set[str] = set()
        # for each loop the names that decide whether it is the first turn alone that takes what was before the loop
        self.doubts: dict[int, set[str]] = {}

    def new(self, label: str | None = None, renamed: str | None = None) -> int:
        self.count += 1
        if label is not None:
            self.labels[self.count - 1] = label
        if renamed is not None:
            self.renamed[self.count - 1] = renamed
        return self.count - 1

    # --- loops and choices ------------------------------------------------------------------------------------------

    def region(self, span: Span, is_loop: bool, arounds: Seq[InstancePath], numbers: Seq[int]) -> ControlRegion:
        """A new loop or choice at the present place."""
        scope = self._scope(arounds[0].path)
        beside = self.inside.setdefault(scope, [])
        keys = {around.key: number for around, number in zip(arounds, numbers)}
        found = ControlRegion(len(self.regions), span, is_loop, keys, scope, len(beside))
        self.regions[found.uid] = found
        beside.append(found)
        return found

    def close(self, region: ControlRegion) -> None:
        """The items of a loop or choice are done; what comes now stands behind it."""
        self.done[region.above] = region.index + 1

    def _scope(self, path: Path) -> Path:
        """A place in the template's text: all turns of a loop are one."""
        return tuple((uid, -1 if self.regions[uid].is_loop else number) for uid, number in path)

    # --- references ---------------------------------------------------------------------------------------------------

    def ref(self, numbers: Seq[int], arounds: Seq[InstancePath]) -> int:
        """The template's number of a value that each instance takes under its own number. Raises MismatchError."""
        found = [around.values.get(number) for number, around in zip(numbers, arounds)]
        places = [place for place in found if place is not None]
        if len(places) < len(found):
            raise MismatchError
        self.passed = set()
        return self._resolve(places, arounds, self.done.get(self._scope(arounds[0].path), 0))

    def _resolve(self, found: Seq[DefinitionSite], arounds: Seq[InstancePath], before: int | None = None) -> int:
        """The value as it is known at a place; `before` counts the loops and choices of its scope that lie behind."""
        if all(p.value == found[0].value and p.path == a.path[: len(p.path)] for p, a in zip(found, arounds)):
            while len(arounds[0].path) > len(found[0].path):
                arounds = self._leave(arounds)
            return found[0].value
        found, arounds = _distinct(found, arounds)
        scope = self._scope(arounds[0].path)
        for region in reversed(self.inside.get(scope, [])[:before]):
            past = self._past_loop if region.is_loop else self._past_choice
            value = past(region, found, arounds)
            if value is not None:
                return value
        if not scope:
            raise MismatchError
        around = self.regions[arounds[0].path[-1][0]]
        if around.is_loop and any(_within(p, a.above, around.uid) for p, a in zip(found, arounds)):
            return self._carry(around, found, arounds)
        return self._resolve(found, self._leave(arounds), around.index)

    def _leave(self, arounds: Seq[InstancePath]) -> list[InstancePath]:
        """One loop or choice further out, for a value that was made before it."""
        around = self.regions[arounds[0].path[-1][0]]
        if not around.is_loop:
            self.passed |= self.deciding.get(around.uid, frozenset())
        elif not any(a.path[-1][1] for a in arounds):
            self.doubts.setdefault(around.uid, set()).update(self.passed)
        return [a.above for a in arounds]

    def _past_loop(self, loop: ControlRegion, found: Seq[DefinitionSite], arounds: Seq[InstancePath]) -> int | None:
        """A value that a loop leaves; None where it has nothing to do with the loop."""
        if not any(_within(p, a, loop.uid) for p, a in zip(found, arounds)):
            return None
        turns = [_number(loop, a) for a in arounds]
        if all(turns):
            try:
                value = self._resolve(found, [a.within(loop.uid, n - 1) for a, n in zip(arounds, turns)])
            except MismatchError:
                raise WriteOutError(loop.span) from None
            if all(value != variable.own for variable in loop.carried):
                own = self._standing(loop, found, [a.within(loop.uid, n) for a, n in zip(arounds, turns)])
                return value if own is None else own
        # it stands in a variable of the loop: the one that a further turn would take
        try:
            return self._carry(loop, found, [a.within(loop.uid, n) for a, n in zip(arounds, turns)])
        except MismatchError:
            raise WriteOutError(loop.span) from None

    def _standing(self, loop: ControlRegion, found: Seq[DefinitionSite], arounds: Seq[InstancePath]) -> int | None:
        """The variable of a loop that holds a value behind it, where the end of a turn leaves what a choice decides:
        the last turn may have taken another branch than all others."""
        request = {around.key: (place, around) for around, place in zip(arounds, found)}
        label = self._label(loop, found, arounds)
        for variable in loop.carried:
            decided = variable.later is not None and bool(self.operands(variable.later))
            if decided and variable.label == label and self._extended(loop, variable, request):
                variable.taken = True
                return variable.own
        return None

    def _label(self, loop: ControlRegion, found: Seq[DefinitionSite], arounds: Seq[InstancePath]) -> str | None:
        """A name for a variable that has these values."""
        inner = [p.value for p, a in zip(found, arounds) if _within(p, a.above, loop.uid)]
        return next((self.labels[v] for v in inner if v in self.labels), None)

    def _shown(self, loop: ControlRegion, label: str | None, found: Seq[DefinitionSite]) -> str | None:
        """What a new variable is called: where another one has that name, as its values are called later."""
        if label is None or all(variable.label != label for variable in loop.carried):
            return label
        return next((self.renamed[p.value] for p in found if p.value in self.renamed), label)

    def _past_choice(self, choice: ControlRegion, found: Seq[DefinitionSite], arounds: Seq[InstancePath]) -> int | None:
        """A value that is another one behind each branch; None where the choice does not matter."""
        picks = [_number(choice, a) for a in arounds]
        matters = any(_within(p, a, choice.uid) for p, a in zip(found, arounds))
        if not matters and len(set(picks)) == 1:
            return None
        operands: dict[int, int] = {}
        for pick in sorted(set(picks)):
            here = [k for k, p in enumerate(picks) if p == pick]
            operands[pick] = self._resolve(
                [found[k] for k in here], [arounds[k].within(choice.uid, pick) for k in here]
            )
        if not matters and len(set(operands.values())) == 1:
            return next(iter(operands.values()))
        return self._phi(choice, operands)

    def _phi(self, choice: ControlRegion, operands: dict[int, int]) -> int:
        label = next((self.labels[v] for v in operands.values() if v in self.labels), None)
        for phi in choice.phis:
            shared = phi.operands.keys() & operands.keys()
            if (shared or label == phi.label) and all(phi.operands[p] == operands[p] for p in shared):
                phi.operands.update(operands)
                return phi.own
        choice.phis.append(Phi(self.new(label), operands, label))
        return choice.phis[-1].own

    def operands(self, value: int) -> list[int]:
        """What a variable of a choice may hold, branch by branch; nothing for other values."""
        found = self.behind_choice(value)
        return [] if found is None else list(found[1].operands.values())

    def behind_choice(self, value: int) -> tuple[int, Phi] | None:
        """The choice that leaves a value, by its number, and its variable; None for other values."""
        phis = ((region.uid, phi) for region in self.regions.values() for phi in region.phis)
        return next(((uid, phi) for uid, phi in phis if phi.own == value), None)

    def behind_loop(self, value: int) -> tuple[int, LoopCarried] | None:
        """The number of the loop that carries a variable, and the variable; None for other values."""
        carried = ((region.uid, variable) for region in self.regions.values() for variable in region.carried)
        return next((found for found in carried if found[1].own == value), None)

    # --- variables of loops -------------------------------------------------------------------------------------------

    def _carry(self, loop: ControlRegion, found: Seq[DefinitionSite], arounds: Seq[InstancePath]) -> int:
        """The variable that has these values at the beginning of these turns."""
        depth = len(arounds[0].path) - 1
        if any(_within(p, a.above, loop.uid) and p.path[depth] >= a.path[depth] for p, a in zip(found, arounds)):
            raise MismatchError  # it is not there yet when the turn begins
        request = {around.key: (place, around) for around, place in zip(arounds, found)}
        label = self._label(loop, found, arounds)
        for variable in loop.carried:
            if variable.agrees(request, label) and self._extended(loop, variable, request):
                variable.taken = True
                return variable.own
        made = LoopCarried(self.new(self._shown(loop, label, found)), label)
        made.known = request
        loop.carried.append(made)
        self._find_operands(loop, made)
        source = next((v for v in loop.carried if v.own == made.later), None)
        if source is not None:
            if source.first is None:
                raise MismatchError  # in the first turn there would be nothing to hand on
            self.labels[made.own] = self._older_label(made)
        twin = next((v for v in loop.carried if v is not made and _same(v, made)), None)
        if twin is None or made.taken:
            return made.own
        loop.carried.remove(made)
        twin.first = made.first if twin.first is None else twin.first
        twin.known.update(made.known)
        return twin.own

    def _extended(
        self, loop: ControlRegion, variable: LoopCarried, request: dict[Key, tuple[DefinitionSite, InstancePath]]
    ) -> bool:
        """Does a variable have these values too, in turns of which it was not known yet?"""
        if request.keys() <= variable.known.keys():
            return True
        before = dict(variable.__dict__, known=dict(variable.known))
        variable.known.update(request)
        try:
            if not variable.is_open:
                self._find_operands(loop, variable)
        except MismatchError:
            variable.__dict__.update(before)
            return False
        return True

    def _find_operands(self, loop: ControlRegion, variable: LoopCarried) -> None:
        """What a variable starts with and what a turn leaves in it. On the way, more may become known of its values."""
        variable.is_open, size = True, -1
        while size != len(variable.known):
            size = len(variable.known)
            found, arounds = zip(*variable.known.values())
            variable.first, variable.later = self._operands(loop, found, arounds)
        variable.is_open = False

    def _older_label(self, variable: LoopCarried) -> str:
        """A name for what was the value of another variable one turn before: that of what it starts with."""
        first = variable.first
        if first is None or first in self.inputs:
            return "previous"
        return self.renamed.get(first) or self.labels.get(first) or "previous"

    def _operands(
        self, loop: ControlRegion, found: Seq[DefinitionSite], arounds: Seq[InstancePath]
    ) -> tuple[int | None, int | None]:
        """What a variable starts with, and what the turn before leaves."""
        turns = [around.path[-1][1] for around in arounds]
        starts = [k for k, turn in enumerate(turns) if turn == 0]
        rest = [k for k, turn in enumerate(turns) if turn > 0]
        first = later = None
        if starts:
            first = self._resolve([found[k] for k in starts], [arounds[k].above for k in starts], loop.index)
        if rest:
            before = [arounds[k].above.within(loop.uid, turns[k] - 1) for k in rest]
            later = self._resolve([found[k] for k in rest], before)
        return first, later


def _distinct(
    found: Seq[DefinitionSite], arounds: Seq[InstancePath]
) -> tuple[list[DefinitionSite], list[InstancePath]]:
    """Each instance once. Raises MismatchError where one takes two values: turns of a loop inside that differ."""
    places: dict[Key, DefinitionSite] = {}
    for place, around in zip(found, arounds):
        if places.setdefault(around.key, place) != place:
            raise MismatchError
    return list(places.values()), list({around.key: around for around in arounds}.values())


def _number(region: ControlRegion, around: InstancePath) -> int:
    """The turns of a loop, or the branch of a choice, for one instance."""
    number = region.numbers.get(around.key)
    if number is None:
        raise MismatchError
    return number


def _within(place: DefinitionSite, around: InstancePath, uid: int) -> bool:
    """Was a value made in a loop or choice that stands in the scope of `around`?"""
    depth = len(around.path)
    return len(place.path) > depth and place.path[:depth] == around.path and place.path[depth][0] == uid


def _same(one: LoopCarried, other: LoopCarried) -> bool:
    return one.later is not None and one.later == other.later and _agree(one.first, other.first)


def _agree(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other
