"""One net, built and run in each framework with the same random weights and inputs, and in NumPy.

The model as a user builds it gives the outputs and the gradients. A second one, in which every value is an output,
gives the numbers of each layer, so that the first one that differs can be named.
"""

from __future__ import annotations

import time
from math import prod

from ..analysis.static_batch import static_batch
from ..base.dims import substitute
from ..base.record import TYPE_CHECKING, Record
from ..ir.paths import penalised, steps_of
from ..reference import Reference
from ..weights.samples import figure, random_inputs, random_weights, sizes_that_fit
from ..weights.table import regularization
from ..weights.targets import target_for
from .blocks import block_trials
from .calm import calmer, saturated
from .expose import expose
from .forms import form_of
from .learning import learning, within
from .legs import LEGS, other_style, precision, varying
from .pool import Job, together
from .replay import own_errors
from .settings import judged, trials
from .verdict import NAMES, Gradients, LayerLine, Result, SettingResult, apart, pairs, steepest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..ir.types import CheckedNet, CostRow
    from ..layers.base import Array
    from ..weights.targets import Target
    from .pool import Answer, WorkerPool
    from .verdict import Errors

# what rounding may come to, relative to the largest number of an array
TOLERANCES = {"float32": 1e-4, "float64": 1e-9}
# gradients are worked out in float64, where no framework lacks a form for it; but Keras rounds the numbers that are
# written in code to float32
_STEEP = {"float64": 1e-6, "float32": 1e-3}
# the share of the largest gradient below which one is none, such as that of a bias before a batch norm
_IDLE = {"float64": 1e-4, "float32": 1e-2}
# batch sizes; and those for a net of so many activations that three samples would take long
_BATCHES, _SMALL, _LARGE = (3, 1), (2, 1), 25_000_000
# what the weights before a softmax at its ends are divided by, one after the other, until it is not
_CALMING = (2.0**5, 2.0**10, 2.0**20, 2.0**40)
# activations and multiplications that gradients may take at once: in float64 they are the slowest part
_MOST, _HARDEST = 100_000_000, 10_000_000_000


class Options(Record):
    """How to verify. `frameworks` are legs. `tolerance` None is that of the type of number that the frameworks work in.
    `settings` says how many further values of each argument of the code are tried, `styles` in which style the code for
    a framework is written where it is not the usual one."""

    frameworks: tuple[str, ...] = ("torch", "keras")
    dtype: str = "float32"
    tolerance: float | None = None
    seed: int = 0
    settings: int = 0
    styles: Mapping[str, str] = {}


def verify(
    net: CheckedNet,
    pool: WorkerPool,
    options: Options,
    progress: Callable[[str], None] = lambda _: None,
) -> Result:
    """Hold a net's forms against one another.

    Raises SpecError where a framework has no form for something, and ValueError where no sizes fit or the tolerance is
    none.
    """
    if options.tolerance is not None and not 0 < options.tolerance < float("inf"):
        raise ValueError(f"a tolerance is a number above 0, not {options.tolerance}")
    return _Verification(net, pool, options, progress).run()


