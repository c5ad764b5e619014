"""Worker processes: forked with everything loaded, used for many inputs, and replaced when one is stuck or spent."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
from collections import Counter
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from netspec.base.record import Record

from .judge import PATIENCE, Fault, Limits, confine, judged, last_gasp
from .kinds import KINDS, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

# inputs that a worker is given at once, and after how many it collects garbage
CHUNK, TIDY = 100, 200
# seconds: what an input that takes no CPU may take, and CPU beyond all patience
_ASLEEP, _STUCK = 300.0, 3 * PATIENCE + 5
_FORK = multiprocessing.get_context("fork")
# what leaves a worker in no state to go on
_SPENT = ("time", "memory", "killed")


class Found(Record):
    """The faulty input of a seed."""

    seed: int
    kind: str
    fault: Fault


class Plan(Record):
    """What a run draws, and what its inputs may take."""

    kinds: Sequence[str] = tuple(KINDS)
    limits: Limits = Limits()


class Answer(Record):
    """What a worker has to tell of some inputs: which of them are left, what became of the others, and the faults."""

    left: tuple[range, ...]
    fates: Counter[tuple[str, str]]
    faults: tuple[Found, ...] = ()

    @property
    def ends(self) -> bool:
        """Is the worker in no state to go on?"""
        return bool(self.faults) and self.faults[-1].fault.sort in _SPENT


def _work(pipe: Connection, place: Any, plan: Plan) -> None:
    """The life of a worker: a range of seeds in, an answer out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["NO_COLOR"] = "1"
    confine(plan.limits)
    while True:
        chunk = pipe.recv()
        if chunk is None:
            return
        answer = _answer(chunk, place, plan)
        pipe.send(answer)
        if answer.ends:
            return


def _answer(chunk: range, place: Any, plan: Plan) -> Answer:
    import gc

    fates: Counter[tuple[str, str]] = Counter()
    faults: list[Found] = []
    for seed in chunk:
        place.value = seed
        last_gasp(_STUCK)
        drawn = task(seed, plan.kinds)
        fate, fault = judged(drawn, plan.limits)
        fates[drawn.kind, fate if fault is None else fault.sort] += 1
        if fault is not None:
            faults.append(Found(seed, drawn.kind, fault))
            if fault.sort in _SPENT:
                return Answer((range(seed + 1, chunk.stop),), fates, tuple(faults))
        if seed % TIDY == 0:
            gc.collect()
    return Answer((), fates, tuple(faults))


class Worker:
    """One process and what it is at."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.pipe, theirs = _FORK.Pipe()
        self.place = _FORK.Value("q", -1, lock=False)
        self.process = _FORK.Process(target=_work, args=(theirs, self.place, plan), daemon=True)
        self.process.start()
        theirs.close()
        self.chunk = range(0)
        self.seen = (-1, time.monotonic())

    def give(self, chunk: range) -> None:
        self.chunk, self.seen = chunk, (-1, time.monotonic())
        self.pipe.send(chunk)

    def answer(self) -> Answer:
        """What it has to tell; where it has died, the input that it died of."""
        try:
            answer: Answer = self.pipe.recv()
        except (EOFError, OSError):
            return self._died()
        return answer

    def _died(self) -> Answer:
        self.process.join()
        seed = self.place.value
        kind = task(seed, self.plan.kinds).kind
        fault = Fault("killed", f"killed {kind}", f"a worker was killed by signal {-(self.process.exitcode or 0)}", "")
        # what became of those before it died with the worker
        left = range(self.chunk.start, seed), range(seed + 1, self.chunk.stop)
        return Answer(left, Counter({(kind, "killed"): 1}), (Found(seed, kind, fault),))

    @property
    def stuck(self) -> bool:
        """Has it been at one input for too long, even where that takes no CPU?"""
        now, seed = time.monotonic(), self.place.value
        if seed != self.seen[0]:
            self.seen = (seed, now)
        return now - self.seen[1] > _ASLEEP

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def answers(seeds: range, plan: Plan, jobs: int) -> Iterator[Answer]:
    """The answers for all seeds, as they come."""
    todo = [seeds[n : n + CHUNK] for n in range(0, len(seeds), CHUNK)][::-1]
    busy: dict[Any, Worker] = {}
    idle: list[Worker] = []
    try:
        while todo or busy:
            while todo and len(busy) < jobs:
                worker = idle.pop() if idle else Worker(plan)
                worker.give(todo.pop())
                busy[worker.pipe] = worker
            for pipe in wait(list(busy), 5.0):
                worker = busy.pop(pipe)
                answer = worker.answer()
                yield answer
                todo += filter(None, answer.left)
                if answer.ends:
                    worker.end()
                else:
                    idle.append(worker)
            for worker in busy.values():
                if worker.stuck:
                    worker.process.kill()
    finally:
        for worker in [*busy.values(), *idle]:
            worker.end()


def isolated(work: Callable[[], Any], limits: Limits) -> Any:
    """What a piece of work gives in a process of its own; None where it died of it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _alone(work, limits, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data else None


def _alone(work: Callable[[], Any], limits: Limits, write: int) -> None:
    try:
        confine(limits)
        last_gasp(_STUCK)
        with os.fdopen(write, "wb") as pipe:
            pipe.write(pickle.dumps(work()))
    finally:
        os._exit(0)
