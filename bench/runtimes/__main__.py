"""Generated code in every runtime: `python -m bench.runtimes [--only NAME...] [--way WAY...] [--zoo] [--page]`.

Takes every example of every layer, with `--zoo` the specs of the zoo (made small by their settings), builds the
code and runs it in each way on random weights, at several batches and sizes, against the NumPy reference. What was
found is kept in `bench/runtimes/table.csv`, one row for a net and a way. `--missing` takes what is not there yet, from
the cheapest net on, and `--seconds N` begins nothing after N seconds, so that a long run can be cut in slices. `--page`
writes `docs/runtimes.md` from the table. Exit status 1 where a way differs.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.zoo import ROOT
from netspec.analysis.static_batch import static_batch
from netspec.api import check
from netspec.base.diagnostics import SpecError
from netspec.base.source import Source
from netspec.base.stopping import kill
from netspec.files import ZOO, zoo_names
from netspec.layers import LAYERS
from netspec.reference import Reference
from netspec.verify.legs import varying
from netspec.verify.pool import Job, WorkerPool
from netspec.verify.verdict import apart
from netspec.weights.samples import random_inputs, random_weights, sizes_that_fit
from netspec.weights.targets import target_for

from .page import PAGE, page
from .small import cost, shallow, small
from .table import keep, kept, versions
from .ways import CONVERTED, ONE_BATCH, STYLES, WAYS, place

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from typing import Any

    from netspec.ir.types import CheckedNet
    from netspec.layers.base import Array
    from netspec.verify.pool import Answer
    from netspec.weights.targets import Target

    Row = dict[str, str]

# bfloat16 has 8 bits: what it comes to behind several layers
_ROUNDING, _COARSE = 1e-4, 0.1
# a process that holds so many bytes is ended
_LARGE = 3_000_000_000


class Ways(WorkerPool):
    """Processes that are ended where they take longer than `longest` seconds for a net and a way."""

    worker = "bench.runtimes.worker"
    legs = WAYS

    def __init__(self, longest: float) -> None:
        super().__init__()
        self.longest, self.late = longest, False

    def place(self, leg: str) -> str:
        return place(leg)

    def answer(self, job: Job, folder: str) -> Answer:
        self.late = False
        timer = threading.Timer(self.longest, self._end, [self._process(job.runs_in)])
        timer.start()
        try:
            return super().answer(job, folder)
        finally:
            timer.cancel()
            self._end_large(self.place(job.runs_in))

    def _end_large(self, place: str) -> None:
        """End a process that has come to hold much: frameworks keep what they traced. The next job gets a new one."""
        process = self.processes.get(place)
        if process is not None and _held(process.pid) > _LARGE:
            kill([self.processes.pop(place)])

    def _end(self, process: subprocess.Popen[str]) -> None:
        self.late = True
        kill([process])


def _held(pid: int) -> int:
    """The bytes in memory of a process; 0 where the system does not say so."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


class Tried:
    """A net with random weights, at several batches and sizes."""

    def __init__(self, name: str, net: CheckedNet, counts: Sequence[int], positive: bool = False) -> None:
        self.name, self.net, self.counts, self.positive = name, net, counts, positive
        self.static = static_batch(net)

    @cached_property
    def weights(self) -> dict[str, Array]:
        return random_weights(self.net, np.random.default_rng(1))

    @cached_property
    def batches(self) -> list[list[Array]]:
        rng = np.random.default_rng(0)
        counts = (self.static,) if self.static is not None else self.counts
        found = [random_inputs(self.net, rng, count, sizes) for sizes in sizes_that_fit(self.net) for count in counts]
        return [[abs(x) + 0.5 for x in batch] for batch in found] if self.positive else found

    @cached_property
    def wanted(self) -> list[Sequence[Array]]:
        names, reference = [port.name for port in self.net.net.body.inputs], Reference(self.net, self.weights)
        return [reference.listed(**dict(zip(names, batch))) for batch in self.batches]

    def job(self, target: Target, way: str, dtype: str = "float32") -> Job:
        batches = self.batches[:1] if way in ONE_BATCH else self.batches
        return Job(target, self.weights, batches, dtype=dtype, leg=way, axes=varying(self.net, self.static))

    def halved(self) -> Tried:
        """The same with kernels half as large, so that what goes through the net grows less."""
        found = Tried(self.name, self.net, self.counts, self.positive)
        found.weights = {path: array / 2 if array.ndim > 1 else array for path, array in self.weights.items()}
        return found

    def apart(self, answer: Answer) -> float:
        """The largest error of an answer."""
        return max(apart(a, b) for of, found in zip(self.wanted, answer.outputs) for a, b in zip(of, found))


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    rows = kept()
    if options.page:
        PAGE.write_text(page(list(rows.values())), encoding="utf-8")
        return 0
    end, found = time.monotonic() + options.seconds, []
    with Ways(options.longest) as pool:
        held = {(_spec(net), way) for net, way in rows} if options.missing else set()
        for tried in specs(options.only, options.shallow) if options.zoo else layers(options.only):
            ways = [way for way in options.way if (_spec(tried.name), way) not in held]
            for way in ways:
                if time.monotonic() > end:
                    break
                rows[tried.name, way] = row = outcome(tried, way, pool)
                found.append(row["verdict"])
                _tell(row)
            if ways:
                keep(rows)
    print({verdict: found.count(verdict) for verdict in dict.fromkeys(found)}, file=sys.stderr)
    return 1 if "differs" in found else 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.runtimes", description=__doc__)
    parser.add_argument("--only", metavar="NAME", nargs="+", default=[], help="these layers, or with --zoo these specs")
    parser.add_argument("--way", choices=WAYS, nargs="+", default=list(WAYS), help="default: all")
    parser.add_argument("--zoo", action="store_true", help="specs of the zoo instead of layers")
    parser.add_argument("--shallow", action="store_true", help="with --zoo: deep specs repeat their blocks less often")
    parser.add_argument("--missing", action="store_true", help="only what the table has not yet")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing after so many seconds")
    parser.add_argument("--longest", type=float, default=240, help="end a net in a way after so many seconds")
    parser.add_argument("--page", action="store_true", help="write docs/runtimes.md from the table, and run nothing")
    return parser.parse_args(words)


