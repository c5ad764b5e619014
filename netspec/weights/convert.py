"""Weights from files and to files."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..files import write_with
from ..runtime.code import MissingFramework
from .archives import KINDS, READABLE, opened, suffix_of
from .earlier import earlier_names
from .forms import FORMS, model_of, target_of
from .match import partners
from .packed import Rearranged, rearranged
from .prefix import prefix_rule
from .rename import Renaming
from .table import WeightsError, check_weights
from .whose import ReadPlan, check_names, may_be, opposed, refuse_others

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np

    from ..ir.types import CheckedNet
    from ..layers.base import Array
    from .archives import Archive
    from .forms import FileFormat

# the types of number that both frameworks compute with
_NUMBERS = ("float16", "float32", "float64")
_NO_RENAMING = Renaming()


class FormError(ValueError):
    """A file of this kind cannot hold weights in that form."""


class Read(Record):
    """Weights by path, in the language's order, and what is to be said about how they were found."""

    weights: Mapping[str, Array]
    notes: tuple[str, ...]


def form_of(path: str, form: str | None) -> str:
    """The form of the weights in a file. Raises FormError, and ReadError where the name of the file says nothing."""
    suffix = suffix_of(path)
    possible = KINDS[suffix].forms
    if form is not None and form not in possible:
        others = " or ".join(s for s, kind in KINDS.items() if form in kind.forms)
        raise FormError(f"{path}: a {suffix} file cannot hold weights as {form} spells them; {others} can")
    return form or possible[0]


def read_weights(
    net: CheckedNet,
    path: str,
    form: str | None = None,
    style: str = "functional",
    renaming: Renaming = _NO_RENAMING,
) -> Read:
    """The weights in a file, each in its own precision.

    `form` says whose names and axes they have: `netspec`, `torch`, `keras`, or `built` for what generated PyTorch code
    holds, where code of the usual kind may differ; `style` is the style of the Keras code.
    Raises WeightsError where they do not fit the net, ReadError, FormError, MissingFramework, and SpecError where a
    framework has no form for something.
    """
    reading = _reading(path, form, style)
    with opened(path) as archive:
        made = FORMS[form_of(path, form)](net, style)
        before = earlier_names(made.shapes, archive.shapes)
        renaming = renaming.replace(rules=(*renaming.rules, *before)) if before else renaming
        names, problems = renaming.names(name for name in archive.shapes if not made.beside(renaming.of(name)))
        packed = Rearranged(archive, names)
        if reading.form == "torch":
            packed = rearranged(archive, made.shapes, names)
        archive, names = packed.archive, dict(packed.names)
        problems += _unreadable((names[ours] for ours in made.shapes if ours in names), archive)
        check_names(net, reading, made, names, archive.shapes, problems)
        arrays = {ours: archive.read(names[ours]) for ours in made.shapes}
        notes = [
            *packed.notes,
            *_not_finite(arrays),
            *renaming.idle(archive.shapes),
            *opposed(names),
            *_other_layers(made, archive),
        ]
    return Read(made.take(arrays), tuple(notes))


def _reading(path: str, form: str | None, style: str) -> ReadPlan:
    """`built` has the names of PyTorch."""
    chosen = form_of(path, form)
    possible = tuple(one for one in KINDS[suffix_of(path)].forms if one != "built")
    return ReadPlan("torch" if chosen == "built" else chosen, style, possible, form is not None)


def _unreadable(names: Iterable[str], archive: Archive) -> list[str]:
    """The arrays among these whose numbers are of a kind that weights are not read from."""
    allowed = f"{', '.join(READABLE[:-1])} or {READABLE[-1]}"
    kinds = {name: archive.dtypes[name] for name in names}
    return [f"`{n}` is {kind}; weights are read from {allowed}" for n, kind in kinds.items() if kind not in READABLE]


