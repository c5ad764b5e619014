"""Textual mutations of a file, found in its syntax tree: each changes one place, and the file still parses."""

from __future__ import annotations

import ast

from netspec.base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPARISONS = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
OPERATORS = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "*")}
# the order of their operands matters, also where they are numbers
DIRECTED = (ast.Sub, ast.FloorDiv, ast.Div, ast.Mod, ast.Pow)
# what gives the same with something about it changed: its order, or whether it can be gone through twice
WRAPPERS = ("reversed", "sorted", "list", "tuple")
# functions that are taken for one another
PAIRS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutation(Record):
    """A place in a file, by bytes, and what stands there instead; `kind` says what was done."""

    file: str
    kind: str
    start: int
    end: int
    text: str
    line: int

    def planted(self, source: bytes) -> bytes:
        """The file with the bug in it."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def shown(self, source: bytes) -> str:
        """Both texts on one line."""
        before = source[self.start : self.end].decode()
        old, new = (" ".join(text.split()) for text in (before, self.text))
        return f"{self.kind}: {old[:60]} -> {new[:60]}"


def mutations(file: str, source: bytes) -> list[Mutation]:
    """All mutations of a file, in its order. `file` is its name, as it is to be shown."""
    finder = _Finder(file, source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda m: (m.start, m.end, m.kind))


class _Finder(ast.NodeVisitor):
    """Goes through what is run; types, strings and what is for type checkers alone are passed over."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file = file
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.found: list[Mutation] = []

    def _add(self, kind: str, node: ast.expr, text: str) -> None:
        start, end = self._span(node)
        self.found.append(Mutation(self.file, kind, start, end, text, node.lineno))

    def _span(self, node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    # --- what is passed over ---------------------------------------------------------------------------------------

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:  # the name is `ast`'s
        """Before Python 3.12 the places in it are not those of the file."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Its type is not run."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body):
            self.visit(part)

    # --- what is changed -------------------------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self._condition(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node.test)
        self._add("one side", node, f"({self._text(node.body)})")
        self._add("one side", node, f"({self._text(node.orelse)})")
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._add("dropped", node.test, "False")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._add("filter dropped", test, "True")
            self._add("negated", test, f"(not ({self._text(test)}))")
        self.generic_visit(node)

    def _condition(self, test: ast.expr) -> None:
        self._add("negated", test, f"(not ({self._text(test)}))")
        self._add("dropped", test, "False")
        self._add("always", test, "True")

    def visit_Compare(self, node: ast.Compare) -> None:
        for place, operator in enumerate(node.ops):
            if type(operator) in COMPARISONS:
                left, right = (node.left, *node.comparators)[place], node.comparators[place]
                self._between("comparison", left, right, *COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        self._between("and, or", node.values[0], node.values[1], *word)
        for place in range(len(node.values)):
            rest = [f"({self._text(v)})" for k, v in enumerate(node.values) if k != place]
            self._add("condition dropped", node, f"({f' {word[0]} '.join(rest)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not any(map(_is_text, _sides(node))):
            if type(node.op) in OPERATORS:
                self._between("operator", node.left, node.right, *OPERATORS[type(node.op)])
            if isinstance(node.op, DIRECTED):
                left, right = self._span(node.left), self._span(node.right)
                between = self.source[left[1] : right[0]].decode()
                self._add("operands", node, f"({self._text(node.right)}){_bare(between)}({self._text(node.left)})")
        self.generic_visit(node)

    def _between(self, kind: str, left: ast.expr, right: ast.expr, old: str, new: str) -> None:
        """Change the sign between two operands."""
        start, end = self._span(left)[1], self._span(right)[0]
        text = self.source[start:end].decode()
        if text.count(old) == 1 and "#" not in text:
            made = text.replace(old, new)
            self.found.append(Mutation(self.file, kind, start, end, made, left.end_lineno or left.lineno))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._add("constant", node, str(not node.value))
        elif isinstance(node.value, int):
            self._add("constant", node, f"{node.value + 1}")
            self._add("constant", node, f"({node.value - 1})")

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            self._add("sign dropped", node, f"({self._text(node.operand)})")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            if node.func.id in PAIRS:
                self._add("function", node.func, PAIRS[node.func.id])
            if node.func.id in WRAPPERS and node.args and not isinstance(node.args[0], ast.GeneratorExp):
                self._add("call dropped", node, f"({self._text(node.args[0])})")
        self.generic_visit(node)


def _sides(node: ast.BinOp) -> Iterator[ast.expr]:
    """The operands of a row of operators."""
    for side in (node.left, node.right):
        if isinstance(side, ast.BinOp):
            yield from _sides(side)
        else:
            yield side


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _bare(between: str) -> str:
    """The sign between two operands without the brackets around these."""
    return between.replace("(", "").replace(")", "")


def parses(mutation: Mutation, source: bytes) -> bool:
    """Is the file with the bug still a program, and another one?"""
    try:
        return ast.dump(ast.parse(mutation.planted(source))) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False
