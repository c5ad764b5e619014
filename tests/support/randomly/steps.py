"""Random steps, expressions and arguments, drawn from the registry of layers and from the names in scope.

Nothing here has to be right: `random_specs` asks the compiler what may stand where. It is only made likely.
"""

from __future__ import annotations

from contextlib import contextmanager

from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.layers import LAYERS
from netspec.layers.arguments import axes, flag
from netspec.syntax import tree
from netspec.syntax.parser import parse

from .recurrent import Recurrent

CLASSES = {cls.kind: cls for cls in LAYERS.values()}
# how often, by the style of a layer; on vectors there is nothing to slide over
ON_GRIDS = {"conv": 10, "pool": 5, "norm": 3, "activation": 4, "shape": 3, "dropout": 1, "dense": 2}
ON_VECTORS = {"dense": 8, "norm": 2, "activation": 4, "shape": 1, "dropout": 1}
# what keeps the numbers that go into a layer where its own stay small
_ABOVE_ZERO = "sigmoid -> shift(0.5)"
TAMED = {
    **dict.fromkeys(("exp", "expm1", "exponential"), "tanh"),
    **dict.fromkeys(("power", "reciprocal", "log", "log2", "log1p", "sqrt", "rsqrt"), _ABOVE_ZERO),
}
SMALL = ("1", "2", "3", "4", "5", "6")


def _example_values():
    """The values that the examples of the layers give to their arguments, as they are written."""
    found = {}
    for cls in CLASSES.values():
        for example in cls.examples:
            spec = parse(Source("example", f"net example {{\n{example.code}\n}}\n"), Collector())
            (flow,) = spec.definitions[0].body.statements
            call = flow.value
            if not isinstance(call, tree.CallExpression):
                continue
            positional = [a for a in call.arguments if not isinstance(a, tree.Keyword)]
            given = [] if cls.gathers else list(zip(cls.arguments, positional))
            given += [(a.name.text, a.value) for a in call.arguments if isinstance(a, tree.Keyword)]
            for name, node in given:
                found.setdefault((cls.kind, name), []).append(node.span.text)
    return found


EXAMPLES = _example_values()


def product(sizes):
    found = 1
    for n in sizes:
        found *= n
    return found


