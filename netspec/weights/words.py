"""The last words of names: what an array does, and who calls it so."""

from __future__ import annotations

import re

# what each word may mean, and which spellings have it
_WORDS = {
    "alpha": ("slope", "netspec keras"),
    "beta": ("shift", "netspec keras"),
    "bias": ("shift", "netspec torch keras"),
    "bias_hh": ("shift", "torch"),
    "bias_ih": ("shift", "torch"),
    "embedding": ("table", ""),
    "embeddings": ("table", "keras"),
    "gamma": ("scale", "netspec keras"),
    "kernel": ("kernel", "netspec keras"),
    "key": ("kernel", "netspec"),
    "mean": ("mean", "netspec"),
    "moving_mean": ("mean", "keras"),
    "moving_var": ("variance", ""),
    "moving_variance": ("variance", "keras"),
    "num_batches_tracked": ("count", "torch"),
    "offset": ("shift", ""),
    "output": ("kernel", "netspec"),
    "query": ("kernel", "netspec"),
    "recurrent_kernel": ("recurrent", "netspec keras"),
    "running_mean": ("mean", "torch"),
    "running_var": ("variance", "torch"),
    "scale": ("scale", "netspec keras"),
    "score": ("kernel", "netspec"),
    "table": ("table", "netspec"),
    "value": ("kernel", "netspec"),
    "var": ("variance", ""),
    "variance": ("variance", "netspec"),
    "weight": ("kernel recurrent scale slope table", "torch"),
    "weight_hh": ("recurrent", "torch"),
    "weight_ih": ("kernel", "torch"),
}
# numbers of layers and directions behind a word: `weight_ih_l0_reverse`, `kernel_1`, `kernel:0`
_NUMBERED = re.compile(r"(_l?\d+(_reverse)?|:\d+)$")


def last_word(name: str) -> str:
    """The last word of a name, without the numbers of layers and directions behind it."""
    return re.split(r"[./]", _NUMBERED.sub("", name))[-1].lower()


def _entry(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The senses of a name's last word, or of what stands behind its last underscore, and its spellings."""
    word = last_word(name)
    senses, users = _WORDS.get(word) or _WORDS.get(word.rpartition("_")[2]) or ("", "")
    return frozenset(senses.split()), frozenset(users.split())


def users(name: str) -> frozenset[str]:
    """The spellings in which arrays have names that end so; none where the word is nobody's."""
    return _entry(name)[1]


def agree(one: str, other: str) -> bool:
    """Can two names be of the same array? A word that is not known says nothing against it."""
    senses, others = _entry(one)[0], _entry(other)[0]
    return not senses or not others or bool(senses & others)


def sense(name: str, rank: int) -> str:
    """What an array of so many axes does, as far as its name tells."""
    senses = _entry(name)[0]
    if len(senses) < 2:
        return next(iter(senses), "")
    return "kernel" if rank > 1 else "scale"  # PyTorch has one word for both
