"""Random nets that lean on their parameters: widths, counts, strides and choices are worked out from them, in nets and
in blocks."""

from __future__ import annotations

from checking import check

# what a width may be made of: `p` is a parameter or size
WIDTHS = (
    *("{p}", "{p}", "2*{p}", "{p} // 2", "{p} + 4", "{p} * 3 // 2", "8 * round({p} / 8)", "max({p}, 12)"),
    *("min({p}, 10)", "{p} if {p} > 9 else 6", "ceil({p} / 3)", "({p} + 7) // 8 * 8", "{p} - 1", "floor({p} * 0.75)"),
)
LOOPED = ("{p} * 2**{j}", "{p} * 2**{j} // 2", "{p} + 2*{j}", "{p} // ({j} + 1)", "{p}")
NORMS = (
    "",
    " -> batchnorm",
    " -> groupnorm(2)",
    " -> batchnorm -> relu",
    " -> leaky_relu({slope})",
    " -> dropout(0.2)",
)


class Parametric:
    """One text on the way."""

    def __init__(self, choices):
        self.choices = choices
        self.blocks = []

    def width(self, *names):
        return self.choices.pick(WIDTHS).format(p=self.choices.pick(names))

    def unit(self, name, places):
        """A block on maps whose parameters say how wide and of which size it is."""
        choices = self.choices
        parameters, words = ["width"], {}
        for parameter, values in (("kernel", "135"), ("stride", "12"), ("groups", "12")):
            if choices.often(45):
                words[parameter] = choices.pick(values)
        flags = [flag for flag in ("norm", "skip") if choices.often(35)]
        slope = ["slope"] if choices.often(30) else []
        parameters += [f"{p}={v}" for p, v in words.items()] + [f"{f}={choices.pick(['true', 'false'])}" for f in flags]
        parameters += [f"{s}=0.1" for s in slope]
        lines = [f"block {name}({', '.join(parameters)}) {{", "  input x [h, w, c]"]
        sizes = ["width", "width", "c"]
        if choices.often(50):
            lines.append(f"  inner = {self.width('width', 'c')}")
            sizes += ["inner", "inner"]
        kernel = "kernel" if "kernel" in words else choices.pick("13")
        stride = "stride" if "stride" in words else "1"
        options = ", groups=groups" if "groups" in words else ""
        first = choices.pick(sizes) if options else self.width(*sizes)
        norm = choices.pick(NORMS).format(slope=slope[0] if slope else 0.2)
        lines.append(f"  y = x -> conv({first}, {kernel}, stride={stride}, padding=same{options}){norm}")
        lines.append("  if norm { z = y -> batchnorm } else { z = y }" if "norm" in flags else "  z = y")
        lines += self.inside(places)
        lines.append(f"  out = z -> conv({choices.pick(['width', self.width('width')])}, 1x1)")
        if "skip" in flags:
            lines.append(f"  if skip or c == width {{ s = x -> conv(out.channels, 1x1, stride={stride}) }}")
            lines[-1] += " else { s = 0 * out }"
            lines.append("  out + s -> relu")
        else:
            lines.append(choices.pick(["  out -> relu", "  out", "  out * sigmoid(out)"]))
        return "\n".join([*lines, "}"])

    def inside(self, places):
        """What a unit does on its way: gates with sizes of the flow, loops, blocks that stand before it."""
        choices, found = self.choices, []
        if choices.often(30):
            size = choices.pick(["z.channels // 2", "max(z.channels // 4, 2)", "width // 4 + 1", "c"])
            found.append(f"  g = z -> global_avgpool -> dense({size}) -> relu -> dense(z.channels) -> sigmoid")
            found.append("  z = z * (g -> reshape(1, 1, z.channels))")
        if choices.often(25):
            size = choices.pick(["z.channels", "width"])
            count = choices.pick(["2", "3", "width // 4"])
            found.append(f"  z = z -> {{ repeat {count} {{ conv({size}, 3x3, padding=1) }} }}")
        if places and choices.often(40):
            found.append(f"  z = z -> {choices.pick(places)}({self.width('width', 'z.channels')})")
        return found

    def text(self):
        choices, names, texts = self.choices, [], []
        for k in range(choices.whole(0, 3)):
            name = f"{choices.pick(['unit', 'part', 'stage'])}{k}"
            texts.append(self.unit(name, names))
            names.append(name)
        parameters = {"width": choices.pick(["8", "16", "12"]), "classes": "5"}
        for name, values in (("depth", "23"), ("side", ["9", "10"]), ("kernel", "35"), ("factor", ["1", "1.0", "0.5"])):
            if choices.often(45):
                parameters[name] = choices.pick(values)
        flag = choices.often(35)
        parameters |= {"wide": choices.pick(["true", "false"])} if flag else {}
        side = "side" if "side" in parameters else "8"
        lines = [f"net parametric({', '.join(f'{n}={v}' for n, v in parameters.items())}) {{"]
        lines.append(f"  input x [{side}, {side}, {choices.pick(['3', '3', 'width'])}]")
        for _ in range(choices.whole(1, 4)):
            lines += self.statement(names, parameters, flag)
        lines += [
            "  global_avgpool -> dense(classes)" if choices.often(70) else f"  conv({self.width('width')}, 1)",
            "}",
        ]
        return "\n".join([*texts, *lines]) + "\n"

    def statement(self, names, parameters, flag):
        choices = self.choices
        scaled = ["max(round(width * factor), 2)"] if "factor" in parameters else []
        width = choices.pick([*scaled, self.width("width"), self.width("width")])
        kernel = "kernel" if "kernel" in parameters else "3"
        call = f"{choices.pick(names)}({width})" if names and choices.often(65) else ""
        step = call or f"conv({width}, {kernel}, padding=same){choices.pick(NORMS).format(slope=0.3)}"
        kind = choices.weighted(step=5, repeat=2, loop=4, choice=2 * flag, listed=2, both=2 * bool(names))
        if kind == "repeat":
            return [f"  repeat {choices.pick(['2', *(['depth'] if 'depth' in parameters else [])])} {{ {step} }}"]
        if kind == "loop":
            wide = choices.pick(LOOPED).format(p="width", j="j")
            inner = f"conv({wide}, 3x3, padding=1) -> relu"
            inner = f"{choices.pick(names)}({wide})" if names and choices.often(60) else inner
            return [f"  for j in 0..{'depth' if 'depth' in parameters else 3} {{ {inner} }}"]
        if kind == "choice":
            return [f"  if wide {{ {step} }} else {{ conv({self.width('width')}, 1x1) }}"]
        if kind == "listed":
            return [f"  for w in [width, 2*width, {width}] {{ conv(w, 3x3, padding=1) -> relu }}"]
        if kind == "both":
            name = choices.pick(names)
            return [f"  {name}(width)", f"  {name}(2*width)"]
        return [f"  {step}"]


def parametric(choices, tries=60):
    """A text that holds. Chance may lead nowhere; then it is tried again."""
    for _ in range(tries):
        text = Parametric(choices).text()
        if check(text).ok:
            return text
    raise AssertionError("chance leads nowhere")
