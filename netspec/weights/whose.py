"""Whose names a file has: arrays of one spelling are never taken for those of another, whose axes stand otherwise."""

from __future__ import annotations

from ..base.diagnostics import SpecError
from ..base.record import TYPE_CHECKING, Record
from ..codegen.pipeline import BACKENDS
from .forms import FORMS
from .prefix import NEARLY_ALL, prefix_rule
from .table import WeightsError, misfits
from .words import agree, last_word, users

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..ir.types import CheckedNet
    from .forms import FileFormat
    from .match import Shapes

_WHO = {"netspec": "netspec", "torch": "PyTorch", "keras": "Keras"}
_MATCH = "`netspec weights match` proposes a table of names for --rename"


class ReadPlan(Record):
    """A way to read a file. `possible` are the forms that its kind can have; `told` says whether the user chose."""

    form: str
    style: str
    possible: tuple[str, ...]
    told: bool

    def others(self) -> Iterator[tuple[str, str, str]]:
        """The other ways: form, style, and what to say where the names of the file are those."""
        for form in self.possible:
            if form != self.form:
                yield form, self.style, f"those of {_WHO[form]}; {_remedy(form)}"
        for style in BACKENDS["keras"] if self.form == "keras" else ():
            if style != self.style:
                yield "keras", style, _styled(style)


def _styled(style: str) -> str:
    return f'those of the style {style}; `--style {style}` (in Python `style="{style}"`) reads them'


def _remedy(form: str) -> str:
    return f'`--from {form}` (in Python `form="{form}"`) reads arrays in its order of axes'


# --- pairs of names -----------------------------------------------------------------------------------------------


def may_be(reading: ReadPlan, made: FileFormat, ours: str, foreign: str) -> bool:
    """Can an array of a file be ours as it stands there?

    Not if the names are of different things, or if the foreign one is of a spelling that keeps it in another order of
    axes; the shape of a square kernel does not tell.
    """
    other = _strange(reading, foreign) or _shared(ours, foreign)
    return agree(ours, foreign) and not (ours in made.turned and other)


def _shared(ours: str, foreign: str) -> bool:
    """Is the foreign word one of all spellings, but not ours? It may be of one that keeps the array otherwise."""
    return len(users(foreign)) == len(_WHO) and last_word(foreign) != last_word(ours)


def _strange(reading: ReadPlan, name: str) -> tuple[str, ...]:
    """The spellings in which names end so, where this one is not among them."""
    found = users(name)
    return () if reading.form in found else tuple(form for form in _WHO if form in found)


def crossed(reading: ReadPlan, made: FileFormat, names: Mapping[str, str]) -> list[str]:
    """What is wrong with a table that gives foreign arrays our names, by our names: renaming turns no axes."""
    wrong: dict[tuple[str, ...], list[str]] = {}
    for ours, foreign in names.items():
        if ours == foreign or ours not in made.shapes:
            continue
        whose = _strange(reading, foreign)
        if not may_be(reading, made, ours, foreign) if whose else _untold(reading, made, ours, foreign):
            wrong.setdefault(whose, []).append(f"`{foreign}` for `{ours}`")
    return [_listed(pairs) + _why(reading, whose) for whose, pairs in wrong.items()]


def opposed(names: Mapping[str, str]) -> list[str]:
    """A line where a table gives arrays names of other things; whoever wrote it may know better."""
    pairs = [f"`{foreign}` for `{ours}`" for ours, foreign in names.items() if not agree(ours, foreign)]
    return [f"by their last words these are different things: {_listed(pairs)}"] if pairs else []


def _untold(reading: ReadPlan, made: FileFormat, ours: str, foreign: str) -> bool:
    """Does nothing say in which of the possible orders the axes of an array stand?"""
    if reading.told or len(reading.possible) == 1 or ours not in made.turned:
        return False
    return not users(foreign) or _shared(ours, foreign)


def _listed(pairs: Sequence[str]) -> str:
    return pairs[0] + (f" and {len(pairs) - 1} more" if len(pairs) > 1 else "")


def _why(reading: ReadPlan, whose: Sequence[str]) -> str:
    if not whose:
        choice = " or ".join(f"`--from {form}`" for form in reading.possible)
        return f": nothing tells in whose order their axes stand; {choice} does"
    theirs, ours = " and ".join(_WHO[form] for form in whose), _WHO[reading.form]
    about = f": names of {theirs}, and renaming does not turn arrays to the order of axes of {ours}"
    readable = [form for form in reading.possible if form in whose]
    return f"{about}; {_remedy(readable[0])}" if readable else about


# --- whole files --------------------------------------------------------------------------------------------------


def refuse_others(net: CheckedNet, reading: ReadPlan, made: FileFormat, names: Sequence[str]) -> None:
    """Raises WeightsError where (nearly) all names of a file are those of another form or style."""
    if _share(made, names) >= NEARLY_ALL:
        return
    for form, style, said in reading.others():
        try:
            share = _share(FORMS[form](net, style), names)
        except SpecError:
            continue  # the framework has no such form
        if share >= NEARLY_ALL:
            raise WeightsError([f"its names are {said}"])
    theirs = _endings(reading, names)
    if theirs in reading.possible and not reading.told:
        raise WeightsError([f"its names end as those of {_WHO[theirs]}; {_remedy(theirs)}"])


def _share(made: FileFormat, names: Sequence[str]) -> float:
    """The share of the names that a form has, be it with a prefix."""
    mine = [name for name in names if not made.beside(name)]
    rule = prefix_rule(made.shapes, mine)
    return sum((rule.apply(name) if rule else name) in made.shapes for name in mine) / max(len(mine), 1)


def _endings(reading: ReadPlan, names: Sequence[str]) -> str:
    """The other spelling that most names end in, where they are more than those that end in this one; or nothing."""
    counts = dict.fromkeys(_WHO, 0)
    for name in names:
        found = users(name)
        if len(found) < len(_WHO):
            for form in found:
                counts[form] += 1
    most = max(counts, key=lambda form: counts[form])
    return most if counts[most] > counts[reading.form] else ""


def check_names(
    net: CheckedNet, reading: ReadPlan, made: FileFormat, names: Mapping[str, str], shapes: Shapes, wrong: Sequence[str]
) -> None:
    """Hold the arrays of a file, by our names for them, against a net.

    `names` are the foreign names behind ours, `shapes` those of the foreign ones, and `wrong` what was found before.
    Raises WeightsError with all that does not fit, or with what is behind it.
    """
    given = {ours: shapes[foreign] for ours, foreign in names.items()}
    problems = [*wrong, *crossed(reading, made, names)]
    if not problems and made.shapes == given:
        return
    for found in dict.fromkeys((tuple(given), tuple(names.values()))):
        refuse_others(net, reading, made, found)
    rule = prefix_rule(made.shapes, given)
    if rule is not None:
        line = f"{rule.pattern} = {rule.name}"
        problems.append(f"nearly all names differ by a prefix; the line `{line}` in a table for --rename sees to that")
        given = {rule.apply(name) or name: shape for name, shape in given.items()}
    problems += misfits(made.shapes, given, f"net {net.name}", lambda one, other: may_be(reading, made, one, other))
    theirs = _endings(reading, list(given))
    hints = (
        [f"its names end as those of {_WHO[theirs]}, but it is read as a file of {_WHO[reading.form]}"]
        if theirs
        else []
    )
    missing = {shape for name, shape in made.shapes.items() if name not in given}
    if any(shape in missing for name, shape in given.items() if name not in made.shapes):
        hints.append(_MATCH)
    raise WeightsError(problems, hints)
