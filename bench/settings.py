"""The long sweep over settings: is the object that generated code makes with an argument the net of that setting?

`python -m bench.settings [--only SPEC...] [--form FORM...] [--values N] [--pairs N] [--out FILE]` takes each argument
of each generated class or function of the specs in the zoo (or of the files named), makes objects with further values
of it, and with `--pairs` of two arguments at once, and holds them against the net that `netspec check --set NAME=VALUE`
describes: names and shapes of arrays, what is trainable, shapes of outputs, and numbers where the net is small enough.
A ValueError that says which values are taken is a refusal; all else that differs is a disagreement. Exit status 1 where
there was one. Large nets see the smallest images that they can be made for. `--random N --seed S` takes random nets
instead, every other one of those that lean on their parameters (`tests/support`); of each kind of disagreement the
smallest net is shown.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import time
from collections import Counter
from itertools import chain
from pathlib import Path

from bench.zoo import ROOT, within_reach
from netspec.api import check
from netspec.base.diagnostics import SpecError
from netspec.base.record import TYPE_CHECKING
from netspec.base.source import Source
from netspec.files import read_source, zoo_names
from netspec.verify.blocks import block_trials
from netspec.verify.forms import FORMS
from netspec.verify.pool import WorkerPool
from netspec.verify.settings import judged, trials
from netspec.verify.verdict import SettingResult
from netspec.weights.samples import sizes_that_fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netspec.ir.types import CheckedNet


def findings(net: CheckedNet, name: str, most: int, pool: WorkerPool, pairs: int = 0) -> Iterator[SettingResult]:
    """What became of each value of each argument of the code of a net in one form, those of its blocks behind, and of
    so many `pairs` of two arguments of each class."""
    form = FORMS[name]
    try:
        target = form.write(net)
    except SpecError:  # it cannot be written so
        return
    try:
        ast.parse(target.text)
    except SyntaxError as error:
        yield SettingResult(target.framework, net.name, "", None, f"the code is no Python: {error.text}")
        return
    for trial in chain(trials(net, target, form.write, most, pairs), block_trials(net, target, form, most, pairs)):
        yield trial if isinstance(trial, SettingResult) else judged(trial, pool)


def net_of(name: str) -> CheckedNet:
    """The net of a file, or of a spec of the zoo."""
    if not name.endswith(".net"):
        return within_reach(name)[0]
    found = check(read_source(name))
    if found.checked is None or not found.ok:
        raise SpecError(found.diagnostics)
    return found.checked


# seconds between two lines that say how far it has come
_EACH = 30


class Tally:
    """Counts of what was tried, and the disagreements, which are shown as they come."""

    def __init__(self, out: Path | None) -> None:
        self.counts: Counter[str] = Counter()
        self.arguments: set[tuple[str, ...]] = set()
        self.out = out.open("w", encoding="utf-8") if out else None
        self.start = self.told = time.perf_counter()
        self.smallest: dict[str, tuple[str, SettingResult | None]] = {}

    def add(self, spec: str, form: str, finding: SettingResult) -> None:
        self.arguments.add((spec, form, finding.owner, finding.argument))
        self.counts["values"] += 1
        self.counts["in structure alone"] += not finding.whole
        self.counts["refused"] += bool(finding.refused)
        self.counts["with other names"] += finding.renamed
        if finding.wrong:
            self.counts["wrong"] += 1
            self.say(f"{spec}, {form}: {finding}")

    def begin(self, spec: str) -> None:
        """Say how far it has come, now and then."""
        self.counts["specs"] += 1
        if time.perf_counter() - self.told > _EACH:
            self.told = time.perf_counter()
            print(f"{spec}: {self.summary()}", file=sys.stderr, flush=True)

    def keep(self, text: str, form: str, finding: SettingResult) -> None:
        """Keep the text of a random net, if it is the smallest with such a disagreement."""
        kind = f"{form}: {re.sub(r'[0-9][0-9,.]*|`[^`]*`', '#', finding.wrong)[:60]}"
        if len(text) < len(self.smallest.get(kind, (text + " ", None))[0]):
            self.smallest[kind] = text, finding

    def say(self, line: str) -> None:
        print(line, flush=True)
        if self.out:
            self.out.write(line + "\n")
            self.out.flush()

    def summary(self) -> str:
        told = ", ".join(
            f"{self.counts[k]:,} {k}" for k in ("specs", "values", "in structure alone", "refused", "with other names")
        )
        seconds = time.perf_counter() - self.start
        return f"{told}; {len(self.arguments)} arguments, {self.counts['wrong']} disagreements in {seconds:.0f} s"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.settings", description=__doc__)
    parser.add_argument("--only", metavar="SPEC", nargs="+", help="these of the zoo, or these files (default: the zoo)")
    parser.add_argument("--form", choices=FORMS, nargs="+", default=list(FORMS), help="default: all")
    parser.add_argument("--values", type=int, default=6, help="the most values of an argument (default: 6)")
    parser.add_argument("--pairs", type=int, default=0, help="so many values of two arguments of a class at once")
    parser.add_argument("--random", metavar="N", type=int, default=0, help="so many random nets instead")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="of the first random net (default: 0)")
    parser.add_argument("--out", type=Path, help="write the disagreements to this file as well")
    options = parser.parse_args(words)
    tally = Tally(options.out)
    with WorkerPool() as pool:
        for name, net, text in _random(options) if options.random else _named(options.only or zoo_names()):
            tally.begin(name)
            for form in options.form:
                for finding in findings(net, form, options.values, pool, options.pairs):
                    tally.add(name, form, finding)
                    if text and finding.wrong:
                        tally.keep(text, form, finding)
    for text, finding in tally.smallest.values():
        tally.say(f"\n# {finding}\n{text}")
    tally.say(tally.summary())
    return 1 if tally.counts["wrong"] else 0


def _named(names: Iterable[str]) -> Iterator[tuple[str, CheckedNet, str]]:
    return ((name, net_of(name), "") for name in names)


def _random(options: argparse.Namespace) -> Iterator[tuple[str, CheckedNet, str]]:
    """Random nets: network k is drawn from the seed S + k alone."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from randomly import Dice, parametric, spec_of

    for seed in range(options.seed, options.seed + options.random):
        text = (parametric if seed % 2 else spec_of)(Dice(seed))
        net = check(Source(f"random {seed}", text)).checked
        assert net is not None
        try:
            sizes_that_fit(net, 1)
        except ValueError:  # its symbols are bound in ways that no trial of ours meets
            continue
        yield f"random {seed}", net, text


if __name__ == "__main__":
    sys.exit(main())
