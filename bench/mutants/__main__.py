"""Plants bugs in a copy of the tree, one at a time, and says by folder how many the tests find.

`python -m bench.mutants [--count N] [--seed N] [--folder NAME] [--limit SECONDS] [--frameworks] [--list]`.
The bugs are changes of a single place: another comparison, operands swapped, a constant that is off by one, a condition
negated or dropped, a branch never or always taken. They are drawn from all places of a folder, the same number from
each. The tests are those of `bench/mutants/covering.py`; with `--frameworks` those that run PyTorch and Keras, too,
where the quick ones find nothing. What survives is a bug that no test sees, or no bug: someone has to look.
Exit status 1 where something survived.
"""

from __future__ import annotations

import argparse
import random
import sys

from netspec.base.record import TYPE_CHECKING

from .covering import QUICK, ROOT, files
from .planting import mutations, parses
from .trial import Copy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .planting import Mutation
    from .trial import Tests

# written by a program, and lists of facts
_NOT = ("syntax/tables.py", "codes.py")


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    # the files may change while bugs are tried in the copy
    chosen = [
        (folder, mutation, _told(mutation))
        for folder, many in _shares(options.folder, options.count).items()
        for mutation in drawn(folder, many, options.seed, options.only)
    ]
    if options.list:
        for folder, _, told in chosen:
            print(f"{folder or '.'}  {told}")
        return 0
    found: dict[str, list[bool]] = {}
    with Copy() as copy:
        known: dict[tuple[str, bool], Tests] = {}
        for folder, mutation, told in chosen:
            for frameworks in (False, True)[: 1 + options.frameworks]:
                tests = known.get((folder, frameworks)) or copy.looked_at(files(folder, frameworks))
                known[folder, frameworks] = tests
                outcome = copy.tried(mutation, tests, options.limit)
                if outcome.failed:
                    break
            found.setdefault(folder, []).append(outcome.failed)
            print(f"{'caught  ' if outcome.failed else 'SURVIVED'}  {told}{_by(outcome.said)}", flush=True)
    return _summed(found)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="bugs in all (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="which bugs are drawn (default: 0)")
    parser.add_argument("--folder", action="append", choices=[*QUICK, "."], help="only this one; . is netspec itself")
    parser.add_argument("--limit", type=float, default=30, help="seconds beyond three times what the tests take")
    parser.add_argument("--frameworks", action="store_true", help="run PyTorch and Keras where nothing else finds it")
    parser.add_argument("--only", default="", help="bugs of a file, or of one line of it: netspec/base/dims.py:120")
    parser.add_argument("--list", action="store_true", help="show the bugs that would be planted")
    options = parser.parse_args(argv)
    options.folder = [folder.strip(".") for folder in options.folder or QUICK]
    return options


def _shares(folders: Sequence[str], count: int) -> dict[str, int]:
    """How many bugs each folder gets; the first ones one more where it does not come out even."""
    each, more = divmod(count, len(folders))
    return {folder: each + (place < more) for place, folder in enumerate(folders)}


def drawn(folder: str, count: int, seed: int, only: str = "") -> list[Mutation]:
    """Bugs of a folder, no two of them on one line, in the order of their files. `only` names a file, or a line of it,
    of which all are taken."""
    found = [m for m in _all(folder) if not only or f"{m.file}:{m.line}:".startswith(f"{only}:")]
    random.Random(f"{seed} {folder}").shuffle(found)
    if only:
        return sorted(filter(_is_program, found), key=lambda m: (m.file, m.start))
    lines: dict[tuple[str, int], Mutation] = {}
    for mutation in found:
        place = mutation.file, mutation.line
        if len(lines) < count and place not in lines and _is_program(mutation):
            lines[place] = mutation
    return sorted(lines.values(), key=lambda m: (m.file, m.start))


def _is_program(mutation: Mutation) -> bool:
    return parses(mutation, (ROOT / mutation.file).read_bytes())


def _all(folder: str) -> Iterator[Mutation]:
    for path in sorted((ROOT / "netspec" / folder).glob("**/*.py" if folder else "*.py")):
        name = str(path.relative_to(ROOT))
        if not name.endswith(_NOT):
            yield from mutations(name, path.read_bytes())


def _told(mutation: Mutation) -> str:
    source = (ROOT / mutation.file).read_bytes()
    return f"{mutation.file}:{mutation.line}  {mutation.shown(source)}"


def _by(said: str) -> str:
    """What found it."""
    first = next((line.split(" - ")[0] for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    return f"  ({first.partition(' ')[2] or said.strip()[-60:]})" if first or said == "no end" else ""


def _summed(found: dict[str, list[bool]]) -> int:
    """The table by folder."""
    print()
    for folder, results in found.items():
        print(f"{'netspec/' + folder:<20}  {sum(results):>3} of {len(results):>3} caught")
    every = [caught for results in found.values() for caught in results]
    print(f"{'all':<20}  {sum(every):>3} of {len(every):>3} caught")
    return 0 if all(every) else 1


if __name__ == "__main__":
    sys.exit(main())
