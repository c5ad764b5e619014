"""Witnesses: instances that the program does not have, to tell what a number is from what it happens to be.

Two numbers of a block may agree in all its calls and be different things: `kernel - stride` and `padding`, `h * w` and
the channels. A witness is the same block, or the net, elaborated with other values for all that may vary. What is
unified has to say the numbers of the witnesses, too, so an expression that agrees by coincidence does not survive:
sizes are polynomials and quotients of a few numbers, and two different ones agree for few of the values that could have
been tried (identity testing, Schwartz 1980).
"""

from __future__ import annotations

from functools import cached_property
from itertools import product

from ...base.diagnostics import Collector, SpecError
from ...base.record import TYPE_CHECKING
from ...elaborate.net import SettingError, elaborate, elaborate_block, with_defaults
from ...ir.types import Step, applied
from ...syntax import tree
from .changes import (
    aimed,
    changes,
    is_small,
    ranks_of,
    sizes_with,
    telling,
    told_apart,
    varying_in,
)
from .decisions import (
    compared,
    conditioned,
    counting,
    decided_by,
    decides_by_parts,
    deciding_numbers,
    numbers_beside,
    places,
    rounds,
    rounds_fractions,
    singled_out,
    speaks_of,
    turning_points,
)
from .variation import Variation, first

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Set
    from collections.abc import Sequence as Seq
    from typing import Any

    from ...ir.types import Body, Net
    from ..lowering.lower import LoweredBody, Lowering
    from .decisions import Place
    from .variation import Change


# so many witnesses of a block or net are wanted, and so many elaborations are tried for them
ENOUGH = 3
_TRIES = 12
# so many values of others beside a parameter that is 0
_ELSEWHERE = 6
# with more parameters than that it would cost too much to try each by itself as well
FEW = 8
# and so many on both sides of what the text of a block compares with
_AIMED = 24
# steps from such a number to others
_BEYOND = (1, 2, 3, 4, 6, 8, 12, 20, 36)
_MISSING = object()


