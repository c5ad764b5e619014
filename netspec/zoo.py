"""The specs that ship with the project, each beside the figures that were published of it."""

from __future__ import annotations

import os

from .api import check
from .base.record import TYPE_CHECKING, Record
from .elaborate.net import read_setting
from .files import ZOO, read_source, zoo_folder, zoo_names

if TYPE_CHECKING:
    from .base.dims import Dim
    from .ir.types import CheckedNet

PUBLISHED, MEASURED, APPLICATIONS = "published.csv", "verified.csv", "applications.csv"
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


class Entry(Record):
    """A net of the zoo with these settings, and what was published of it."""

    checked: CheckedNet
    settings: str
    published: Published | None

    @property
    def name(self) -> str:
        return self.checked.name

    @property
    def counts(self) -> tuple[Dim, ...]:
        """What authors count as parameters: all, those that are trained, all and the running means and variances."""
        totals = self.checked.totals
        return totals.params, totals.trainable, totals.params + totals.statistics

    @property
    def title(self) -> str:
        """What its comment says it is, without what it says of parameters."""
        return self.checked.net.body.doc.partition("\n")[0].partition(";")[0]

    @property
    def origin(self) -> str:
        """What the comment at the top of the spec begins with: the source."""
        comment = self.checked.net.design.source.text.partition("\n\n")[0].partition("\n#\n")[0]
        return " ".join(line.lstrip("# ") for line in comment.split("\n"))


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


def entry(name: str, settings: str = "", known: Published | None = None) -> Entry:
    """One net of the zoo; settings as on the command line. Raises ReadError and SettingError."""
    pairs = (pair.partition("=") for pair in settings.split())
    verdict = check(read_source(ZOO + name), None, {key: read_setting(value) for key, _, value in pairs})
    assert verdict.checked is not None, f"there is no net in {name}"
    return Entry(verdict.checked, settings, known)


def entries(names: list[str] | None = None) -> list[Entry]:
    """These nets of the zoo (default: all) as they stand, and with the settings that a published figure is of.

    Raises ReadError for a name that there is not.
    """
    figures = published()
    found = []
    for name in zoo_names() if names is None else names:
        told = [p for p in figures if p.net == name]
        if not any(p.settings == "" for p in told):
            found.append(entry(name))
        found += [entry(name, p.settings, p) for p in told]
    return found


def fits(written: str, *counts: Dim) -> bool:
    """Is a published figure one of these numbers, rounded or cut off at its last digit?"""
    factor = _FACTORS[written.strip("0123456789.,")]
    digits = written.strip("KMB").replace(",", "")
    last = factor // 10 ** len(digits.partition(".")[2])
    shown = round(float(digits) * factor / last)
    return any(isinstance(n, int) and shown in (round(n / last), n // last) for n in counts)
