"""A net held against a model that netspec did not write, with that model's own weights.

Its weights are read like those of any file: what does not fit is refused, with all that is missing, extra or of another
shape. Then the model, the generated code and the NumPy reference get the same random inputs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from math import prod

from ..analysis.static_batch import static_batch
from ..base.record import TYPE_CHECKING, Record
from ..base.stopping import Scratch, Undone, kill
from ..ir.paths import steps_of
from ..reference import Reference
from ..weights.convert import read_weights
from ..weights.samples import random_inputs, sizes_that_fit
from ..weights.targets import target_for, torch_target
from .expose import expose
from .legs import LEGS, varying
from .pool import Job, together
from .verdict import NAMES, LayerLine, Result, apart, pairs
from .verify import TOLERANCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from ..ir.types import CheckedNet, Step
    from ..layers.base import Array
    from ..weights.rename import Renaming
    from .pool import WorkerPool
    from .verdict import Errors
    from .verify import Options

_BATCHES = (3, 1)


class ModelFailed(Exception):
    """The model cannot be opened or run; the message says why."""


class ModelOutputs(Record):
    """What the model gave for a batch: its outputs, and what its modules that hold weights gave, by their names."""

    outputs: tuple[Array, ...]
    parts: Mapping[str, Array] = {}


class ModelProcess:
    """The process that holds the model, as a context. Raises ModelFailed, and ModuleNotFoundError for a framework."""

    def __init__(self, word: str) -> None:
        self.scratch = Scratch()
        self.process: subprocess.Popen[str] | None = None
        self.held = Undone(lambda: kill([self.process] if self.process else []))
        self.word = word
        self.count = 0

    def __enter__(self) -> ModelProcess:
        self.scratch.__enter__()
        self.held.__enter__()
        try:
            self.about = self._opened()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.held.__exit__()
        self.scratch.__exit__()

    def _opened(self) -> dict[str, Any]:
        path = os.pathsep.join([*(p or os.getcwd() for p in sys.path), os.getcwd()])
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from netspec.verify.foreign_worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("NETSPEC_DEBUG") else subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
        )
        return self._asked({"model": self.word, "folder": self.scratch.path})

    def _asked(self, job: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died: there is no answer
        line = self.process.stdout.readline()
        if not line:
            raise ModelFailed(f"the process of {self.word} ended with status {self.process.wait()}")
        found: dict[str, Any] = json.loads(line)
        if found.get("missing"):
            raise ModuleNotFoundError(found["error"])
        if "error" in found:
            raise ModelFailed(f"{self.word}: {found['error']}")
        return found

    def run(self, inputs: Sequence[Array], dtype: str, traced: bool) -> ModelOutputs:
        """What comes out for one batch, in the model's own order of axes."""
        import numpy as np

        self.count += 1
        folder = os.path.join(self.scratch.path, f"batch{self.count}")
        os.mkdir(folder)
        np.savez(os.path.join(folder, "inputs.npz"), **{f"input{k}": x for k, x in enumerate(inputs)})  # type: ignore[arg-type]
        told = self._asked({"folder": folder, "dtype": dtype, "traced": traced})
        with np.load(os.path.join(folder, "outputs.npz"), allow_pickle=False) as held:
            outputs = tuple(held[f"output{k}"] for k in range(told["outputs"]))
            return ModelOutputs(outputs, {name: held[f"part{k}"] for k, name in enumerate(told["parts"])})


def hold_against(
    net: CheckedNet,
    word: str,
    pool: WorkerPool,
    options: Options,
    renaming: Renaming,
    progress: Callable[[str], None] = lambda _: None,
) -> Result:
    """Hold a net against a model: a file, or `package.module:Class`.

    Raises WeightsError where the model's weights are not those of the net, ModelFailed where it does not run,
    ModuleNotFoundError where its framework is not there, SpecError where a framework has no form for something, and
    ValueError where no sizes fit.
    """
    progress(f"opening {word}")
    with ModelProcess(word) as model:
        return _HeldModel(net, model, pool, options, renaming, progress).run()


