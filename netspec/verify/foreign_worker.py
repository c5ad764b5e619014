"""A model that netspec did not write, in a process of its own, for what its code does is its own affair.

The first line on standard input is JSON: the model, and the folder for its weights. Each further line is a folder with
`inputs.npz`; `outputs.npz` is written beside it. A line of JSON on standard output says what became of each.
"""

from __future__ import annotations

import json
import os
import sys

from ..base.record import TYPE_CHECKING
from ..runtime.code import MissingFramework
from ..runtime.foreign import ForeignError, open_model

if TYPE_CHECKING:
    from typing import Any

    from ..runtime.foreign import ForeignModel


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the model prints is no answer
    model = None
    for line in sys.stdin:
        job = json.loads(line)
        try:
            if model is None:
                model = open_model(job["model"])
                found = _described(model, job["folder"])
            else:
                found = _run(model, job)
        except (ForeignError, MissingFramework) as error:
            found = {"error": str(error), "missing": isinstance(error, MissingFramework)}
        except Exception as error:  # the user's code may fail in any way, which is what is to be told
            found = {"error": f"{type(error).__name__}: {error}", "missing": False}
        answers.write(json.dumps(found) + "\n")
        answers.flush()


def _described(model: ForeignModel, folder: str) -> dict[str, Any]:
    path = os.path.join(folder, f"weights{model.suffix}")
    model.save(path)
    return {"weights": path, "form": model.form, "batch": model.batch}


def _run(model: ForeignModel, job: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    with np.load(os.path.join(job["folder"], "inputs.npz"), allow_pickle=False) as held:
        inputs = [held[f"input{k}"] for k in range(len(held.files))]
    outputs = model(inputs, job["dtype"])
    traced = model.traced(inputs) if job["traced"] else {}
    arrays = {f"output{k}": y for k, y in enumerate(outputs)} | {f"part{k}": y for k, y in enumerate(traced.values())}
    np.savez(os.path.join(job["folder"], "outputs.npz"), **arrays)  # type: ignore[arg-type]  # as in `pool`
    return {"outputs": len(outputs), "parts": list(traced)}
