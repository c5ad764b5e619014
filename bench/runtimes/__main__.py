"""Generated code in every runtime: `python -m bench.runtimes [--only NAME...] [--way WAY...] [--zoo] [--page]`.

Takes the first example of every layer, with `--zoo` the specs of the zoo (large nets see small images), builds the code
and runs it in each way on random weights, at several batches and sizes, against the NumPy reference. What was found is
kept in `bench/runtimes/table.csv`, one row for a net and a way; `--page` writes `docs/runtimes.md` from it. Exit status
1 where a way differs.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from bench.zoo import ROOT, within_reach
from netspec.api import check
from netspec.diagnostics import SpecError
from netspec.emit.keras_file import static_batch
from netspec.files import zoo_names
from netspec.reference import Reference
from netspec.source import Source
from netspec.stopping import kill
from netspec.verify.legs import varying
from netspec.verify.pool import Job, Pool
from netspec.verify.verdict import apart
from netspec.weights.samples import random_inputs, random_weights, sizes_that_fit
from netspec.weights.targets import TARGETS

from .page import PAGE, page
from .ways import ONE_BATCH, WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netspec.ir import CheckedNet
    from netspec.verify.pool import Answer

TABLE = ROOT / "bench" / "runtimes" / "table.csv"
_FIELDS = ("net", "way", "verdict", "error", "message")
# seconds that a net may take in a way
_LONGEST = 240
# bfloat16 has 8 bits: what it comes to behind several layers
_ROUNDING, _COARSE = 1e-4, 0.1


class Ways(Pool):
    """Processes that are ended where they take too long."""

    worker = "bench.runtimes.worker"
    legs = WAYS

    def answer(self, job: Job, folder: str) -> Answer:
        process = self._process(job.runs_in)
        timer = threading.Timer(_LONGEST, lambda: kill([process]))
        timer.start()
        try:
            return super().answer(job, folder)
        finally:
            timer.cancel()


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.runtimes", description=__doc__)
    parser.add_argument("--only", metavar="NAME", nargs="+", default=[], help="these layers, or with --zoo these specs")
    parser.add_argument("--way", choices=WAYS, nargs="+", default=list(WAYS), help="default: all")
    parser.add_argument("--zoo", action="store_true", help="specs of the zoo instead of layers")
    parser.add_argument("--page", action="store_true", help="write docs/runtimes.md from the table, and run nothing")
    options = parser.parse_args(words)
    rows = _kept()
    if options.page:
        PAGE.write_text(page(list(rows.values())), encoding="utf-8")
        return 0
    differs = 0
    for way in options.way:
        with Ways() as pool:
            for name, net in _zoo(options.only) if options.zoo else _layers(options.only):
                row = _row(name, net, way, pool)
                rows[name, way] = row
                differs += row["verdict"] == "differs"
                if row["verdict"] not in ("equal", "no code"):
                    print(f"{way}: {name}: {row['verdict']} {row['error']} {row['message']}", flush=True)
        _keep(rows)
        found = [row["verdict"] for (_, of), row in rows.items() if of == way]
        print(way, {verdict: found.count(verdict) for verdict in dict.fromkeys(found)}, file=sys.stderr, flush=True)
    return 1 if differs else 0


def _layers(only: Sequence[str]) -> Iterator[tuple[str, CheckedNet]]:
    """A net of one layer for each layer, as its first example shows it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from test_layer_examples import EXAMPLES, spec

    seen: set[str] = set()
    for example in EXAMPLES:
        name = (re.match(r"\w+", example.code) or [""])[0]
        if name in seen or (only and name not in only) or example.positive:
            continue
        seen.add(name)
        found = check(Source("runtimes.net", spec(example))).checked
        assert found is not None
        yield example.code, found


def _zoo(only: Sequence[str]) -> Iterator[tuple[str, CheckedNet]]:
    for name in only or zoo_names():
        yield f"zoo:{name}", within_reach(name)[0]


def _row(name: str, net: CheckedNet, way: str, pool: Ways) -> dict[str, str]:
    """What became of a net in a way."""
    row = {"net": name, "way": way, "verdict": "equal", "error": "", "message": ""}
    try:
        target = TARGETS[WAYS[way].code](net)
    except SpecError:
        return {**row, "verdict": "no code"}
    rng, static = np.random.default_rng(0), static_batch(net)
    weights = random_weights(net, rng)
    counts = (static,) if static is not None else (3, 1)
    batches = [random_inputs(net, rng, count, sizes) for sizes in sizes_that_fit(net) for count in counts]
    batches = batches[:1] if way in ONE_BATCH else batches
    job = Job(target, weights, batches, leg=way, axes=varying(net, static))
    answer = pool.answer(job, pool.start(job))
    if answer.error:
        return {**row, "verdict": "refused", "message": _short(answer.error)}
    names = [port.name for port in net.net.body.inputs]
    wanted = [Reference(net, weights).listed(**dict(zip(names, batch))) for batch in batches]
    worst = max(apart(a, b) for of, found in zip(wanted, answer.outputs) for a, b in zip(of, found))
    if not worst <= (_COARSE if way.startswith("mixed") else _ROUNDING):
        row["verdict"] = "differs"
    return {**row, "error": f"{worst:.1e}"}


def _short(error: str) -> str:
    """The first line that says something, of a length that a table takes."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", error)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return re.sub(r"(?<![:/\w])/\S*/", "", " ".join(lines[:2]))[:160] if lines else "no message"


# --- the table -------------------------------------------------------------------------------------------------------


def _kept() -> dict[tuple[str, str], dict[str, str]]:
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["net"], row["way"]): row for row in csv.DictReader(file)}


def _keep(rows: dict[tuple[str, str], dict[str, str]]) -> None:
    order = list(WAYS)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, (*_FIELDS, "versions"), lineterminator="\n")
        writer.writeheader()
        for row in sorted(rows.values(), key=lambda row: (order.index(row["way"]), row["net"])):
            writer.writerow({"versions": _versions(row["way"]), **row})


def _versions(way: str) -> str:
    """The packages that a way needs, with their versions here."""
    names = {"torch": ("torch",), "keras": ("keras", "tensorflow-cpu", "jax", "torch")}[WAYS[way].code]
    backend = WAYS[way].environment.get("KERAS_BACKEND", "")
    names = tuple(n for n in names if not backend or n == "keras" or n.startswith(backend))
    more = {"onnxruntime": ("onnx", "onnxscript", "onnxruntime"), "keras-onnx": ("tf2onnx", "onnxruntime")}
    more |= {"openvino": ("openvino",), "litert": ("litert-torch",)}
    more |= {"executorch": ("executorch",), "executorch-xnnpack": ("executorch",)}
    return " ".join(f"{name} {_version(name)}" for name in (*names, *more.get(way, ())))


def _version(name: str) -> str:
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return "missing"


if __name__ == "__main__":
    sys.exit(main())
