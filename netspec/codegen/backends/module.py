"""Pieces of Python files: names of classes, docstrings, imports, helpers."""

from __future__ import annotations

import re
import textwrap
from sys import stdlib_module_names

from ...base.record import TYPE_CHECKING
from ...base.render import clean, inert
from ...pycode.doc import lay_out
from ...pycode.expr import Call, Raw
from ..identifiers import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...layers.base import Helper
    from ...pycode.expr import Named
    from ..ir import Template

_WIDTH = 88
_SHORT = frozenset(("gan", "vae", "gru", "aux", "se", "nas", "pnas"))
_ENDINGS = {"net": "Net", "next": "NeXt"}


def class_name(name: str) -> str:
    """The name of a net or block as a class: `resnet50` is ResNet50, `mobilenet_v2` MobileNetV2.

    Numbers are kept apart: `resnext101_64x4d` is ResNeXt101_64x4d.
    """
    found = ""
    for part in filter(None, name.split("_")):
        found += f"_{part}" if found[-1:].isdigit() and part[0].isdigit() else _word(part)
    return safe(found or "Net")


def _word(part: str) -> str:
    stem = part.rstrip("0123456789")
    digits = part[len(stem) :]
    lower = stem.lower()
    if stem != lower:
        return part[0].upper() + part[1:]
    if len(lower) > 1 and (not set(lower) & set("aeiouy") or lower in _SHORT):
        return stem.upper() + digits
    ending = next((e for e in _ENDINGS if lower.endswith(e) and len(lower) > len(e)), None)
    if ending is not None:
        return _word(lower.removesuffix(ending)) + _ENDINGS[ending] + digits
    return lower.capitalize() + digits


def doc_of(template: Template) -> str:
    """The author's comment, but for what it says of parameters that are none of the class or function."""
    body = template.bodies[0]
    declared = {p.name.text for p in body.definition.parameters}
    return _without(body.doc, declared - {p.name for p in template.parameters})


def _without(doc: str, names: set[str]) -> str:
    """A comment without what it says of names in backquotes that are not there any more."""
    sentences = re.split(r"(?<=\.)\s+", doc)
    kept = []
    for sentence in sentences:
        head, *rest = sentence.split("; ", 1)
        if not _names(sentence) & names:
            kept.append(sentence)
        elif rest and not _names(head) & names:
            kept.append(head)
    return doc if kept == sentences else " ".join(kept)


def _names(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)", text))


_TEXTS = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*', re.DOTALL)


def speaks_of(code: str, names: Iterable[str], behind: str = r"\.") -> list[str]:
    """Those of some names that code uses: docstrings, strings and comments do not count, nor do attributes."""
    bare = _TEXTS.sub("", code)
    return [name for name in names if re.search(rf"(?<![\w.]){name}{behind}", bare)]


def docstring(text: str, indent: int, extra: Sequence[str] = ()) -> list[str]:
    """A docstring of a comment; what would end it early is kept from doing so."""
    width = _WIDTH - indent
    lines = _filled([line.rstrip() for line in text.split("\n")], width) if text else []
    held = [re.sub(r"\([^)]*\)", lambda found: found[0].replace(" ", "\xa0"), line) for line in extra]
    if held:  # what is in brackets stays on a line
        told = [part for line in held for part in textwrap.wrap(line, width)] if lines else _filled(held, width)
        lines += [*([""] if lines else []), *(line.replace("\xa0", " ") for line in told)]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return []
    pad = " " * indent
    shown = [inert(clean(line.expandtabs(4))).replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    first = shown[0].strip()
    if first.startswith('"'):
        first = " " + first
    if len(shown) == 1:
        return [f'{pad}"""{first}{" " if first.endswith(chr(34)) else ""}"""']
    return [f'{pad}"""{first}', *(pad + line if line else "" for line in shown[1:]), f'{pad}"""']


def _filled(lines: list[str], width: int) -> list[str]:
    """The lines, anew where one is too long beside the quotes, but for lists and what is indented."""
    fits = len(lines[0]) + (6 if len(lines) == 1 else 3) <= width and all(len(line) <= width for line in lines)
    if fits or any(line[:1] in (" ", "-", "*") for line in lines):
        return lines
    paragraphs = ("   " + "\n".join(lines)).split("\n\n")
    found = [line for text in paragraphs for line in ["", *textwrap.wrap(text, width)]][1:]
    return [found[0].strip(), *found[1:]]


def signature(name: str, parameters: Sequence[str | Named], indent: int) -> list[str]:
    """The head of a function, one parameter to a line where they do not fit on one."""
    said = tuple(Raw(p) if isinstance(p, str) else p for p in parameters)
    return lay_out("def ", Call(name, said), ":", indent)


def helper_lines(helpers: Iterable[Helper]) -> list[str]:
    """The helpers, each once, apart by two empty lines."""
    found: list[str] = []
    for helper in dict.fromkeys(helpers):
        found += [*helper.source.rstrip("\n").split("\n"), "", ""]
    return found


def module_text(imports: Iterable[str], helpers: Iterable[Helper], classes: Sequence[Sequence[str]]) -> str:
    """A whole file: imports in the usual order, helpers, classes."""
    wanted = dict.fromkeys([*imports, *(line for h in helpers for line in h.imports)])
    own = sorted((line for line in wanted if _is_standard(line)), key=_import_key)
    others = sorted((line for line in wanted if not _is_standard(line)), key=_import_key)
    lines = [*own, *([""] if own and others else []), *others, "", "", *helper_lines(helpers)]
    for number, text in enumerate(classes):
        lines += ([] if number == 0 else ["", ""]) + list(text)
    return "\n".join(lines) + "\n"


def _is_standard(line: str) -> bool:
    """Is it an import of Python's own library?"""
    return line.split()[1].partition(".")[0] in stdlib_module_names


def _import_key(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line