def _spec(net: str) -> str:
    """What a net of the table was made of: `zoo:resnet50` of `zoo:resnet50 classes=10`; a layer stands for itself."""
    return net.partition(" ")[0] if net.startswith(ZOO) else net


def _tell(row: Row) -> None:
    if row["verdict"] not in ("equal", "converted", "no code"):
        print(f"{row['way']}: {row['net']}: {row['verdict']} {row['error']} {row['message']}", flush=True)


def layers(only: Sequence[str]) -> Iterator[Tried]:
    """A net of one layer for each example of each layer."""
    sys.path.insert(0, str(ROOT / "tests"))
    from test_layer_examples import spec

    seen: set[str] = set()
    for kind, layer in LAYERS.items():
        for example in layer.examples if kind == layer.kind and (not only or kind in only) else ():
            bools = len(example.shape) if layer.takes == "bool" else example.conditions
            found = check(Source("runtimes.net", spec(example, bools))).checked
            assert found is not None
            assert found.ok, example.code
            name = example.code if example.code not in seen else f"{example.code} on {_shapes(example.shape)}"
            if name not in seen:
                seen |= {name, example.code}
                yield Tried(name, found, (3, 1), example.positive)


def _shapes(shape: Sequence[Any]) -> str:
    """`[5, 4]`, or several."""
    several = shape if shape and isinstance(shape[0], tuple) else (shape,)
    return ", ".join(str(list(one)) for one in several)


def specs(only: Sequence[str], fewer: bool) -> Iterator[Tried]:
    """The specs, the cheapest first; with `fewer` repeats where they are deep."""
    nets = [(name, *(shallow if fewer else small)(name)) for name in only or zoo_names()]
    for name, net, settings in sorted(nets, key=lambda found: cost(found[1])):
        yield Tried(" ".join((f"zoo:{name}", *(f"{key}={value}" for key, value in settings.items()))), net, (2, 1))


def outcome(tried: Tried, way: str, pool: Ways) -> Row:
    """What became of a net in a way."""
    row = {"net": tried.name, "way": way, "verdict": "equal", "error": "", "message": "", "versions": versions(way)}
    try:
        target = target_for(WAYS[way].code, tried.net, STYLES.get(way, {}))
    except SpecError:
        return {**row, "verdict": "no code"}
    found = _judged(tried, tried.job(target, way), pool)
    if found["verdict"] == "differs" and not way.startswith("mixed"):
        found = {**_steadier(tried, target, way, pool), "message": f"in float32 {found['error']}"}
    return {**row, **found}


def _steadier(tried: Tried, target: Target, way: str, pool: Ways) -> Row:
    """The verdict where rounding cannot grow past all bounds on a long way: in float64, or on numbers that shrink."""
    found = _judged(tried, tried.job(target, way, "float64"), pool)
    if found["verdict"] != "equal":
        calm = tried.halved()
        found = _judged(calm, calm.job(target, way), pool)
    return found


def _judged(tried: Tried, job: Job, pool: Ways) -> Row:
    """The verdict on a job, with what goes with it."""
    answer = pool.answer(job, pool.start(job))
    if answer.kind == "Died" and pool.late:
        return {"verdict": "no time", "error": "", "message": f"more than {pool.longest:.0f} seconds"}
    if answer.kind == "Died" and answer.error.endswith(" -9"):
        return {"verdict": "no time", "error": "", "message": "the system ended it for want of memory"}
    if answer.error:
        return {"verdict": "refused", "error": "", "message": _short(answer.error)}
    if job.leg in CONVERTED:
        return {"verdict": "converted", "error": "", "message": ""}
    worst = tried.apart(answer)
    agree = worst <= (_COARSE if job.runs_in.startswith("mixed") else _ROUNDING)
    return {"verdict": "equal" if agree else "differs", "error": f"{worst:.1e}", "message": ""}


def _short(error: str) -> str:
    """The first line that says something, of a length that a table takes."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", error)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return re.sub(r"(?<![:/\w])/\S*/", "", " ".join(lines[:2]))[:160] if lines else "no message"


if __name__ == "__main__":
    sys.exit(main())
