"""What must not outlive a command that a signal stops: half-written files, folders for a while, processes.

Python ends at once on SIGTERM and SIGHUP, and on SIGINT raises an exception wherever it is, which libraries swallow or
print. So a command that leaves something for a while lets a handler undo it and end the process with the status that a
shell expects. In a process of somebody else, as a notebook, signals stay as they are.
"""

from __future__ import annotations

import os

from .record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from subprocess import Popen
    from typing import Any

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_open: list[Undone] = []
_owned = _watching = False


class Undone:
    """A context, at whose end something is undone; also where a signal ends the process before.

    It is entered before there is anything to undo, so `undo` must do no harm where there is nothing.
    """

    def __init__(self, undo: Callable[[], None]) -> None:
        self.undo = undo

    def __enter__(self) -> Undone:
        watch()
        _open.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.undo()
        finally:
            _open.remove(self)


class Scratch(Undone):
    """A folder of one's own for a while."""

    def __init__(self) -> None:
        from shutil import rmtree

        self.path = os.path.join(_temporary(), f"netspec-{token()}")
        super().__init__(lambda: rmtree(self.path, ignore_errors=True))

    def __enter__(self) -> Scratch:
        super().__enter__()
        os.mkdir(self.path, 0o700)
        return self


def _temporary() -> str:
    """The folder for temporary files. `tempfile` would try it with a file, which a signal then leaves there."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        folder = os.environ.get(name, "")
        if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return os.path.abspath(folder)
    if os.access("/tmp", os.W_OK | os.X_OK):
        return "/tmp"
    from tempfile import gettempdir

    return gettempdir()


def watch_libraries() -> None:
    """The same, and they are told the folder for temporary files, which they would try with a file of theirs."""
    watch()
    if _owned:
        import tempfile

        tempfile.tempdir = tempfile.tempdir or _temporary()


def token() -> str:
    """Letters that no other file has in its name."""
    return os.urandom(8).hex()


def remove(path: str) -> None:
    """Remove a file, if it is there."""
    if os.path.lexists(path):
        os.unlink(path)


def kill(processes: Iterable[Popen[Any]]) -> None:
    """End processes, if they have not ended."""
    for process in processes:
        process.kill()
        process.wait()


def own() -> None:
    """The process is ours: it may be ended."""
    global _owned
    _owned = True


def watch() -> None:
    """From now on a signal ends the process, with no traceback. One that is ignored, as by `nohup`, stays so."""
    global _watching
    if _watching or not _owned:
        return
    _watching = True
    import signal

    for name in _SIGNALS:
        number = getattr(signal, name, None)  # there is no SIGHUP on Windows
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def _stop(number: int, frame: object) -> None:
    """Undo what is open, the last first, and end."""
    import signal

    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    for undone in reversed(_open):
        _quietly(undone.undo)
    if number == signal.SIGINT:
        _quietly(lambda: os.write(2, b"netspec: interrupted\n"))
    os._exit(128 + number)


def _quietly(action: Callable[[], object]) -> None:
    """What cannot be done is left, so that all else is done."""
    try:
        action()
    except Exception:
        return
