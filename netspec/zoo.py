"""The specs that ship with the project, each beside the figures that were published of it."""

from __future__ import annotations

import os

from .base.record import TYPE_CHECKING, Record
from .files import LIBRARY, LIBRARY_FOLDER, ZOO, read_source, zoo_folder, zoo_names

if TYPE_CHECKING:
    from .base.dims import Dim
    from .ir.types import CheckedNet

PUBLISHED, MEASURED, APPLICATIONS, COUNTED = "published.csv", "verified.csv", "applications.csv", "counted.csv"
_FACTORS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}


class Published(Record):
    """What was published of a net, as it is written there: `86.7M`, or nothing. `source` says where."""

    net: str
    settings: str
    params: str
    macs: str
    source: str


class Verified(Record):
    """What `netspec verify` found of a net: the largest errors of its outputs, layers and gradients, and the time.

    `settings` are those that it was verified with, `gradients` is empty where there was nothing to compare. All are
    texts, as they are shown.
    """

    net: str
    settings: str
    outputs: str
    layers: str
    gradients: str
    seconds: str


class Application(Record):
    """A network of `keras.applications`, and the net with the settings that is the same function."""

    application: str
    net: str
    settings: str


class Counted(Record):
    """The figures of a net of the zoo with these settings, and what its comments say: kept, so that a list of all nets
    needs no net.

    `key` is a checksum of all that they hang on. `title` is without what the comment says of parameters, `origin` is
    the source that the comment at the top of the spec begins with. A count with symbols is a text.
    """

    file: str
    settings: str
    key: str
    name: str
    params: int | str
    trainable: int | str
    statistics: int | str
    macs: int | str
    title: str
    origin: str


class Entry(Record):
    """A net of the zoo with these settings, and what was published of it."""

    counted: Counted
    published: Published | None

    @property
    def name(self) -> str:
        return self.counted.name

    @property
    def settings(self) -> str:
        return self.counted.settings

    @property
    def counts(self) -> tuple[int, ...]:
        """What authors count as parameters: all, those that are trained, all and the running means and variances."""
        found = self.counted
        if isinstance(found.params, int) and isinstance(found.trainable, int) and isinstance(found.statistics, int):
            return found.params, found.trainable, found.params + found.statistics
        return ()


def published() -> list[Published]:
    """All published figures, in the order of the nets."""
    return [Published(*line) for line in _lines(PUBLISHED)]


def measured() -> dict[str, Verified]:
    """What was found when nets were verified, by name."""
    return {line[0]: Verified(*line) for line in _lines(MEASURED)}


def applications() -> list[Application]:
    """The networks of Keras that stand in the zoo."""
    return [Application(*line) for line in _lines(APPLICATIONS)]


def _lines(name: str) -> list[list[str]]:
    """The lines of a table beside the specs, without its head."""
    import csv

    with open(os.path.join(zoo_folder(), name), encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def checked(name: str, settings: str = "") -> CheckedNet:
    """One net of the zoo; settings as on the command line. Raises ReadError and SettingError."""
    from .api import check
    from .elaborate.net import read_setting

    pairs = (pair.partition("=") for pair in settings.split())
    verdict = check(read_source(ZOO + name), None, {key: read_setting(value) for key, _, value in pairs})
    assert verdict.checked is not None, f"there is no net in {name}"
    return verdict.checked


def counted(name: str, settings: str = "") -> Counted:
    """The figures of one net of the zoo, worked out. Raises ReadError and SettingError."""
    net = checked(name, settings)
    totals = net.totals
    comment = net.net.design.source.text.partition("\n\n")[0].partition("\n#\n")[0]
    return Counted(
        name,
        settings,
        _key(name),
        net.name,
        _count(totals.params),
        _count(totals.trainable),
        _count(totals.statistics),
        _count(totals.macs),
        net.net.body.doc.partition("\n")[0].partition(";")[0],
        " ".join(line.lstrip("# ") for line in comment.split("\n")),
    )


def _count(count: Dim) -> int | str:
    return count if isinstance(count, int) else str(count)


def _kept() -> dict[tuple[str, str], Counted]:
    """The figures beside the specs, by file and settings."""
    found = {}
    for file, settings, key, name, *counts, title, origin in _lines(COUNTED):
        params, trainable, statistics, macs = (int(count) if count.isdigit() else count for count in counts)
        known = Counted(file, settings, key, name, params, trainable, statistics, macs, title, origin)
        found[file, settings] = known
    return found


def _key(name: str) -> str:
    """A checksum of a spec, of those that it imports, and of the library."""
    names, found = [name], _library()
    for each in names:  # which grows
        text = read_source(ZOO + each).text
        found = _checksum(text, found)
        lines = (line.split('"') for line in text.split("\n") if line.startswith(_IMPORTS))
        files = (words[1] for words in lines if len(words) > 1 and not words[1].startswith(LIBRARY))
        names += [file.removesuffix(".net") for file in files if file.removesuffix(".net") not in names]
    return f"{found:08x}"


def _library() -> int:
    if not _LIBRARY:
        texts = [read_source(os.path.join(LIBRARY_FOLDER, file)).text for file in sorted(os.listdir(LIBRARY_FOLDER))]
        _LIBRARY.append(_checksum("".join(texts)))
    return _LIBRARY[0]


_LIBRARY: list[int] = []
_IMPORTS = ('from "', 'import "')


def _checksum(text: str, before: int = 0) -> int:
    from zlib import crc32

    return crc32(text.encode(), before)


def entries(names: list[str] | None = None) -> list[Entry]:
    """These nets of the zoo (default: all) as they stand, and with the settings that a published figure is of.

    Raises ReadError for a name that there is not.
    """
    figures, kept = published(), _kept()
    found = []
    for name in zoo_names() if names is None else names:
        told = [p for p in figures if p.net == name]
        plain = [] if any(p.settings == "" for p in told) else [("", None)]
        key = _key(name)
        for settings, figure in (*plain, *((p.settings, p) for p in told)):
            known = kept.get((name, settings))
            found.append(Entry(known if known is not None and known.key == key else counted(name, settings), figure))
    return found


def fits(written: str, *counts: Dim | str) -> bool:
    """Is a published figure one of these numbers, rounded or cut off at its last digit?"""
    factor = _FACTORS[written.strip("0123456789.,")]
    digits = written.strip("KMB").replace(",", "")
    last = factor // 10 ** len(digits.partition(".")[2])
    shown = round(float(digits) * factor / last)
    return any(isinstance(n, int) and shown in (round(n / last), n // last) for n in counts)
