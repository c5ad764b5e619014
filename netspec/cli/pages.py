"""The pages of the layers that are kept: `layers.md`, which `manual` makes."""

from __future__ import annotations

import os

from ..files import PACKAGE

# the pages, which `python -m netspec.cli.manual` makes: to work one out loads most of the compiler
PAGES = os.path.join(PACKAGE, "layers.md")
SECTION, FENCE = "## {}\n\n```text\n", "\n```\n"
LISTING = "All layers"


def kept(name: str) -> str:
    """The page of a layer, or the list of all; empty where there is none."""
    with open(PAGES, encoding="utf-8") as file:
        return file.read().partition("\n" + SECTION.format(name))[2].partition(FENCE)[0]
