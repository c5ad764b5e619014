"""A net as a picture in DOT, the language of Graphviz.

Unless `depth` says how many levels of blocks and named scopes are opened, the picture is made to fit on a page: all is
opened where that comes to a few dozen lines; else each block is opened where it is drawn first, and a block that
differs from it in numbers only is a box with its arguments, its output shape and its parameters; else fewer levels
are opened.
What a loop or a run of equal block calls repeats is drawn once, with its count.
"""

from __future__ import annotations

from itertools import pairwise

from ..base.record import TYPE_CHECKING
from .build import Diagram, Opening
from .canvas import TooManyBoxes
from .edges import mark
from .labels import TIMES, amount_text, markup, params_text, quoted, quoted_text, shape_text, split
from .model import Box
from .theme import FONT, THEMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ir.types import CheckedNet
    from .model import Edge, Frame, Row
    from .theme import Theme

_ALL = 1000
# how many lines of text, in all boxes, are easy to take in, and how many fit on a page at all
_FEW, _MANY = 45, 90
# how many boxes any picture may have; Graphviz takes seconds for so many
_MOST = 10_000
DIRECTIONS = ("TB", "LR")
_FROZEN = "frozen"
_LEGEND = "dashed boxes are frozen: their weights are held still"
_STEP = "  "
# where the inputs of a box are whose order counts: a name before its place, and the side for each direction
_PORT = "in "
_SIDES = {"TB": "n", "LR": "w"}
# and where the values are that a box gives, if there are several
_PART = "out "
_ENDS = {"TB": "s", "LR": "e"}
_BREAK = "<BR/>"
_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'


def dot(net: CheckedNet, depth: int | None = None, direction: str = "TB", theme: str = "light", unroll: int = 0) -> str:
    """The DOT text of a net. `direction` is TB or LR, `theme` light or dark. The same net gives the same text.

    Of recurrences `unroll` steps are drawn side by side; 0 draws them as loops. Raises TooLarge where there would be
    more boxes than a picture may have.
    """
    diagram = _fitting(net, unroll) if depth is None else _whole(net, depth, unroll)
    mark(diagram)
    return "\n".join(_DotWriter(net, diagram, direction, THEMES[theme]).lines()) + "\n"


def _fitting(net: CheckedNet, unroll: int) -> Diagram:
    """The diagram that shows most and still fits on a page."""
    for depth, once, limit in ((_ALL, False, _FEW), *((d, True, _MANY) for d in (_ALL, 2, 1))):
        diagram = _within(net, Opening(depth, once, unroll), limit)
        if diagram is not None:
            return diagram
    return _whole(net, 0, unroll)


def _whole(net: CheckedNet, depth: int, unroll: int) -> Diagram:
    """The diagram with so many levels opened. Raises TooLarge."""
    try:
        return Diagram(net, Opening(depth, False, unroll), _MOST)
    except TooManyBoxes:
        few = "put what belongs together into blocks, which can be drawn closed"
        if unroll:
            few = f"unroll fewer steps than {unroll:,}"
        elif depth:
            few = f"open fewer levels of blocks than {depth:,}"
        raise TooManyBoxes(f"this picture has more than {_MOST:,} boxes; {few}") from None


def _within(net: CheckedNet, opening: Opening, limit: int) -> Diagram | None:
    """The diagram, if it has no more than `limit` lines of text."""
    try:
        diagram = Diagram(net, opening, limit)
    except TooManyBoxes:
        return None
    return diagram if sum(len(box.lines) for box in diagram.boxes) <= limit else None


