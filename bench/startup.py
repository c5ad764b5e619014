"""Whole processes side by side: CPU time as a multiple of `python -c pass`, and memory at its peak.

`python -m bench.startup [--rounds N] [--beside CHECKOUT] [--only WORDS]`. Absolute times differ from machine to
machine; the ratios to an empty process of the same run hardly do. The runs are interleaved, so that a slow minute
strikes all alike, and medians are shown. `--beside` runs the same commands of another checkout as well, and shows
what part of its CPU ours takes. Exit status 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from netspec.base.record import Record

ROOT = Path(__file__).resolve().parent.parent
MEGABYTE = 1 << 20


class Case(Record):
    """A command, and what it may cost: CPU as a multiple of an empty process, memory in MB. None is no goal."""

    title: str
    arguments: tuple[str, ...]
    most_cpu: float | None = None
    most_memory: float | None = None


PICTURE = os.path.join(tempfile.gettempdir(), "netspec-bench.svg")
EMPTY = Case("python -c pass", ("-c", "pass"))


def _netspec(words: str, most_cpu: float | None = None, most_memory: float | None = None) -> Case:
    return Case(f"netspec {words}", ("-m", "netspec", *words.split()), most_cpu, most_memory)


CASES = (
    EMPTY,
    Case("python -c 'import netspec'", ("-c", "import netspec"), 1.5),
    _netspec("--help", 1.3),
    _netspec("explain wrong-rank", 2.0),
    _netspec("layers conv", 2.5),
    _netspec("check specs/vgg16.net", 3.0, 13.5),
    _netspec("check specs/resnet50.net", 3.5),
    _netspec("check specs/inception_v3.net", 4.5),
    _netspec("check specs/nasnet_a_large.net", 6.0),
    _netspec("build specs/vgg16.net --to torch"),
    _netspec("build specs/resnet50.net --to torch"),
    _netspec("build specs/nasnet_a_large.net --to torch", 30.0),
    _netspec("draw specs/vgg16.net"),
    _netspec(f"draw specs/resnet50.net -o {PICTURE}", 9.0),
    _netspec("zoo", 30.0),
)


# A process counts as large as the one that made it was, so a small one makes them.
_LAUNCHER = """
import os, sys
nowhere = [(os.POSIX_SPAWN_OPEN, to, os.devnull, os.O_WRONLY, 0) for to in (1, 2)]
process = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ, file_actions=nowhere)
_, status, used = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def cost(case: Case, root: Path = ROOT) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one run of the netspec of a checkout."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-S", "-c", _LAUNCHER, *case.arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    status, cpu, memory = done.stdout.split()
    if status != "0":
        raise SystemExit(f"{case.title} ended with status {status}")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return float(cpu), float(memory) * unit / MEGABYTE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command (default: 15)")
    parser.add_argument("--beside", metavar="CHECKOUT", type=Path, help="another checkout to run the same with")
    parser.add_argument("--only", metavar="WORDS", default="", help="the commands with these words in them")
    options = parser.parse_args()
    roots = [ROOT, *filter(None, [options.beside])]
    cases = [case for case in CASES if case is EMPTY or options.only in case.title]
    runs: dict[tuple[str, Path], list[tuple[float, float]]] = {(c.title, root): [] for c in cases for root in roots}
    # the first round writes the compiled modules, fills the disk cache
    for number in range(options.rounds + 1):
        for case in cases:
            for root in roots:
                found = cost(case, root)
                if number:
                    runs[case.title, root].append(found)
    base = statistics.median(cpu for cpu, _ in runs[EMPTY.title, ROOT])
    print(f"{'command':<46} {'CPU ms':>7} {'ratio':>6} {'goal':>5} {'MB':>6} {'goal':>5} {'of the other':>12}")
    missed = False
    for case in cases:
        cpu = statistics.median(c for c, _ in runs[case.title, ROOT])
        memory = max(m for _, m in runs[case.title, ROOT])
        goals = [f"{g:g}" if g is not None else "" for g in (case.most_cpu, case.most_memory)]
        part = "".join(f"{cpu / statistics.median(c for c, _ in runs[case.title, r]):12.2f}" for r in roots[1:])
        print(f"{case.title:<46} {cpu * 1e3:7.1f} {cpu / base:6.2f} {goals[0]:>5} {memory:6.1f} {goals[1]:>5} {part}")
        missed |= case.most_cpu is not None and cpu / base > case.most_cpu
        missed |= case.most_memory is not None and memory > case.most_memory
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
