"""The classes and functions of blocks and cells, each by itself: made with other arguments, is it what the spec has?

What it should be comes from a net that is written around one call of the block, or one run of the cell, with inputs of
the shapes of one of its instances, or with other channels.
"""

from __future__ import annotations

from functools import reduce
from itertools import chain
from math import prod

from ..analysis.infer import infer
from ..base.diagnostics import Collector, SpecError
from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING, Record
from ..base.source import Source
from ..codegen.orders.usual import usual_orders
from ..elaborate.net import elaborate, with_defaults
from ..ir.types import BlockCall, applied
from ..layers.arguments import describe
from ..syntax.parser import parse
from ..weights.samples import numbers, sizes_that_fit
from .forms import Alone
from .further import further, in_pairs, literals
from .settings import Trial, first, shown, spelt
from .verdict import SettingResult

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from ..codegen.ir import Template
    from ..ir.types import Body, CheckedNet, Port, Tensor
    from ..weights.targets import Target
    from .forms import CodeForm

    Layouts = tuple[tuple[str, ...], tuple[str, ...]]

# how many steps a cell is run over
_STEPS = 3
# a cell and what runs it have the channels last
_PLAIN = (("last",), ("last",))


class Moved(Record):
    """Arguments of the code that are set to a value together: parameters of the spec, and places of inputs."""

    parameters: tuple[tuple[str, str], ...] = ()
    channels: tuple[tuple[str, int], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in (*self.parameters, *self.channels))

    def together(self, other: Moved) -> Moved:
        return Moved(self.parameters + other.parameters, self.channels + other.channels)


def block_trials(
    net: CheckedNet, target: Target, form: CodeForm, most: int, pairs: int = 0
) -> Iterator[Trial | SettingResult]:
    """For each class or function of a block the objects made with further values of its arguments, and with so many
    `pairs` of values of two."""
    sizes, own = sizes_that_fit(net, 1)[0], _bodies(net.net.body)
    crossing = usual_orders(net.net.body).crossing if target.framework == "torch" else ()
    for template in form.templates(net)[:-1]:
        if template.bodies[0].definition.span in crossing:
            continue  # where it stands decides in which order it takes or gives numbers
        alone = _alone(template, own, sizes, form)
        # a cell that is only a step of another one has nothing that runs it
        if alone is not None and not (alone.is_cell and form.runs not in target.text):
            yield from _trials(net, target, alone, form, most, pairs)


def _bodies(body: Body) -> set[int]:
    """The bodies of all blocks and cells that a body uses, by identity."""
    found, todo = set[int](), [body]
    while todo:
        for item in applied(todo.pop().held):
            if isinstance(item, BlockCall) and id(item.body) not in found:
                found.add(id(item.body))
                todo.append(item.body)
    return found


def _alone(template: Template, own: Collection[int], sizes: Mapping[str, int], form: CodeForm) -> Alone | None:
    """The smallest instance of a class, of those that the net has itself (`own`) if there are such; None where it
    cannot stand alone."""
    found = []
    bodies = [body for body in template.bodies if id(body) in own]
    for body in bodies or template.bodies:
        keys = [key for key in template.values if key[0] == id(body) and not key[2]]
        if keys and _stands_alone(body):
            lead = (_STEPS,) if body.states else ()
            shapes = tuple((*lead, *numbers(port.value.shape, sizes)) for port in body.given)
            given = {name: _known(value, sizes) for name, value in body.arguments.items()}
            values = {name: _known(value, sizes) for name, value in template.values[keys[0]].items()}
            layouts = _PLAIN if body.states else form.layouts(body, keys[0][1])
            found.append(Alone(template.name, body, given, values, shapes, layouts))
    smallest = min(found, key=lambda alone: sum(map(prod, alone.shapes)), default=None)
    return smallest and smallest.replace(words={n: _words(n, found) for n in smallest.values})


def _stands_alone(body: Body) -> bool:
    """Can a net be written around it? Not where it takes weights alone, nor a cell on more than vectors."""
    vectors = all(len(value.shape) == 1 for value in (*_taken(body), *(result.value for result in body.outputs)))
    return bool(body.given) and all(value.batched for value in _taken(body)) and (vectors or not body.states)