class _HeldModel:
    """One net and one model on the way."""

    def __init__(
        self,
        net: CheckedNet,
        model: ModelProcess,
        pool: WorkerPool,
        options: Options,
        renaming: Renaming,
        progress: Callable[[str], None],
    ) -> None:
        import numpy as np

        self.net, self.model, self.pool, self.options, self.progress = net, model, pool, options, progress
        self.tolerance = options.tolerance or TOLERANCES[options.dtype]
        read = read_weights(net, model.about["weights"], model.about["form"], renaming=renaming)
        self.weights, self.notes = read.weights, list(read.notes)
        rng = np.random.default_rng(options.seed)
        self.sizes = sizes_that_fit(net)
        fixed = static_batch(net) or model.about["batch"]
        counts = (fixed,) if fixed is not None else _BATCHES
        self.batches = [random_inputs(net, rng, n, sizes) for sizes in self.sizes for n in counts]
        codes = {LEGS[leg].code for leg in options.frameworks}
        self.targets = {code: target_for(code, net, options.styles) for code in codes}
        self.problems: list[str] = []

    def run(self) -> Result:
        start = time.perf_counter()
        outputs = self._outputs(self.options.dtype)
        if self.options.dtype == "float32" and not max(outputs.values(), default=0.0) <= self.tolerance:
            outputs = self._sharper(outputs)
        lines: tuple[LayerLine, ...] = ()
        for (one, other), error in outputs.items():
            if not error <= self.tolerance:
                self.problems.append(f"the outputs of {NAMES[one]} and {NAMES[other]} differ by {error:.1e}")
        if not outputs.get(("model", "reference"), 0.0) <= self.tolerance:
            lines = self._layers()
        return Result(
            self.net.name,
            self.options.frameworks,
            self.tolerance,
            lines,
            outputs,
            None,
            tuple(self.problems),
            tuple(self.notes),
            tuple(self.sizes),
            self.options.seed,
            time.perf_counter() - start,
        )

    def _outputs(self, dtype: str) -> Errors:
        """The largest errors between any two over all batches and outputs. Raises ModelFailed."""
        self.progress("running the model" if dtype == self.options.dtype else f"running the model in {dtype}")
        jobs = [
            Job(
                self.targets[LEGS[leg].code],
                self.weights,
                self.batches,
                dtype=dtype,
                leg=leg,
                axes=varying(self.net, static_batch(self.net)),
            )
            for leg in self.options.frameworks
        ]
        answers, refused, (wanted, given) = together(
            self.pool,
            jobs,
            lambda: (
                [self._reference(self.net, batch) for batch in self.batches],
                [self.model.run(batch, dtype, False).outputs for batch in self.batches],
            ),
        )
        self.problems += (f"{NAMES[job.runs_in]}: {error}" for job, error in refused)
        return self._errors({leg: answer.outputs for leg, answer in answers.items()}, given, wanted)

    def _errors(
        self,
        answers: Mapping[str, Sequence[Sequence[Array]]],
        given: Sequence[Sequence[Array]],
        wanted: Sequence[Sequence[Array]],
    ) -> Errors:
        worst: dict[tuple[str, str], float] = {}
        for b, reference in enumerate(wanted):
            if not self._alike(given[b], reference):
                continue
            ordered = tuple(_ordered(found, right) for found, right in zip(given[b], reference))
            found = {leg: of[b] for leg, of in answers.items()} | {"model": ordered, "reference": tuple(reference)}
            for one, other in pairs(found):
                error = max(apart(x, y) for x, y in zip(found[one], found[other]))
                worst[one, other] = max(worst.get((one, other), 0.0), error)
        return worst

    def _alike(self, given: Sequence[Array], reference: Sequence[Array]) -> bool:
        """True if the model has as many outputs, of the same shapes in some order of axes; else that is told."""
        if len(given) != len(reference):
            problem = f"the model gives {len(given)} outputs, the net {len(reference)}"
        else:
            odd = [(x, y) for x, y in zip(given, reference) if not any(o.shape == y.shape for o in _orders(x))]
            if not odd:
                return True
            (found, right), *_ = odd
            problem = f"the model gives {list(found.shape)}, and the net {list(right.shape)}, samples first"
        if problem not in self.problems:
            self.problems.append(problem)
        return False

    def _sharper(self, outputs: Errors) -> Errors:
        """The errors in float64, where all can work in that and rounding alone was the difference."""
        try:
            found = self._outputs("float64")
        except ModelFailed:
            return outputs
        if found.keys() != outputs.keys() or not all(error <= self.tolerance for error in found.values()):
            return outputs
        self.notes.append(
            f"rounding has grown to {max(outputs.values()):.1e} in what comes out, so that is compared in float64"
        )
        return found

    def _reference(self, net: CheckedNet, inputs: Sequence[Array]) -> list[Array]:
        names = [port.name for port in net.net.body.inputs]
        return Reference(net, self.weights).listed(**dict(zip(names, inputs)))

    # --- layer by layer -----------------------------------------------------------------------------------------------

    def _layers(self) -> tuple[LayerLine, ...]:
        """The layers whose modules can be seen in the model, up to the first that differs, which is told."""
        self.progress("comparing layer by layer")
        parts = self.model.run(self.batches[0], "float32", True).parts
        lines = []
        for line in self._seen(parts):
            lines.append(line)
            if not line.error <= self.tolerance:
                told = f"`{line.path}` ({line.kind}) is the first layer that differs from the model"
                self.problems.append(f"{told}, by {line.error:.1e}")
                break
        return tuple(lines)

    def _seen(self, parts: Mapping[str, Array]) -> Iterator[LayerLine]:
        """A line for each layer that the model has as a module of its own, without what is fused into it."""
        shown, layers = expose(self.net)
        values = self._reference(shown, self.batches[0])[len(self.net.net.body.outputs) :]
        modules, rows = self._modules(), {row.path: row for row in self.net.rows}
        steps = dict(steps_of(self.net.net.body))
        for (path, place, _), value in zip(layers, values):
            part = parts.get(modules.get(path, ""))
            if (
                part is None
                or place
                or _is_fused(steps[path])
                or not any(o.shape == value.shape for o in _orders(part))
            ):
                continue
            found = _ordered(part, value)
            counts: dict[str, Any] = {"checker": rows[path].figures.params}
            shapes = {"checker": value.shape[1:], "model": found.shape[1:]}
            yield LayerLine(path, rows[path].kind, shapes, counts, {("model", "reference"): apart(found, value)})

    def _modules(self) -> dict[str, str]:
        """The name that the model has for the module of each layer, by the layer's path."""
        if self.model.about["form"] != "torch":
            return {}
        found = {}
        for held in torch_target(self.net).spelling.held:
            found[held.layer] = held.key.rpartition(".")[0]
        return found


def _is_fused(step: Step) -> bool:
    """True if the layer applies an activation as well, which hand-written code has behind its module."""
    return getattr(step.layer, "activation", None) is not None


def _orders(array: Array) -> Iterator[Array]:
    """An array as it may stand in the language's order: as it is, or with its channels moved to the end."""
    yield array
    if array.ndim > 2:
        yield array.transpose(0, *range(2, array.ndim), 1)


def _ordered(array: Array, right: Array) -> Array:
    """An array in the order of axes in which it comes nearer to another."""
    fitting = [found for found in _orders(array) if found.shape == right.shape]
    return min(fitting, key=lambda found: apart(found, right)) if prod(array.shape) else fitting[0]
