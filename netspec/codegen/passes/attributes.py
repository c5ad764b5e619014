"""Names of the attributes of a class."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ..ir import Invoke, Leaf, ModuleChain

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq

    from ...layers.base import Apply
    from ..ir import Node


def is_kept(apply: Apply) -> bool:
    """Is it a module that the class keeps?"""
    return apply.stateful or apply.call is None


def singular(word: str, taken: set[str] | frozenset[str]) -> str:
    """One of several: of `convs`, and of `convs_2` where that is another loop's, a `conv`."""
    stem, _, number = word.rpartition("_")
    plain = stem if stem and number.isdigit() else word
    one = plain[:-1] if plain.endswith("s") and len(plain) > 2 else plain
    return one + word[len(plain) :] if one in taken else one


def first_module(nodes: Seq[Node]) -> str:
    """The name of the first thing among nodes that is kept."""
    for node in nodes:
        if isinstance(node, Invoke | ModuleChain) or (isinstance(node, Leaf) and any(map(is_kept, node.applies))):
            return node.name
    return ""


def part_names(kept: Seq[Apply]) -> list[str]:
    """What the attributes of a layer's modules have behind its name: nothing for the one that the layer is about."""
    unnamed = [a for a in kept if not a.name]
    main = next((a for a in unnamed if a.stateful), unnamed[-1] if unnamed else None)
    return [a.name or ("" if a is main or a.make is None else _word(a.make.func)) for a in kept]


def of_part(node: Node, stem: str, part: str) -> str:
    """The attribute of a part. The parts of a convolution that nobody named are called what they are: `depthwise2`."""
    said = isinstance(node, Leaf) and node.style == "conv" and any(a.name == part for a in node.applies)
    if isinstance(node, Leaf) and part and said and not node.given and stem == node.name and stem.startswith(node.kind):
        return part + stem.removeprefix(node.kind)
    return f"{stem}_{part}" if part else stem


# what stands before or behind a layer, in a word
_WORDS = {"ZeroPadding": "pad", "Cropping": "crop"}


def _word(func: str) -> str:
    stem = func.rpartition(".")[2].rstrip("D").rstrip("123")
    return _WORDS.get(stem, stem.lower())
