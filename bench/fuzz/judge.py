"""The judge: an input goes through its trials within limits, and what is at fault gets a sign that faults share."""

from __future__ import annotations

import gc
import resource
import signal
import time
import traceback
from typing import TYPE_CHECKING, Any

from netspec.base.record import Record

from .trials import OURS, TRIALS, Attempt, Wrong

if TYPE_CHECKING:
    from .kinds import Task

MEGABYTE = 1 << 20
# a net of more layers may take its time, within reason
MANY_LAYERS, PATIENCE = 1000, 20.0
# bytes that a worker may hold before it looks for garbage
_MUCH = 100 * MEGABYTE
# how often one that took too long is tried again: another process may have had the machine
_AGAIN = 2


class Limits(Record):
    """Seconds of CPU and megabytes that each trial of an input may take."""

    seconds: float = 1.0
    megabytes: int = 500


class Fault(Record):
    """What went wrong: `sort` is traceback, time, memory, wrong or killed; equal signs are taken for one fault."""

    sort: str
    sign: str
    message: str
    trial: str


class OverTime(BaseException):
    """A trial has taken more CPU than it may. No `except Exception` holds it up."""


def _ring(*_: Any) -> None:
    raise OverTime


class Alarm:
    """Ends what takes more CPU than this, with OverTime."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, self.seconds, self.seconds / 4)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)


def confine(limits: Limits) -> None:
    """Hold this process to its limits, for good."""
    signal.signal(signal.SIGPROF, _ring)
    size = _address_space() + limits.megabytes * MEGABYTE  # what is loaded already is not laid to the input
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    gc.collect()
    gc.freeze()
    gc.disable()  # as the command line does


def _pages(place: int) -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[place]) * resource.getpagesize()
    except OSError:  # not on Linux: what is there by now is not told apart
        return 0


def _address_space() -> int:
    return _pages(0)


def _resident() -> int:
    return _pages(1)


def tidy() -> None:
    """Give back what earlier work has left, where that is much: it is not to be laid to what comes next."""
    if _resident() > _MUCH:
        gc.collect()


def last_gasp(seconds: float) -> None:
    """Let the system end this process where nothing else can: in a long step that Python does not look up from."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def judged(task: Task, limits: Limits) -> tuple[str, Fault | None]:
    """What became of an input, and its fault if it has one."""
    attempt = Attempt(task.drawn)
    for name in task.trials:
        tidy()
        fault = _tried(attempt, name, limits)
        if fault is not None:
            return attempt.fate, fault
    return attempt.fate, None


def _tried(attempt: Attempt, name: str, limits: Limits) -> Fault | None:
    try:
        with Alarm(limits.seconds * (1 + 2 * len(attempt.drawn.others)) * (20 if name == "commands" else 1)):
            TRIALS[name](attempt)
    except OverTime as error:
        return _late(attempt, name, limits, error)
    except Exception as error:
        return fault_of(error, name)
    return None


def _late(attempt: Attempt, name: str, limits: Limits, error: OverTime) -> Fault | None:
    """Too late: it may try again, and take longer where its net has many layers."""
    where = _place(error)
    for _ in range(_AGAIN):
        start = time.process_time()
        try:
            with Alarm(PATIENCE * limits.seconds):
                TRIALS[name](attempt)
        except OverTime as later:
            return Fault("time", f"time {name} {_module(_place(later))}", _story(later), name)
        except Exception as other:
            return fault_of(other, name)
        if time.process_time() - start <= limits.seconds or attempt.layers > MANY_LAYERS:
            return None
    took = time.process_time() - start
    return Fault("time", f"time {name} {_module(where)}", f"{took:.1f} s\n{_story(error)}", name)


def fault_of(error: Exception, trial: str) -> Fault:
    """The fault that an exception is."""
    if isinstance(error, MemoryError):
        return Fault("memory", f"memory {trial} {_module(_place(error))}", _story(error), trial)
    if isinstance(error, Wrong):
        return Fault("wrong", f"wrong {error.what}", str(error), trial)
    place = trial if isinstance(error, RecursionError) else _place(error)
    return Fault("traceback", f"{type(error).__name__} {place}", _story(error), trial)


def _place(error: BaseException) -> str:
    """The innermost frame that is ours: its file and function."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename.startswith(OURS)]
    last = (ours or list(frames))[-1]
    return f"{last.filename.removeprefix(OURS).lstrip('/')}:{last.name}"


def _module(place: str) -> str:
    return place.partition(":")[0]


def _story(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, error.__traceback__)[-30:])[-6000:]
