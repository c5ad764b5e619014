"""One framework in a process of its own: it reads jobs, builds the model of each and runs it.

A job is a folder with `job.json` and `arrays.npz`; the folder's name comes as a line on standard input. What was found
is written beside them as `result.json` and `result.npz`, and a line on standard output says that it is there.
"""

from __future__ import annotations

import json
import os
import sys

from ..models.code import MissingFramework, ModelError
from ..record import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from ..layers.base import Array


def main(framework: str) -> None:
    """Serve jobs until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the framework prints is no answer
    for line in sys.stdin:
        folder = line.rstrip("\n")
        try:
            found, arrays = _run(framework, folder)
        except (MissingFramework, ModelError) as error:
            found, arrays = {"error": str(error), "kind": type(error).__name__}, {}
        except Exception as error:  # generated code may fail in any way, which is what is to be found out
            found, arrays = {"error": _reason(error), "kind": "Exception"}, {}
        _write(folder, found, arrays)
        answers.write(folder + "\n")
        answers.flush()


def _reason(error: Exception) -> str:
    """What went wrong, and where in the generated code."""
    import traceback

    places = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith("<netspec_")]
    where = f" at line {places[-1].lineno} of the code, `{places[-1].line}`" if places else ""
    return f"{type(error).__name__}: {error}{where}"


def _write(folder: str, found: dict[str, Any], arrays: dict[str, Array]) -> None:
    import numpy as np

    np.savez(os.path.join(folder, "result.npz"), **arrays)  # type: ignore[arg-type]  # NumPy's stub takes them for flags
    with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
        json.dump(found, file)


def _run(framework: str, folder: str) -> tuple[dict[str, Any], dict[str, Array]]:
    import numpy as np

    with open(os.path.join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    with np.load(os.path.join(folder, "arrays.npz"), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    batches = [[arrays[f"input{b}_{k}"] for k in range(job["inputs"])] for b in range(job["batches"])]
    model = _model(framework, job, batches[0])
    model.load({name: arrays[f"weight{k}"] for k, name in enumerate(job["names"])})
    found: dict[str, Array] = {}
    for b, inputs in enumerate(batches):
        for k, output in enumerate(model(inputs)):
            found[f"output{b}_{k}"] = output
    if job["directions"]:
        directions = [arrays[f"direction{k}"] for k in range(job["directions"])]
        gradients = model.gradients(batches[0], directions, job["training"])
        found |= {f"gradient{job['names'].index(name)}": array for name, array in gradients.items()}
    return {"shapes": model.shapes, "trainable": model.trainable, "penalty": model.penalty()}, found


def _model(framework: str, job: dict[str, Any], example: list[Array]) -> Any:
    if framework == "torch":
        from ..models.torch_model import TorchModel

        return TorchModel(job["text"], job["net"], job["dtype"])
    from ..models.keras_model import KerasModel

    return KerasModel(job["text"], job["net"], job["names"], job["calls"], lambda: example, job["dtype"])
