"""The bench for hardness: what it draws, what it calls a fault, how small it makes one; and short runs of it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.fuzz import judge, shrink, trials
from bench.fuzz.drawing import Drawn
from bench.fuzz.grammar import grammar, sentence
from bench.fuzz.judge import Limits, judged
from bench.fuzz.kinds import KINDS, Task, task
from bench.fuzz.pool import Plan, answers, isolated
from bench.fuzz.shrink import sign, smallest
from bench.fuzz.trials import TRIALS, Attempt, Wrong, plain

ROOT = Path(__file__).parents[2]
HARD = sorted((ROOT / "tests" / "cases" / "hard").glob("*.net"))
SHORT = Limits(seconds=0.2)
# all that is tried with a text
ALL = tuple(name for name in TRIALS if name != "threads")


def _task(text: str, *names: str) -> Task:
    return Task(0, "tokens", Drawn(text.encode()), names)


# --- what is drawn ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_has_one_input(kind: str) -> None:
    drawn = [task(seed, (kind,)).drawn for seed in range(40)]
    assert drawn == [task(seed, (kind,)).drawn for seed in range(40)]
    assert len({d.data for d in drawn}) > 10


def test_sentences_use_all_of_the_grammar() -> None:
    """Every rule and every terminal of the grammar is met, so that what is new in it is drawn, too."""
    from random import Random

    met: set[str] = set()

    def word(dice: Random, terminal: str, rule: str) -> None:
        met.add(terminal)

    for seed in range(1500):
        sentence(Random(seed), "start", 70, word)
    assert {name for name in grammar().patterns if not name.startswith("__IGNORE")} == met


def test_sentences_parse() -> None:
    """But for what the grammar alone does not tell, such as what can be bound, they are texts of the language."""
    from random import Random

    found = []
    for seed in range(200):
        attempt = Attempt(Drawn(sentence(Random(seed), "start", 60, lambda *_: None).encode()))
        trials.check_it(attempt)
        assert attempt.verdict is not None
        found.append(all(d.code != "syntax" for d in attempt.verdict.diagnostics))
    assert sum(found) > 100


# --- what is a fault -------------------------------------------------------------------------------------------------


def _raises(attempt: Attempt) -> None:
    raise KeyError("x")


def _spins(attempt: Attempt) -> None:
    end = time.process_time() + 5
    while time.process_time() < end:
        pass


def _swallows(attempt: Attempt) -> None:
    try:
        _spins(attempt)
    except Exception:
        return


def _grows(attempt: Attempt) -> None:
    bytearray(700 * judge.MEGABYTE)


def _dies(attempt: Attempt) -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def _says(attempt: Attempt) -> None:
    raise Wrong("nonsense", "seen")


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (_raises, "KeyError"),
        (_spins, "time check"),
        (_swallows, "time check"),
        (_grows, "memory check"),
        (_dies, "killed tokens"),
        (_says, "wrong nonsense"),
        (lambda attempt: None, ""),
    ],
)
def test_faults_are_found(trial: object, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRIALS, "check", trial)
    monkeypatch.setattr(judge, "PATIENCE", 2.0)
    found = sign(_task("net a {}", "check"), SHORT)
    assert found == expected or (expected and found.startswith(f"{expected} "))


def test_a_net_of_many_layers_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempt, "layers", 1001)
    monkeypatch.setitem(TRIALS, "check", lambda attempt: _wait(0.5))
    assert sign(_task("net a {}", "check"), SHORT) == ""


def _wait(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("def f(:\n", "generated code does not compile"),
        ("def f(a, a): pass\n", "generated code does not compile"),
        ("class A:\n    def f(self): pass\n    def f(self): pass\n", "two definitions of one name"),
        ("class A: pass\nclass A: pass\n", "two definitions of one name"),
        ("import torch\ndef f(a):\n    b = [c for c in a]\n    return torch.f(b, inf)\n", "nothing binds"),
    ],
)
def test_code_that_is_not_right(text: str, what: str) -> None:
    with pytest.raises(Wrong, match=what):
        trials.compiles(text)


@pytest.mark.parametrize(
    "text", ['digraph "a {}', "digraph { a [label=<<B>b</B>] }", "digraph { a [x=1 }", "digraph {"]
)
def test_pictures_that_are_not_right(text: str) -> None:
    trials.COMMANDS["draw",]('digraph "a" { "b{" [label=<<B>"</B>&lt;>, x="\\""]; }')
    with pytest.raises(Wrong, match="DOT"):
        trials.COMMANDS["draw",](text)


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-x", "@sum", "\tx"])
def test_cells_that_are_formulas(cell: str) -> None:
    with pytest.raises(Wrong, match="formula"):
        trials.COMMANDS["check", "--format", "csv"](f"name,type\n{cell},conv\n")


def test_lines_that_are_no_workflow_commands() -> None:
    right = trials.COMMANDS["check", "--format", "github"]
    right("::error file=a.net,line=1,title=x::what is wrong\n")
    with pytest.raises(Wrong, match="workflow"):
        right("::error file=a.net::what\nelse\n")


@pytest.mark.parametrize("sign_", ["\x1b[31m", "\x07", "\x9b", "\u202e"])
def test_signs_that_no_terminal_should_get(sign_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "render", lambda found: f"a{sign_}b")
    assert judged(_task("net a { }", "check"), Limits())[1].sign == "wrong a control character is shown"


def test_a_layout_that_changes_the_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "format_source", lambda source, faults: source.text.replace("3", "4"))
    found = judged(_task("net a { input x [3]; relu }", "check", "fmt"), Limits())[1]
    assert found.sign == "wrong fmt changes the meaning"
    monkeypatch.setattr(trials, "format_source", lambda source, faults: source.text + "\n")
    found = judged(_task("net a { input x [3]; relu }", "check", "fmt"), Limits())[1]
    assert found.sign == "wrong fmt of what it wrote is another"


def test_threads_that_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that keeps something of the last text gives itself away."""
    seen = []
    alone = threading.current_thread()
    meet = threading.Barrier(trials._AT_ONCE, timeout=60)

    def document(data: bytes) -> str:
        seen.append(data)
        if threading.current_thread() is not alone:
            meet.wait()  # all have put in theirs: seen ends with that of one
        return f"{data!r} {seen[-1] == data}"

    monkeypatch.setattr(trials, "_document", document)
    others = tuple(f"net n{k} {{}}".encode() for k in range(11))
    found = judged(Task(0, "threads", Drawn(b"net a {}", others=others), ("threads",)), Limits())[1]
    assert found.sign == "wrong another result in a thread"