class _Verification:
    """One net on the way."""

    def __init__(self, net: CheckedNet, pool: WorkerPool, options: Options, progress: Callable[[str], None]) -> None:
        import numpy as np

        self.net = net
        self.pool = pool
        self.options = options
        self.progress = progress
        usual = TOLERANCES[precision(options.frameworks, options.dtype)]
        self.tolerance = usual if options.tolerance is None else options.tolerance
        self.rng = np.random.default_rng(options.seed)
        self.weights = random_weights(net, self.rng)
        self.sizes = sizes_that_fit(net)
        self.activations = figure(net.totals.activations, self.sizes[0])
        self.static = static_batch(net)
        counts = (self.static,) if self.static is not None else _SMALL if self.activations > _LARGE else _BATCHES
        self.batches = [random_inputs(net, self.rng, n, sizes) for sizes in self.sizes for n in counts]
        self.problems: list[str] = []
        self.notes: list[str] = []

    def run(self) -> Result:
        start = time.perf_counter()
        targets = self._targets(self.net, self.options.frameworks)
        answers, faults, wanted = self._running(targets)
        self.problems += faults
        outputs = self._sharpened(self._outputs(answers, wanted), targets)
        lines, faults = self._layers(answers, targets, self.options.dtype) if answers else ((), [])
        self.problems += faults
        for name, answer in answers.items():
            told = learning(self.net, targets[name].spelling, answer.trainable)
            self.problems += (f"{NAMES[name]} {words}" for words in told)
        penalties = self._penalties(answers)
        self._judge(outputs, lines, lambda: self._sharper(answers, targets))
        learned = {name: targets[name] for name in answers if LEGS[name].learns}
        gradients = self._gradients(learned, [out.shape for out in wanted[0]]) if len(learned) > 1 else None
        settings = self._settings([targets[name] for name in answers if LEGS[name].plain])
        return Result(
            self.net.name,
            self.options.frameworks,
            self.tolerance,
            lines,
            outputs,
            gradients,
            tuple(self.problems),
            tuple(self.notes),
            tuple(self.sizes),
            self.options.seed,
            time.perf_counter() - start,
            penalties,
            settings,
        )

    # --- running ------------------------------------------------------------------------------------------------------

    def _running(self, targets: Mapping[str, Target]) -> tuple[dict[str, Answer], list[str], list[list[Array]]]:
        """The model in all forms, with weights that do not drive what it gives to its ends."""
        for turn, by in enumerate(_CALMING):
            self.progress("running the model" + " with calmer weights" * (turn > 0))
            found = self._all(targets, self.options.dtype)
            places = set.intersection(*(set(saturated(arrays)) for arrays in found[2]))
            if not places:
                break
            self.weights = calmer(self.net.net, self.weights, places, by)
        else:
            self.notes.append("an output is 0 and 1 all over, whatever the weights of the last layer")
        return found

    def _all(self, targets: Mapping[str, Target], dtype: str) -> tuple[dict[str, Answer], list[str], list[list[Array]]]:
        """The model on all batches, as `_together` has it."""
        return self._together(
            [self._job(name, t, self.batches, dtype) for name, t in targets.items()],
            lambda: [self._reference(self.net, batch) for batch in self.batches],
        )

    def _together(
        self, jobs: Sequence[Job], meanwhile: Callable[[], list[list[Array]]]
    ) -> tuple[dict[str, Answer], list[str], list[list[Array]]]:
        """Answers of all frameworks that could do it, by name, why others could not, and what was done meanwhile."""
        answers, refused, found = together(self.pool, jobs, meanwhile)
        faults = []
        for job, error in refused:
            instead = other_style(job.runs_in, self.net, job.target, self.options.styles)
            faults.append(f"{NAMES[job.runs_in]}{instead}: {error}")
        return answers, faults, found

    def _targets(self, net: CheckedNet, legs: Iterable[str]) -> dict[str, Target]:
        """The code that each leg runs."""
        legs = list(legs)
        written = {code: target_for(code, net, self.options.styles) for code in {LEGS[leg].code for leg in legs}}
        return {leg: written[LEGS[leg].code] for leg in legs}

    def _job(self, leg: str, target: Target, batches: Sequence[Sequence[Array]], dtype: str) -> Job:
        return Job(target, self.weights, batches, dtype=dtype, leg=leg, axes=varying(self.net, self.static))

    def _reference(self, net: CheckedNet, inputs: Sequence[Array]) -> list[Array]:
        names = [port.name for port in net.net.body.inputs]
        return Reference(net, self.weights).listed(**dict(zip(names, inputs)))

    # --- the outputs --------------------------------------------------------------------------------------------------

    def _outputs(self, answers: Mapping[str, Answer], wanted: list[list[Array]]) -> Errors:
        """The largest errors over all batches and outputs."""
        worst: dict[tuple[str, str], float] = {}
        for b, arrays in enumerate(wanted):
            found = {name: answer.outputs[b] for name, answer in answers.items()} | {"reference": tuple(arrays)}
            for pair, error in _apart(found).items():
                worst[pair] = max(worst.get(pair, 0.0), error)
        return worst if answers else {}

    def _sharpened(self, outputs: Errors, targets: Mapping[str, Target]) -> Errors:
        """The errors of the outputs; in float64 where float32 does not reach, but float64 does. What the user has asked
        for is asked of float32."""
        worst = max(outputs.values(), default=0.0)
        if worst <= self.tolerance or self.options.dtype != "float32" or self.options.tolerance is not None:
            return outputs
        self.progress("running the model in float64")
        answers, faults, wanted = self._all(targets, "float64")
        found = self._outputs(answers, wanted)
        if faults or not all(error <= self.tolerance for error in found.values()):
            return outputs
        self.notes.append(f"rounding has grown to {worst:.1e} in what comes out, so that is compared in float64")
        return found

    def _judge(
        self, outputs: Errors, lines: Sequence[LayerLine], sharper: Callable[[], tuple[Sequence[LayerLine], str]]
    ) -> None:
        """Say what is wrong with the outputs, and which layer it begins with.

        A layer differs that does so in float64 too, where rounding has not grown on the way to it; `sharper` gives the
        layers in that, or in float32 where a framework has no form for that.
        """
        for line in lines:
            if not line.agrees:
                self.problems.append(f"{line.path}: {_disagreement(line)}")
        beyond = {pair: error for pair, error in outputs.items() if not error <= self.tolerance}
        for (one, other), error in beyond.items():
            self.problems.append(f"the outputs of {NAMES[one]} and {NAMES[other]} differ by {error:.1e}")
        first = _first(lines, self.tolerance)
        if first is not None:
            self._blame(first, *sharper())
        elif beyond and lines and not self.notes:
            self.problems.append("each layer agrees by itself, so it is the code between them that differs")

    def _blame(self, first: LayerLine, lines: Sequence[LayerLine], dtype: str) -> None:
        """Name the layer at fault, or say that it is rounding. `first` is the first that differs, `lines` are all in
        the sharper type."""
        worst = max(line.error for line in lines)
        if dtype != self.options.dtype and worst <= self.tolerance:
            self.notes.append(
                f"rounding has grown to {first.error:.1e} at `{first.path}`; in {dtype} all layers agree to {worst:.1e}"
            )
            return
        allowed = min(self.tolerance, _STEEP[precision(self.options.frameworks, dtype)])
        wrong = next((line for line in lines if not line.own <= allowed), None)
        found = wrong or _first(lines, self.tolerance) or first
        (one, other), error = max(found.errors.items(), key=lambda item: item[1])
        told = f"`{found.path}` ({found.kind}) is the first layer that differs: {NAMES[one]} and {NAMES[other]}"
        why = "" if wrong else "; each is right for what comes in, so it is an edge where rounding decides"
        self.problems.append(f"{told} by {error:.1e}{why}")

    def _sharper(
        self, answers: Mapping[str, Answer], targets: Mapping[str, Target]
    ) -> tuple[tuple[LayerLine, ...], str]:
        """Each layer in float64, or where a framework has no form for that as it was; with its own errors."""
        for dtype in ("float64", self.options.dtype):
            lines, faults = self._layers(answers, targets, dtype, alone=True)
            if not faults:
                break
        return lines, dtype

    # --- layer by layer -----------------------------------------------------------------------------------------------

    def _layers(
        self, answers: Mapping[str, Answer], targets: Mapping[str, Target], dtype: str, alone: bool = False
    ) -> tuple[tuple[LayerLine, ...], list[str]]:
        """Each layer of the net, from a model in which all of them are outputs; and why a framework could not.

        With `alone` each is held against its definition by itself, too.
        """
        self.progress(f"comparing layer by layer in {dtype}")
        shown, layers = expose(self.net)
        batch = self.batches[:1]
        jobs = [self._job(name, t, batch, dtype) for name, t in self._targets(shown, answers).items()]
        found, faults, wanted = self._together(jobs, lambda: [self._reference(shown, batch[0])])
        skip = len(self.net.net.body.outputs)
        values = {name: answer.outputs[0][skip:] for name, answer in found.items()}
        own = [own_errors(self.net, self.weights, batch[0], made) for made in values.values()] if alone else []
        values["reference"] = tuple(wanted[0][skip:])
        counts = {name: _counts(targets[name], answers[name]) for name in found}
        rows = _by_path(self.net.rows)
        lines: list[LayerLine] = []
        for k, (path, place, shape) in enumerate(layers):
            if place == 0:
                row = next(rows[path])
            at = {name: arrays[k] for name, arrays in values.items()}
            told = tuple(substitute(d, self.sizes[0]) for d in shape)
            shapes = {"checker": told} | {name: a.shape[1:] for name, a in at.items()}
            held: dict[str, Any] = {"checker": row.figures.params}
            held |= {name: 0 if row.again else within(count, path) for name, count in counts.items()}
            errors = {(a, b): apart(at[a], at[b]) for a, b in pairs(at)}
            line = LayerLine(path, row.kind, shapes, held, errors, max((of[k] for of in own), default=0.0))
            lines.append(lines.pop().joined(line) if place else line)
        return tuple(lines), faults

    def _penalties(self, answers: Mapping[str, Answer]) -> Errors:
        """How far apart the forms are in what the weights add to the loss."""
        if not penalised(self.net):
            return {}
        import numpy as np

        found = {name: np.array(answer.penalty) for name, answer in answers.items()}
        found["reference"] = np.array(regularization(self.net, self.weights))
        errors = {(a, b): apart(found[a], found[b]) for a, b in pairs(found)}
        for (one, other), error in errors.items():
            if not error <= max(self.tolerance, 1e-6):
                self.problems.append(
                    f"the penalties on weights of {NAMES[one]} and {NAMES[other]} differ by {error:.1e}"
                )
        return errors

    # --- settings -----------------------------------------------------------------------------------------------------

    def _settings(self, targets: Sequence[Target]) -> tuple[SettingResult, ...]:
        """The objects that the code makes with other values of its arguments, each held against the net of that."""
        found: list[SettingResult] = []
        for target in targets if self.options.settings else ():
            form, most = form_of(target.framework, self.options.styles), self.options.settings
            of_blocks = block_trials(self.net, target, form, most)
            for trial in (*trials(self.net, target, form.write, most), *of_blocks):
                self.progress(f"trying {trial.owner} with {trial.argument}={trial.value!r}")
                found.append(trial if isinstance(trial, SettingResult) else judged(trial, self.pool, self.options.seed))
        self.problems += [str(finding) for finding in found if finding.wrong]
        return tuple(found)

    # --- gradients ----------------------------------------------------------------------------------------------------

    def _gradients(self, targets: Mapping[str, Target], shapes: Sequence[tuple[int, ...]]) -> Gradients | None:
        """Gradients of all parameters in both frameworks: in float64, or where one has no form for that in float32."""
        if not self.net.totals.trainable:
            return None
        self.progress("comparing gradients")
        training = not any(step.layer.draws() for _, step in steps_of(self.net.net.body))
        fewest = 2 if training and self.net.totals.statistics else 1  # one sample has no variance
        macs = figure(self.net.totals.macs, self.sizes[0])
        count = self.static or max(fewest, min(_MOST // max(self.activations, 1), _HARDEST // max(macs, 1)))
        batch = [[array[:count] for array in self.batches[0]]]
        directions = [self.rng.standard_normal(shape)[:count] / prod(shape) ** 0.5 for shape in shapes]
        for dtype in _STEEP:
            jobs = [
                self._job(name, t, batch, dtype).replace(directions=directions, training=training)
                for name, t in targets.items()
            ]
            answers, faults, _ = self._together(jobs, list)
            if not faults:
                break
            if dtype == "float64":
                lacking = " and ".join(NAMES[name] for name in targets if name not in answers)
                self.notes.append(f"gradients are compared in float32, since {lacking} cannot do this in float64")
        else:
            self.problems += faults
            return None
        given = [targets[name].spelling.gradients(answers[name].gradients) for name in targets]
        found, odd = steepest(given, training, _IDLE[precision(targets, "float64")])
        if found is None:
            self.problems.append(f"only one of the frameworks has gradients of {odd}")
        elif not found.error <= _STEEP[precision(targets, dtype)]:
            self.problems.append(f"the gradients of `{found.path}` differ by {found.error:.1e}")
        return found


# --- small questions --------------------------------------------------------------------------------------------------


def _first(lines: Sequence[LayerLine], tolerance: float) -> LayerLine | None:
    """The first layer that is further apart than that."""
    return next((line for line in lines if not line.error <= tolerance), None)


def _by_path(rows: Iterable[CostRow]) -> dict[str, Iterator[CostRow]]:
    """The rows of each path: one for each use of what is shared."""
    found: dict[str, list[CostRow]] = {}
    for row in rows:
        found.setdefault(row.path, []).append(row)
    return {path: iter(uses) for path, uses in found.items()}


def _apart(found: Mapping[str, Sequence[Array]]) -> dict[tuple[str, str], float]:
    """The largest errors between any two that have run, over all their arrays."""
    return {(a, b): max(apart(x, y) for x, y in zip(found[a], found[b])) for a, b in pairs(found)}


def _counts(target: Target, answer: Answer) -> dict[str, int]:
    """How many learned parameters the framework holds for each layer, by its path."""
    found: dict[str, int] = {}
    for held in target.spelling.held:
        if held.weight.role != "statistic":
            parts = 1 if held.place.part is None else held.place.part[1]
            found[held.layer] = found.get(held.layer, 0) + prod(answer.shapes[held.key]) // parts
    return found


def _disagreement(line: LayerLine) -> str:
    if len(set(line.shapes.values())) > 1:
        return "the shapes differ: " + ", ".join(f"{NAMES[n]} {list(s)}" for n, s in line.shapes.items())
    return "the counts differ: " + ", ".join(f"{NAMES[n]} {c:,}" for n, c in line.counts.items())
