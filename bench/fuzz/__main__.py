"""Inputs that nobody would write, by the hundred thousand: is each one answered, soon, and without a traceback?

`python -m bench.fuzz --inputs 100000 [--seed N] [--kinds tokens,layers] [--jobs N] [--out DIR]`. Input k of a run is
drawn from the seed N + k alone: texts of the project with bytes, tokens or lines changed, two of them joined, texts
that the grammar makes, one to three layers with any arguments, hostile names, settings, and texts checked in threads
at the same time. Each is checked and reported; some are laid out anew, drawn and built, and names go through every
command. A fault is a traceback, more than a second of CPU (nets of more than 1,000 layers excepted), more than 500 MB,
or a result that is not right: `fmt` that changes a meaning, code that does not compile, a control character that is
shown. Faults of one sign are kept once, made small, in DIR; `--spec FILE` tries such a file again. Exit status 1 where
there was a fault.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.codegen.pipeline import BACKENDS

from .drawing import Drawn
from .judge import Limits, judged
from .kinds import KINDS, Task, task
from .pool import Answer, Found, Plan, answers, isolated
from .shrink import smallest

if TYPE_CHECKING:
    from collections.abc import Sequence

# seconds between two lines that say how it goes
_PAUSE = 20.0
_READ = 2000
SORTS = ("traceback", "time", "memory", "wrong", "killed")


class Tally:
    """What is known of a run by now."""

    def __init__(self) -> None:
        self.fates: Counter[tuple[str, str]] = Counter()
        self.signs: Counter[str] = Counter()

    def add(self, answer: Answer) -> list[Found]:
        """The faults of signs that are new."""
        self.fates.update(answer.fates)
        fresh = [f for n, f in enumerate(answer.faults) if not self.signs[f.fault.sign] and n == _first(answer, f)]
        self.signs.update(f.fault.sign for f in answer.faults)
        return fresh

    def line(self, total: int, seconds: float) -> str:
        done = self.fates.total()
        sorts = Counter(dict.fromkeys(SORTS, 0))
        for (_, fate), count in self.fates.items():
            if fate in sorts:
                sorts[fate] += count
        told = ", ".join(f"{count} {sort}" for sort, count in sorts.items())
        return f"{done:,} of {total:,} in {seconds:.0f} s ({done / max(seconds, 1e-9):.0f} a second): {told}"

    def table(self) -> str:
        fates = sorted({fate for _, fate in self.fates})
        lines = [f"{'':<12}" + "".join(f"{fate:>12}" for fate in ("inputs", *fates))]
        for kind in KINDS:
            counts = [self.fates[kind, fate] for fate in fates]
            if any(counts):
                lines.append(f"{kind:<12}" + "".join(f"{count:>12,}" for count in (sum(counts), *counts)))
        return "\n".join([*lines, *(f"{count:>8,}  {sign}" for sign, count in self.signs.most_common())])


def _first(answer: Answer, found: Found) -> int:
    return next(n for n, f in enumerate(answer.faults) if f.fault.sign == found.fault.sign)


# --- faults as files -------------------------------------------------------------------------------------------------


def keep(found: Found, plan: Plan, out: Path) -> None:
    """A fault as a small file that shows it, with its story beside it."""
    made = smallest(task(found.seed, plan.kinds), found.fault.sign, plan.limits)
    out.mkdir(parents=True, exist_ok=True)
    stem = out / f"{re.sub(r'[^A-Za-z0-9]+', '-', found.fault.sign).strip('-')[:80]}-{found.seed}"
    stem.with_suffix(".net").write_bytes(made.drawn.data)
    told = {"sign": found.fault.sign, "seed": found.seed, "kind": found.kind, "trials": made.trials}
    rest = {n: v for n, v in made.drawn.__dict__.items() if n not in ("data", "twin")} | {
        "others": [repr(o) for o in made.drawn.others]
    }
    story = f"{json.dumps(told | rest, default=str)}\n\n{found.fault.message}\n"
    stem.with_suffix(".txt").write_text(story, encoding="utf-8", errors="backslashreplace")


def retry(path: Path, settings: Sequence[str], plan: Plan) -> int:
    """Try a file with all trials, and say what comes of it."""
    trials = ("check", "fmt", "draw", "torch", *(f"keras-{s}" for s in BACKENDS["keras"]), "commands")
    again = Task(0, "file", Drawn(path.read_bytes(), settings=tuple(settings)), trials)
    answer = isolated(lambda: judged(again, plan.limits), plan.limits)
    if answer is None:
        print("killed")
        return 1
    fate, fault = answer
    print(fate if fault is None else f"{fault.sort} in {fault.trial}: {fault.sign}\n{fault.message}")
    return int(fault is not None)


# --- the run ---------------------------------------------------------------------------------------------------------


def run(seeds: range, plan: Plan, jobs: int, out: Path) -> Tally:
    """Try the inputs of all seeds, keep the faults, and show how it goes."""
    # what drawing reads is read before the workers are made, which then have it
    for seed in range(min(_READ, len(seeds))):
        task(seed, plan.kinds)
    tally, start, shown = Tally(), time.perf_counter(), 0.0
    for answer in answers(seeds, plan, jobs):
        for found in tally.add(answer):
            print(f"seed {found.seed} ({found.kind}): {found.fault.sign}", flush=True)
            keep(found, plan, out)
        now = time.perf_counter() - start
        if now - shown > _PAUSE:
            shown = now
            print(tally.line(len(seeds), now), flush=True)
    print(tally.table())
    print(tally.line(len(seeds), time.perf_counter() - start))
    return tally


def _kinds(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(KINDS):
        raise argparse.ArgumentTypeError(f"there are {', '.join(KINDS)}")
    return names


def main(words: Sequence[str] | None = None) -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__, formatter_class=form)
    parser.add_argument("--inputs", type=int, default=10_000, help="how many (default: 10,000)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first one (default: 0)")
    parser.add_argument("--kinds", type=_kinds, default=tuple(KINDS), help=f"of {', '.join(KINDS)} (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("fuzz"), help="folder for what is found (default: fuzz)")
    parser.add_argument("--spec", type=Path, help="try this file, and nothing else")
    parser.add_argument("--set", action="append", default=[], help="what the file is set to, as NAME=VALUE")
    given = parser.parse_args(words)
    plan = Plan(given.kinds, Limits())
    if given.spec is not None:
        return retry(given.spec, given.set, plan)
    tally = run(range(given.seed, given.seed + given.inputs), plan, given.jobs, given.out)
    return int(bool(tally.signs))


if __name__ == "__main__":
    sys.exit(main())