# --- how small it gets -----------------------------------------------------------------------------------------------


def test_a_fault_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_on(attempt: Attempt) -> None:
        if b"dense(3)" in attempt.drawn.data and b"n=" in ",".join(attempt.drawn.settings).encode():
            raise KeyError("planted")

    monkeypatch.setitem(TRIALS, "check", fails_on)
    monkeypatch.setattr(shrink, "isolated", lambda work, limits: work())  # what was planted needs no process
    monkeypatch.setattr(shrink, "LONGEST", 3600.0)
    monkeypatch.setattr(judge, "tidy", lambda: None)
    text = "net a {\n  input x [4]\n  conv(3, 3) -> relu\n  { dense(3) -> relu }\n  softmax\n}\n"
    drawn = Drawn(text.encode(), settings=("T=3", "n=4"), words=("a",), path="b.net")
    task = Task(0, "tokens", drawn, ("check",))
    made = smallest(task, sign(task, Limits()), Limits())
    assert made.drawn == Drawn(b"dense(3)", settings=("n=4",))


def test_workers_that_die_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each input is tried and counted once, whatever becomes of the worker that has it."""
    deadly = {task(seed, ("tokens",)).drawn.data: trial for seed, trial in ((3, _dies), (5, _grows), (8, _raises))}
    monkeypatch.setitem(TRIALS, "check", lambda attempt: deadly.get(attempt.drawn.data, lambda _: None)(attempt))
    found = list(answers(range(12), Plan(("tokens",), SHORT), 2))
    fates = sum((answer.fates for answer in found), Counter())
    assert fates == {
        ("tokens", "refused"): 9,
        ("tokens", "killed"): 1,
        ("tokens", "memory"): 1,
        ("tokens", "traceback"): 1,
    }
    faults = {f.seed: f.fault.sort for answer in found for f in answer.faults}
    assert faults == {3: "killed", 5: "memory", 8: "traceback"}


def test_work_in_a_process_of_its_own() -> None:
    assert isolated(lambda: [1, 2], Limits()) == [1, 2]
    assert isolated(lambda: bytearray(2**32), Limits()) is None


# --- what was found once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", HARD, ids=lambda c: c.stem)
def test_cases_stay_mended(case: Path) -> None:
    found = isolated(lambda: judged(Task(0, "file", Drawn(case.read_bytes()), ALL), Limits()), Limits())
    assert found is not None, "killed"
    assert found[1] is None, found[1].message


# --- runs of it ------------------------------------------------------------------------------------------------------


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.fuzz", "--out", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_short_run(tmp_path: Path) -> None:
    """All kinds but those that are about time."""
    kinds = ",".join(kind for kind in KINDS if kind not in ("growth", "threads"))
    done = _run(tmp_path / "out", "--inputs", "400", "--seed", "1000000", "--kinds", kinds)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "400 of 400" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.sweep
def test_a_long_run(tmp_path: Path) -> None:
    done = _run(tmp_path / "out", "--inputs", "40000", "--seed", "2000000", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_tree_is_compared_without_its_places() -> None:
    one, two = (trials._parsed(text) for text in ("net a { relu }", "net a {\n  relu\n}"))
    assert one == two != trials._parsed("net a { tanh }")
    assert plain(()) == ()
