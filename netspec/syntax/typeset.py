"""Setting a tree in lines: the words and signs of a text in their order, with its comments where they were.

Here is what all kinds of nodes share: pieces and the comments before them, brackets, lists, bodies. What each kind of
node looks like stands in `printer`.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from . import tree
from .layout import HARD, STEP, Comment, Fill, Group, IfBroken, Indent, Line, fits
from .pieces import Remark, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from ..base.source import Source
    from .layout import Doc
    from .pieces import Piece
    from .tree import Node

    Table: TypeAlias = Mapping[type, Callable[["Typesetter", Any], Doc]]

BLANK = Line(hard=True, blank=True)


class Typesetter:
    """Prints nodes in the order of the text, and takes its pieces as it goes."""

    def __init__(self, source: Source, printed: Table) -> None:
        self.printed = printed
        self.pieces = pieces(source.text)
        self.at = 0
        # how far lines hang that go on directly inside ( ) or [ ]; None outside, where no line may go on
        self.hang: int | None = None
        self.narrow = False  # in a range or slice, where sums stand without blanks

    # --- pieces

    @property
    def next(self) -> Piece:
        return self.pieces[self.at]

    def take(self) -> Doc:
        """The next piece, after its comments."""
        return (self.inline(), self.bare()) if self.next.remarks else self.bare()

    def inline(self) -> Doc:
        """The comments before the next piece in the midst of an expression."""
        remarks, self.next.remarks = self.next.remarks, ()
        return tuple((HARD, r.text, HARD) if r.own else Comment(r.text) for r in remarks)

    def bare(self) -> str:
        """The next piece, whose comments are taken care of."""
        self.at += 1
        return self.pieces[self.at - 1].text

    def comma(self, always: bool) -> Doc:
        """A comma between items, or behind the last. Comments before it move behind it."""
        if self.next.text == ",":
            moved = self.next.remarks
            self.bare()
            if moved:  # what stands behind the comma finds the end of the line taken
                self.next.remarks = (*moved, *(Remark(r.text, True, r.blank) for r in self.next.remarks))
        return "," if always else IfBroken(",")

    def behind(self) -> Doc:
        """The comment before the next piece that stands behind the one before it."""
        found = tuple(Comment(r.text) for r in self.next.remarks if not r.own)
        self.next.remarks = tuple(r for r in self.next.remarks if r.own)
        return found

    def above(self, first: bool = False) -> Doc:
        """The comments on lines of their own before the next piece; no blank line before the `first` thing."""
        remarks, self.next.remarks = self.next.remarks, ()
        return tuple((BLANK if r.blank and not (first and r is remarks[0]) else HARD, r.text) for r in remarks)

    def remarks(self, first: bool = False) -> Doc:
        """All comments before the next piece, which is not a part of what they stand in."""
        return self.behind(), self.above(first)

    def before(self, flat: str, first: bool) -> Doc:
        """What parts an item or statement from what is before it: comments, and a line end or `flat`."""
        behind, own = self.behind(), bool(self.next.remarks)
        return behind, self.above(first), Line(flat, blank=self.next.blank and (own or not first))

    # --- nodes

    def show(self, node: Node) -> Doc:
        """Any node, and the brackets around it that the tree does not have."""
        if self.next.text == "(" and self.next.start < node.span.start:
            return self.bracketed(lambda: self.show(node))
        return self.printed[type(node)](self, node)

    def shown(self, node: Node | None, before: str = " ") -> Doc:
        """A part that may be missing."""
        return "" if node is None else (before, self.show(node))

    def bracketed(self, inner: Callable[[], Doc]) -> Doc:
        """`( )` around something that no comma may follow."""
        lead, opener = self.inline(), self.bare()
        outer, self.hang, narrow, self.narrow = self.hang, 0, self.narrow, False
        doc = (self.before("", True), inner(), self.remarks())
        self.hang, self.narrow = outer, narrow
        return lead, Group((opener, Indent(doc), Line(), self.bare()))

    def joined(self, nodes: Sequence[Node]) -> Doc:
        """`a, b` outside of brackets."""
        return tuple((self.take(), " ", self.show(n)) if i else self.show(n) for i, n in enumerate(nodes))

    def items(self, nodes: Sequence[Node], lone: bool = False) -> Doc:
        """A list in its brackets: on one line, or an item a line. `lone`: one item has a comma behind it, too."""
        closer = self.next.closer
        lead, opener = self.inline(), self.bare()
        kept = bool(nodes) and self.next.newline
        outer, self.hang, narrow, self.narrow = self.hang, STEP, self.narrow, False
        simple = _simple if kept else _atomic
        if nodes and all(map(simple, nodes)) and not any(p.remarks for p in self.pieces[self.at : closer + 1]):
            inner = self._rows(nodes, kept, lone)
        else:
            inner = self._column(nodes, lone)
        self.hang, self.narrow = outer, narrow
        return lead, Group((opener, Indent(inner), Line(), self.bare()), kept)

    def _column(self, nodes: Sequence[Node], lone: bool) -> Doc:
        docs: list[Doc] = []
        for place, node in enumerate(nodes, 1):
            docs += [
                self.before(" " if docs else "", not docs),
                self.show(node),
                self.comma(place < len(nodes) or lone),
            ]
        return (*docs, self.remarks(not nodes))

    def _rows(self, nodes: Sequence[Node], kept: bool, lone: bool) -> Doc:
        """Numbers and words: the rows that the author made, else as many on a line as fit."""
        first = self.before("", True)
        parts: list[Doc] = []
        hard: list[bool] = []
        for place, node in enumerate(nodes, 1):
            hard.append(kept and self.next.newline)
            apart = BLANK if hard[-1] and self.next.blank and parts else ""
            parts.append((apart, self.show(node), self.comma(place < len(nodes) or lone)))
        return first, Fill(tuple(parts), tuple(hard))

    def spaced(self, parts: Sequence[Doc], hard: Sequence[bool]) -> Doc:
        """An expression whose parts have blanks between them; `hard` says before which the author ended a line."""
        if self.hang is not None:
            return Fill(tuple(parts), tuple(hard), self.hang)
        return tuple((" ", part) if place else part for place, part in enumerate(parts))

    # --- bodies

    def statements(self, nodes: Sequence[Node], flat: str) -> Doc:
        docs: list[Doc] = []
        for place, node in enumerate(nodes):
            # after an `if`, a line that begins with `else` would belong to it
            docs.append(";" if place and self.next.text == "else" and isinstance(nodes[place - 1], tree.If) else "")
            docs += [self.before(flat if place else " ", not place), self.show(node)]
        return tuple(docs)

    def body(self, node: tree.Braces) -> Doc:
        """`{ ... }`, on one line or not as the group around it is."""
        opener = self.take()
        outer, self.hang, narrow, self.narrow = self.hang, None, self.narrow, False
        inner = (self.statements(node.statements, "; "), self.remarks(not node.statements))
        self.hang, self.narrow = outer, narrow
        return opener, Indent(inner), Line(" ") if node.statements else Line(), self.bare()

    def file(self, definitions: Sequence[Node]) -> Doc:
        """All definitions; between two of one line each, a blank line is the author's choice."""
        docs: list[Doc] = []
        before = True
        for node in definitions:
            apart = not docs or self.next.blank or any(r.blank for r in self.next.remarks)
            behind, told = self.behind(), bool(self.next.remarks)
            lead, doc = self.before("", not docs), self.show(node)
            short = fits(doc)
            docs += [behind, "" if apart or (short and before and not told) else BLANK, lead, doc]
            before = short
        return (*docs, self.remarks(not docs))


def _atomic(node: Node) -> bool:
    """A number or a word."""
    return isinstance(node.operand if isinstance(node, tree.Unary) else node, tree.Literal | tree.Name)


def _simple(node: Node) -> bool:
    """A number, a word, or a list of such."""
    return all(map(_simple, node.items)) if isinstance(node, tree.TupleExpression | tree.List) else _atomic(node)
