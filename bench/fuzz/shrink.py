"""The smallest input found that is still at fault in the same way: pieces are left out while the fault stays."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .drawing import TOKEN, Drawn
from .judge import Limits, judged
from .kinds import Task
from .pool import isolated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# how often an input is tried at most, and for how many seconds
MOST, LONGEST = 400, 30.0
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def sign(task: Task, limits: Limits) -> str:
    """The sign of the fault of an input, found in a process of its own; empty where it has none."""
    found = isolated(lambda: judged(task, limits), limits)
    if found is None:
        return f"killed {task.kind}"
    return found[1].sign if found[1] is not None else ""


def smallest(task: Task, wanted: str, limits: Limits) -> Task:
    """The same input with all left out that the fault does not need. As it is where the fault is not seen again."""
    end, asked = time.monotonic() + LONGEST, [0]

    def fails(drawn: Drawn) -> bool:
        asked[0] += 1
        over = asked[0] > MOST or time.monotonic() > end
        return not over and sign(task.replace(drawn=drawn), limits) == wanted

    drawn = task.drawn
    if drawn.twin or not fails(drawn):  # a net and its twin would have to shrink alike
        return task
    for part in ("settings", "words", "others"):
        drawn = _fewer_of(drawn, part, fails)
    if drawn.path != "fuzz.net" and fails(drawn.replace(path="fuzz.net")):
        drawn = drawn.replace(path="fuzz.net")
    return task.replace(drawn=drawn.replace(data=_less(drawn.data, lambda data: fails(drawn.replace(data=data)))))


def _fewer_of(drawn: Drawn, part: str, fails: Callable[[Drawn], bool]) -> Drawn:
    kept = fewer(getattr(drawn, part), lambda given: fails(drawn.replace(**{part: tuple(given)})))
    return drawn.replace(**{part: tuple(kept)})


def _less(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Lines first, then tokens, again as long as that helps."""
    encoding = "utf-8" if _is_text(data) else "latin-1"
    text, before = data.decode(encoding), None
    while text != before:
        before = text
        for pieces in (text.splitlines(keepends=True), None):
            parts = TOKEN.findall(text) if pieces is None else pieces
            text = "".join(fewer(parts, lambda kept: fails("".join(kept).encode(encoding))))
    return text.encode(encoding)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def fewer(parts: Sequence[str] | Sequence[bytes], fails: Callable[[list], bool]) -> list:
    """The parts that are needed: runs of them are left out, long ones first, and brackets in pairs."""
    kept = list(parts)
    size = len(kept)
    while size:
        at = 0
        while at < len(kept):
            candidate = kept[:at] + kept[at + size :]
            if fails(candidate):
                kept = candidate
            else:
                at += size
        size //= 2
    for start, end in _brackets(kept):
        candidate = kept[:start] + kept[start + 1 : end] + kept[end + 1 :]
        if fails(candidate):
            return fewer(candidate, fails)
    return kept


def _brackets(parts: Sequence) -> Iterator[tuple[int, int]]:
    """The places of brackets that belong together."""
    opened: list[int] = []
    for n, part in enumerate(parts):
        if part in _PAIRS:
            opened.append(n)
        elif opened and part == _PAIRS[parts[opened[-1]]]:
            yield opened.pop(), n
