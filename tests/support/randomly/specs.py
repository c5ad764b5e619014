"""Whole texts: blocks that are made for the places where they are called, and a net."""

from __future__ import annotations

import re

from checking import check

from .bodies import Body
from .known import Names


class Block:
    """A finished block: how it may be called."""

    def __init__(self, name, parameters, inputs, outputs, calls):
        self.name = name
        self.parameters = parameters
        self.inputs = inputs
        self.outputs = outputs
        self.calls = calls


class Parameter:
    def __init__(self, name, kind, options, default=None):
        self.name, self.kind, self.options, self.default = name, kind, options, default

    @property
    def text(self):
        return self.name if self.default is None else f"{self.name}={self.default}"


class Spec:
    """A text on the way: its blocks, and then its net."""

    def __init__(self, choices):
        self.choices = choices
        self.blocks = []
        self.texts = []
        self.begun = 0
        self.last = ""

    # --- blocks -------------------------------------------------------------------------------------------------------

    def may_call(self, body):
        return bool(self.blocks) or body.depth < 2

    def block_for(self, body, inputs, outputs=1):
        """A block of so many inputs that may be called there: a known one, or a new one made for the place."""
        known = [b for b in self.blocks if b.inputs == inputs and b.outputs == outputs]
        if known and (len(self.blocks) > 3 or self.choices.often(65)):
            return self.choices.pick(known)
        if body.depth > 1 or len(self.blocks) > 4:
            return None
        flows = [t.shape for t in body.known.flow]
        others = [[t.shape for t in body.known.values.get(v, ())] for v in body.names.values]
        others = [shapes for shapes in others if len(shapes) == len(flows)]
        columns = [flows, *(self.choices.pick([flows, *others]) for _ in range(inputs - 1))]
        shapes = list(dict.fromkeys(zip(*columns)))[:2]
        if any(t.dtype != "float32" for t in body.known.flow):
            return None
        return self._new_block(shapes, inputs, outputs, body.depth + 1)

    def _new_block(self, shapes, inputs, outputs, depth):
        choices = self.choices
        self.begun += 1
        name = f"{choices.pick(['part', 'unit', 'cell', 'tower'])}{self.begun}"
        parameters = self._parameters()
        calls = []
        for k in range(choices.whole(max(1, len(shapes)), 3)):
            given = {p.name: choices.pick(p.options) for p in parameters}
            calls.append((given, shapes[k] if k < len(shapes) else self._other(choices.pick(shapes))))
        ports, names = self._ports(calls, inputs)
        for p in parameters:
            names.bind(p.kind, p.name)
        head = [f"block {name}({', '.join(p.text for p in parameters)}) {{" if parameters else f"block {name} {{"]
        head += [f"  input {port}" for port in ports]
        block = Block(name, parameters, inputs, outputs, [given for given, _ in calls])
        body = Body(self, head, self._caller(block, calls), names, depth)
        first = [names.values[-1]] if inputs > 1 else []
        if not body.attempt(first):
            return None
        outside = body.names.copy()
        body.statements(choices.whole(2, 5))
        if choices.often(85):
            body.settle(outside)
        if outputs > 1 and not self._outputs(body, outputs):
            return None
        self.texts.append(body.text())
        self.blocks.append(block)
        return block

    def _outputs(self, body, count):
        names = body.names.values
        if not names:
            return False
        found = [self.choices.pick([f"done{k} = identity", *names]) for k in range(count)]
        found[0] = "done0 = identity"
        body.lines.append(f"  output {', '.join(found)}")
        return check("\n".join([*self.texts, body.text(), *body.tail])).ok

    def _parameters(self):
        """Some parameters with what they may be; the last ones perhaps with a default."""
        choices = self.choices
        pool = [
            Parameter("width", "numbers", ("2", "3", "4", "6")),
            Parameter("n", "numbers", ("2", "3", "1", "0")),
            Parameter("deep", "flags", ("true", "false")),
            Parameter("k", "numbers", ("1", "3", "2")),
            Parameter("act", "words", ("relu", "tanh", "sigmoid")),
            Parameter("kind", "words", ("sep", "pool", "tanh")),
            Parameter("still", "flags", ("false", "true")),
            Parameter("sizes", "tuples", ("[2, 3]", "[4]", "[3, 1, 2]")),
            Parameter("rate", "floats", ("0.1", "0.5", "0.25")),
            Parameter("c", "numbers", ("2", "3")),
        ]
        found = [pool.pop(choices.whole(0, min(5, len(pool) - 1))) for _ in range(choices.whole(0, 4))]
        start = choices.whole(0, len(found))
        for p in found[start:]:
            p.default = choices.pick(p.options)
        return found

    def _other(self, shapes):
        """The same with other numbers of channels or other sizes."""
        kind, step = self.choices.whole(0, 2), self.choices.whole(1, 3)
        if kind == 0:
            return shapes
        at = -1 if kind == 1 else 0
        changed = []
        for shape in shapes:
            sizes = list(shape)
            if isinstance(sizes[at], int):
                sizes[at] += step
            changed.append(tuple(sizes))
        return tuple(changed)

    def _ports(self, calls, inputs):
        """How a block declares its inputs, and the names that come with them."""
        choices, names, ports = self.choices, Names(), []
        for place in range(inputs):
            name = "x" if inputs == 1 else ("prev", "cur", "other")[place]
            shapes = [shapes[place] for _, shapes in calls]
            sizes = ("h", "w", "c") if place == 0 else ("h2", "w2", "c2")
            ranks = {len(s) for s in shapes}
            style = choices.pick(("plain", "sizes", "last", "none"))
            if style == "none" and inputs == 1:
                return [], names
            written = []
            if style == "sizes" and len(ranks) == 1:
                written = list(sizes[-min(ranks) :]) if min(ranks) < 4 else ["d", *sizes]
                at = choices.whole(0, len(written) - 1)
                if len({s[at] for s in shapes}) == 1 and isinstance(shapes[0][at], int) and choices.often(20):
                    written[at] = str(shapes[0][at])
                elif all(isinstance(s[at], int) and s[at] % 2 == 0 for s in shapes) and choices.often(40):
                    names.numbers.append(written[at])
                    written[at] = f"2*{written[at]}"
            elif style == "last":
                written = ["...", sizes[-1]]
            names.values.append(name)
            for size in written:
                if size.isidentifier() and size not in names.numbers:
                    names.numbers.append(size)
            ports.append(f"{name} [{', '.join(written)}]" if written else name)
        return ports, names

    def _caller(self, block, calls):
        """A net that calls a block in all the ways that it is meant for."""
        lines, uses, number = [], [], 0
        for given, shapes in calls:
            ports = []
            for shape in shapes:
                sizes = ", ".join(str(n) if isinstance(n, int) else "S" + re.sub(r"\W", "_", str(n)) for n in shape)
                lines.append(f"input p{number} [{sizes}]")
                ports.append(f"p{number}")
                number += 1
            uses.append(f"q{len(uses)} = {block.name}({', '.join([*ports, *(f'{n}={v}' for n, v in given.items())])})")
        return ["net caller {", *lines, *uses, "output p0", "}"]

    def call(self, body, block, operands=()):
        """A call of a block, with arguments by place or by name."""
        choices, given = self.choices, self.choices.pick(block.calls)
        if block.inputs > 1 and not operands:
            return None
        arguments, by_name = list(operands), choices.often(20)
        for p in block.parameters:
            names = [n for n in getattr(body.names, p.kind) if n != p.name or body.depth]
            value = given[p.name]
            if p.kind == "numbers" and choices.often(40):
                value = body.whole_number(p.options)
            elif names and choices.often(40):
                value = choices.pick(names)
            elif choices.often(25):
                value = choices.pick(p.options)
            if p.default is not None and choices.often(35):
                by_name = True
                continue
            arguments.append(f"{p.name}={value}" if by_name else value)
        if choices.often(8):
            arguments.append(f"frozen={choices.pick(['true', *body.names.flags])}")
        return f"{block.name}({', '.join(arguments)})" if arguments else block.name

    # --- the net ------------------------------------------------------------------------------------------------------

    def net(self):
        choices, names = self.choices, Names()
        parameters = self._parameters() if choices.often(30) else []
        for p in parameters:
            p.default = p.default or choices.pick(p.options)
            names.bind(p.kind, p.name)
        head = [f"net random({', '.join(p.text for p in parameters)}) {{" if parameters else "net random {"]
        for place in range(choices.pick((1, 1, 1, 2, 2, 3))):
            name = ("image", "other", "third")[place]
            head.append(f"  input {name} {self._input(place)}")
            names.values.append(name)
        body = Body(self, head, (), names, 0)
        body.attempt([names.values[0]])
        if body.known is None:
            return None
        if body.known.flow[0].dtype == "float32":
            body.attempt([body.fit()])
        else:
            body.read()
        outside = body.names.copy()
        body.statements(choices.whole(3, 9))
        if choices.often(90):
            body.settle(Names() if choices.often(50) else outside)
        return self._ended(body)

    def _input(self, place):
        """The shape of an input: like the one before it, as often as not."""
        choices = self.choices
        if self.last and choices.often(50):
            return self.last
        kind = choices.weighted(image=10, vector=4, series=5, volume=2, words=3)
        channels = choices.pick("342156")
        if kind == "vector":
            sizes = [choices.pick("567")]
        elif kind == "series":
            sizes = [choices.pick(["12", "9", "T", "T", "2*T", "T + 1"]), channels]
        elif kind == "volume":
            sizes = [*(choices.pick("645") for _ in range(3)), choices.pick("213")]
        elif kind == "words":
            return f"[{choices.pick(['8', 'T'])}] int({choices.pick('79')})"
        else:
            sizes = choices.pick(
                [("8", "8"), ("9", "9"), ("10", "7"), ("11", "12"), ("H", "W"), ("6", "W"), ("2*H", "6")]
            )
            sizes = [*sizes, channels]
        self.last = f"[{', '.join(sizes)}]"
        return self.last

    def _ended(self, body):
        """The outputs: the flow, perhaps made a vector, and what else is left over."""
        choices = self.choices
        if choices.often(40):
            body.try_some(
                lambda: (
                    [
                        choices.pick(
                            [
                                "global_avgpool -> dense(3)",
                                "flatten -> dense(4) -> softmax",
                                "dense(2)",
                                "global_maxpool",
                            ]
                        )
                    ],
                    None,
                ),
                3,
            )
        left = [v for v in body.loose(Names()) if v in body.known.values]
        plain = [v for v in left if all(t.dtype == "float32" for t in body.known.values[v])]
        if plain or choices.often(15):
            extra = choices.pick(["", f"probe2 = identity -> {body.fit()}"])
            body.lines.append(f"  output {', '.join(['result = identity', *plain, *([extra] if extra else [])])}")
        used, called = [], body.text()
        for text in reversed(self.texts):
            if re.search(rf"\b{text.split()[1].partition('(')[0]}\b", called):
                used.insert(0, text)
                called += text
        text = "\n".join([*used, body.text()]) + "\n"
        return text if check(text).ok else None
