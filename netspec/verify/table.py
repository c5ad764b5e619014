"""A verification as text for a terminal."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..base.render import clean, paint, width
from .verdict import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .verdict import LayerLine, Result, SettingResult


def table(result: Result, layers: bool = True, colour: bool = False, ascii: bool = False) -> str:
    """What was found, without a line end after it; `layers` shows each layer, too."""
    lines = [paint(result.net, "strong", colour) + _sizes(result)]
    if layers and result.lines:
        head, *body = _rows(result)
        rule = paint(("-" if ascii else "─") * width(head), "dim", colour)
        marked = (row if _good(line, result) else paint(row, "bad", colour) for row, line in zip(body, result.lines))
        lines += [paint(head, "strong", colour), rule, *marked, rule]
    lines += _sums(result)
    lines += [f"note: {clean(note)}" for note in result.notes]
    bad, good = ("FAILED", "ok") if ascii else ("✗", "✓")
    lines += [f"{paint(bad, 'bad', colour)} {clean(problem)}" for problem in result.problems]
    if result.ok:
        lines.append(f"{paint(good, 'good', colour)} {_agreement(result)}")
    return "\n".join(lines)


def _sizes(result: Result) -> str:
    """The sizes that were tried, where there are symbols."""
    told = (", ".join(f"{name} = {value}" for name, value in sizes.items()) for sizes in result.sizes if sizes)
    return "".join(f"  {text};" for text in told).rstrip(";")


def _good(line: LayerLine, result: Result) -> bool:
    return line.agrees and line.error <= result.tolerance


def _rows(result: Result) -> list[str]:
    pairs = list(result.lines[0].errors)
    titles = ["layer", "kind", "output", "parameters", *("-".join(pair) for pair in pairs)]
    cells = [titles]
    for line in result.lines:
        errors = [f"{line.errors[pair]:.1e}" for pair in pairs]
        cells.append([clean(line.path), line.kind, _several(line.shapes), _several(line.counts), *errors])
    columns = [_laid(column, right=place > 2) for place, column in enumerate(zip(*cells))]
    return ["  ".join(row).rstrip() for row in zip(*columns)]


def _several(told: object) -> str:
    """What all say, or what each says."""
    assert isinstance(told, dict)
    texts = {who: f"{v:,}" if isinstance(v, int) else str(list(v)) for who, v in told.items()}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{who} {text}" for who, text in texts.items())


def _laid(column: Sequence[str], right: bool) -> list[str]:
    size = max(map(width, column))
    return [(str.rjust if right else str.ljust)(text, size - width(text) + len(text)) for text in column]


def _sums(result: Result) -> list[str]:
    found = [
        (f"outputs, {NAMES[one]} and {NAMES[other]}", f"{error:.1e}") for (one, other), error in result.outputs.items()
    ]
    found += [
        (f"regularization, {NAMES[one]} and {NAMES[other]}", f"{error:.1e}")
        for (one, other), error in result.penalties.items()
    ]
    if result.gradients is not None:
        mode = "training" if result.gradients.training else "inference, since training draws random numbers"
        found.append((f"gradients ({mode})", f"{result.gradients.error:.1e}"))
    if result.settings:
        found.append(("settings", _tried(result.settings)))
    size = max((len(title) for title, _ in found), default=0)
    return [f"{title:<{size}}  {value}" for title, value in found]


def _tried(settings: Sequence[SettingResult]) -> str:
    """How many values were tried, and what became of them."""
    arguments = {(f.framework, f.owner, f.argument) for f in settings}
    refused, wrong = sum(bool(f.refused) for f in settings), sum(bool(f.wrong) for f in settings)
    bare = sum(not f.whole for f in settings)
    told = f"{_count(len(settings), 'value')} of {_count(len(arguments), 'argument')}"
    told += f", {bare} of them in structure alone" if bare else ""
    told += f", {refused} refused by the code" if refused else ""
    renamed = sum(f.renamed for f in settings)
    told += f", {renamed} with other names for the same arrays" if renamed else ""
    return told + (f", {wrong} wrong" if wrong else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _agreement(result: Result) -> str:
    model = ["model"] if any("model" in pair for pair in result.outputs) else []
    who = " = ".join(NAMES[name] for name in ("checker", *result.frameworks, *model, "reference"))
    return f"{who} to {result.worst:.1e} (allowed {result.tolerance:.0e}) in {result.seconds:.1f} s"
