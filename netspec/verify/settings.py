"""Settings: is the object that generated code makes with an argument the net that has this setting?

What the argument should do is taken from the spec alone: the net is elaborated with the setting, its weights are drawn,
and the object must hold arrays of these names and shapes and give what the NumPy reference of that net gives.
"""

from __future__ import annotations

from itertools import islice
from math import prod

from ..analysis.infer import infer
from ..analysis.static_batch import static_batch
from ..base.diagnostics import Collector, SpecError
from ..base.dims import substitute
from ..base.record import TYPE_CHECKING, Record
from ..elaborate.net import SettingError, elaborate
from ..ir.paths import weight_table
from ..reference import Reference
from ..weights.samples import numbers, random_inputs, random_weights, sizes_that_fit
from .calm import calmer, saturated
from .further import arguments, further, in_pairs, literals
from .learning import learning
from .pool import Job
from .verdict import SettingResult, apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from ..ir.types import CheckedNet
    from ..layers.base import Array
    from ..weights.targets import Target
    from .pool import Answer, WorkerPool

    Writer: TypeAlias = "Callable[[CheckedNet, str], Target]"

# what rounding may come to: Keras rounds the numbers that are written in code to float32
_ROUNDING = {"float64": 1e-6, "float32": 1e-3}
# beyond so many multiplications, or numbers in weights, only names and shapes are compared
_HARDEST, _LARGEST = 300_000_000, 10_000_000
# what frameworks refuse themselves: PyTorch when such a layer is made, Keras where a functional model is too deep for
# Python's recursion, with which it walks through it
_OWN_REFUSALS = ("padding='same' is not supported for strided convolutions", "RecursionError: maximum recursion depth")
# what the weights before a softmax at its ends are divided by, one after the other
_CALMING = (2.0**5, 2.0**20)


class Trial(Record):
    """An object that code makes with an argument set to a value: `owner` is its class or function, `net` what it
    should be, and `target` has code that makes it, with the spelling of that net's weights. Where it may be one of two
    nets, `otherwise` has the other one."""

    owner: str
    argument: str
    value: Any
    net: CheckedNet
    target: Target
    otherwise: Trial | None = None


# --- what is tried ---------------------------------------------------------------------------------------------------


def trials(
    net: CheckedNet, target: Target, write: Writer, most: int, pairs: int = 0
) -> Iterator[Trial | SettingResult]:
    """For each argument of the net's class or function the objects made with further values of it, at most so many, and
    so many `pairs` of two arguments.

    `write` is the form of the target for another net, with a text that should make it. An argument that is no setting
    of the net is at fault.
    """
    owner, told = owner_of(target.text), _told(net)
    defaults: dict[str, Any] = {}
    for argument in arguments(target.text):
        if _setting(argument.name, told):
            defaults[argument.name] = argument.default
        else:
            yield SettingResult(target.framework, owner, argument.name, argument.default, "the net has no such setting")

    def values(name: str) -> Iterator[Any]:
        return further(defaults[name], literals(net.net.body.definition))

    for name in defaults:
        yield from first((_trial(net, {name: value}, target, write) for value in values(name)), most)
    yield from first((_trial(net, both, target, write) for both in in_pairs([*defaults], values)), pairs)


def _told(net: CheckedNet) -> dict[str, Any]:
    """What may be set of a net."""
    return {**dict.fromkeys(net.net.symbols, 8), **net.net.body.arguments}


def _setting(argument: str, told: Mapping[str, Any]) -> str:
    """The setting that an argument of the code is; empty where there is none."""
    return next((name for name in (argument, argument.rstrip("_")) if name in told), "")


def first(found: Iterator[Trial | None], most: int) -> Iterator[Trial]:
    """At most so many of those that are there."""
    return islice((trial for trial in found if trial is not None), most)


def owner_of(text: str) -> str:
    """The name of what generated code defines last."""
    import ast

    return next(n.name for n in reversed(ast.parse(text).body) if isinstance(n, ast.ClassDef | ast.FunctionDef))


def _trial(net: CheckedNet, values: Mapping[str, Any], target: Target, write: Writer) -> Trial | None:
    """The object made with values of some arguments; None where that is no net, or none that the framework has a form
    for."""
    told = _told(net)
    names = {name: _setting(name, told) for name in values}
    other = with_settings(net, {names[name]: spelt(value, told[names[name]]) for name, value in values.items()})
    if other is None:
        return None
    owner = owner_of(target.text)
    call = ", ".join(f"{name}={value!r}" for name, value in values.items())
    try:
        made = write(other, making(target.text, f"{owner}({call})"))
    except SpecError:
        return None
    return Trial(owner, ", ".join(values), shown(values), other, made)


def shown(values: Mapping[str, Any]) -> Any:
    """The value of one argument, or those of several."""
    several = tuple(values.values())
    return several[0] if len(several) == 1 else several


def making(text: str, made: str) -> str:
    """Generated code that makes an object as an expression says."""
    name = "made"
    while name in text:
        name += "_"
    return f"{text}\n\ndef {name}():\n    return {made}\n"


def with_settings(net: CheckedNet, settings: Mapping[str, Any]) -> CheckedNet | None:
    """A net with settings changed, None where it is none. An expectation may speak of another setting."""
    faults = Collector()
    try:
        found = elaborate(net.net.design, net.net.body.definition, {**net.net.settings, **settings}, faults)
    except SettingError:
        return None
    return infer(found, Collector()) if found.whole and not faults.failed else None


def spelt(value: Any, told: Any) -> Any:
    """A value of the code as the spec has it: a window of 3 is 3x3."""
    return (value,) * len(told) if isinstance(told, tuple) and isinstance(value, int) else value


