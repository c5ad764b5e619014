"""Whole processes side by side: CPU time as a multiple of `python -c pass`, and memory at its peak.

`python -m bench.startup [--rounds N]`. Absolute times differ from machine to machine; the ratios to an empty process
of the same run hardly do. The runs are interleaved, so that a slow minute strikes all alike, and medians are shown.
Exit status 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
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


EMPTY = Case("python -c pass", ("-c", "pass"))
CASES = (
    EMPTY,
    Case("python -c 'import netspec'", ("-c", "import netspec"), 1.5),
    Case("netspec --help", ("-m", "netspec", "--help")),
    Case("netspec check specs/vgg16.net", ("-m", "netspec", "check", "specs/vgg16.net"), 9.0, 40.0),
    Case("netspec check specs/resnet50.net", ("-m", "netspec", "check", "specs/resnet50.net")),
    Case("netspec check specs/resnet152.net", ("-m", "netspec", "check", "specs/resnet152.net")),
    Case("netspec build specs/vgg16.net --to torch", ("-m", "netspec", "build", "specs/vgg16.net", "--to", "torch")),
    Case("netspec draw specs/vgg16.net (DOT)", ("-m", "netspec", "draw", "specs/vgg16.net")),
)


def cost(case: Case) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one run."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen([sys.executable, *case.arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{case.title} ended with status {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / MEGABYTE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command (default: 15)")
    rounds = parser.parse_args().rounds
    for case in CASES:
        cost(case)  # writes the compiled modules, fills the disk cache
    runs: dict[str, list[tuple[float, float]]] = {case.title: [] for case in CASES}
    for _ in range(rounds):
        for case in CASES:
            runs[case.title].append(cost(case))
    base = statistics.median(cpu for cpu, _ in runs[EMPTY.title])
    print(f"{'command':<42} {'CPU ms':>7} {'ratio':>6} {'goal':>5} {'MB':>6} {'goal':>5}")
    missed = False
    for case in CASES:
        cpu = statistics.median(c for c, _ in runs[case.title])
        memory = max(m for _, m in runs[case.title])
        goals = [f"{g:g}" if g is not None else "" for g in (case.most_cpu, case.most_memory)]
        print(f"{case.title:<42} {cpu * 1e3:7.1f} {cpu / base:6.2f} {goals[0]:>5} {memory:6.1f} {goals[1]:>5}")
        missed |= case.most_cpu is not None and cpu / base > case.most_cpu
        missed |= case.most_memory is not None and memory > case.most_memory
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
