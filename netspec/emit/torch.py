"""PyTorch code: a class for the net and for each block, as a person would write them."""

from __future__ import annotations

import re

from ..pycode import Call, Generator, Raw, Star, call, fill, inline, rebuild
from ..record import TYPE_CHECKING, Record
from .flow import Flow, Line, Writer, safe
from .layout import TorchLowering
from .program import program
from .template import REQUIRED, Choice, Invoke, Leaf, Loop, Sequence
from .text import class_name, docstring, module_text
from .weave import Style

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..ir import CheckedNet
    from ..layers.base import Apply, Helper
    from ..pycode import Code
    from .template import Node, Template

STYLE = Style(channels=True, sequences=True, sizes=False, unroll=4)
_TAKEN = {"Module", "Sequential", "ModuleList", "torch", "nn", "F"}
# attributes that a module has already
_RESERVED = frozenset(
    ("training", "forward", "train", "eval", "parameters", "modules", "children", "buffers", "to", "type", "half", "float",
     "double", "cpu", "cuda", "apply", "add_module", "register_buffer", "register_parameter", "state_dict", "zero_grad", "compile")
)  # fmt: skip
_HIDDEN = frozenset(("self", "torch", "nn", "F"))


def emit(net: CheckedNet) -> str:
    """The text of a Python module. Raises SpecError (`not-in-torch`) where PyTorch has no form for a layer."""
    templates = program(net, TorchLowering(), STYLE, class_name, _TAKEN)
    writers = [_Class(t, is_net=t is templates[-1]) for t in templates]
    classes = [w.lines() for w in writers]
    helpers = list(dict.fromkeys(h for w in writers for h in w.helpers))
    return module_text(_imports(classes, helpers), helpers, classes)


def _imports(classes: Seq[Seq[str]], helpers: Seq[Helper]) -> list[str]:
    text = "\n".join(line for lines in classes for line in lines)
    found = ["from torch import nn"]
    if re.search(r"\btorch\.", text):
        found.append("import torch")
    if re.search(r"\bF\.", text):
        found.append("import torch.nn.functional as F")
    return found


class _Held(Record):
    """A module that the class keeps: its attribute, and how it is made."""

    attribute: str
    make: Code