# --- what becomes of it ----------------------------------------------------------------------------------------------


def judged(trial: Trial, pool: WorkerPool, seed: int = 0) -> SettingResult:
    """Make the object of a trial, and hold it against the net, or against the other one that it may be."""
    found = _judged(trial, pool, seed)
    return judged(trial.otherwise, pool, seed) if found.wrong and trial.otherwise is not None else found


def _judged(trial: Trial, pool: WorkerPool, seed: int) -> SettingResult:
    import numpy as np

    rng, net = np.random.default_rng(seed), trial.net
    sizes = sizes_that_fit(net, 1)[0]
    macs, held = substitute(net.totals.macs, sizes), sum(prod(w.sizes) for w in weight_table(net).values())
    inputs = random_inputs(net, rng, static_batch(net) or 2, sizes)
    if not isinstance(macs, int) or macs > _HARDEST or held > _LARGEST:
        told = [(len(inputs[0]), *numbers(out.value.shape, sizes)) for out in net.net.body.outputs]
        return _compared(trial, Job(trial.target, {}, [inputs], structure=True, loose=True), None, told, pool)
    weights, wanted = _calm(net, random_weights(net, rng), inputs)
    finding = _compared(trial, Job(trial.target, weights, [inputs], dtype="float64", loose=True), wanted, [], pool)
    if finding.wrong.startswith(_LACKING):  # the framework has no form for that in float64
        return _compared(trial, Job(trial.target, weights, [inputs], loose=True), wanted, [], pool)
    return finding


_LACKING = ("NotImplementedError", "RuntimeError", "InvalidArgumentError", "NotFoundError")


def _calm(
    net: CheckedNet, weights: dict[str, Array], inputs: Sequence[Array]
) -> tuple[dict[str, Array], Sequence[Array]]:
    """Weights that do not drive the outputs to their ends, and these outputs."""
    names = [port.name for port in net.net.body.inputs]
    for by in (*_CALMING, 0.0):
        wanted = Reference(net, weights).listed(**dict(zip(names, inputs)))
        places = saturated(wanted)
        if not places or not by:
            break
        weights = calmer(net.net, weights, places, by)
    return weights, wanted


def _compared(
    trial: Trial, job: Job, wanted: Sequence[Array] | None, told: Sequence[tuple[int, ...]], pool: WorkerPool
) -> SettingResult:
    """What a framework makes of a job: without `wanted`, which is what should come out, of the shapes alone."""
    answer = pool.answer(job, pool.start(job))
    told = told or [a.shape for a in wanted or ()]
    whole = wanted is not None and not answer.outlined
    found = SettingResult(job.target.framework, trial.owner, trial.argument, trial.value, whole=whole)
    if answer.kind == "MissingFramework":
        raise ModuleNotFoundError(answer.error)
    if answer.kind == "Refused" or any(said in answer.error for said in _OWN_REFUSALS):
        return found.replace(refused=answer.error)
    wrong = _arrays(answer, job.target, trial.net) or answer.error
    if not wrong and answer.trainable:  # or else no name says which array is which
        wrong = "; ".join(learning(trial.net, job.target.spelling, answer.trainable))
    if not wrong and not whole:
        wrong = _outlined(answer, told)
    elif not wrong:
        wrong = _outputs(answer.outputs[0], wanted or (), _ROUNDING[job.dtype])
    return found.replace(wrong=wrong, renamed=answer.renamed)


def _arrays(answer: Answer, target: Target, net: CheckedNet) -> str:
    """What is wrong with the arrays that an object holds, if anything is."""
    wanted, found = target.spelling.shapes, answer.shapes
    if not found or found == wanted:
        return ""
    twice = sum(prod(wanted[held.plus]) for held in target.spelling.held if held.plus)
    count, told = sum(map(prod, found.values())) - twice, net.totals.params + net.totals.statistics
    counts = "" if count == told else f"it holds {count:,} numbers, the net {told:,}; "
    more, fewer = [n for n in found if n not in wanted], [n for n in wanted if n not in found]
    odd = next((n for n in wanted if n in found and found[n] != wanted[n]), "")
    if odd:
        return f"{counts}`{odd}` is {list(found[odd])}, in the net {list(wanted[odd])}"
    return f"{counts}only {'the net' if fewer else 'it'} has `{[*fewer, *more][0]}`"


def _outlined(answer: Answer, told: Sequence[tuple[int, ...]]) -> str:
    """What is wrong with the shapes of the outputs, as far as they are known."""
    found = [tuple(out.shape[1:]) for out in answer.outputs[0]]
    wanted = [shape[1:] for shape in told]
    same = all(len(a) == len(b) and all(m in (n, 0) for m, n in zip(a, b)) for a, b in zip(found, wanted))
    return "" if not found or (same and len(found) == len(wanted)) else _differ(found, wanted)


def _differ(found: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int, ...]]) -> str:
    return f"it gives {', '.join(str(list(s)) for s in found)}, the net {', '.join(str(list(s)) for s in wanted)}"


def _outputs(found: Sequence[Array], wanted: Sequence[Array], least: float) -> str:
    """How far what comes out is from the reference, if that is more than rounding."""
    shapes = [tuple(a.shape[1:]) for a in found], [tuple(a.shape[1:]) for a in wanted]
    if shapes[0] != shapes[1]:
        return _differ(*shapes)
    error = max((apart(one, other) for one, other in zip(found, wanted)), default=0.0)
    return "" if error <= least else f"its outputs and those of the reference differ by {error:.1e}"