def _taken(body: Body) -> list[Tensor]:
    return [port.value for port in body.given]


def _words(name: str, instances: Sequence[Alone]) -> list[str]:
    """The words that instances have for an argument."""
    values = (alone.values[name] for alone in instances)
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _known(value: Any, sizes: Mapping[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(_known(v, sizes) for v in value)
    return numbers((value,), sizes)[0] if isinstance(value, DimExpr) else value


# --- what is tried ---------------------------------------------------------------------------------------------------


def _trials(
    net: CheckedNet, target: Target, alone: Alone, form: CodeForm, most: int, pairs: int
) -> Iterator[Trial | SettingResult]:
    moved: list[Moved] = []
    names = form.arguments(target.text, alone)
    alone = _following(net, alone, names)
    for argument in names:
        one = _moved(argument, alone)
        if one is None and argument not in alone.values:
            yield SettingResult(target.framework, alone.name, argument, None, "no instance has a value for it")
        elif one is not None:
            moved.append(one)
    bare = _bare(alone, names)
    free = [*moved, *([] if form.tells_channels else bare)]
    for one in [*moved, *_together(free, alone)]:
        ways = _ways(one, alone, bare if form.tells_channels else ())
        same = (dict.fromkeys(names, other) for other in _others(one, alone) for names in [ways[-1].names])
        yield from first((_either([_trial(net, target, alone, w, o, form) for w in ways]) for o in same), most)
    by_name = {one.names[0]: one for one in free}
    both = in_pairs([*by_name], lambda name: _others(by_name[name], alone))
    joined = ((reduce(Moved.together, (by_name[name] for name in values)), values) for values in both)
    yield from first((_trial(net, target, alone, moved, values, form) for moved, values in joined), pairs)


def _others(one: Moved, alone: Alone) -> Iterator[Any]:
    """Further values of an argument: words of the program first."""
    value = _value(one, alone)
    words = [word for word in alone.words.get(one.names[0], ()) if word != value]
    return chain(words, further(value, literals(alone.body.definition)))


def _ways(one: Moved, alone: Alone, bare: Sequence[Moved]) -> list[Moved]:
    """What moves with an argument: nothing, or the channels that are none (`bare`) and that it says, too."""
    alike = [other for other in bare if _value(other, alone) == _value(one, alone)]
    return [one, reduce(Moved.together, alike, one)] if alike else [one]


def _either(trials: Sequence[Trial | None]) -> Trial | None:
    """The first of several trials, with the next one in case that it fails."""
    there = [trial for trial in trials if trial is not None]
    return reduce(lambda later, trial: trial.replace(otherwise=later), reversed(there)) if there else None


def _following(net: CheckedNet, alone: Alone, names: Sequence[str]) -> Alone:
    """An instance without those of its values that are what their defaults make of others, as of `inner=width`, and
    that are no arguments of the code."""
    body = alone.body
    may = [p.name.text for p in body.definition.parameters if p.default is not None and p.name.text not in names]
    may = [name for name in may if name not in body.defaults]
    fewer = {name: value for name, value in alone.given.items() if name not in may}
    return alone.replace(given=fewer) if with_defaults(net.net.design, body.definition, fewer) == alone.given else alone


def _moved(argument: str, alone: Alone) -> Moved | None:
    """What of a call an argument of the code is; None where the spec does not have it."""
    names = [p.name.text for p in alone.body.definition.parameters]
    parameter = next((n for n in (argument, argument.rstrip("_")) if n in names), None)
    if parameter is not None:
        return Moved(((argument, parameter),))
    ports = {port.name: place for place, port in enumerate(alone.body.given)}
    stem = argument.removesuffix("_channels").removesuffix("_features")
    place = ports.get(stem, 0 if stem == "in" and len(ports) == 1 else None)
    return None if place is None or stem == argument else Moved(channels=((argument, place),))


def _bare(alone: Alone, names: Sequence[str]) -> list[Moved]:
    """The channels of the inputs that are no arguments, as where the framework finds them out."""
    told = {place for name in names for moved in (_moved(name, alone),) if moved for _, place in moved.channels}
    ports = [(k, port) for k, port in enumerate(alone.body.given) if k not in told]
    return [Moved(channels=((f"channels of {p.name}", k),)) for k, p in ports if len(alone.shapes[k]) > alone.is_cell]


def _value(moved: Moved, alone: Alone) -> Any:
    name = moved.names[0]
    if moved.channels and name not in alone.values:
        return alone.shapes[moved.channels[0][1]][-1]
    return alone.values.get(name, alone.given.get(moved.parameters[0][1]) if moved.parameters else None)


def _together(moved: Sequence[Moved], alone: Alone) -> Iterator[Moved]:
    """Arguments that are the same number in the instance: alone they may not move, as around an addition."""
    found: dict[int, list[Moved]] = {}
    for one in moved:
        value = _value(one, alone)
        if type(value) is int and value > 3:
            found.setdefault(value, []).append(one)
    for group in found.values():
        if len(group) > 1 and any(one.names[0] in alone.values for one in group):
            joined = group[0]
            for other in group[1:]:
                joined = joined.together(other)
            yield joined


def _trial(
    net: CheckedNet, target: Target, alone: Alone, moved: Moved, values: Mapping[str, Any], form: CodeForm
) -> Trial | None:
    """The block with some arguments at other values; None where that is no block, or none that the framework can
    have."""
    given, shapes = dict(alone.given), list(alone.shapes)
    for name, parameter in moved.parameters:
        given[parameter] = spelt(values[name], given[parameter])
    for name, place in moved.channels:
        if type(values[name]) is not int or values[name] < 1:
            return None
        shapes[place] = (*shapes[place][:-1], values[name])
    around = _around(net, alone.body, shapes, given)
    if around is None:
        return None
    try:
        wanted = form.write(around, "")
    except SpecError:
        return None
    names = form.arguments(target.text, alone)
    told = {**alone.values, **{name: values[name] for name in moved.names}}
    words = [f"{name}={told[name]!r}" for name in names if name in told]
    attribute = next((held.module.partition(".")[0] for held in wanted.spelling.held), "block")
    text = form.wrap(alone, target.text, words, attribute, around.net.body.inputs)
    chosen = {name: values[name] for name in moved.names}
    same = len({*map(repr, chosen.values())}) == 1
    return Trial(
        alone.name,
        ", ".join(chosen),
        next(iter(chosen.values())) if same else shown(chosen),
        around,
        wanted.replace(text=text),
    )


def _around(
    net: CheckedNet, body: Body, shapes: Sequence[tuple[int, ...]], given: Mapping[str, Any]
) -> CheckedNet | None:
    """A net of nothing but one call of a block; None where the block does not hold so."""
    home = net.net.design.home(body.definition.span.source)
    source = Source("<around a block>", around_text(body, shapes, given))
    faults = Collector()
    spec = parse(source, faults)
    if faults.failed:
        return None
    design = home.replace(files={**home.files, source: home})
    found = elaborate(design, spec.definitions[0], {}, faults)  # type: ignore[arg-type]  # it is a definition
    return infer(found, Collector()) if found.whole and not faults.failed else None


def around_text(body: Body, shapes: Sequence[tuple[int, ...]], given: Mapping[str, Any]) -> str:
    """The text of a net around one call of a block, or one run of a cell."""
    inputs = [f"value{k}" for k in range(len(shapes))]
    outputs = [f"result{k}" for k in range(1 if body.states else len(body.outputs))]
    lines = [_input(n, shape, port) for n, shape, port in zip(inputs, shapes, body.given)]
    words = [f"{name}={describe(value)}" for name, value in given.items()]
    run = f"{inputs[0]} -> scan({body.name}({', '.join(words)}), return=sequence)"
    call = run if body.states else f"{body.name}({', '.join([*inputs, *words])})"
    lines.append(f"{', '.join(outputs)} = {call}")
    lines.append(f"output {', '.join(outputs)}")
    return "net around {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _input(name: str, shape: tuple[int, ...], port: Port) -> str:
    kind = port.value.dtype
    word = " bool" if kind == "bool" else " int(3)" if kind.startswith("int") else ""
    return f"input {name} {list(shape)}{word}"
