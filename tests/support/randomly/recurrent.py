"""Random recurrent layers: of any cell, in one direction or both, one or several deep, with what they may be told.

Some cells are of one's own: their text comes before the net's.
"""

from __future__ import annotations

CELLS = {
    "leaky": """\
cell leaky(units) {
  input x
  state h [units]
  next h = 0.7 * h + 0.3 * tanh(dense(x, units) + dense(h, units, bias=false))
  output next h
}""",
    "paired": """\
cell paired(units) {
  input x
  state h [units]
  state sums [units] init=0.5
  weight scale [units] init=ones
  gate = sigmoid(dense(concat(x, h), units))
  next sums = gate * sums + (1 - gate) * dense(x, units, activation=tanh)
  next h = tanh(next sums * scale)
  output next h
}""",
}
STATES = {"rnn": 1, "gru": 1, "lstm": 2, "leaky": 1, "paired": 2, "conv_lstm": 2}
MERGES = ("concat", "add", "mul", "average")


class Recurrent:
    """What a body draws its recurrent layers from."""

    def is_series(self):
        """Has the flow an axis of time?"""
        return all(len(t.shape) >= 2 and t.dtype == "float32" and t.batched for t in self.known.flow)

    def how_serial(self):
        """How likely is a recurrent layer, of a few, to stand here? Grids need no axis of time, and seldom have one."""
        return 0 if not self.is_series() else 3 if self._rank() == 2 else 1

    def _rank(self):
        return max(len(t.shape) for t in self.known.flow)

    def recurrent(self):
        """A recurrent layer that gives one value."""
        cell, ways, depth = self._plan()
        returns = self.choices.pick(["", "sequence", "sequence", "last"])
        if STATES[cell] * ways * depth == 1 and self.choices.often(20):
            returns = "state"
        told = [f"return={returns}"] if returns else []
        size = [self._units(), self._window(cell, depth)]
        return self._written(cell, ways, depth, size, told, self.choices.pick(["", *MERGES]))

    def memory(self):
        """Statements with a recurrent layer that gives several values, or begins with a state, or skips steps.

        They come with the names of the values; None where there is no axis of time.
        """
        if not self.is_series():
            return None
        pick, often, at = self.choices.pick, self.choices.often, len(self.lines)
        (cell, ways, depth), units = self._plan(), self._units()
        parts, told, lines = STATES[cell] * ways * depth, [], []
        window = self._window(cell, depth)
        if often(40):
            grown = f"{cell}({units}, {window})" if window else f"global_avgpool -> dense({units}, activation=tanh)"
            lines.append(f"start = identity -> {grown}")
            told.append(f"initial=({', '.join(['start'] * parts)})" if parts > 1 else "initial=start")
        if often(35) and cell not in CELLS:
            axes = ", ".join(map(str, range(1, self._rank())))
            lines.append(
                f"kept = {pick(['mean', 'max', 'min'])}(identity, axis=({axes})) {pick('<>')} {pick(['0', '0.1'])}"
            )
            told.append("mask=kept")
        returns = pick([("sequence", "state"), ("last", "sequence"), ("state", "last"), ("sequence",), ("state",)])
        merge = pick(["", *MERGES, *(["none"] * (depth == 1))])
        told.append(f"return=({', '.join(returns)})" if len(returns) > 1 else f"return={returns[0]}")
        values = ways if merge == "none" else 1
        names = [f"{word}{k}_{at}" for word in returns for k in range(parts if word == "state" else values)]
        lines.append(f"{', '.join(names)} = {self._written(cell, ways, depth, [units, window], told, merge)}")
        return lines, names

    def _plan(self):
        """A cell, how many directions, how many layers."""
        pick = self.choices.pick
        cell = "conv_lstm" if self._rank() > 2 else pick([name for name in STATES if name != "conv_lstm"])
        if cell in CELLS and CELLS[cell] not in self.spec.texts:
            self.spec.texts.insert(0, CELLS[cell])
        return cell, pick((1, 1, 2)), pick((1, 1, 1, 2, 3))

    def _units(self):
        return self.whole_number(("3", "2", "4"))

    def _window(self, cell, depth):
        """The window of a cell on grids; the layers of a stack have states of one size. Empty on vectors."""
        if cell != "conv_lstm":
            return ""
        pick, rank = self.choices.pick, self._rank() - 2
        kernel = pick(["1", "2", "3", "x".join(map(pick, ["123"] * rank))])
        if depth > 1:
            return f"{kernel}, padding=same"
        stride = pick(["", "", ", stride=2", f", stride={'x'.join(map(pick, ['12'] * rank))}"])
        return kernel + stride + pick(["", ", padding=same"])

    def _written(self, cell, ways, depth, size, told, merge):
        words = told + ["reverse=true"] * (ways == 1 and self.choices.often(25))
        if cell in CELLS:
            found = f"scan({', '.join([f'{cell}({size[0]})', *words])})"
        else:
            found = f"{cell}({', '.join([*filter(None, size), *words, *self._cell_words(cell)])})"
        if ways == 2:
            found = f"bidirectional({found}{f', merge={merge}' if merge else ''})"
        return f"stack({depth}, {found})" if depth > 1 else found

    def _cell_words(self, cell):
        """What is told to the cell itself."""
        pick, often = self.choices.pick, self.choices.often
        found = ["bias=false"] * often(15)
        found += [f"activation={pick(['relu', 'sigmoid', 'softsign', 'gelu', *self.names.words])}"] * often(20)
        if cell != "rnn":
            found += [f"recurrent_activation={pick(['hard_sigmoid', 'tanh', 'sigmoid'])}"] * often(15)
        if cell == "gru":
            found += ["reset_after=false"] * often(25)
        found += [f"dropout={pick(['0.2', *self.names.floats])}"] * often(12)
        return found + ["recurrent_dropout=0.3"] * often(12)
