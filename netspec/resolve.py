"""Resolve: definitions bound, names of callees known, cycles refused. Blocks stay templates."""

from __future__ import annotations

from .diagnostics import Collector, Diagnostic, Label, did_you_mean
from .elaborate.functions import FUNCTIONS
from .ir import Design
from .layers import LAYERS
from .record import TYPE_CHECKING
from .syntax import tree
from .syntax.tree import walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .source import Source
    from .syntax.tree import Definition, Spec


def resolve(spec: Spec, faults: Collector) -> Design:
    """Bind the definitions of a file. Faults: `duplicate-name`, `recursion`, `unknown-name`."""
    nets: dict[str, Definition] = {}
    blocks: dict[str, Definition] = {}
    constants: dict[str, tree.Const] = {}
    tables: dict[str, dict[str, tree.Definition]] = {"net": nets, "block": blocks}
    seen: dict[str, tree.Identifier] = {}
    for node in spec.definitions:
        if isinstance(node, tree.Broken) or not isinstance(node, tree.Definition | tree.Const):
            continue
        _once(node.name, seen, faults)
        if isinstance(node, tree.Const):
            constants.setdefault(node.name.text, node)
        else:
            tables[node.word].setdefault(node.name.text, node)
            _parameters_once(node, faults)
    design = Design(spec.source, tuple(nets.values()), blocks, constants)
    for definition in [*blocks.values(), *nets.values()]:
        _callees(definition, design, nets, faults)
    _cycles(blocks, faults)
    return design


def _once(name: tree.Identifier, seen: dict[str, tree.Identifier], faults: Collector) -> None:
    first = seen.setdefault(name.text, name)
    if first is not name:
        faults.add(
            Diagnostic(
                "duplicate-name",
                f"`{name.text}` is defined twice",
                Label(name.span, "the second time"),
                (Label(first.span, "first defined here"),),
                "give one of them another name",
            )
        )


def _parameters_once(definition: Definition, faults: Collector) -> None:
    seen: dict[str, tree.Identifier] = {}
    for parameter in definition.parameters:
        _once(parameter.name, seen, faults)


def bound_names(definition: Definition) -> set[str]:
    """Every name that something in the definition binds, wherever it stands."""
    return {node.text for node in walk(definition) if isinstance(node, tree.Identifier)}


def _callees(definition: Definition, design: Design, nets: Mapping[str, Definition], faults: Collector) -> None:
    known = {*LAYERS, *FUNCTIONS, *design.blocks, *nets}
    local = bound_names(definition)
    for node in walk(definition.body):
        if isinstance(node, tree.Expect):
            continue
        if isinstance(node, tree.Call) and isinstance(node.callee, tree.Name):
            name = node.callee
            if name.text not in known and name.text not in local and name.text not in ("memory", "receptive_field"):
                faults.add(unknown_callee(name, [*known, *local]))


def unknown_callee(name: tree.Name, candidates: list[str]) -> Diagnostic:
    """A step or function that there is not."""
    help = did_you_mean(name.text, candidates) or "`netspec layers` lists the layers"
    return Diagnostic(
        "unknown-name", f"there is no layer, block or function `{name.text}`", Label(name.span), help=help
    )


def _cycles(blocks: Mapping[str, Definition], faults: Collector) -> None:
    """Blocks that lead back to themselves, each cycle once, with the calls that lead there."""
    calls = {
        name: {n.text: n for n in reversed(list(walk(block.body))) if isinstance(n, tree.Name) and n.text in blocks}
        for name, block in blocks.items()
    }
    done: set[str] = set()
    for name in blocks:
        path: list[str] = []
        todo = [(name, iter(calls[name]))] if name not in done else []
        while todo:
            here, rest = todo[-1]
            if not path or path[-1] != here:
                path.append(here)
            for callee in rest:
                if callee in path:
                    _report_cycle(path[path.index(callee) :], calls, faults)
                elif callee not in done:
                    todo.append((callee, iter(calls[callee])))
                    break
            else:
                done.add(here)
                path.pop()
                todo.pop()


def _report_cycle(cycle: list[str], calls: Mapping[str, Mapping[str, tree.Name]], faults: Collector) -> None:
    ring = [*cycle, cycle[0]]
    places = [calls[a][b] for a, b in zip(cycle, ring[1:])]
    faults.add(
        Diagnostic(
            "recursion",
            f"a block cannot lead back to itself: {' -> '.join(ring)}",
            Label(places[0].span, f"`{ring[0]}` uses `{ring[1]}` here"),
            tuple(Label(p.span, f"`{a}` uses `{p.text}` here") for a, p in zip(ring[1:], places[1:])),
            "use `repeat` or `for` with a number of turns",
        )
    )


def find_net(design: Design, name: str | None, source: Source) -> Definition | None:
    """The net of that name, or the last one."""
    for net in reversed(design.nets):
        if name is None or net.name.text == name:
            return net
    return None