class _DotWriter:
    """Puts a diagram into words."""

    def __init__(self, net: CheckedNet, diagram: Diagram, direction: str, theme: Theme) -> None:
        self.net = net
        self.diagram = diagram
        self.direction = direction
        self.theme = theme
        # the frames around each box and frame
        self.frames: dict[int, tuple[Frame, ...]] = {}
        self._note(diagram.root, ())
        # the inputs of a box whose order counts
        self.places: dict[str, list[str]] = {}
        for edge in sorted(diagram.edges, key=lambda edge: edge.order):
            if edge.place:
                self.places.setdefault(edge.target.id, []).append(edge.place)
        # of the values that a box gives, those that are taken: their names by their numbers
        self.parts: dict[str, dict[int, str]] = {}
        for edge in sorted(diagram.edges, key=lambda edge: edge.number):
            if edge.part:
                self.parts.setdefault(edge.source.id, {})[edge.number] = edge.part

    def _note(self, group: Frame, around: tuple[Frame, ...]) -> None:
        for part in group.parts:
            self.frames[id(part)] = around
            if not isinstance(part, Box):
                self._note(part, (*around, part))

    def lines(self) -> Iterator[str]:
        yield f"digraph {quoted(self.net.name)} {{"
        yield from self._defaults()
        yield from self._parts(self.diagram.root, 0)
        for edge in self.diagram.edges:
            yield self._edge(edge)
        for edge in self.diagram.returns:
            yield self._return(edge)
        yield "}"

    def _defaults(self) -> Iterator[str]:
        theme, font = self.theme, quoted(FONT)
        # Graphviz's second look for crossings would shuffle the steps of a row
        more = {"remincross": "false"} if self.diagram.opening.unroll else {}
        yield _STEP + _statement(
            "graph",
            rankdir=self.direction,
            bgcolor=quoted(theme.ground),
            fontname=font,
            fontcolor=quoted(theme.text),
            fontsize="16",
            label=f"<{self._heading()}>",
            labelloc="t",
            nodesep="0.25",
            ranksep="0.32",
            pad="0.25",
            charset=quoted("UTF-8"),
            **more,
        )
        shape = {"shape": "box", "style": quoted("rounded,filled"), "height": "0.3", "margin": quoted("0.16,0.07")}
        yield _STEP + _statement("node", **shape, fontname=font, fontsize="12", penwidth="1.1")
        colours = {"color": quoted(theme.edge), "fontcolor": quoted(theme.faint)}
        yield _STEP + _statement(
            "edge", **colours, fontname=font, fontsize="10", arrowsize="0.6", penwidth="1.1", labelfontsize="9"
        )

    def _heading(self) -> str:
        """The name of the net with what it weighs and costs, as far as that is known, and some room below."""
        totals = self.net.totals
        figures = ((totals.params, "parameters"), (totals.macs, "multiply-accumulates"))
        said = ", ".join(f"{amount_text(n)} {what}" for n, what in figures if isinstance(n, int))
        legend = [_small(_LEGEND, self.theme.faint)] if any(box.frozen for box in self.diagram.boxes) else []
        return _table([f"<B>{markup(self.net.name)}</B>", _small(said, self.theme.faint), *legend, " "])

    def _parts(self, group: Frame, level: int) -> Iterator[str]:
        indent = _STEP * (level + 1)
        for part in group.parts:
            if isinstance(part, Box):
                yield indent + self._node(part)
                continue
            yield f"{indent}subgraph {quoted(part.id)} {{"
            yield from self._frame(part, level)
            yield from self._parts(part, level + 1)
            for row in part.rows:
                yield from (indent + _STEP + line for line in self._row(row))
            yield indent + "}"

    def _frame(self, group: Frame, level: int) -> Iterator[str]:
        theme = self.theme
        title = self._frame_title(group)
        fill = theme.frames[min(level, len(theme.frames) - 1)]
        style = "rounded,filled" if group.title or group.rows else "rounded,filled,dashed"
        yield _STEP * (level + 2) + _statement(
            "graph",
            label=f"<{title}>" if title else quoted(""),
            labeljust="l",
            fontsize="11",
            style=quoted(style),
            fillcolor=quoted(fill),
            color=quoted(theme.frame),
            margin="10",
            **({"penwidth": "2"} if group.shared else {}),
        )

    def _frame_title(self, group: Frame) -> str:
        """The title of a frame, with as much room on its right, so that an arrow into the middle passes by it."""
        says = self._says_frozen(group)
        title = _title(group.name, group.title, group.count) + says * f"  {_small(_FROZEN, self.theme.faint)}"
        lines = [title, *([_small(group.shared, self.theme.faint)] if group.shared else [])]
        if self.direction != "TB" or not title:
            return _table(lines)
        kind, (first, *more) = split(group.title)
        letters = len(group.name) + max(len(kind) + len(first), *map(len, more), 0) + 4 * (group.count > 1) + 10 * says
        room = f'<TD WIDTH="{6 * max(letters, len(group.shared)) + 14}"></TD>'
        rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD>{room}</TR>' for line in lines)
        return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{rows}</TABLE>'

    def _node(self, box: Box) -> str:
        paint = self.theme.paints[box.style]
        ports = box.style in ("input", "output")
        more = {"penwidth": "1.6"} if box.style == "block" else {}
        more |= {"style": quoted("rounded,filled,dashed")} if box.frozen else {}
        more |= {"peripheries": "2"} if box.shared else {}
        return _statement(
            quoted(box.id),
            label=f"<{self._label(box)}>",
            tooltip=quoted_text(self._tooltip(box)),
            fillcolor=quoted(self.theme.ground if box.frozen else paint.fill),
            color=quoted(paint.line),
            fontcolor=quoted(paint.text),
            **({"margin": quoted("0.2,0.05")} if ports else more),
        )

    def _label(self, box: Box) -> str:
        """The title, and what follows it below. The author's name of a layer stands above it, small."""
        block = box.style == "block"
        faint = self.theme.faint if block else self.theme.paints[box.style].text
        lines = [_small(box.name, self.theme.paints[box.style].text, "9.5")] if box.name and not block else []
        lines += _title(box.name if block else "", box.lines[0], box.count).split(_BREAK)
        lines += [_small(line, faint, name=box.names.get(n, "")) for n, line in enumerate(box.lines[1:], 1)]
        said = [_FROZEN] * self._says_frozen(box) + [box.shared] * bool(box.shared)
        return self._with_ports(box, _table([*lines, *(_small(line, faint) for line in said)]), faint)

    def _with_ports(self, box: Box, label: str, colour: str) -> str:
        """The label between a place for each input, in their order, where that counts, and one for each of several
        values that it gives."""
        places = [(_PORT + place, place) for place in self.places.get(box.id, [])]
        parts = [(f"{_PART}{number + 1}", name) for number, name in self.parts.get(box.id, {}).items()]
        if not places and not parts:
            return label
        rows = [self._ports(places, colour), label, self._ports(parts, colour)]
        cells = [f"<TD>{row}</TD>" for row in rows if row]
        return f"{_TABLE}<TR>{('</TR><TR>' if self.direction == 'TB' else '').join(cells)}</TR></TABLE>"

    def _ports(self, ports: list[tuple[str, str]], colour: str) -> str:
        """Places side by side, or one below the other where the picture runs to the right."""
        cells = [f'<TD PORT="{markup(port)}" WIDTH="14">{_small(said, colour, "9")}</TD>' for port, said in ports]
        between = "" if self.direction == "TB" else "</TR><TR>"
        return f"{_TABLE}<TR>{between.join(cells)}</TR></TABLE>" if cells else ""

    def _says_frozen(self, part: Box | Frame) -> bool:
        """Is it held still, and no frame around it says so?"""
        return part.frozen and not any(group.frozen for group in self.frames[id(part)])

    def _tooltip(self, box: Box) -> str:
        said = [box.id, shape_text(box.leaving)]
        said += [params_text(box.weights, exact=True)] if box.params else []
        return ", ".join([*said, _FROZEN] if box.frozen else said)

    def _return(self, edge: Edge) -> str:
        """Back to the next step; it has no part in what stands above what."""
        ends = f"{quoted(edge.source.id)} -> {quoted(edge.target.id)}"
        colour = quoted(self.theme.paints["state"].line)
        label = {"label": quoted_text(f" {edge.note} ")} if edge.note else {}
        return _STEP + _statement(ends, **label, style="dashed", color=colour, constraint="false")

    def _row(self, row: Row) -> Iterator[str]:
        """Boxes side by side, with the state that is handed on; edges that are not seen keep them in place."""
        ids = [quoted(box.id) for box in row.boxes]
        unseen = {"style": "invis"}
        colour = quoted(self.theme.paints["state"].line)
        # Graphviz sets a row from below up where the picture runs from left to right
        turned = self.direction == "LR"
        seen = {"color": colour, "penwidth": "1.6", "dir": "forward" if row.back is turned else "back"}
        caption = [] if row.caption is None else [quoted(row.caption.id)]
        order = (caption + ids)[:: -1 if turned else 1]
        yield f"{{ rank=same; {'; '.join(order)}; }}"
        for one, other in pairwise(order):
            yield _statement(f"{one} -> {other}", **(seen if row.handed and not {one, other} & {*caption} else unseen))
        for before, box in zip(row.before, ids):
            yield _statement(f"{quoted(before.id)} -> {box}", **unseen)

    def _edge(self, edge: Edge) -> str:
        attributes = {"label": quoted_text(f" {edge.note} ")} if edge.note else {}
        if edge.skip:
            attributes.update(color=quoted(self.theme.skip), penwidth="1.6", weight="0")
        elif edge.straight == 2:
            attributes.update(weight="10")
        part = f":{quoted(f'{_PART}{edge.number + 1}')}:{_ENDS[self.direction]}" if edge.part else ""
        port = f":{quoted(_PORT + edge.place)}:{_SIDES[self.direction]}" if edge.place else ""
        return _STEP + _statement(f"{quoted(edge.source.id)}{part} -> {quoted(edge.target.id)}{port}", **attributes)


def _title(name: str, caption: str, count: int) -> str:
    """A caption with its first word in bold, or else the author's name before it, and the count behind it."""
    counted = f"<B>{TIMES}{count}</B>" if count > 1 else ""
    if not caption:
        return counted
    kind, more = split(caption)
    head = f"<B>{markup(name)}</B>  {markup(kind)}" if name else f"<B>{markup(kind)}</B>"
    lines = [head + (markup(more[0]) if more[0] else ""), *(markup(line) for line in more[1:])]
    return _BREAK.join(lines) + (f"  {counted}" if counted else "")


def _small(text: str, colour: str, size: str = "10.5", name: str = "") -> str:
    head = f"<B>{markup(name)}</B>  " if name else ""
    return f'<FONT POINT-SIZE="{size}" COLOR="{colour}">{head}{markup(text)}</FONT>'


def _table(lines: list[str]) -> str:
    """Lines of markup, one below the other, well apart: Graphviz sets lines of different size too close."""
    if len(lines) == 1:
        return lines[0]
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    return f"{_TABLE}{rows}</TABLE>"


def _statement(head: str, **attributes: str) -> str:
    said = ", ".join(f"{name}={value}" for name, value in attributes.items())
    return f"{head} [{said}];" if said else f"{head};"
