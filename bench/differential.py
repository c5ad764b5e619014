"""Random nets, long: are the checker, PyTorch, Keras and NumPy of one mind on whatever can be written?

`python -m bench.differential --networks 2000 [--seed N] [--jobs N] [--out DIR]`. Network k of a run is drawn from the
seed N + k alone, by the strategy that the tests use (`randomly` in `tests/support`), and judged as there (`verdicts`):
shapes, counts and numbers, for two batch sizes and, where sizes are symbols, two sizes. `DIR/results.jsonl` has a
line for each; a run that was interrupted goes on from there. A spec that fails is shrunk (`shrink`) and kept as
`DIR/fault-SEED.net`, with what went wrong and how to see it again above it. `--spec FILE` judges such a file.
Exit status 1 where there was a fault.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

from netspec.base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))


class Task(Record):
    """One network to draw and judge, and whether to shrink it where it fails."""

    seed: int
    out: str
    shrinks: bool


def judged(task: Task) -> dict[str, Any]:
    """What became of the network of a seed, as a line of the results."""
    import verdicts
    from randomly import Dice, spec_of

    start = time.perf_counter()
    text = spec_of(Dice(task.seed))
    verdict = verdicts.judge(text)
    if verdict.kind == "fault":
        _record(task, verdicts.shrunk(text, verdict) if task.shrinks else text, verdict.message)
    return {
        "seed": task.seed,
        "kind": verdict.kind,
        "sign": verdict.sign,
        "dtype": verdict.dtype,
        "errors": dict(verdict.errors),
        "refused": dict(verdict.refused),
        "lines": len(text.splitlines()),
        "seconds": round(time.perf_counter() - start, 2),
    }


def _record(task: Task, text: str, message: str) -> None:
    """Keep a spec that fails, with its story as a comment."""
    path = Path(task.out) / f"fault-{task.seed}.net"
    told = [
        f"network {task.seed}; to see it: python -m bench.differential --spec {path}",
        *message.strip().splitlines(),
    ]
    path.write_text("".join(f"# {line}\n" for line in told) + text.strip() + "\n", encoding="utf-8")


# --- the run ---------------------------------------------------------------------------------------------------------


def results(tasks: Sequence[Task], jobs: int) -> Iterator[dict[str, Any]]:
    """A result for each task, as they are ready. Processes are new after a while, since TensorFlow keeps much."""
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=200) as pool:
        yield from pool.imap_unordered(judged, tasks)


def _known(path: Path) -> dict[int, dict[str, Any]]:
    """The results of an earlier run, by seed; a last line that was cut off is left out."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if line.endswith("}"):
            result = json.loads(line)
            found[result["seed"]] = result
    return found


class Tally:
    """Counts and worst errors of many results."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.worst: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, result: dict[str, Any]) -> None:
        self.kinds[result["kind"]] += 1
        if result["kind"] == "fault":
            self.faults[result["sign"]] += 1
        self.refusals.update(result["refused"].keys())
        for pair, error in result["errors"].items():
            key = (result["dtype"], pair)
            self.worst[key] = max(self.worst.get(key, (0.0, 0)), (error, result["seed"]))

    def line(self, total: int, seconds: float) -> str:
        count = self.kinds.total()
        told = ", ".join(f"{n} {kind}" for kind, n in self.kinds.most_common())
        return f"{count}/{total} in {seconds:.0f} s: {told}"

    def report(self) -> str:
        lines = ["", "worst relative errors"]
        for (dtype, pair), (error, seed) in sorted(self.worst.items()):
            lines.append(f"  {dtype}  {pair:<12} {error:.1e}  (network {seed})")
        lines += ["what has no form somewhere"] if self.refusals else []
        lines += [f"  {target:<12} {n}" for target, n in self.refusals.most_common()]
        lines += ["faults by sign"] if self.faults else []
        lines += [f"  {n:4} {sign}" for sign, n in self.faults.most_common()]
        return "\n".join(lines)


def run(tasks: Iterable[Task], known: dict[int, dict[str, Any]], log: Path, jobs: int) -> Tally:
    """Judge what is not known yet, and show how it goes."""
    tally, start, shown = Tally(), time.perf_counter(), 0.0
    todo = [task for task in tasks if task.seed not in known]
    for result in known.values():
        tally.add(result)
    total = len(todo) + len(known)
    with log.open("a", encoding="utf-8") as lines:
        for result in results(todo, jobs):
            lines.write(json.dumps(result) + "\n")
            lines.flush()
            tally.add(result)
            now = time.perf_counter() - start
            if result["kind"] == "fault":
                print(f"network {result['seed']}: {result['sign']}", flush=True)
            if now - shown > 10:
                shown = now
                print(tally.line(total, now), flush=True)
    print(tally.line(total, time.perf_counter() - start))
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first one (default: 0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("differential"), help="folder for what is found")
    parser.add_argument("--no-shrink", action="store_true", help="keep specs that fail as they were drawn")
    parser.add_argument("--spec", type=Path, help="judge this spec, and nothing else")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if given.spec is not None:
        import verdicts

        found = verdicts.judge(given.spec.read_text(encoding="utf-8"))
        print(found.kind, found.message, dict(found.errors) or "")
        return int(found.kind == "fault")
    given.out.mkdir(parents=True, exist_ok=True)
    seeds = range(given.seed, given.seed + given.networks)
    log = given.out / "results.jsonl"
    known = {seed: result for seed, result in _known(log).items() if seed in seeds}
    tasks = [Task(seed, str(given.out), not given.no_shrink) for seed in seeds]
    tally = run(tasks, known, log, given.jobs)
    print(tally.report())
    return int(bool(tally.faults))


if __name__ == "__main__":
    sys.exit(main())