class Witnesses:
    """Finds witnesses for one net, lowered for one framework."""

    def __init__(self, net: Net, lowering: Lowering) -> None:
        self.net = net
        self.lowering = lowering
        lowering.follows = True
        # what is elaborated, for all of them
        self.cache = net.cache.copy()
        # the net by its settings; None where it is none
        self._nets: dict[Any, LoweredBody | None] = {}

    @cached_property
    def _nodes(self) -> tuple[tree.Node, ...]:
        """All that the net says."""
        return self.net.body.definition.nodes

    # --- of the net -----------------------------------------------------------------------------------------------

    def exposable(self) -> list[str]:
        """The parameters of the net that are whole numbers, and fractions that make sizes, such as a width; not those
        that it never speaks of, nor those that are what their defaults say of others."""
        given = self.net.body.arguments
        spoken = {node.text for node in self._nodes if isinstance(node, tree.Name)} if given else set()
        following = self._following([self.net.body]) if given else set()
        arguments = {n: v for n, v in given.items() if n in spoken and n not in following}
        return [n for n, v in arguments.items() if type(v) is int or (type(v) is float and self._makes_sizes(n))]

    def _makes_sizes(self, name: str) -> bool:
        code = self._with_settings({name: self.net.body.arguments[name] * 0.5})
        return code is not None and _sizes(code.body, {}) != self._own_sizes

    @cached_property
    def _own_sizes(self) -> list[Any]:
        return _sizes(self.net.body, {})

    def of_net(self, names: Seq[str]) -> list[LoweredBody]:
        """The net with other values for these parameters, all at once; as it is, where there are none."""
        if not names:
            return [self.lowering.lower(self.net.body)]
        counting = self._counts(self.net.body, names)
        found = self._by_settings(names, counting)
        before = list(found.values())
        few = [name for name in names if len(names) <= FEW]
        varied = Variation([self.lowering.lower(self.net.body)], self._set)
        much = [name for name in few if type(self.net.body.arguments[name]) is int and name not in counting]
        pairs = conditioned(self.net.body.definition, {name: name for name in names})
        further = (
            self._both_sides(few, before),
            varied.larger(before, much, 2),
            varied.in_turn(pairs),
            varied.in_pairs(pairs),
        )
        found |= {id(code.body): code for codes in further for code in codes}
        several = list(found.values())
        several += varied.rounded(several, few) if several else ()
        return [*several, *varied.in_branches(several, few)]

    def _by_settings(self, names: Seq[str], counting: Collection[str]) -> dict[int, LoweredBody]:
        """Nets with other values for these parameters, by the ids of their bodies; `counting` are those that count
        turns."""
        turning = turning_points(self.net.body.definition)
        values = {name: self._further(name, turning) for name in names}
        # each way through the text has to be seen with several values
        enough = ENOUGH + len(turning) + (ENOUGH if self._chooses() else 0)
        found: dict[int, LoweredBody] = {}

        def take(chosen: Mapping[str, Any]) -> None:
            code = self._with_settings(chosen)
            if code is not None:
                found[id(code.body)] = code

        tries = max(map(len, values.values()), default=0) if len(names) == 1 else _TRIES
        for turn in range(tries if all(values.values()) else 0):
            if len(found) == enough:
                break
            # the most telling of all first, then one at another pace than the other
            take({n: v[turn * (1 + k) % len(v)] for k, (n, v) in enumerate(values.items())})
        # further off, where a size next to such a number is none that the layers take
        beside = turning_points(self.net.body.definition, (-2, 2, -4, 4)) if len(found) < enough else []
        for value, name in product((v for v in beside if v > 0), names):
            if len(found) == enough:
                break
            take({name: value})
        for value, name in product(singled_out(self.net.body.definition), names):
            if value != self.net.body.arguments[name]:
                take({name: value})
        # where few values go, 0 may be one; of what counts turns no turn is asked for apart
        for name in names if len(names) <= FEW else ():
            seen = {code.body.arguments[name] for code in found.values()}
            if len(seen) < ENOUGH and name not in counting:
                take({name: 0})
        return found

    def _both_sides(self, names: Seq[str], found: Seq[LoweredBody]) -> Iterator[LoweredBody]:
        """For each parameter whose values so far lie on one side of a number that the text decides by, as `max(n, 12)`
        does: those of the other side that lie nearest and farthest."""
        definition, constants = self.net.body.definition, self.net.design.constants
        beside = numbers_beside(definition, names, constants)
        for name, number in ((name, number) for name, numbers in beside.items() for number in numbers):
            seen = [code.body.arguments[name] for code in found]
            for nearest, beyond in ((max, _BEYOND), (min, [-step for step in _BEYOND])):
                if seen and nearest(self.net.body.arguments[name], number, *seen) != number:
                    continue
                for steps in (beyond, beyond[::-1]):
                    tried = (self._with_settings({name: number + step}) for step in steps if number + step > 0)
                    yield from first(tried)

    def _set(self, like: LoweredBody, values: Mapping[Place, Any]) -> LoweredBody | None:
        """A net such as another one, with other values for some parameters."""
        own = self.net.body.arguments
        others = {name: value for name, value in like.body.arguments.items() if value != own[name]}
        return self._with_settings(others | {name: value for name, value in values.items() if isinstance(name, str)})

    def _with_settings(self, chosen: Mapping[str, Any]) -> LoweredBody | None:
        # 6 and 6.0 are other settings
        key = tuple(sorted((name, value, type(value).__name__) for name, value in chosen.items()))
        if key not in self._nets:
            self._nets[key] = self._elaborated(chosen)
        return self._nets[key]

    def _elaborated(self, chosen: Mapping[str, Any]) -> LoweredBody | None:
        net = self.net
        try:
            other = elaborate(net.design, net.body.definition, {**net.settings, **chosen}, Collector(), self.cache)
        except SettingError:
            return None
        return self._lowered(other.body) if other.whole else None

    def _lowered(self, body: Body, like: LoweredBody | None = None) -> LoweredBody | None:
        try:
            return (
                self.lowering.lower(body)
                if like is None
                else self.lowering.lower(body, like.layouts, like.frozen, like.out_layouts)
            )
        except SpecError:
            return None  # the framework cannot do this one

    def _further(self, name: str, turning: Seq[int]) -> list[Any]:
        """Other values for a parameter of the net, the most telling first."""
        value = self.net.body.arguments[name]
        fractions = [value * 1.37, value * 0.6, value * 0.27, value * 0.5]
        if isinstance(value, float):
            wanted: list[Any] = [*fractions, value + 1, value * 0.77]
        else:
            takes = self._rounds and any(self._with_settings({name: f}) is not None for f in fractions)
            wanted = [*(fractions if takes else ()), value + 1, 2 * value + 1, *turning]
            wanted += [value // 2, 3 * value + 2, value // 3, value // 5, 5 * value + 1, value - 1, value + 3]
            wanted += [factor * value for factor in (2, 3, 4, 6)] + [value // factor for factor in (4, 6, 8)]
        return [v for v in dict.fromkeys(wanted) if v > 0 and v != value]

    @cached_property
    def _rounds(self) -> bool:
        """Does the net make a whole number of a fraction? Each of its parameters asks."""
        return rounds_fractions(self.net.body.definition)

    def _chooses(self) -> bool:
        """Are there conditions in the net?"""
        return any(isinstance(n, tree.If | tree.Conditional) and decided_by(n) for n in self._nodes)

    # --- of a block ---------------------------------------------------------------------------------------------------

    def of_block(self, kinds: Seq[Seq[LoweredBody]], others: Seq[LoweredBody], asks: bool) -> list[LoweredBody]:
        """The block with other values for what is not the same in all of a group and in other bodies of it.

        `kinds` are the bodies of the group by their words: each word is another way through the text. Code that `asks`
        its inputs for their sizes is for others, too: those that conditions speak of are others, then.
        """
        group = [code for kind in kinds for code in kind]
        # values of other ranks are for another class
        varying = varying_in([*group, *(code for code in others if ranks_of(code) == ranks_of(group[0]))])
        following = self._following([code.body for code in group])
        varying = {place: column for place, column in varying.items() if place not in following}
        definition = group[0].body.definition
        sizes = {name: p for name, p in places(definition).items() if isinstance(p, str) or p in varying or asks}
        last = {(number, len(port.value.shape) - 1) for number, port in enumerate(group[0].body.given)}
        # channels that all calls have, and of which the text speaks
        alike = [p for name, p in sizes.items() if p in last and p not in varying and speaks_of(definition, name)]
        spoken = told_apart(group, conditioned(definition, sizes), varying)
        if not varying and not spoken and not alike:
            return []
        ranks = enumerate(len(port.value.shape) for port in group[0].body.given)
        maps = {(number, axis) for number, rank in ranks for axis in range(rank - 1)}
        known = {id(code.body) for code in (*group, *others)}
        found = list(self._by_changes(kinds, varying, maps, following, known))
        numbers = [place for place in varying if place not in maps]
        varied = Variation(group, lambda like, values: self._changed(like, values, following))
        if decides_by_parts(definition):  # what the text decides by may be a part of it, as in `max(width // 4, 2)`
            found += varied.larger(found, numbers)
        if rounds(definition):
            found += varied.rounded(found, numbers)
        free = {place for place in sizes.values() if place in varying or not isinstance(place, str)}
        tried = (
            *varied.made_equal(compared(definition), free),
            *varied.moved(alike),
            *varied.in_turn(spoken),
            *varied.in_pairs(spoken),
        )
        further = {id(code.body): code for code in tried}
        found += (code for key, code in further.items() if key not in known)
        return [*found, *varied.in_branches(found, varying)]

    def _by_changes(
        self,
        kinds: Seq[Seq[LoweredBody]],
        varying: Mapping[Place, tuple[Any, ...]],
        maps: Set[Place],
        following: Set[Place],
        known: set[int],
    ) -> Iterator[LoweredBody]:
        """Bodies with other numbers, a few for each way to change them and for each kind, those that are `known` left
        out."""
        definition = kinds[0][0].body.definition
        turning = turning_points(definition, (-1, 0, 1, -2, -4, 4))
        pairs = [pair for pair in compared(definition) if varying.keys() >= set(pair)]
        # each way through the text has to be seen with several values, with more where rounding makes many the same
        changed = 2 * ENOUGH if rounds(definition) else ENOUGH
        beyond = [number + step for number in deciding_numbers(definition)[2:4] for step in (-1, 1)]
        ways = [
            (list(aimed(varying, maps, turning, pairs)), _AIMED),
            (list(changes(varying, maps)), changed),
            (list(aimed(varying, maps, beyond, ()) if beyond else ()), changed),
        ]
        for (several, most), kind in product(ways, kinds):
            left = most
            for number, change in enumerate(several):
                if not left:
                    break
                like, values = telling(kind, number, varying, change)
                code = self._changed(like, values, following) if not like.body.upto else None
                if code is not None and id(code.body) not in known:
                    known.add(id(code.body))
                    left -= 1
                    yield code

    def idle_of_net(self, names: Seq[str]) -> dict[str, list[LoweredBody]]:
        """The net with 0 for each of these parameters that counts turns, or is a small number, where that goes."""
        return self._idle(self.lowering.lower(self.net.body), names, self._set)

    def idle_of_block(self, like: LoweredBody, names: Seq[str]) -> dict[str, list[LoweredBody]]:
        """A block, likewise."""
        return self._idle(like, names, lambda code, values: self._changed(code, values, set()))

    def _idle(self, like: LoweredBody, names: Seq[str], change: Change) -> dict[str, list[LoweredBody]]:
        """Bodies with 0 for a parameter, alone and where conditions on others lead elsewhere."""
        spoken = conditioned(like.body.definition, {name: name for name in names}) if len(names) <= FEW else {}
        elsewhere = [{other: value} for other, values in spoken.items() for value in values][:_ELSEWHERE]
        found: dict[str, list[LoweredBody]] = {}
        for name in self._may_be_none(like.body, names):
            tried = ({**others, name: 0} for others in ({}, *(one for one in elsewhere if name not in one)))
            found[name] = [code for values in tried if (code := change(like, values)) is not None]
        return found

    def _may_be_none(self, body: Body, names: Seq[str]) -> list[str]:
        """Those of some parameters that count turns, and other small numbers, such as the width of a border."""
        few = names if len(names) <= FEW else ()
        small = [name for name in few if type(body.arguments[name]) is int and is_small(body.arguments[name])]
        return list(dict.fromkeys([*self._counts(body, names), *small]))

    def _counts(self, body: Body, names: Seq[str]) -> list[str]:
        """Those of some parameters that are whole numbers and count turns."""
        counts = counting(body.definition, self.net.design.definitions)
        return [name for name in names if name in counts and type(body.arguments[name]) is int]

    def _following(self, bodies: Seq[Body]) -> set[Place]:
        """The parameters that are in all bodies what their defaults say of other parameters."""
        found: set[Place] = set()
        for parameter in bodies[0].definition.parameters:
            name = parameter.name.text
            if not _asks(parameter.default, bodies[0].arguments):
                continue
            said = (self._filled(body, body.arguments, {name}).get(name, _MISSING) for body in bodies)
            if all(default == body.arguments[name] for default, body in zip(said, bodies)):
                found.add(name)
        return found

    def _filled(self, body: Body, arguments: Mapping[str, Any], without: Set[Any]) -> Mapping[str, Any]:
        """Arguments for a body's definition, with the defaults of some parameters."""
        given = {name: value for name, value in arguments.items() if name not in without}
        return with_defaults(self.net.design, body.definition, given, self.cache) or {}

    def _changed(self, like: LoweredBody, values: Mapping[Place, Any], following: Set[Place]) -> LoweredBody | None:
        body = like.body
        arguments = self._filled(body, {n: values.get(n, v) for n, v in body.arguments.items()}, following)
        inputs = [
            port.value.replace(shape=tuple(sizes_with(k, port.value.shape, values)))
            for k, port in enumerate(body.given)
        ]
        if any(isinstance(size, int) and size < 1 for value in inputs for size in value.shape):
            return None
        found = elaborate_block(self.net.design, body.definition, arguments, inputs, self.cache)
        return None if found is None else self._lowered(found, like)


def _asks(node: tree.Node | None, names: Mapping[str, Any]) -> bool:
    """True if an expression speaks of one of some names."""
    return node is not None and any(isinstance(part, tree.Name) and part.text in names for part in tree.walk(node))


def _sizes(body: Body, known: dict[int, list[Any]]) -> list[Any]:
    """The shapes of all weights; `known` are those of bodies, which calls share."""
    if id(body) not in known:
        items = applied(body.held)
        known[id(body)] = [
            [w.shape for w in item.weights] if isinstance(item, Step) else _sizes(item.body, known) for item in items
        ]
    return known[id(body)]