class _Class(Writer):
    """Writes one class."""

    reserved = _HIDDEN

    def __init__(self, template: Template, is_net: bool) -> None:
        self.template = template
        self.is_net = is_net
        self.helpers: list[Helper] = []
        self.attributes: set[str] = set()
        self.names: dict[int, list[str]] = {}
        # parameters that `forward` needs
        self.saved: dict[str, None] = {}
        # within a loop, modules go by the loop's own names
        self.local: dict[str, str] = {}
        self.shared: dict[Any, list[str]] = {}
        self.nodes = _runs(template.nodes, template)
        self.made = self._constructor(self.nodes)

    # --- the class ------------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        template = self.template
        flow = Flow(template.replace(nodes=self.nodes), self, frozenset())
        names = flow.start(template.inputs)
        flow.run(self.nodes)
        flow.finish()
        body = [line for statement in flow.lines for line in statement.render(8)]
        saved = [f"        self.{name} = {name}" for name in self.saved]
        made = [line for statement in self.made for line in statement.render(8)]
        head = [f"class {template.name}(nn.Module):", *docstring(template.doc, 4)]
        construct = [f"    def __init__({self._signature()}):", "        super().__init__()", *saved, *made]
        if not saved and not made:
            construct = []
        gap = [""] if construct and len(head) > 1 else []
        apart = [""] if construct or len(head) > 1 else []
        return [*head, *gap, *construct, *apart, f"    def forward(self, {', '.join(names)}):", *body]

    def _signature(self) -> str:
        parts = ["self"]
        for p in self.template.parameters:
            parts.append(p.name if p.default is REQUIRED else f"{p.name}={inline(p.default)}")
        return ", ".join(parts)

    # --- the constructor ------------------------------------------------------------------------------------------

    def _constructor(self, nodes: Seq[Node]) -> list[Line]:
        found: list[Line] = []
        for node in nodes:
            if isinstance(node, Loop):
                found += self._loop_modules(node)
            elif isinstance(node, Choice):
                found += self._choice_modules(node)
            else:
                found += [Line(0, f"self.{held.attribute} = ", held.make) for held in self._held(node)]
        return found

    def _held(self, node: Leaf | Invoke | Sequence, stem: str = "") -> list[_Held]:
        """The modules of a node, each with its attribute."""
        if not isinstance(node, Sequence) and node.shared is not None:
            if node.shared in self.shared:
                self.names[id(node)] = self.shared[node.shared]
                return []
        makes = self._makes(node)
        names = [self._attribute((stem or node.name) + (f"_{part}" if part else "")) for part, _ in makes]
        self.names[id(node)] = names
        if not isinstance(node, Sequence) and node.shared is not None:
            self.shared[node.shared] = names
        return [_Held(name, make) for name, (_, make) in zip(names, makes)]

    def _makes(self, node: Leaf | Invoke | Sequence) -> list[tuple[str, Code]]:
        if isinstance(node, Sequence):
            return [("", call("nn.Sequential", *self._elements(node.nodes)))]
        if isinstance(node, Invoke):
            return [("", self._construct(node))]
        self.helpers += [h for a in node.applies for h in a.helpers]
        kept = [a for a in node.applies if _is_kept(a)]
        several = len(kept) > 1
        return [(a.name or (str(i) if several and i else ""), a.make) for i, a in enumerate(kept)]

    def _construct(self, node: Invoke) -> Code:
        """A block's constructor: the required arguments by place, those with defaults by name."""
        required = {p.name for p in node.template.parameters if p.default is REQUIRED}
        args = tuple(v for n, v in node.arguments if n in required)
        return Call(node.template.name, args, tuple((n, v) for n, v in node.arguments if n not in required))

    def _elements(self, nodes: Seq[Node]) -> list[Code]:
        """The modules of a chain; the same one several times in a row is said once."""
        made: list[Code] = []
        for node in nodes:
            if isinstance(node, Invoke):
                made.append(self._construct(node))
            elif isinstance(node, Loop):
                inner = node.nodes[0]
                assert isinstance(inner, Invoke)
                made.append(Star(Generator(self._construct(inner), ", ".join(node.names), node.items)))
            elif isinstance(node, Leaf):
                self.helpers += [h for a in node.applies for h in a.helpers]
                made += [a.make for a in node.applies]
        found: list[Code] = []
        place = 0
        while place < len(made):
            end = place
            while end < len(made) and made[end] == made[place]:
                end += 1
            if end - place > 1:
                found.append(Star(Generator(made[place], "_", call("range", end - place))))
            else:
                found.append(made[place])
            place = end
        return found

    def _attribute(self, wish: str) -> str:
        name = safe(wish, _RESERVED)
        stem, number = name, 2
        while name in self.attributes:
            name, number = f"{stem}_{number}", number + 1
        self.attributes.add(name)
        return name

    def _loop_modules(self, loop: Loop) -> list[Line]:
        """A ModuleList for each module of a turn."""
        names = ", ".join(loop.names)
        found = []
        for node in loop.nodes:
            if not isinstance(node, Leaf | Invoke | Sequence):
                continue
            if not isinstance(node, Sequence) and node.shared is not None:
                found += [Line(0, f"self.{h.attribute} = ", h.make) for h in self._held(node)]
                continue
            stem = node.name if isinstance(node, Sequence) else node.given or _plural(node)
            for held in self._held(node, stem):
                make = Generator(held.make, names, loop.items)
                found.append(Line(0, f"self.{held.attribute} = ", call("nn.ModuleList", make)))
        return found

    def _choice_modules(self, choice: Choice) -> list[Line]:
        found: list[Line] = []
        short = _optional(choice)
        if short is not None:
            node, place = short
            held = self._held(node)[0]
            condition = choice.branches[0][0]
            text = inline(condition) if place == 0 else f"not ({inline(condition)})"
            return [
                Line(0, f"self.{held.attribute} = ", None),
                Line(0, "if ", Raw(text), ":"),
                Line(1, f"self.{held.attribute} = ", held.make),
            ]
        for place, (condition, nodes) in enumerate(choice.branches):
            inner = self._constructor(nodes)
            if condition is None:
                head = Line(0, "else", Raw(""), ":")
            else:
                attribute = self._attribute(f"has_{choice.name}{place or ''}")
                self.names.setdefault(id(choice), []).append(attribute)
                found.append(Line(0, f"self.{attribute} = ", condition))
                head = Line(0, "if ", Raw(f"self.{attribute}"), ":")
            if inner:
                found += [head, *(line.replace(indent=line.indent + 1) for line in inner)]
        return found

    # --- forward ----------------------------------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, arguments: list[Code]) -> list[Code]:
        names = list(self.names.get(id(leaf), ()))
        values, result = arguments, arguments[0]
        for apply in leaf.applies:
            if _is_kept(apply):
                result = Call(self._module(names.pop(0)), tuple(values))
            else:
                result = self._in_forward(fill(apply.call, values))
            values = [result]
        return [result]

    def _module(self, name: str) -> str:
        return self.local.get(name, f"self.{name}")

    def invoke(self, invoke: Invoke, arguments: list[Code]) -> Code:
        return Call(self._module(self.names[id(invoke)][0]), tuple(arguments))

    def sequence(self, sequence: Sequence, arguments: list[Code]) -> Code:
        return Call(self._module(self.names[id(sequence)][0]), tuple(arguments))

    def _in_forward(self, code: Code) -> Code:
        """Parameters of the constructor are attributes in `forward`."""
        parameters = {p.name for p in self.template.parameters}

        def change(part: Code) -> Code:
            if not isinstance(part, Raw):
                return part
            words = [w for w in re.findall(r"(?<![\w.\"'])[^\W\d]\w*", part.text) if w in parameters]
            self.saved.update(dict.fromkeys(words))
            text = part.text
            for word in dict.fromkeys(words):
                text = re.sub(rf"(?<![\w.\"']){word}\b(?!=)", f"self.{word}", text)
            return Raw(text)

        return rebuild(code, change) if parameters else code

    def joins_line(self, leaf: Leaf) -> bool:
        return leaf.style in ("norm", "activation", "dropout") and len(leaf.inputs) == 1 and leaf.kind != "softmax"

    def header(self, loop: Loop) -> tuple[str, Code]:
        pairs = [
            (name, self._local_name(name)) for node in loop.nodes if not _shared(node) for name in self.names.get(id(node), ())
        ]
        self.local.update(pairs)
        if not pairs:
            return "_", self._in_forward(loop.items)
        lists = [Raw(f"self.{name}") for name, _ in pairs]
        names = ", ".join(local for _, local in pairs)
        return names, lists[0] if len(lists) == 1 else call("zip", *lists)

    def _local_name(self, attribute: str) -> str:
        return safe(attribute[:-1] if attribute.endswith("s") and len(attribute) > 2 else attribute, _HIDDEN)

    def condition(self, choice: Choice, place: int) -> Code:
        return Raw(f"self.{self.names[id(choice)][place]}")

    def short_choice(self, choice: Choice) -> tuple[Any, str] | None:
        found = _optional(choice)
        return None if found is None else (found[0], f"self.{self.names[id(found[0])][0]}")

    def note(self, shape: Any) -> str:
        if not self.is_net or len(shape) < 2:
            return ""
        order = (shape[-1], *shape[:-1]) if len(shape) > 2 else shape
        return " x ".join(str(d) for d in order)