class Steps(Recurrent):
    """What a body draws its statements from. The body has `choices`, `names`, `known` and `spec`."""

    # --- numbers, conditions ----------------------------------------------------------------------------------------

    def whole_number(self, options=SMALL):
        """A whole number: a literal, a name, or something made of them."""
        numbers, pick = self.names.numbers, self.choices.pick
        if not numbers or self.choices.often(45):
            return pick(options)
        name, other = pick(numbers), pick([*numbers, "2", "3"])
        lists = self.names.lists
        forms = [
            *("{a}", "{a}", "{a}", "2*{a}", "{a} + 1", "{a} + {b}", "max({a}, {b})", "min({a}, {b})", "{a} // 2"),
            *("{a} * {b}", "{a} - 1", "({a} if {c} else {b})", "({b} if {c} else {a})", "abs({a} - {b}) + 1"),
            *("{a} % 3 + 1", "ceil({a} / 2)", "2 ** {a}", "[{a}, {b}][0]", "sum([{a}, {b}])"),
            *("round(exp({a} / 4))", "ceil(log({a} + 2))", "round(2 + sin({a}))", "floor(3 + cos({a}))"),
            *(f"len({h}) + {{a}}" for h in lists[:1]),
            *(f"{v}.{what}" for v in self.names.values[:2] for what in ("channels", "rank", "shape[0]")),
        ]
        return pick(forms).format(a=name, b=other, c=self.condition())

    def condition(self):
        pick, names = self.choices.pick, self.names
        forms = [
            *(f"{n} > {pick('1234')}" for n in names.numbers),
            *(f"{n} % 2 == 0" for n in names.numbers),
            *(f"{n} == {pick([*names.numbers, '0', '1', '2'])}" for n in names.numbers),
            *(f"{n} in [1, 3, {pick('456')}]" for n in names.numbers[:1]),
            *names.flags,
            *(f"not {n}" for n in names.flags),
            *(f"{n} {pick(['==', '!='])} {pick(['relu', 'tanh', 'sep', 'pool'])}" for n in names.words),
            *(f"{n} in [sep, tanh]" for n in names.words),
            *(f"{v}.channels {pick(['<', '>=', '=='])} {pick('2345')}" for v in names.values[:2]),
            *(f"{v}.rank == {pick('123')}" for v in names.values[:1]),
            *(f"len({h}) > {pick('123')}" for h in names.lists),
        ] or ["true"]
        first = pick(forms)
        if self.choices.often(75):
            return first
        return f"{first} {pick(['and', 'or'])} {pick(forms)}"

    def numbers_list(self):
        """A list of whole numbers."""
        items = ", ".join(self.whole_number() for _ in range(self.choices.whole(2, 3)))
        forms = [f"[{items}]", f"[{items}]", f"[g for g in [{items}] if g > 1]", *self.names.tuples, f"[{items}] + [2]"]
        return self.choices.pick(forms)

    @contextmanager
    def binding(self, kind, name):
        """A name that is bound for a while."""
        names, self.names = self.names, self._bound(kind, name)
        yield
        self.names = names

    # --- layers ------------------------------------------------------------------------------------------------------

    @property
    def shape(self):
        return self.choices.pick(self.known.flow).shape

    def channels(self):
        """How many channels the flow has, perhaps by a name."""
        size = self.known.flow[0].shape[-1]
        named = [f"{v}.channels" for v in self.names.values[:1]]
        return self.choices.pick([str(size), str(size), *self.names.numbers, *named])

    def layer(self):
        shape = self.shape
        if not self.known.flow[0].dtype.startswith("float"):
            kind = self.choices.pick([k for k, cls in CLASSES.items() if cls.takes == "int"])
            return self.written(kind)
        weights = ON_GRIDS if len(shape) > 1 else ON_VECTORS
        style = self.choices.weighted(**weights)
        kinds = [k for k, cls in CLASSES.items() if cls.style == style and cls.arity == 1 and cls.takes != "int"]
        kind = self.choices.pick([k for k in kinds if k != "cast"])
        return (f"{TAMED[kind]} -> " if kind in TAMED else "") + self.written(kind)

    def written(self, kind, values=()):
        """A layer with arguments, on these values or on the flow."""
        cls = CLASSES[kind]
        arguments = list(values)
        if cls.gathers:
            arguments += self.gathered(kind)
        for name, argument in cls.arguments.items():
            if name == cls.gathers:
                continue
            if argument.required and self.choices.often(85):
                arguments.append(self.argument(cls, argument))
            elif argument.required or self.choices.often(22):
                arguments.append(f"{name}={self.argument(cls, argument)}")
        positional = [a for a in arguments if "=" not in a.replace("==", "").replace("!=", "").replace(">=", "")]
        arguments = [*positional, *(a for a in arguments if a not in positional)]
        if self.choices.often(8):
            arguments.append(f"frozen={self.choices.pick(['true', *self.names.flags])}")
        if self.choices.often(4):
            arguments.append(f'name="{self.choices.pick(["stem", "fc", "conv", "x"])}"')
        return f"{kind}({', '.join(arguments)})" if arguments else kind

    def argument(self, cls, argument):
        reader, pick = argument.reader, self.choices.pick
        examples = EXAMPLES.get((cls.kind, argument.name), [])
        if cls.takes == "int" and argument.name != "units":
            return "9"  # no integer that comes in is larger
        if examples and self.choices.often(25):
            return pick(examples)
        if reader is flag:
            return pick(["true", "false", *self.names.flags])
        if "activation" in argument.name:
            return pick(
                ["relu", "tanh", *self.names.words, *(w for w in reader.words if w not in ("exp", "exponential"))]
            )
        if reader.doc.startswith(axes.doc):
            return self.axes()
        if reader.doc.startswith("a whole number of at least"):
            return self.whole_number()
        if argument.name == "padding":
            return pick(["same", "same", "valid", "1", "2", *(["causal"] * (len(self.shape) == 2)), *examples])
        if argument.name == "rate" and self.names.floats:
            return pick(self.names.floats)
        return pick([*examples, *reader.words] or ["1"])

    def axes(self):
        rank = max(1, len(self.shape) - 1)
        if self.choices.often(60):
            return self.whole_number(("3", "2", "1", "3", "4"))
        return "x".join(self.choices.pick("1233") for _ in range(rank)) if rank > 1 else self.choices.pick("1234")

    def gathered(self, kind):
        """The arguments of a layer that takes any number of them: new sizes of the flow, or its axes in a new order."""
        shape, pick = self.shape, self.choices.pick
        if kind == "permute":
            order = list(range(len(shape)))
            return [str(order.pop(self.choices.whole(0, len(order) - 1))) for _ in shape]
        sizes = [n for n in shape if isinstance(n, int)]
        total = product(sizes)
        channels = sizes[-1] if sizes else 1
        parts = [k for k in range(1, total + 1) if total % k == 0 and k < 40]
        one = pick(parts)
        return list(
            map(
                str,
                pick(
                    [(-1, channels), (total // one, one), (one, -1), (-1,), (one, total // one // channels, channels)]
                ),
            )
        )

    # --- steps -------------------------------------------------------------------------------------------------------

    def step(self, deep=1):
        """A step on the flow."""
        shared, blocks = self.names.shared, self.spec.may_call(self)
        kind = self.choices.weighted(
            layer=24, join=7 * (deep > 0), call=8 * blocks, tie=8 * bool(shared), operation=4, computed=9, cut=2,
            choice=2 * (deep > 0), flow=2 * (deep > 0), keeping=14, function=1,
            recurrent=self.how_serial(),
        )  # fmt: skip
        if kind == "layer":
            return self.layer()
        if kind == "join":
            return self.join()
        if kind == "call":
            return self.call_text() or self.layer()
        if kind == "tie":
            return self.choices.pick(shared)
        if kind == "recurrent":
            return self.recurrent()
        if kind == "operation":
            return self.operation()
        if kind == "computed":
            return self.computed()
        if kind == "cut":
            return self.cut()
        if kind == "choice":
            other = self.choices.pick(["identity", self.step(0), self.fit()])
            return f"({self.step(0)} if {self.condition()} else {other})"
        if kind == "flow":
            return self.braces()
        if kind == "function":
            return self.function()
        return self.fit()

    def pipeline(self, starts=False):
        """Some steps in a row; `starts` where it may begin with a value."""
        steps = [self.step() for _ in range(self.choices.pick((1, 1, 1, 2, 2, 3)))]
        if starts and self.names.values and self.choices.often(50):
            steps.insert(0, self.choices.pick(self.names.values))
        return " -> ".join(steps)

    def fit(self, channels=None, alone=False):
        """A step, or with `alone` a layer with weights, that most likely leaves the shape as it is."""
        pick, rank = self.choices.pick, len(self.shape)
        channels = channels or self.channels()
        acts = ["", "", ", activation=relu", ", activation=tanh", *(f", activation={w}" for w in self.names.words)]
        if rank == 1:
            options = [f"dense({channels}{pick(acts)})"]
        else:
            kernel = pick(["3", "1", "2", "x".join("3" * (rank - 1)) if rank > 2 else "5"])
            options = [f"conv({channels}, {kernel}, padding=same{pick(acts)})"] * 3
            options += [f"depthwise_conv({kernel}, padding=same{pick(acts)})"]
            options += [f"separable_conv({channels}, {kernel}, padding=same{pick(acts)})"] * (rank < 4)
            options += [f"dense({channels}{pick(acts)})"] * (rank == 2)
        if alone:
            return pick([*options, "batchnorm", "layernorm", "prelu"])
        if rank > 1:
            options += [f"{pick(['maxpool', 'avgpool'])}(3, stride=1, padding=same)"]
        options += [
            "batchnorm",
            pick([k for k, cls in CLASSES.items() if cls.pointwise and not cls.required and k not in TAMED]),
        ]
        return pick(options)

    def operand(self):
        pick, values = self.choices.pick, self.names.values
        options = ["identity", self.fit(), *values, *values, self.step(0)]
        if len(self.shape) > 1:
            options += [f"global_avgpool -> dense({self.channels()}, activation=sigmoid)", "conv(1, 1)"]
        return pick(options)

    def join(self):
        kinds = [k for k, cls in CLASSES.items() if cls.arity not in (0, 1)]
        kind = self.choices.pick(["concat", "concat", "add", "add", "mul", *kinds])
        count = CLASSES[kind].arity or self.choices.pick((2, 2, 3))
        operands = [self.operand() for _ in range(count)]
        if self.names.lists and CLASSES[kind].arity is None and self.choices.often(30):
            operands = [self.choices.pick(self.names.lists)]
        return self.written(kind, operands)

    def both(self, a, b):
        """Two values made one, perhaps by a block."""
        block = self.spec.block_for(self, 2) if self.choices.often(60) else None
        if block is not None and block.outputs == 1:
            found = self.spec.call(self, block, [a, b])
            if found:
                return found
        return self.choices.pick([f"{a} + {b}", f"concat({a}, {b})", f"mul({a}, {b})", f"{a} * 0.5 - {b}"])

    def of_functions(self):
        """Numbers that functions give."""
        of = self.choices.pick(["1.5", "3", *self.names.floats, *self.names.numbers])
        return [f"log({of} + 1)", f"exp(-{of})", f"sin({of})", f"cos({of})"]

    def operation(self):
        """Operators on values of the net."""
        pick = self.choices.pick
        a, b = pick(["identity", *self.names.values]), pick([*self.names.values, "identity", f"({self.fit()})"])
        number = pick(["0.5", "2", "-1.5", *self.names.numbers, *self.names.floats, *self.of_functions()])
        forms = ("{a} + {b}", "{a} * {b}", "{a} - {b}", "{n} - {a}", "{a} * {n} + {b}", "-{a}", "{a} / ({b} ** 2 + 1)")
        forms += (
            "{a} @ {b}",
            "({a} + {b}) * {n}",
            "{a} / {n}",
            "{n} / ({a} ** 2 + 1)",
            "{a} ** 2",
            "({a} - {n}) * {b}",
            *(
                "maximum({a}, {n})",
                "minimum({n}, {a}, {b})",
                "sub({n}, {a})",
                "add({a}, {n}, {b})",
                "{a}[..., none] + {b}",
            ),
        )
        return pick(forms).format(a=a, b=b, n=number)

    def computed(self):
        """Functions of values: choices, reductions, products, attention."""
        pick = self.choices.pick
        a, b = pick(["identity", *self.names.values]), pick([f"({self.fit()})", *self.names.values])
        axis = pick(["", ", axis=-1", ", axis=0", ", axis=-1, keepdims=true", ", axis=0, keepdims=true"])
        number, reduction = pick(["0.1", "-0.3", "0.7"]), pick(["sum", "mean", "max", "min", "var", "std", "norm"])
        forms = [
            *("where({a} > {n}, {a}, {b})", "where({a} < {b}, {a} * 2, {n})", "where(not ({b} > {n}), {a}, 0)"),
            *("where({a} >= {n} and {b} <= 0.9, {a}, -{a})", "{r}({a}{x})", "{a} - {r}({b}{x})", "{r}({a}{x}) + {b}"),
            *("roll({a}, 1)", "{a} -> clip(low=-0.5, high=0.8)", "{a} -> transpose", "{a} + transpose({b})"),
            *("dot({a}, {b})", "cosine({a}, {b})", "stack({a}, {b})", "stack({a}, {b}, axis=0)"),
            *("add(split({a}, 2))", "concat(split({a}, [1, -1])[1], {b})", "concat(split({a}, 2, axis=0))"),
            *("reshape({a}, {a}.shape[0], -1)", "reshape({a}, -1, {a}.channels, 1)", "softmax({a})"),
        ]
        named, word = self.whole_number(), pick(["none", "linear", "relu", "tanh", *self.names.words])
        forms += [
            f"activation({word})",
            f"{{a}} -> activation({word})",
            f"reshape({{a}}, {named}, -1)",
            "softmax(identity)",
        ]
        forms += [f"reshape({{a}}, -1, {named})", "reshape({a}, {a}.shape[0] * {a}.channels, -1)", "add({a}, identity)"]
        forms += [f"{step}(identity)" for step in ("relu", "batchnorm", "softplus", "transpose", "rmsnorm", "flatten")]
        for tie in self.names.shared[:1]:
            forms += [
                f"softmax({tie})",
                f"where({tie} > 0, {{a}}, 0)",
                f"add(split({tie}, 2))",
                f"concat({tie}, {{a}})",
            ]
        if len(self.shape) == 2:
            forms += ["{a} @ transpose({b})", "softmax({a} @ transpose({b})) @ {b}", "attention({a}, {b}, causal=true)"]
            forms += ["attention({a}, {b})", "additive_attention({a}, {b}, units=3)", "{a} -> multihead_attention(1)"]
            forms += ["multihead_attention({a}, {b}, heads=1)", "positional_encoding", 'einsum("ij,kj->ik", {a}, {b})']
        if len(self.shape) > 2:
            forms += ["attention({a}, {b})", "{a} -> multihead_attention(1)", "additive_attention({a}, {b}, units=2)"]
        if len(self.shape) > 1:
            inner = pick(
                ["dense(3)", "softplus"] if len(self.shape) == 2 else ["conv(3, 2)", "global_maxpool", "gru(2)"]
            )
            braces = f"{{{{ {inner} as inner; identity + tanh(inner) }}}}"
            forms += [f"{{a}} -> each_step({inner})"] * 2 + [f"{{a}} -> each_step({braces})"]
        if len(self.shape) == 1:
            forms += ["outer({a}, {b})", 'einsum("i,j->ij", {a}, {b})', "{a} -> argmax -> one_hot(99)"]
        return pick(forms).format(a=a, b=b, n=number, r=reduction, x=axis)

    def cut(self):
        """A slice."""
        rank, pick = len(self.shape), self.choices.pick
        one = [":", ":", "1:", ":-1", "::2", "0:2", "1::2", ":2", "-3:", ":" + self.whole_number()]
        for other in self.names.values[:2]:
            one += [f":{other}.shape[0]", f"1:{other}.shape[0] - 1", f"-{other}.shape[0]:"]
            one += [f"{other}.shape[0] // 2:", f"1:1 + {other}.shape[0] // 2"]
        items = [pick(one) for _ in range(rank)]
        if self.choices.often(40):
            items = ["...", pick([*one, "[0]", "[0, 0]", "[-1, 0]", "1:2"])]
        value = pick(["identity", "identity", *self.names.values])
        return f"{value}[{', '.join(items)}]"

    def braces(self):
        """A sub-flow: names bound in it stay in it."""
        kind = self.choices.whole(0, 3)
        if kind == 0:
            return f"{{ {self.step(0)}; {self.step(0)} }}"
        if kind == 1:
            both = self.choices.pick(["inner + identity", "concat(inner, identity)"])
            return f"{{ inner = {self.step(0)}; {self.fit()} -> {self.fit()}; {both} }}"
        if kind == 2:
            return f"{{ concat({self.fit()}, {self.fit()}) -> {self.fit()}; {self.step(0)} as deep }}"
        return f"{{ repeat {self.whole_number()} {{ {self.fit()} }}; {self.fit()} }}"

    def function(self):
        """A layer called on a value, as a function is."""
        value = self.choices.pick(["identity -> relu", "identity", *self.names.values])
        rank = len(self.shape)
        return self.written(
            self.choices.pick(["dense", "relu"] if rank == 1 else ["conv", "batchnorm", "maxpool"]), [value]
        )

    def call_text(self):
        """A call of a block on the flow; None where there is none."""
        block = self.spec.block_for(self, 1)
        return None if block is None or block.outputs != 1 else self.spec.call(self, block)
