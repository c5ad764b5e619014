"""Bodies of nets and blocks, which grow statement by statement."""

from __future__ import annotations

import re
from contextlib import contextmanager

from checking import check

from .known import Known
from .steps import Steps

FREE_NAMES = (
    *("x", "y", "z", "a", "b", "skip", "main", "left", "out", "prev", "cur", "x2", "y2", "i", "c", "n"),
    *(
        "self",
        "torch",
        "nn",
        "F",
        "layers",
        "ops",
        "keras",
        "lambda",
        "len",
        "inputs",
        "convs",
        "branch1",
        "input_shape",
    ),
)


class Body(Steps):
    """A net or block on the way."""

    def __init__(self, spec, head, tail, names, depth):
        self.spec = spec
        self.choices = spec.choices
        self.head = head
        self.tail = tail
        self.names = names
        # how deep in calls of blocks, and in loops and branches
        self.depth = depth
        self.level = 0
        self.lines = []
        self.known = None

    # --- the text and what is known of it --------------------------------------------------------------------------

    def text(self, extra=()):
        inner = [*self.lines, *("  " * (self.level + 1) + line for line in extra)]
        return "\n".join([*self.head, *inner, *("  " * k + "}" for k in range(self.level, -1, -1))])

    def probed(self, lines, names):
        probes = ["identity as probe_", *(f"probe = {v} -> identity as probe_{v}" for v in names.values)]
        net = check("\n".join([*self.spec.texts, self.text([*lines, *probes]), *self.tail]))
        return Known(net) if net.ok else None

    def attempt(self, lines=(), names=None):
        """May these lines stand here? Then they do, and what they bind (`names`) is known."""
        names = names or self.names
        known = self.probed(lines, names)
        if known is None or not known.fits or not known.flow:
            return False
        if self.known is not None and known.lost > self.known.lost and self.choices.often(95):
            return False
        types = {t.dtype for t in known.flow}
        if self.known is not None and types not in ({"float32"}, {t.dtype for t in self.known.flow}):
            return False
        self.lines += ["  " * (self.level + 1) + line for line in lines]
        self.names, self.known = names, known
        return True

    def try_some(self, draw, tries=6):
        """Draw until it may stand there. `draw` gives lines and the names that they bind, or None."""
        for _ in range(tries):
            found = draw()
            if found is not None and self.attempt(*found):
                return True
        return False

    # --- statements ------------------------------------------------------------------------------------------------

    def statements(self, count):
        for _ in range(count):
            self.statement()

    def read(self):
        """Words as vectors, most often with a mask, and a recurrent layer that takes it if nothing ends it before."""
        mask = ", mask=true" * self.choices.often(80)
        if not self.attempt([f"embedding(9, {self.whole_number()}{mask})"]):
            return
        if self.choices.often(30):
            self.attempt([self.fit()])
        self.try_some(lambda: ([self.recurrent()], None) if self.choices.often(60) else self._recurrent())

    def statement(self):
        nested = self.level < 2
        kind = self.choices.weighted(
            step=12, named=3, side=5, restart=2, rebind=3, number=1, list=2, shared=2, several=2, parts=3,
            recurrent=self.how_serial(),
            loop=5 * nested, choice=4 * nested,
        )  # fmt: skip
        if kind == "loop":
            return self.loop()
        if kind == "choice":
            return self.choice()
        return self.try_some(getattr(self, f"_{kind}"))

    def _bound(self, kind, *names):
        found = self.names.copy()
        for name in names:
            found.bind(kind, name)
        return found

    def fresh(self):
        """A name for a new value; perhaps one that is bound already."""
        if self.names.values and self.choices.often(15):
            return self.choices.pick(self.names.values)
        name = self.choices.pick(FREE_NAMES)
        taken = [
            n for kind in ("numbers", "flags", "words", "shared", "tuples", "floats") for n in getattr(self.names, kind)
        ]
        return f"{name}_{len(self.lines)}" if name in taken else name

    def _step(self):
        return [self.pipeline()], None

    def _named(self):
        name = self.fresh()
        behind = f" -> {self.step()}" if self.choices.often(30) else ""
        return [f"{self.step()} as {name}{behind}"], self._bound("values", name)

    def _side(self):
        name = self.fresh()
        return [f"{name} = {self.pipeline(starts=True)}"], self._bound("values", name)

    def _restart(self):
        if not self.names.values:
            return None
        start = self.choices.pick(self.names.values)
        behind = f" -> {self.pipeline()}" if self.choices.often(60) else ""
        kept = self.fresh()
        if self.choices.often(30) or kept == start:
            return [start + behind], None
        return [f"{kept} = identity", start + behind], self._bound("values", kept)

    def _rebind(self):
        values = self.names.values
        if not values:
            return None
        a, b = self.choices.pick(values), self.choices.pick(values)
        if a == b or self.choices.often(40):
            return [f"{a} = {a} -> {self.pipeline()}"], None
        made = self.choices.pick([f"{a} -> {self.step()}", f"add({a}, {b})", f"identity + {a}", a, self.both(a, b)])
        return [f"{a}, {b} = {b}, {made}"], None

    def _number(self):
        name = self.choices.pick(["k", "m", "wide", "count"])
        return [f"{name} = {self.whole_number()}"], self._bound("numbers", name)

    def _list(self):
        lists = self.names.lists
        kind = self.choices.weighted(new=3, comprehension=2, empty=1, more=4 * bool(lists), taken=4 * bool(lists))
        if kind == "taken":
            joins = ("concat({0})", "add({0})", "concat({0}[1:])", "concat(identity, {0})", "add(identity, {0}[1:])")
            forms = ("{0}[0]", "{0}[-1]", *joins, "stack(identity, {0}[1:])", "concat({0}[2:], identity)")
            return [self.choices.pick(forms).format(self.choices.pick(lists))], None
        name = self.choices.pick(lists) if kind == "more" else self.choices.pick(["h", "kept", "skips"])
        if kind == "more":
            added = self.choices.pick([f"[{self.pipeline(starts=True)}]", "[identity]"])
            both = f"{name} + {added}" if self.choices.often(70) else f"{added} + {name}"
            return [f"{name} = {both}"], None
        if kind == "empty":
            listed = self.choices.pick(["[]", f"[identity -> relu for f in {self.numbers_list()} if f > 5]"])
            return [f"{name} = {listed}", f"concat(identity, {name})"], self._bound("lists", name)
        if kind == "new":
            items = [
                self.choices.pick(["identity", *self.names.values, self.pipeline(starts=True)])
                for _ in range(self.choices.whole(1, 2))
            ]
            return [f"{name} = [{', '.join(items)}]"], self._bound("lists", name)
        with self.binding("numbers", "f"):
            value = self.fit(channels="f") if self.choices.often(60) else self.step()
        return [f"{name} = [identity -> {value} for f in {self.numbers_list()}]"], self._bound("lists", name)

    def _shared(self):
        name = self.choices.pick(["enc", "tie", "again", "norm"])
        if name in self.names.shared:
            return None
        made = self.call_text() if self.spec.blocks and self.choices.often(25) else self.fit(alone=True)
        if made is None:
            return None
        use = self.choices.pick([name, f"{name} -> {name}", f"add(identity, {name})", f"{self.step()} -> {name}"])
        return [f"layer {name} = {made}", use], self._bound("shared", name)

    def _several(self):
        """A block that gives several values."""
        block = self.spec.block_for(self, 1, outputs=2)
        call = block and self.spec.call(self, block)
        if call is None:
            return None
        names = [self.fresh(), self.fresh()]
        if names[0] == names[1]:
            names[1] += "2"
        return [f"{', '.join(names)} = {call}"], self._bound("values", *names)

    def _parts(self):
        """A value in parts, which have names of their own or stand in a list."""
        pick, axis = self.choices.pick, self.choices.pick(("", ", axis=-1", ", axis=0", ", axis=1"))
        value = pick(["identity", *self.names.values])
        if self.choices.often(30):
            name, word = pick(FREE_NAMES), pick(["split", "chunk"])
            return [f"{name} = {word}({value}, {self.whole_number()}{axis})"], self._bound("lists", name)
        one = [f"[{self.whole_number()}, -1]", f"[-1, {value}.shape[0] - 1]"]
        sizes = pick(["2", "[1, -1]", "[-1, 2]", "[1, 1, -1]", *one])
        names = [f"part{k}" for k in range(1 + max(1, sizes.count(",")))]
        return [f"{', '.join(names)} = split({value}, {sizes}{axis})"], self._bound("values", *names)

    def _recurrent(self):
        """A recurrent layer that gives several values."""
        found = self.memory()
        return found and (found[0], self._bound("values", *found[1]))

    # --- loops and branches -------------------------------------------------------------------------------------------

    @contextmanager
    def opened(self, head, result=""):
        self.lines.append("  " * (self.level + 1) + head + " {")
        self.level += 1
        yield
        self.level -= 1
        self.lines.append("  " * (self.level + 1) + "}" + f" as {result}" * bool(result))

    def state(self):
        return list(self.lines), self.names, self.known

    def restore(self, state):
        self.lines, self.names, self.known = state

    def loop(self):
        """A loop with statements; as if nothing had been, where it cannot be."""
        state = self.state()
        head, bound = self.loop_head()
        result = self.fresh() if self.choices.often(20) else ""
        with self.opened(head, result):
            inside = self.names.copy()
            for kind, name in bound:
                inside.bind(kind, name)
            good = self.attempt(names=inside)
            if good:
                start = len(self.lines)
                self.statements(self.choices.whole(1, 3))
                self.settle(inside)
                good = len(self.lines) > start
        made = [v for v in self.names.values if v not in state[1].values]
        self.names = self.names if not good else state[1] if not result else self._with(state[1], result)
        if not good or not (self.attempt(names=self._bound("values", *made)) or self.attempt()):
            self.restore(state)

    def _with(self, names, name):
        found = names.copy()
        found.bind("values", name)
        return found

    def loop_head(self):
        pick = self.choices.pick
        named = f" as {pick(['stage', 'part', 'turn'])}" if self.choices.often(15) else ""
        kind = self.choices.weighted(
            repeat=4, span=4, items=3, pairs=2, values=2 * bool(self.names.lists), words=1, counted=1
        )
        few = ("2", "3", "1", "0")
        if kind == "repeat":
            return f"repeat {self.whole_number(few)}{named}", []
        if kind == "span":
            name = pick("ijk")
            start = pick(["0", "0", "1", self.whole_number(("0", "1"))])
            return f"for {name} in {start}..{self.whole_number(few)}{named}", [("numbers", name)]
        if kind == "items":
            name = pick(["w", "f", "k"])
            return f"for {name} in {self.numbers_list()}{named}", [("numbers", name)]
        if kind == "pairs":
            rows = ", ".join(f"({self.whole_number()}, {self.whole_number()})" for _ in range(self.choices.whole(2, 3)))
            return f"for (w, s) in [{rows}]{named}", [("numbers", "w"), ("numbers", "s")]
        if kind == "values":
            return f"for v in {pick(self.names.lists)}{named}", [("values", "v")]
        if kind == "words":
            return f"for (w, act) in [(2, relu), ({self.whole_number()}, {pick(['tanh', 'relu'])})]{named}", [
                ("numbers", "w"),
                ("words", "act"),
            ]
        return f"for i in range({self.whole_number(few)}){named}", [("numbers", "i")]

    def choice(self):
        """Branches with statements."""
        state = self.state()
        more = self.choices.pick(("", "} else {", "} else {", "} else if"))
        ends = []
        with self.opened(f"if {self.condition()}"):
            self._branch(state, ends)
            if more == "} else if":
                self.lines.append("  " * self.level + f"{more} {self.condition()} {{")
                self._branch(state, ends)
                more = self.choices.pick(("", "} else {"))
            if more:
                self.lines.append("  " * self.level + more)
                self._branch(state, ends)
        self.names = state[1]
        made = [v for v in ends[0] if v not in self.names.values and all(v in e for e in ends)]
        if not (self.attempt(names=self._bound("values", *made)) or self.attempt()):
            self.restore(state)

    def _branch(self, state, ends):
        self.names, self.known = state[1].copy(), state[2]
        inside = self.names.copy()
        if self.attempt():
            self.statements(self.choices.whole(1, 2))
            if self.choices.often(70):
                self.settle(inside)
        else:
            self.lines.append("  " * (self.level + 1) + self.choices.pick(["relu", "identity"]))  # nobody comes here
        ends.append(self.names.values)

    # --- the end of a body --------------------------------------------------------------------------------------------

    def loose(self, outside):
        """The names that were bound here, but not outside, and that nothing takes."""
        found = []
        for name in (*self.names.values, *self.names.lists):
            bound = [k for k, line in enumerate(self.lines) if re.match(rf"\s*(\w+, )*{name}(, \w+)* = ", line)]
            later = self.lines[bound[-1] + 1 :] if bound else []
            fresh = name not in (*outside.values, *outside.lists)
            if bound and fresh and not any(re.search(rf"\b{name}\b", line) for line in later):
                found.append(name)
        return found

    def settle(self, outside):
        """Take what nothing has taken, so that no weights are lost."""
        for name in self.loose(outside):
            forms = [
                "add(identity, {0})",
                "identity + {0}",
                "concat(identity, {0})",
                "{0} * identity",
                "identity + 0.5 * {0}",
            ]
            if name in self.names.lists:
                forms = ["concat({0})", "add({0})", "concat(identity, {0}[0])"]
            last = ["concat(global_avgpool, {0} -> global_avgpool)", "concat(flatten, {0} -> flatten)"]
            first = self.choices.whole(0, len(forms) - 1)
            for form in [*forms[first:], *forms[:first], *last]:
                if self.attempt([form.format(name)]):
                    break
