"""What the text of a setting was meant to be, where it is no value of the language: how people write numbers, windows
and texts elsewhere, and what a shell leaves of quotes."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# signs between the thousands of a number, and between the sizes of a window
_THOUSANDS = (",", " ", "'", ".", "\u00a0", "\u202f", "\u2019")
_TIMES = ("\u00d7", "X", " x ", "x ", " x", "*")
_QUOTES = "'`\"\u201c\u201d\u2018\u2019"


def remedy(text: str, is_value: Callable[[str], bool]) -> str:
    """What to write instead of a text. `is_value` says whether something is a value of the language."""
    text = text.strip()
    if not text:
        return (
            "write a value behind `=`; an empty string is written `'\"\"'`, as the shell takes one pair of quotes away"
        )
    meant = [m for m in dict.fromkeys((*_numbers(text), *_window(text), *_list(text))) if is_value(m)]
    if meant:
        return f"write {' or '.join(f'`{m}`' for m in meant)}"
    word = text.strip(_QUOTES)
    if word != text and word.isidentifier() and is_value(word):
        return f"write `{word}`"
    quoted = word.replace("\\", "\\\\").replace('"', '\\"')
    if not word[:1].isalpha() or "=" in word or not is_value(f'"{quoted}"'):
        return "write a number, a word, a string or a list, as behind `=` in a spec"
    return f"a string is written `'\"{quoted}\"'`, as the shell takes one pair of quotes away"


def _numbers(text: str) -> list[str]:
    """A number with signs between its thousands, a comma before its fraction, nothing before its point, or of a
    hundred."""
    found: list[str] = [text.replace(sign, "") for sign in _THOUSANDS if _in_thousands(text.split(sign))]
    whole, sign, part = text.partition(",")
    if sign and not found and whole.isdigit() and part.isdigit():
        found.append(f"{whole}.{part}")
    if text.startswith(".") and text[1:].isdigit():
        found.append(f"0{text}")
    percent = text.removesuffix("%").rstrip()
    if text.endswith("%") and percent.isdigit():
        found.append(str(int(percent) / 100))
    return found


def _in_thousands(parts: list[str]) -> bool:
    first, *rest = parts
    return bool(rest) and first.isdigit() and len(first) <= 3 and all(len(p) == 3 and p.isdigit() for p in rest)


def _window(text: str) -> list[str]:
    """`3x3` for sizes with other signs between them."""
    for sign in _TIMES:
        sizes = [size.strip() for size in text.split(sign)]
        if len(sizes) > 1 and all(size.isdigit() for size in sizes):
            return ["x".join(sizes)]
    return []


def _list(text: str) -> list[str]:
    """A list without its brackets."""
    items = [item.strip() for item in text.split(",")]
    return [f"[{', '.join(items)}]"] if len(items) > 1 and all(items) and not _in_thousands(items) else []