# --- small questions ---------------------------------------------------------------------------------------------------


def _is_kept(apply: Apply) -> bool:
    """Is it a module that the class keeps?"""
    return apply.stateful or apply.call is None


def _only_block(loop: Loop) -> Invoke | None:
    """The one block of a loop that does nothing else with the flow."""
    if len(loop.nodes) != 1 or not isinstance(loop.nodes[0], Invoke) or len(loop.carried) != 1:
        return None
    only = loop.nodes[0]
    first, later, own = loop.carried[0]
    if only.shared is None and only.inputs == (own,) and only.outputs == (later,):
        return only
    return None


def _shared(node: Node) -> bool:
    return isinstance(node, Leaf | Invoke) and node.shared is not None


def _plural(node: Leaf | Invoke) -> str:
    word = node.kind if isinstance(node, Leaf) else node.template.bodies[0].name
    return word if word.endswith("s") else word + "s"


def _optional(choice: Choice) -> tuple[Any, int] | None:
    """The one module that a choice is about, where its other branch only hands something on; and the branch it is in."""
    if len(choice.branches) != 2 or len(choice.phis) != 1:
        return None
    for place in (0, 1):
        nodes, others = choice.branches[place][1], choice.branches[1 - place][1]
        if len(nodes) != 1 or others:
            continue
        node = nodes[0]
        made = node.outputs if isinstance(node, Invoke) else (node.output,) if isinstance(node, Leaf | Sequence) else ()
        single = not isinstance(node, Leaf) or (len(node.applies) == 1 and _is_kept(node.applies[0]))
        if len(made) == 1 and single and choice.phis[0][0][place] == made[0] and not _shared(node):
            return node, place
    return None


_LONG_RUN = 4


def _runs(nodes: Seq[Node], template: Template) -> tuple[Node, ...]:
    """Long runs of one block, nameless and one behind the other, and loops of one block, as one Sequential."""
    outputs = {value for _, value in template.outputs}
    counts: dict[int, int] = {}
    for node in nodes:
        for value in _inputs(node):
            counts[value] = counts.get(value, 0) + 1
    found: list[Node] = []
    place = 0
    while place < len(nodes):
        loop = nodes[place]
        only = _only_block(loop) if isinstance(loop, Loop) else None
        if only is not None and isinstance(loop, Loop):
            name = only.given or _plural(only)
            found.append(Sequence(name, (loop,), (loop.carried[0][0],), only.outputs[0], None))
            place += 1
            continue
        run: list[Invoke] = []
        for node in nodes[place:]:
            if not isinstance(node, Invoke) or node.given or node.shared is not None or len(node.outputs) != 1:
                break
            if run and (node.template is not run[0].template or node.inputs != run[-1].outputs):
                break
            if run and (counts.get(run[-1].outputs[0]) != 1 or run[-1].outputs[0] in outputs):
                break
            run.append(node)
        if len(run) < _LONG_RUN or len(run[0].inputs) != 1:
            run = []
            found.append(nodes[place])
        else:
            found.append(Sequence(_plural(run[0]), tuple(run), run[0].inputs, run[-1].outputs[0], run[-1].shape))
        place += max(len(run), 1)
    return tuple(found)


def _inputs(node: Node) -> list[int]:
    """All values that a node takes, those inside it included."""
    if isinstance(node, Loop):
        return [v for a, b, _ in node.carried for v in (a, b)] + [v for n in node.nodes for v in _inputs(n)]
    if isinstance(node, Choice):
        inner = [v for _, nodes in node.branches for n in nodes for v in _inputs(n)]
        return [v for operands, _ in node.phis for v in operands] + inner
    return list(node.inputs)
