"""The processes in which the legs run, one for each, started when they are first needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from ..base.record import TYPE_CHECKING, Record
from ..base.stopping import Scratch, Undone, kill
from .legs import LEGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from ..layers.base import Array
    from ..weights.targets import Target
    from .legs import Leg

    Meanwhile = TypeVar("Meanwhile")


class Answer(Record):
    """What a framework made of a job.

    `error` says what failed, empty if nothing did; `kind` is the class of the error, or `Refused` where the generated
    code itself says that it does not take a value. `outputs` has a list for each batch; `gradients` are by the
    framework's names, as are `shapes` and `trainable`. Shapes are there after an error, too, where a model was made.
    `renamed` says that the model has other names for the same arrays; with `outlined` it did not get the weights, and
    the outputs are zeros of the right shapes.
    """

    error: str
    kind: str
    shapes: Mapping[str, tuple[int, ...]]
    trainable: Mapping[str, bool]
    outputs: tuple[tuple[Array, ...], ...]
    gradients: Mapping[str, Array]
    # what the weights add to the loss
    penalty: float = 0.0
    renamed: bool = False
    outlined: bool = False


class Job(Record):
    """A model to build and to run on batches of inputs; with `directions`, the gradients on the first batch, too.

    With `structure` it gets no weights, and what comes out are zeros of the right shapes, if the framework can tell
    them without numbers. With `loose` the model may call other layers than its target says, if they hold no
    weights, and have other names for its arrays. `leg` is what runs it, by default the framework of the target; `axes`
    name the sizes of each input that may vary from batch to batch, in the language's order, where the leg has to know.
    """

    target: Target
    weights: Mapping[str, Array]
    batches: Sequence[Sequence[Array]]
    directions: Sequence[Array] = ()
    training: bool = False
    dtype: str = "float32"
    structure: bool = False
    loose: bool = False
    leg: str = ""
    axes: Sequence[Sequence[str]] = ()

    @property
    def runs_in(self) -> str:
        """The leg that runs it."""
        return self.leg or self.target.framework


class WorkerPool:
    """Runs jobs, as a context. `worker` is the module of its processes, `legs` are those that it knows."""

    worker = "netspec.verify.worker"
    legs: Mapping[str, Leg] = LEGS

    def __init__(self) -> None:
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.scratch = Scratch()
        self.held = Undone(lambda: kill(self.processes.values()))
        self.count = 0

    def __enter__(self) -> WorkerPool:
        self.scratch.__enter__()
        self.held.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.held.__exit__()
        self.scratch.__exit__()

    def start(self, job: Job) -> str:
        """Hand a job to the process of its leg; the place where the answer will lie."""
        self.count += 1
        folder = os.path.join(self.scratch.path, str(self.count))
        os.mkdir(folder)
        _write(folder, job)
        process = self._process(job.runs_in)
        assert process.stdin is not None
        try:
            process.stdin.write(folder + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died: `answer` finds that out
        return folder

    def answer(self, job: Job, folder: str) -> Answer:
        """Wait for what became of a job."""
        process = self._process(job.runs_in)
        assert process.stdout is not None
        line = process.stdout.readline().rstrip("\n")
        if line != folder:
            code = process.wait()
            del self.processes[self.place(job.runs_in)]
            return Answer(
                f"the process of {self.legs[job.runs_in].title} ended with status {code}", "Died", {}, {}, (), {}
            )
        found = _read(folder, job)
        shutil.rmtree(folder, ignore_errors=True)
        return found

    def place(self, leg: str) -> str:
        """The name of the process that runs a leg."""
        return leg

    def _process(self, leg: str) -> subprocess.Popen[str]:
        place = self.place(leg)
        if place not in self.processes:
            code = f"from {self.worker} import main; main({place!r})"
            path = os.pathsep.join(p or os.getcwd() for p in sys.path)
            self.processes[place] = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if os.environ.get("NETSPEC_DEBUG") else subprocess.DEVNULL,
                encoding="utf-8",
                env={**os.environ, **self.legs[leg].environment, "PYTHONPATH": path},
            )
        return self.processes[place]


def together(
    pool: WorkerPool, jobs: Sequence[Job], meanwhile: Callable[[], Meanwhile]
) -> tuple[dict[str, Answer], list[tuple[Job, str]], Meanwhile]:
    """Answers of all legs that could do it, by name; the jobs of others with why not; and what was done
    meanwhile. Raises ModuleNotFoundError where a framework is not installed."""
    places = [pool.start(job) for job in jobs]
    found = meanwhile()
    answers: dict[str, Answer] = {}
    refused = []
    for job, place in zip(jobs, places):
        answer = pool.answer(job, place)
        if answer.kind == "MissingFramework":
            raise ModuleNotFoundError(answer.error)
        if answer.error:
            refused.append((job, answer.error))
        else:
            answers[job.runs_in] = answer
    return answers, refused, found


def _write(folder: str, job: Job) -> None:
    import numpy as np

    target = job.target
    arrays = {} if job.structure else target.spelling.put(job.weights)
    names = list(target.spelling.shapes)
    found = {f"weight{k}": arrays[name].astype(job.dtype) for k, name in enumerate(names) if name in arrays}
    for b, inputs in enumerate(job.batches):
        found |= {f"input{b}_{k}": _as(array, job.dtype) for k, array in enumerate(inputs)}
    found |= {f"direction{k}": _as(array, job.dtype) for k, array in enumerate(job.directions)}
    np.savez(os.path.join(folder, "arrays.npz"), **found)  # type: ignore[arg-type]  # NumPy's stub takes them for flags
    with open(os.path.join(folder, "job.json"), "w", encoding="utf-8") as file:
        json.dump(
            {
                "leg": job.runs_in,
                "net": target.net,
                "text": target.text,
                "names": names,
                "shapes": list(target.spelling.shapes.values()),
                "calls": target.calls,
                "dtype": job.dtype,
                "batches": len(job.batches),
                "inputs": len(job.batches[0]),
                "directions": len(job.directions),
                "training": job.training,
                "structure": job.structure,
                "loose": job.loose,
                "axes": [list(axes) for axes in job.axes],
            },
            file,
        )


def _as(array: Array, dtype: str) -> Array:
    return array if array.dtype.kind in "ib" else array.astype(dtype)


def _read(folder: str, job: Job) -> Answer:
    import numpy as np

    with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
        found = json.load(file)
    shapes = {name: tuple(shape) for name, shape in found.get("shapes", {}).items()}
    if "error" in found:
        return Answer(found["error"], found["kind"], shapes, {}, (), {})
    with np.load(os.path.join(folder, "result.npz"), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    outputs = []
    for b in range(len(job.batches)):
        count = sum(name.startswith(f"output{b}_") for name in arrays)
        outputs.append(tuple(arrays[f"output{b}_{k}"] for k in range(count)))
    names = list(job.target.spelling.shapes)
    gradients = {n: arrays[f"gradient{k}"] for k, n in enumerate(names) if f"gradient{k}" in arrays}
    told = found["penalty"], found["renamed"], found["outlined"]
    return Answer("", "", shapes, found["trainable"], tuple(outputs), gradients, *told)
