"""Signals aimed at the moment of writing: `python -m bench.interrupts [--shots N] [--seed N] [--framework]`.

Each shot is a process of its own that runs one command in an empty folder. A trace function counts the lines of
Python that run from the first look at the target, or the first temporary file, on, in our code and in that of
libraries, and one of them, by chance, sends the signal; other shots come from outside, when the half-written file is
seen. Then nothing may stay behind: the folder holds what it held before, or the whole result as well, the folder for
temporary files is empty, there is no traceback, and the status is what a shell makes of the signal. Exit status 1
where a shot left something.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from netspec.base.record import Record

ROOT = Path(__file__).resolve().parent.parent
# half of the shots go to the last lines: there the file is made, written and moved
LAST = 300
# what a test of the bench itself puts before a command
SPOIL = ""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# where counting begins
WRITERS = ("write_with", "_by_pygraphviz")
SPEC = """# a net
net small(units=4) {
    input x [3]
  dense(units) -> relu;   dense(2)
}
"""
BLOCKS = 'import "small.net"\n\nnet two { input x [3]; small }\n'


class Command(Record):
    """A command, what it needs, and which share of the shots it gets."""

    words: tuple[str, ...]
    share: int = 10
    # other processes that it starts, or frameworks that it loads, take their time
    slow: bool = False


COMMANDS = (
    Command(("build", "small.net", "--to", "torch", "-o", "out.py")),
    Command(("build", "small.net", "--to", "keras", "-o", "small.py")),
    Command(("draw", "small.net", "-o", "out.dot")),
    Command(("draw", "small.net", "-o", "out.svg"), 6),
    Command(("draw", "small.net", "-o", "out.html"), 2),
    Command(("fmt", "small.net", "two.net")),
    Command(("zoo", "lenet5", "-o", "out.txt")),
    Command(("weights", "convert", "small.net", "in.safetensors", "-o", "out.safetensors")),
    Command(("weights", "match", "small.net", "in.safetensors", "-o", "out.txt"), 4),
    Command(("weights", "convert", "small.net", "in.safetensors", "-o", "out.pt"), 4, True),
    Command(("weights", "convert", "small.net", "in.safetensors", "-o", "out.weights.h5"), 2, True),
)


class Shot(Record):
    """A command and a signal; `line` is the line that sends it, None for one from outside. 0 sends none."""

    command: Command
    signal: int
    line: int | None


class Fault(Record):
    """What a shot left."""

    shot: Shot
    told: str


# --- in the process that is shot at -----------------------------------------------------------------------------------


def child(line: int, number: int, report: str) -> None:
    """Run the command of `sys.argv`; at that line, send the signal. With line 0 write how many lines there are."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        if event == "line":
            seen += 1
            if seen == line:
                sys.settrace(None)
                Path(report).write_text("sent")
                os.kill(os.getpid(), number)
        return trace

    def begin(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_name in WRITERS and "netspec" in frame.f_code.co_filename:
            sys.settrace(trace)
            return trace
        return None

    from netspec.cli import main

    sys.settrace(begin)
    status = main()
    sys.settrace(None)
    if not line:
        Path(report).write_text(str(seen))
    sys.exit(status)


# --- outside ----------------------------------------------------------------------------------------------------------


def furnish(folder: Path) -> None:
    """The files that commands read."""
    (folder / "small.net").write_text(SPEC)
    (folder / "two.net").write_text(BLOCKS)
    import numpy as np
    from safetensors.numpy import save_file

    import netspec

    shapes = {path: w.shape for path, w in netspec.load(folder / "small.net").weights().items()}
    save_file({n: np.zeros(s, "float32") for n, s in shapes.items()}, folder / "in.safetensors")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class Range:
    """A place to shoot at, with what each command makes of it when nobody does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "model"
        self.model.mkdir()
        furnish(self.model)
        self.before = contents(self.model)
        self.lines: dict[Command, int] = {}
        self.after: dict[Command, dict[str, bytes]] = {}

    def run(self, shot: Shot) -> tuple[int, str, dict[str, bytes], list[str]]:
        """The status, standard error, the files, and what lies in the folder for temporary files."""
        place, scratch = self.folder / "place", self.folder / "scratch"
        shutil.copytree(self.model, place)
        scratch.mkdir()
        aim = f"{shot.line or 0}, {shot.signal}, {str(self.folder / 'lines')!r}"
        code = f"{SPOIL}from bench.interrupts import child; child({aim})"
        words = ["-m", "netspec"] if shot.line is None else ["-c", code]
        process = subprocess.Popen(
            [sys.executable, *words, *shot.command.words],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if shot.line is None:
            self._lie_in_wait(process, place, scratch, shot.signal)
        _, said = process.communicate(timeout=120)
        found = process.returncode, said.decode(errors="replace"), contents(place), _names(scratch)
        shutil.rmtree(place)
        shutil.rmtree(scratch)
        return found

    def _lie_in_wait(self, process: subprocess.Popen[bytes], place: Path, scratch: Path, number: int) -> None:
        """Send the signal when something new is seen."""
        known = set(os.listdir(place))
        while process.poll() is None:
            if set(os.listdir(place)) - known or os.listdir(scratch):
                process.send_signal(number)
                return
            time.sleep(0.0002)

    def measure(self, command: Command) -> None:
        """Run a command undisturbed."""
        status, said, files, left = self.run(Shot(command, 0, 0))
        if status != 0 or left:
            raise SystemExit(f"{' '.join(command.words)} ended with status {status}, left {left}: {said}")
        self.lines[command] = int((self.folder / "lines").read_text())
        (self.folder / "lines").unlink()
        self.after[command] = files

    def fault(self, shot: Shot) -> str:
        """What is wrong behind a shot; empty for nothing."""
        status, said, files, left = self.run(shot)
        # a shot from outside may come too late; a line that did not run this time sends none
        sent = shot.line is not None and (self.folder / "lines").exists()
        (self.folder / "lines").unlink(missing_ok=True)
        fine = {128 + shot.signal, -shot.signal} | (set() if sent else {0})
        whole = self.after[shot.command]
        told = [f"status {status}"] if status not in fine else []
        told += [f"said {said.strip().splitlines()[-1]}"] if "Traceback" in said or "Exception" in said else []
        told += [f"left {name}" for name in (*left, *sorted(set(files) - set(whole)))]
        for name, data in files.items():
            if data != self.before.get(name) and name in whole and not _same(name, data, whole[name]):
                told.append(f"{name} is neither the old nor the new")
        told += [f"{name} is gone" for name in sorted(set(self.before) - set(files))]
        return "; ".join(told)


def _names(folder: Path) -> list[str]:
    """What lies in a folder, but for what frameworks keep there for later."""
    return sorted(n for n in os.listdir(folder) if not n.startswith(("torchinductor", "torch_", "matplotlib")))


def _same(name: str, data: bytes, whole: bytes) -> bool:
    """Is it the whole result? Archives hold the time when they were made."""
    return data == whole or (name.endswith((".pt", ".h5")) and len(data) == len(whole))


def shots(count: int, seed: int, slow: bool, range_: Range) -> list[Shot]:
    """As many shots, by chance; one of five comes from outside."""
    luck = random.Random(seed)
    known = [c for c in COMMANDS if slow or not c.slow]
    for command in known:
        range_.measure(command)
    found = []
    for command in luck.choices(known, [c.share for c in known], k=count):
        lines = range_.lines[command]
        first = luck.choice((1, max(1, lines - LAST)))
        line = None if luck.random() < 0.2 else luck.randint(first, lines)
        found.append(Shot(command, luck.choice(SIGNALS), line))
    return found


def shoot(count: int, seed: int, slow: bool = False) -> tuple[list[Shot], list[Fault]]:
    """All shots, and what they left."""
    with tempfile.TemporaryDirectory() as folder:
        range_ = Range(Path(folder))
        fired = shots(count, seed, slow, range_)
        return fired, [Fault(shot, told) for shot in fired if (told := range_.fault(shot))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--shots", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--framework", action="store_true", help="files of PyTorch and Keras, too: seconds each")
    options = parser.parse_args()
    fired, faults = shoot(options.shots, options.seed, options.framework)
    for fault in faults:
        shot = fault.shot
        at = "from outside" if shot.line is None else f"at line {shot.line}"
        print(f"{' '.join(shot.command.words)}: {signal.Signals(shot.signal).name} {at}: {fault.told}")
    for words, count in Counter(" ".join(s.command.words) for s in fired).items():
        print(f"{count:5} {words}")
    print(f"{len(fired)} shots, {len(faults)} left something behind")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
