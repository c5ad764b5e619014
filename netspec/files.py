"""Files in and out: texts read whole and checked, results moved into place when they are complete."""

from __future__ import annotations

import os
import stat
import sys

from .base.errors import UserError
from .base.record import TYPE_CHECKING
from .base.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

# what ships with the project lies beside this file
PACKAGE = os.path.dirname(os.path.abspath(__file__))
# the library of blocks, and how its files are imported
LIBRARY_FOLDER, LIBRARY = os.path.join(PACKAGE, "std"), "std/"
STDIN = "-"
# how the names of specs end
SPECS = (".net",)
# before the name of a spec that ships with the project
ZOO = "zoo:"
# far above any spec; a device that never ends is refused instead of filling the memory
LARGEST = 32 * 2**20


class ReadError(UserError):
    """A text cannot be read: no such file, a folder, or no text in UTF-8."""


class WriteError(UserError):
    """A result cannot be written where it was asked for."""


# --- in ----------------------------------------------------------------------------------------------------------


def read_source(path: str | os.PathLike[str]) -> Source:
    """The text of a file, of standard input for `-`, or of the spec `zoo:NAME`. Raises ReadError."""
    name = os.fspath(path)
    return read_as(zoo_path(name), name) if name.startswith(ZOO) else decode(path, read_data(path))


