"""What a framework writes for the nodes of a template, and the lines that come of it."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Bare, Raw

if TYPE_CHECKING:
    from typing import Any

    from ...layers.cell_uses import CellForm
    from ...pycode.expr import Code
    from ..ir import Choice, Invoke, Leaf, Loop, ModuleChain
    from .assignments import Assignment


class Writer:
    """What a framework writes for the nodes of a template. The base is a function of calls."""

    reserved: frozenset[str] = frozenset()

    @property
    def nests(self) -> bool:
        """Do expressions stand within others, where their values have no names and are used once?"""
        return False

    def leaf(self, leaf: Leaf, arguments: list[Code]) -> list[Assignment]:
        """The expressions of a layer, one for each line; later ones take what earlier ones give as `X(i)`."""
        raise NotImplementedError

    def invoke(self, invoke: Invoke, arguments: list[Code]) -> Code:
        raise NotImplementedError

    def cell(self, invoke: Invoke, form: CellForm, arguments: list[Code]) -> list[Assignment]:
        """The expressions of a cell that is run, or a step of another, as those of a layer."""
        raise NotImplementedError

    def sequence(self, sequence: ModuleChain, arguments: list[Code]) -> Code:
        raise NotImplementedError

    def returned(self, names: list[str]) -> Code:
        """What stands behind `return`."""
        return Bare(tuple(map(Raw, names))) if len(names) > 1 else Raw(names[0])

    def joins_line(self, leaf: Leaf) -> bool:
        """May the layer be written around the expression that it takes, on the same line?"""
        return False

    def header(self, loop: Loop) -> tuple[str, Code]:
        """`for NAMES in ITEMS`."""
        return ", ".join(loop.names), loop.items

    def condition(self, choice: Choice, place: int) -> Code:
        return choice.branches[place][0]

    def short_choice(self, choice: Choice) -> tuple[Leaf | ModuleChain | Invoke, str] | None:
        """The one node of a choice that can be told by asking whether it is there, and its attribute."""
        return None

    def note(self, node: Leaf | ModuleChain | Invoke, shape: Any) -> str:
        """What is said behind the line that ends with a node, of the shape of what comes out."""
        return ""
