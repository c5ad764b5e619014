"""What people write who come from another language: its words and signs, and what stands for them here."""

from __future__ import annotations

_BLOCK = "a part of a net is a `block name(parameters) { ... }`"
_NAMED = "a name is bound by `{name} = ...`, without a word before it"
_LOOP = "write `repeat n { ... }` or `for i in 0..n { ... }`"

# a word that begins something elsewhere, and what to write for it
WORDS = {
    "def": _BLOCK,
    "class": _BLOCK,
    "function": _BLOCK,
    "func": _BLOCK,
    "fn": _BLOCK,
    "lambda": _BLOCK,
    "module": _BLOCK,
    "let": _NAMED,
    "var": _NAMED,
    "val": _NAMED,
    "auto": _NAMED,
    "int": _NAMED,
    "float": _NAMED,
    "bool": _NAMED,
    "tensor": _NAMED,
    "return": "write `output {name}`; without it the last value is the output",
    "yield": "write `output {name}`",
    "assert": "write `expect {name}`",
    "elif": "write `else if`",
    "elsif": "write `else if`",
    "while": _LOOP,
    "foreach": _LOOP,
    "switch": "write `if ... { } else if ... { }`",
    "match": "write `if ... { } else if ... { }`",
    "pass": "a body may be empty: `{ }`; the step that does nothing is `identity`",
    "with": "bind a name with `name = ...`, or open a `{ ... }`",
    "try": "a spec has no faults at run time; a choice is `if condition { }`",
    "print": "`netspec check` shows the shapes of all layers",
    "require": 'another file is brought in by `import "blocks.net"`',
    "include": 'another file is brought in by `import "blocks.net"`',
    "using": 'another file is brought in by `import "blocks.net"`',
}

# what a definition begins with elsewhere
DEFINITIONS = {"network": "net", "model": "net", "graph": "net", "arch": "net", "module": "block", "layer": "block"}

# modules of Python that nets are written with
MODULES = frozenset(
    ("torch", "torchvision", "tensorflow", "keras", "tf", "jax", "flax", "numpy", "math", "einops", "os", "sys")
)

_COMMENT = "a comment begins with `#`"
# what begins a comment elsewhere
COMMENTS = {"//": _COMMENT, "/*": _COMMENT, "--": _COMMENT, "<!--": _COMMENT}
DOCUMENTATION = '"""'
DOCUMENTED = "comment lines right above a net are its documentation: `# ...`"

_ARROW = "steps are joined by `->`"
_QUOTES = 'words such as `same` or `relu` stand without quotes, texts in double quotes: `"`'
_SIZE = "write the letter x: `3x3`"
_PLAIN = "replace it by a plain blank"
# a character that has no meaning, and what to write
CHARACTERS = {
    '"': 'a string ends with `"` on the same line',
    "'": _QUOTES,
    "`": _QUOTES,
    **dict.fromkeys("\u201c\u201d\u2018\u2019\u00ab\u00bb", _QUOTES),
    **dict.fromkeys("\u2192\u21d2\u27f6\u27a1\u279c", _ARROW),
    **dict.fromkeys("\u00d7\u2715\u2a2f", _SIZE),
    **dict.fromkeys("\u2212\u2013\u2014", "write a plain minus: `-`"),
    **dict.fromkeys("\u00a0\u2003\u2009\u202f\u200b\ufeff", _PLAIN),
    "\u2026": "write three full stops: `...`",
    "\u2264": "write `<=`",
    "\u2265": "write `>=`",
    "\u2260": "write `!=`",
    "!": "write `not`; for different values `!=`",
    "&": "write `and`",
    "|": _ARROW,
    "^": "a power is `2 ** 3`",
    "?": "write `a if condition else b`",
    "\\": "no sign is needed: a line that begins with `->` continues the one above",
    "$": "a name stands for its value as it is",
    "~": "write `not`",
}
# the same where a condition stands
CONDITIONS = {"|": "write `or`"}


GOES_ON = "a line goes on only where the next one begins with `->`, or within brackets"


def goes_on(sign: str, rest: str) -> str:
    """What to write for a line that begins with a sign, and was to go on from the one above."""
    if sign in _OPERATORS:
        return f"write `identity {sign} {rest}` for what flows here; {GOES_ON}"
    return "steps are joined by `->`"


_OPERATORS = ("+", "-", "*", "/", "@", "**", "//", "%")


def ends_early(sign: str) -> str:
    """What to do where a line ends behind a sign."""
    return GOES_ON if sign in _OPERATORS else ""


def word_help(word: str, name: str) -> str:
    """What to write for a word of another language; `name` stands behind it."""
    return WORDS[word].replace("{name}", name or "name")
