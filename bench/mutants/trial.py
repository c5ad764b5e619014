"""A copy of the tree in which bugs are planted, one at a time, and the tests are run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from netspec.base.record import TYPE_CHECKING, Record

from .covering import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .planting import Mutation

_LEFT_OUT = shutil.ignore_patterns(".git", ".ci-venv", "__pycache__", ".*_cache", "shared")


class Outcome(Record):
    """What became of the tests: whether they failed, and what failed first, or that they came to no end."""

    failed: bool
    said: str


class Tests(Record):
    """Test files as pytest is told of them, without what fails without any bug, and the seconds that they take."""

    words: tuple[str, ...]
    seconds: float


class Copy:
    """The tree in a folder of its own. To be used as a context."""

    def __enter__(self) -> Copy:
        self.folder = Path(tempfile.mkdtemp(prefix="netspec-mutants-"))
        self.tree = self.folder / "tree"
        shutil.copytree(ROOT, self.tree, ignore=_LEFT_OUT)
        # a bug may leave the size and the second of a file as they are, so that what was compiled is known by its text
        compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "netspec"]
        subprocess.run(compiling, cwd=self.tree, check=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def looked_at(self, tests: Sequence[str]) -> Tests:
        """The tests as they are to be run; those that fail already are named."""
        start = time.perf_counter()
        lines = self.run(tests, None).said.splitlines()
        failing = [line.split()[1] for line in lines if line.startswith("FAILED")]
        for test in failing:
            print(f"left out, since it fails without any bug: {test}", flush=True)
        return Tests((*tests, *(f"--deselect={test}" for test in failing)), time.perf_counter() - start)

    def tried(self, mutation: Mutation, tests: Tests, limit: float) -> Outcome:
        """What the tests make of a bug, where they take no more than three times as long, and `limit` seconds more."""
        path = self.tree / mutation.file
        source = path.read_bytes()
        path.write_bytes(mutation.planted(source))
        try:
            return self.run([*tests.words, "-x"], 3 * tests.seconds + limit)
        finally:
            path.write_bytes(source)

    def run(self, tests: Sequence[str], limit: float | None) -> Outcome:
        command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", *tests]
        environment = {**os.environ, "PYTHONPATH": str(self.tree), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            command,
            cwd=self.tree,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Outcome(True, "no end")
        return Outcome(process.returncode != 0, said)