def read_data(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, or of standard input for `-`. Raises ReadError."""
    name = os.fspath(path)
    return _read_input() if name == STDIN else _read_file(name, name)


def decode(path: str | os.PathLike[str], data: bytes) -> Source:
    """The text that bytes of a file hold; line ends of any kind become one. Raises ReadError."""
    name = os.fspath(path)
    if name == STDIN:
        return Source("<stdin>", _decode("<stdin>", data))
    return Source(name, _decode(name, data), name)


def read_as(path: str, shown: str) -> Source:
    """The text of a file, with the name it is shown under. Raises ReadError."""
    return Source(shown, _decode(shown, _read_file(path, shown)), path)


def specs_below(folder: str) -> list[str]:
    """The paths of all `.net` files in a folder and the folders in it, but for hidden ones. Raises ReadError."""
    found = []
    for here, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        found += [os.path.join(here, f) for f in sorted(files) if f.endswith(".net") and not f.startswith(".")]
    if not found:
        raise ReadError(f"there is no .net file in {folder}")
    return found


def zoo_folder() -> str:
    """The specs that ship with the project: in the package where it was installed, else in the checkout."""
    installed = os.path.join(PACKAGE, "specs")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(PACKAGE), "specs")


def zoo_names() -> list[str]:
    """The specs that ship with the project, by name."""
    folder = zoo_folder()
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name.removesuffix(".net") for name in names if name.endswith(".net"))


def zoo_path(name: str) -> str:
    """Where `zoo:NAME` is. Raises ReadError where there is no such spec."""
    known, wanted = zoo_names(), name.removeprefix(ZOO).removesuffix(".net")
    if wanted in known:
        return os.path.join(zoo_folder(), f"{wanted}.net")
    from .base.diagnostics import nearest

    near = nearest(wanted, known)
    hint = f"did you mean {ZOO}{near}?" if near else "`netspec zoo` lists what there is"
    raise ReadError(f"there is no spec {name}; {hint}")


def _unreadable(error: OSError) -> None:
    raise ReadError(f"{error.filename} cannot be read: {reason(error)}") from None


def _read_input() -> bytes:
    if sys.stdin is None:
        raise ReadError("standard input is closed")
    try:
        return sys.stdin.buffer.read(LARGEST + 1)
    except OSError as error:
        raise ReadError(f"standard input cannot be read: {reason(error)}") from None


def _read_file(path: str, shown: str) -> bytes:
    with open_file(path, shown) as file:
        try:
            return file.read(LARGEST + 1)
        except OSError as error:
            raise ReadError(f"{shown} cannot be read: {reason(error)}") from None


# what the shell has opened already, as for `<(command)`
_OPENED = ("/dev/fd/", "/dev/stdin")


def _open_at_once(path: str, flags: int, shown: str) -> int:
    """Open a file without waiting for somebody to write into it. Raises ReadError for a pipe that nobody may end."""
    opened = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISFIFO(os.fstat(opened).st_mode) and not path.startswith(_OPENED):
        os.close(opened)
        raise ReadError(f"{shown} is a pipe, which may never end; `-` reads standard input")
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(opened, True)
    return opened


def open_file(path: str, shown: str, suffixes: tuple[str, ...] = SPECS) -> BinaryIO:
    """A file to read, which messages call `shown`; `suffixes` are of the files that may be meant. Raises ReadError."""
    try:
        return open(path, "rb", opener=lambda name, flags: _open_at_once(name, flags, shown))
    except FileNotFoundError:
        near = _meant(path, shown, suffixes)
        hint = f"; did you mean {near}?" if near else ""
        raise ReadError(f"there is no file {shown or 'of an empty name'}{hint}") from None
    except IsADirectoryError:
        raise ReadError(f"{shown} is a folder; name a file in it") from None
    except (OSError, ValueError) as error:
        raise ReadError(f"{shown} cannot be read: {reason(error)}") from None


def _meant(path: str, shown: str, suffixes: tuple[str, ...]) -> str:
    """What to name in place of a file that there is not: that of the same name, a spec of the zoo, or what is near."""
    from .base.diagnostics import nearest

    near = nearest_file(path, suffixes)
    beside = os.path.join(os.path.dirname(shown), near) if near else ""
    if suffixes != SPECS or os.path.splitext(near or "")[0] == os.path.basename(path):
        return beside
    name, known = os.path.basename(shown).removesuffix(".net").lower(), zoo_names()
    if name not in known:
        name = "" if beside else nearest(name, known) or ""
    return ZOO + name if name else beside


def nearest_file(path: str, suffixes: tuple[str, ...] = SPECS) -> str | None:
    """The file of the same folder that was most likely meant: a spec, or what ends in one of the suffixes."""
    from .base.diagnostics import nearest

    folder, base = os.path.split(path)
    try:
        return nearest(base, (n for n in os.listdir(folder or ".") if n.endswith(suffixes)))
    except (OSError, ValueError):
        return None


def _decode(name: str, data: bytes) -> str:
    if len(data) > LARGEST:
        raise ReadError(f"{name} is larger than {LARGEST // 2**20} MiB, which no spec is")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ReadError(f"{name} is in UTF-16; save it as UTF-8")
    place = data.find(0)
    if place >= 0:
        raise ReadError(f"{name} is no text: byte {place + 1} is 0")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReadError(f"{name} is not in UTF-8: byte 0x{data[error.start]:02x} on line {line}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def reason(error: Exception) -> str:
    """Why the system refused, in its words."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]


# --- out ---------------------------------------------------------------------------------------------------------


def write_file(path: str, data: bytes) -> None:
    """Write a file whole or not at all: beside its target first, then moved into place. Raises WriteError."""

    def write(name: str) -> None:
        with open(name, "wb") as file:
            file.write(data)

    write_with(path, write)


def write_with(path: str, write: Callable[[str], None], suffix: str = "") -> None:
    """The same for what a library writes: `write(name)` makes the file, whose name ends in `suffix`."""
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode
    except OSError:
        mode = None
    if mode is not None and stat.S_ISDIR(mode):
        raise WriteError(f"{path} is a folder; name a file in it")
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise WriteError(f"{path} cannot be written: there is no folder {os.path.dirname(path) or folder}")
    try:
        if mode is not None and not stat.S_ISREG(mode):
            write(target)  # a pipe or a device is written to, never replaced
        else:
            _replace(target, write, mode, suffix)
    except (OSError, ValueError) as error:
        raise WriteError(f"{path} cannot be written: {reason(error)}") from None


def _replace(target: str, write: Callable[[str], None], mode: int | None, suffix: str) -> None:
    from .base.stopping import Undone, remove, token

    folder, base = os.path.split(target)
    beside = os.path.join(folder, f".{base[:40]}.{token()}.part{suffix}")
    with Undone(lambda: remove(beside)):
        with open(beside, "xb") as file:  # never over what somebody else has put there
            wanted = os.fstat(file.fileno()).st_mode if mode is None else mode
        write(beside)
        if os.stat(beside).st_mode != wanted:  # a library may have put a file of its own there, for nobody else's eyes
            os.chmod(beside, stat.S_IMODE(wanted))
        os.replace(beside, target)