def _not_finite(arrays: Mapping[str, Array]) -> list[str]:
    """A line where arrays hold NaN or infinite numbers, of which nothing good comes."""
    import numpy as np

    odd = [f"`{name}`" for name, array in arrays.items() if not np.isfinite(array).all()]
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    return [f"NaN or infinite numbers are in {', '.join(odd[:3])}{more}"] if odd else []


def _other_layers(form: FileFormat, archive: Archive) -> list[str]:
    """Keras numbers layers of a class in their order; another name at a number may be another layer."""
    odd = [
        f"`{archive.layers[group]}` for `{name}`"
        for group, name in form.layers.items()
        if archive.layers.get(group, name) != name
    ]
    if not odd:
        return []
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    return [f"the file calls layers otherwise, which were taken by their order: {', '.join(odd[:3])}{more}"]


class LikelyNames(Record):
    """Our name for each array of a file as far as it can be guessed; empty for those left over. `how` says how each was
    found (see `Partner`); what is not there is a rule for many, or is left over."""

    names: Mapping[str, str]
    how: Mapping[str, str]


def likely_names(net: CheckedNet, path: str, form: str | None = None, style: str = "functional") -> LikelyNames:
    """Guess the names of a file (see `partners`). Where they differ by a prefix, one rule stands for them, behind those
    that it does not fit.

    Raises WeightsError where the names are those of another form or style, and otherwise as `read_weights`.
    """
    reading = _reading(path, form, style)
    with opened(path) as archive:
        made = FORMS[form_of(path, form)](net, style)
        given = {name: shape for name, shape in archive.shapes.items() if not made.beside(name)}
    refuse_others(net, reading, made, list(given))
    rule = prefix_rule(made.shapes, given)
    bare = {(rule and rule.apply(name)) or name: name for name in given}
    found = partners(
        made.shapes,
        {name: given[whole] for name, whole in bare.items()},
        lambda ours, foreign: may_be(reading, made, ours, foreign),
    )
    ours = {bare[partner.name]: name for name, partner in found.items()}
    how = {bare[partner.name]: partner.how for partner in found.values()}
    table = {name: ours.get(name, "") for name in given}
    if rule is None:
        return LikelyNames(table, how)
    odd = {name: own for name, own in table.items() if rule.apply(name) != own}
    return LikelyNames(odd | {rule.pattern: rule.name}, {name: how[name] for name in odd if name in how})


def write_weights(
    net: CheckedNet, weights: Mapping[str, Array], path: str, form: str | None = None, style: str = "functional"
) -> None:
    """Write weights by path to a file, whole or not at all.

    The arrays keep their precision; a model of a framework has one, that of the most precise of them. Raises
    WeightsError where they do not fit the net, ReadError where the name of the file does not say what it is to hold,
    FormError, WriteError, MissingFramework, and SpecError where a framework has no form for something.
    """
    form, suffix = form_of(path, form), suffix_of(path)
    check_weights(net, weights)
    if suffix == ".safetensors":
        _write_safetensors(net, weights, path, form, style)
        return
    model = model_of(net, target_of(net, form, style), _precision(weights), weights)
    write_with(path, model.save, suffix)


def _precision(weights: Mapping[str, Array]) -> str:
    """The type of number that holds them all."""
    import numpy as np

    found = str(np.result_type(*weights.values())) if weights else "float32"
    if found not in _NUMBERS:
        raise WeightsError([f"weights are of type {found}; a model has one of {', '.join(_NUMBERS)}"])
    return found


def _write_safetensors(net: CheckedNet, weights: Mapping[str, Array], path: str, form: str, style: str) -> None:
    try:
        from safetensors.numpy import save_file
    except ImportError:
        raise MissingFramework("safetensors", "weights") from None
    import numpy as np

    arrays = dict(weights) if form == "netspec" else target_of(net, form, style).spelling.put(weights)
    whole: dict[str, np.ndarray] = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    about = {"format": "pt" if form in ("torch", "built") else form}  # what PyTorch's own readers look for
    write_with(path, lambda name: save_file(whole, name, about), ".safetensors")
