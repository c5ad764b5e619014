"""From a graph to a spec: the shortest text that is proved to be the model, in the canonical layout."""

from __future__ import annotations

from collections import Counter

from ..base.diagnostics import Collector
from ..base.record import TYPE_CHECKING, Record
from ..base.source import Source
from ..syntax.printer import format_source
from .grounding import is_grounded
from .hierarchy import MARK, SpecStyle, Writing, own_name, unknown_name
from .joins import with_joins
from .levels import ModuleCall, has_weights, tree_of
from .naming import cleaned
from .proving import trace, tried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .graph import ImportedModel, ImportedStep
    from .proving import NetTrace

_STYLES = (SpecStyle(), SpecStyle(equal_first=False), SpecStyle(loops=False))
_FLAT = SpecStyle(loops=False, strict=True)


class WrittenSpec(Record):
    """A spec that was recovered. `faults` are the steps that were not understood, with their places in the model;
    `notes` what it says beside its function and has no place in a spec.

    `holders` has what the model calls the holder of its weights, by the path of a step in the spec.
    """

    text: str
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    holders: Mapping[str, str] = {}


def write_spec(model: ImportedModel) -> WrittenSpec:
    """The spec of a model: the shortest of several forms that is proved to be what the plainest one is.

    The plainest has a step of the text for a step of the model, with its path; it is right as it stands.
    """
    model = with_joins(model)
    shared = _shared(model.steps)
    proof = _Proof(model, shared)
    faults = [_fault(step) for step in model.steps if not step.kind and step.unknown]
    if not proof.base.ok and not faults:
        faults = [f"the model: {diagnostic.message}" for diagnostic in proof.base.diagnostics[:1]]
    elif not faults and not proof.is_grounded:
        faults = ["the model: that this spec is the model could not be proved"]
    text, holders = proof.shortest()
    return WrittenSpec(_formatted(text or proof.flat), tuple(faults), model.notes, holders)


class _Proof:
    """A model in its plainest form, which all others are held against."""

    def __init__(self, model: ImportedModel, shared: Mapping[tuple[str, ...], str]) -> None:
        self.model, self.shared = model, shared
        self.tree = tree_of(model)
        plain = self.tree.replace(parts=model.steps)
        self.flat = Writing(model, plain, _FLAT, shared).text()
        self.stand_ins = _stand_ins(model)
        self.base = tried(self.stand_ins + Writing(model, plain, _FLAT.replace(marks=True), shared).text())
        self.marks = {id(step): f"{MARK}{place}" for place, step in enumerate(model.steps)}
        self.known: dict[object, int] = {}
        self.paths = _paths(model.steps) | {name: ".".join(path) for path, name in shared.items()}
        self.modules = _repeated(self.tree)

    @property
    def is_grounded(self) -> bool:
        """Is the plainest text the model?"""
        return self.base.net is not None and is_grounded(self.base.net, self.model, self._called)

    def _called(self, step: ImportedStep) -> str:
        path = tuple(level.name for level in step.path)
        if step.kind == "weight":
            return own_name(step, 0)
        if path in self.shared:
            return self.shared[path]
        return ".".join(path) if all(path) else self.marks[id(step)]

    def shortest(self) -> tuple[str, Mapping[str, str]]:
        """The shortest text that is proved, and what holds its weights; empty where none is."""
        if self.base.net is None:
            return "", {}
        wanted = trace(self.base.net, self.known, self.paths)
        for strict in (False, True):
            texts = [self._tried(style.replace(strict=strict), wanted) for style in _STYLES]
            proved = [found for found in texts if found is not None]
            if proved:
                return min(proved, key=lambda found: len("".join(found[0].split())))
        return self._checked(self.flat, wanted) or ("", {})

    def _tried(self, style: SpecStyle, wanted: NetTrace) -> tuple[str, Mapping[str, str]] | None:
        """The text in a style, where it is proved."""
        inner = {path: name for path, name in self.shared.items() if not any(path[: len(m)] == m for m in self.modules)}
        return self._checked(Writing(self.model, self.tree, style, inner | self.modules).text(), wanted)

    def _checked(self, text: str, wanted: NetTrace) -> tuple[str, Mapping[str, str]] | None:
        trial = tried(self.stand_ins + text)
        if trial.net is None or not trial.ok:
            return None
        found = trace(trial.net, self.known, self.paths)
        if found.steps != wanted.steps or _outputs(self.model, found) != _outputs(self.model, wanted):
            return None
        return text, self._holders(found, wanted)

    def _holders(self, found: NetTrace, wanted: NetTrace) -> dict[str, str]:
        """Whose weights each step with weights has."""
        names = {".".join(n for n in (level.name for level in s.path) if n): s.tensors for s in self.model.steps}
        names |= {own_name(s, 0): s.tensors for s in self.model.steps if s.kind == "weight"}
        names |= {f"{MARK}{place}": step.tensors for place, step in enumerate(self.model.steps)}
        names |= {shared: names.get(".".join(path), ()) for path, shared in self.shared.items()}
        held: dict[int, list[str]] = {}
        for made, path in wanted.places:
            held.setdefault(made, []).append(path)
        pairs = [(path, names.get(held[made].pop(0), ())) for made, path in found.places]
        return {path: tensors[0][1] for path, tensors in pairs if tensors}


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


def _paths(steps: tuple[ImportedStep, ...]) -> dict[str, str]:
    """What the model calls the steps with weights, by their paths in a spec."""
    found: dict[str, str] = {}
    for step in steps:
        names = [level.name for level in step.path]
        if step.kind == "weight":
            whole = ".".join((*filter(None, names), own_name(step, len(names))))
            found |= {whole: whole, own_name(step, 0): whole}
        elif has_weights(step) and all(names):
            found[".".join(names)] = ".".join(names)
    return found


def _shared(steps: tuple[ImportedStep, ...]) -> dict[tuple[str, ...], str]:
    """The steps with weights that are done more than once, by path, with the names that they are declared under."""
    counted = Counter(tuple(level.name for level in s.path) for s in steps if has_weights(s) and s.kind != "weight")
    return {path: cleaned("_".join(path), "layer") for path, n in counted.items() if n > 1 and all(path)}


def _repeated(tree: ModuleCall) -> dict[tuple[str, ...], str]:
    """The modules that are called more than once, outermost ones, with names to declare them under."""
    counted: Counter[tuple[str, ...]] = Counter()
    stack = [tree]
    while stack:
        inner = [part for part in stack.pop().parts if isinstance(part, ModuleCall)]
        counted.update(part.path for part in inner)
        stack += inner
    found = [path for path, n in counted.items() if n > 1]
    outer = [path for path in found if not any(path[:n] in found for n in range(1, len(path)))]
    return {path: cleaned("_".join(path), "layer") for path in outer}


def _fault(step: ImportedStep) -> str:
    place = ".".join(level.name for level in step.path if level.name)
    return f"{place or 'the model'}: {step.unknown}"
