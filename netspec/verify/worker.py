"""One leg in a process of its own: it reads jobs, builds the model of each and runs it.

A job is a folder with `job.json` and `arrays.npz`; the folder's name comes as a line on standard input. What was found
is written beside them as `result.json` and `result.npz`, and a line on standard output says that it is there.
"""

from __future__ import annotations

import json
import os
import re
import sys

from ..base.record import TYPE_CHECKING
from ..runtime.code import MissingFramework, ModelError
from .legs import LEGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..layers.base import Array


def main(leg: str, make: Callable[[str, dict[str, Any], list[Array]], Any] | None = None) -> None:
    """Serve jobs until standard input ends. `make` makes the model of a leg, a job and its first batch."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the framework prints is no answer
    for line in sys.stdin:
        folder = line.rstrip("\n")
        try:
            found, arrays = _run(leg, folder, make or _model)
        except (MissingFramework, ModelError) as error:
            found, arrays = {"error": str(error), "kind": type(error).__name__, "shapes": _shapes_at(error)}, {}
        except Exception as error:  # generated code may fail in any way, which is what is to be found out
            found, arrays = _failed(error), {}
        _write(folder, found, arrays)
        answers.write(folder + "\n")
        answers.flush()


def _failed(error: Exception) -> dict[str, Any]:
    """What went wrong, and where in the generated code; or that this refuses a value."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    places = [f for f in frames if f.filename.startswith("<netspec_")]
    if isinstance(error, ValueError) and places[-1:] == frames[-1:] and (frames[-1].line or "").startswith("raise "):
        return {"error": str(error), "kind": "Refused"}
    where = f" at line {places[-1].lineno} of the code, `{places[-1].line}`" if places else ""
    told = re.sub(r"\x1b\[[0-9;]*m", "", f"{error}")  # colours of a library's own
    return {"error": f"{type(error).__name__}: {told}{where}", "kind": "Exception"}


def _shapes_at(error: Exception) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays of a model that does not fit, if there is one."""
    return getattr(error, "shapes", {})


def _write(folder: str, found: dict[str, Any], arrays: dict[str, Array]) -> None:
    import numpy as np

    np.savez(os.path.join(folder, "result.npz"), **arrays)  # type: ignore[arg-type]  # NumPy's stub takes them for flags
    with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
        json.dump(found, file)


def _run(leg: str, folder: str, make: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    import numpy as np

    with open(os.path.join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    with np.load(os.path.join(folder, "arrays.npz"), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    batches = [[arrays[f"input{b}_{k}"] for k in range(job["inputs"])] for b in range(job["batches"])]
    model = make(leg, job, batches[0])
    wanted = {name: tuple(shape) for name, shape in zip(job["names"], job["shapes"])}
    renamed = job["loose"] and model.renamed(wanted)
    reordered = job["loose"] and model.reordered(wanted)  # then no name says which array is which
    told = {"shapes": wanted if reordered else model.shapes, "trainable": {} if reordered else model.trainable}
    told |= {"renamed": renamed or reordered, "outlined": job["structure"] or reordered}
    if told["outlined"]:
        return {**told, "penalty": 0.0}, _outlines(model, batches)
    model.load({name: arrays[f"weight{k}"] for k, name in enumerate(job["names"])})
    found: dict[str, Array] = {}
    for b, inputs in enumerate(batches):
        for k, output in enumerate(model(inputs)):
            found[f"output{b}_{k}"] = output
    if job["directions"]:
        directions = [arrays[f"direction{k}"] for k in range(job["directions"])]
        gradients = model.gradients(batches[0], directions, job["training"])
        found |= {f"gradient{job['names'].index(name)}": array for name, array in gradients.items()}
    return {**told, "penalty": model.penalty()}, found


def _outlines(model: Any, batches: list[list[Array]]) -> dict[str, Array]:
    """Zeros of the shapes of what comes out; none where only numbers tell."""
    return {f"output{b}_{k}": zeros for b, given in enumerate(batches) for k, zeros in enumerate(model.outlines(given))}


def _model(leg: str, job: dict[str, Any], example: list[Array]) -> Any:
    if leg == "torch":
        from ..runtime.torch_model import TorchModel

        return TorchModel(job["text"], job["net"], job["dtype"], "meta" if job["structure"] else "cpu")
    if LEGS[leg].code == "torch":
        from ..runtime.torch_runtimes import RUNTIMES

        return RUNTIMES[leg](job["text"], job["net"], job["axes"], job["dtype"])
    from ..runtime.keras_model import KerasModel

    words = job["text"], job["net"], job["names"], job["calls"]
    return KerasModel(*words, lambda: example, job["dtype"], job["structure"], job["loose"])
