"""The long sweep over settings: is the object that generated code makes with an argument the net of that setting?

`python -m bench.settings [--only SPEC...] [--form FORM...] [--values N] [--out FILE]` takes each argument of each
generated class or function of the specs in the zoo (or of the files named), makes objects with further values of it,
and holds them against the net that `netspec check --set NAME=VALUE` describes: names and shapes of arrays, what is
trainable, shapes of outputs, and numbers where the net is small enough. A ValueError that says which values are taken
is a refusal; all else that differs is a disagreement. Exit status 1 where there was one. Large nets see the smallest
images that they can be made for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

from bench.zoo import within_reach
from netspec.api import check
from netspec.diagnostics import SpecError
from netspec.files import read_source, zoo_names
from netspec.record import TYPE_CHECKING
from netspec.verify.pool import Pool
from netspec.verify.settings import Finding, judged, trials
from netspec.weights.targets import keras_target, torch_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from netspec.ir import CheckedNet
    from netspec.weights.targets import Target

# the ways of writing a net
FORMS: dict[str, Callable[[CheckedNet], Target]] = {
    "torch": torch_target,
    **{style: partial(keras_target, style=style) for style in ("functional", "subclass", "sequential")},
}


def findings(net: CheckedNet, form: str, most: int, pool: Pool) -> Iterator[Finding]:
    """What became of each value of each argument of the code of a net in one form."""
    try:
        target = FORMS[form](net)
    except SpecError:  # it cannot be written so
        return
    for trial in trials(net, target, FORMS[form], most):
        yield trial if isinstance(trial, Finding) else judged(trial, pool)


def net_of(name: str) -> CheckedNet:
    """The net of a file, or of a spec of the zoo."""
    if not name.endswith(".net"):
        return within_reach(name)[0]
    found = check(read_source(name))
    if found.checked is None or not found.ok:
        raise SpecError(found.diagnostics)
    return found.checked


class Tally:
    """Counts of what was tried, and the disagreements, which are shown as they come."""

    def __init__(self, out: Path | None) -> None:
        self.counts: Counter[str] = Counter()
        self.arguments: set[tuple[str, ...]] = set()
        self.out = out.open("w", encoding="utf-8") if out else None
        self.start = time.perf_counter()

    def add(self, spec: str, form: str, finding: Finding) -> None:
        self.arguments.add((spec, form, finding.owner, finding.argument))
        self.counts["values"] += 1
        self.counts["in structure alone"] += not finding.whole
        self.counts["refused"] += bool(finding.refused)
        if finding.wrong:
            self.counts["wrong"] += 1
            self.say(f"{spec}, {form}: {finding}")

    def say(self, line: str) -> None:
        print(line, flush=True)
        if self.out:
            self.out.write(line + "\n")
            self.out.flush()

    def summary(self) -> str:
        told = ", ".join(f"{self.counts[k]:,} {k}" for k in ("specs", "values", "in structure alone", "refused"))
        seconds = time.perf_counter() - self.start
        return f"{told}; {len(self.arguments)} arguments, {self.counts['wrong']} disagreements in {seconds:.0f} s"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.settings", description=__doc__)
    parser.add_argument("--only", metavar="SPEC", nargs="+", help="these of the zoo, or these files (default: the zoo)")
    parser.add_argument("--form", choices=FORMS, nargs="+", default=list(FORMS), help="default: all")
    parser.add_argument("--values", type=int, default=6, help="the most values of an argument (default: 6)")
    parser.add_argument("--out", type=Path, help="write the disagreements to this file as well")
    options = parser.parse_args(words)
    tally = Tally(options.out)
    with Pool() as pool:
        for name in options.only or zoo_names():
            tally.counts["specs"] += 1
            net = net_of(name)
            for form in options.form:
                for finding in findings(net, form, options.values, pool):
                    tally.add(name, form, finding)
    tally.say(tally.summary())
    return 1 if tally.counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
