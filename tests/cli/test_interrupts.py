"""A signal at the moment of writing leaves nothing behind. `python -m bench.interrupts` fires as many as are wanted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import netspec
from bench.interrupts import COMMANDS, SIGNALS, Range, Shot, shoot
from netspec.base import stopping
from netspec.files import write_with

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has other signals")
ENV = {**os.environ, "PYTHONPATH": str(Path(netspec.__file__).parents[1])}
DRAW = next(c for c in COMMANDS if c.words[-1] == "out.dot")
# a process that is stopped while it writes: it says so, and waits
WAITING = """
import sys, time
from netspec.base import stopping
from netspec.files import write_with
def write(name):
    open(name, "w").write("half")
    print("writing", flush=True)
    time.sleep(60)
if {own}: stopping.own()
write_with("out.txt", write)
"""


def test_shots() -> None:
    pytest.importorskip("safetensors")
    fired, faults = shoot(12, 1)
    assert len(fired) == 12
    assert faults == []


@pytest.mark.sweep
def test_many_shots() -> None:
    fired, faults = shoot(500, 2, slow=True)
    assert faults == []
    assert {s.command for s in fired} == set(COMMANDS)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_status_is_what_a_shell_expects(number, tmp_path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WAITING.format(own=True)],
        cwd=tmp_path,
        env=ENV,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    assert len(os.listdir(tmp_path)) == 1
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 128 + number
    assert said == ("netspec: interrupted\n" if number == signal.SIGINT else "")
    assert os.listdir(tmp_path) == []


def test_a_signal_that_is_ignored_stays_so(tmp_path) -> None:
    text = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + WAITING.format(own=True).replace("60", "1")
    child = subprocess.Popen([sys.executable, "-c", text], cwd=tmp_path, env=ENV, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGHUP)
    assert child.wait(30) == 0
    assert (tmp_path / "out.txt").read_text() == "half"


def test_in_a_process_of_somebody_else_signals_stay_as_they_are(tmp_path) -> None:
    before = [signal.getsignal(s) for s in SIGNALS]

    def interrupt(name: str) -> None:
        assert [signal.getsignal(s) for s in SIGNALS] == before
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_with(str(tmp_path / "out.txt"), interrupt)
    assert os.listdir(tmp_path) == []
    assert stopping._open == []


def test_a_folder_for_a_while(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with stopping.Scratch() as folder:
        Path(folder.path, "x").write_text("")
        assert len(os.listdir(tmp_path)) == 1
    assert os.listdir(tmp_path) == []


def test_a_shot_that_leaves_something_is_told(tmp_path, monkeypatch) -> None:
    """The bench can fail: a handler that undoes nothing leaves the file."""
    pytest.importorskip("safetensors")
    place = Range(tmp_path)
    place.measure(DRAW)
    monkeypatch.setattr("bench.interrupts.SPOIL", "import netspec.base.stopping as s; s.remove = lambda path: None;")
    told = [place.fault(Shot(DRAW, signal.SIGTERM, n)) for n in range(place.lines[DRAW] // 2, place.lines[DRAW], 8)]
    assert any("left" in text for text in told), told


def test_nobody_reads_what_is_said(tmp_path) -> None:
    """A closed pipe on standard error is no reason for a traceback, nor for a half-written file."""
    read, write = os.pipe()
    os.close(read)
    (tmp_path / "x.net").write_text("net n { input x [3]; relu }\n")
    words = [sys.executable, "-m", "netspec", "draw", "x.net", "-o", "out.dot"]
    done = subprocess.run(words, cwd=tmp_path, env=ENV, stderr=write, stdout=subprocess.PIPE, check=False)
    os.close(write)
    assert done.returncode in (0, 141)
    assert sorted(os.listdir(tmp_path)) == ["out.dot", "x.net"]
    assert (tmp_path / "out.dot").read_text().endswith("}\n")
