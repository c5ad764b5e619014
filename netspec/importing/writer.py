"""From a graph to a spec: the shortest text that is proved to be the model, in the canonical layout."""

from __future__ import annotations

from collections import Counter

from ..base.diagnostics import Collector
from ..base.record import TYPE_CHECKING, Record
from ..base.source import Source
from ..syntax.printer import format_source
from .hierarchy import SpecStyle, Writing, unknown_name
from .levels import has_weights, tree_of
from .naming import cleaned
from .proving import trace, tried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .graph import ImportedModel, ImportedStep
    from .levels import ModuleCall
    from .proving import NetTrace, TriedText

_STYLES = (SpecStyle(), SpecStyle(equal_first=False), SpecStyle(loops=False))
_FLAT = SpecStyle(loops=False, strict=True)


class WrittenSpec(Record):
    """A spec that was recovered. `faults` are the steps that were not understood, with their places in the model;
    `notes` what it says beside its function and has no place in a spec."""

    text: str
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def write_spec(model: ImportedModel) -> WrittenSpec:
    """The spec of a model: the shortest of several forms that is proved to be what the plainest one is.

    The plainest has a step of the text for a step of the model, with its path; it is right as it stands.
    """
    tree = tree_of(model)
    shared = _shared(model.steps)
    faults = [_fault(step) for step in model.steps if not step.kind and step.unknown]
    flat = Writing(model, tree.replace(parts=model.steps), _FLAT, shared).text()
    stand_ins = _stand_ins(model)
    base = tried(stand_ins + flat)
    if not base.ok and not faults:
        faults = [f"the model: {diagnostic.message}" for diagnostic in base.diagnostics[:1]]
    text = _shortest(model, tree, shared, base, stand_ins) if base.net is not None else ""
    return WrittenSpec(_formatted(text or flat), tuple(faults), model.notes)


def _shortest(
    model: ImportedModel, tree: ModuleCall, shared: Mapping[tuple[str, ...], str], base: TriedText, stand_ins: str
) -> str:
    """The shortest text that is proved; empty where none is."""
    assert base.net is not None
    known: dict[object, int] = {}
    paths = {p: p for p in _paths(model.steps)} | {name: ".".join(path) for path, name in shared.items()}
    wanted = trace(base.net, known, paths)
    for strict in (False, True):
        texts = []
        for style in _STYLES:
            text = Writing(model, tree, style.replace(strict=strict), shared).text()
            trial = tried(stand_ins + text)
            if trial.net is None or not trial.ok:
                continue
            found = trace(trial.net, known, paths)
            if found.steps == wanted.steps and _outputs(model, found) == _outputs(model, wanted):
                texts.append(_formatted(text))
        if texts:
            return min(texts, key=lambda text: len("".join(text.split())))
    return ""


def _stand_ins(model: ImportedModel) -> str:
    """Blocks in the place of steps that were not understood, where these keep their shape, for the proof alone."""
    shapes = {port.number: port.shape for port in model.inputs}
    shapes |= {n: s for step in model.steps for n, s in zip(step.results, step.shapes)}
    unknown = [step for step in model.steps if not step.kind]
    if not all(len(s.operands) == 1 and shapes.get(s.operands[0]) in s.shapes for s in unknown):
        return ""
    names = dict.fromkeys(unknown_name(step) for step in unknown)
    return "".join(f"block {name} {{ scale({2 + place}.5) }}\n" for place, name in enumerate(names))


def _outputs(model: ImportedModel, found: NetTrace) -> list[tuple[str, object]]:
    """What comes out, with the names that the model gives."""
    return [(name if given else "", made) for (given, _), (name, made) in zip(model.outputs, found.outputs)]


def _formatted(text: str) -> str:
    found = format_source(Source("import", text), Collector())
    assert found is not None, text
    return found


def _paths(steps: tuple[ImportedStep, ...]) -> list[str]:
    named = [[level.name for level in step.path] for step in steps if has_weights(step)]
    return [".".join(path) for path in named if all(path)]


def _shared(steps: tuple[ImportedStep, ...]) -> dict[tuple[str, ...], str]:
    """The steps with weights that are done more than once, by path, with the names that they are declared under."""
    counted = Counter(tuple(level.name for level in s.path) for s in steps if has_weights(s) and s.kind != "weight")
    return {path: cleaned("_".join(path), "layer") for path, n in counted.items() if n > 1 and all(path)}


def _fault(step: ImportedStep) -> str:
    place = ".".join(level.name for level in step.path if level.name)
    return f"{place or 'the model'}: {step.unknown}"
