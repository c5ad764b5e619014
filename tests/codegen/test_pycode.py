"""Expressions as text: what they mean to Python, and that the formatter leaves them as they are, however long."""

from __future__ import annotations

import ast
import random
import subprocess
import sys

import pytest

from netspec.pycode.doc import WIDTH, assignment, lay_out, loop_head, split
from netspec.pycode.expr import Attr, Call, Generator, Index, Infix, Raw, Star, X, call, fill, inline, method, unless
from netspec.pycode.statements import Assign, Do, ForIn, IfElse, Refuse, Return, choose, names_in, render

LONG = [
    Call("a_function", tuple(f"value {n}" for n in range(9))),
    call(
        "nn.Conv2d", 3, 64, (7, 7), stride=(2, 2), padding=(3, 3), dilation=(1, 1), groups=1, bias=False, mode="zeros"
    ),
    call(
        "a_function",
        Generator(call("some_layer", Raw("i"), units=512, activation="relu"), "i", call("range", 12345678)),
    ),
    call("nn.ModuleList", [Generator(call("SomeBlock", Raw("width"), kernel_size=3), "width", [64, 128, 256, 512])]),
    call("concatenate", [Raw(f"a_name_of_some_length_{n}") for n in range(6)], axis=-1),
    [Generator(call("SomeBlockOfLayers", Raw("width"), kernel_size=3), "width, stride", [(n, 2) for n in range(8)])],
    call("sum", Generator(call("a_layer_of_some_name", Raw("width"), units=3), "width", [(n, 2.5) for n in range(9)])),
    tuple(Raw(f"a_name_of_some_length_{n}") for n in range(6)),
    [Raw(f"a_name_of_some_length_{n}") for n in range(6)],
    [(n, f"word {n}", 0.5 * n) for n in range(9)],
    call(
        "nn.Sequential", Star(Raw("a_list_of_layers_that_is_long")), Star([Raw(f"another_name_{n}") for n in range(6)])
    ),
    method(call("a_function_of_some_length", Raw("first_argument"), Raw("second_argument")), "view", -1, 128, 7, 77),
    Call(
        Call("layers.Dense", (4096,), (("activation", "relu"), ("name", "a_dense_layer_of_some_length"))), (Raw("x"),)
    ),
    Index(call("a_function_of_some_length", Raw("first_argument"), Raw("second_argument"), Raw("a_third")), (0, ...)),
    call(
        "f",
        Infix(Infix(Raw("a_name_of_some_length"), "+", Raw("b_name_of_some_length")), "+", Raw("c_name_of_some_len")),
    ),
    Infix(
        Infix(Raw("a_name_of_some_length"), "+", Raw("b_name_of_some_length")), "+", Raw("c_name_of_some_length_that")
    ),
    Infix(
        Raw("a_name_of_some_length"), "*", call("torch.softmax", Raw("b_name_of_some_length_that"), dim=-1, dtype=None)
    ),
    Generator(call("some_layer", Raw("i"), units=512, activation="relu"), "i", call("range", Raw("a_number_of_turns"))),
]


def formatted(text):
    """What the formatter would change."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(WIDTH), "--diff", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stdout


def shown(code, prefix, indent):
    """A function that has the expression in it, as deep as the indent says."""
    head = [" " * 4 * depth + ("def f():" if depth == 0 else "if True:") for depth in range(indent // 4)]
    return "\n".join([*head, *lay_out(prefix, code, "", indent)]) + "\n"


@pytest.mark.parametrize("indent", [0, 4, 8])
@pytest.mark.parametrize("prefix", ["x = ", "self.a_name = ", "return "])
def test_the_formatter_has_nothing_to_change(prefix, indent):
    if prefix == "return " and indent == 0:
        return
    assert formatted(("\n\n" if indent else "").join(shown(code, prefix, indent) for code in LONG)) == ""


class Drawn:
    """Random statements as the emitters write them, of names of any length."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def name(self, most=24):
        return "n" + "".join(self.dice.choices("abcdefgh_", k=self.dice.randrange(most)))

    def names(self, most, length=24):
        return [self.name(length) for _ in range(self.dice.randrange(most) + 1)]

    def text(self):
        """What comes as text: a sum, a condition, a choice."""
        name = self.name
        return self.dice.choice(
            [
                " + ".join(self.names(5)),
                " and ".join(f"{n} == {name()}" for n in self.names(3)),
                f"{name()} // 2 * {name()} + {name()} * {name()}",
                f"{name(40)} if {name(40)} > {name()} else {name()}",
            ]
        )

    def code(self, depth):
        inner = lambda most: [self.code(depth - 1) for _ in range(self.dice.randrange(most))]  # noqa: E731
        leaves = [
            lambda: Raw(self.name(50)),
            lambda: Raw(self.text()),
            lambda: self.dice.choice([64, 0.5, "relu", True, (2, 2), (1, 128, 7, 7)]),
        ]
        nodes = [
            lambda: self.call(depth, inner),
            lambda: [*inner(5), 1],
            lambda: Infix(Raw(self.name()), self.dice.choice("+*@-"), self.operand(depth, inner)),
            lambda: method(Raw(self.name()) if self.dice.random() < 0.5 else call("f", *inner(3)), "view", *inner(3)),
            lambda: Index(Raw(self.name()) if self.dice.random() < 0.6 else call("f", *inner(3)), self.places()),
        ]
        return self.dice.choice(leaves + nodes * 2 if depth else leaves)()

    def call(self, depth, inner):
        func = self.dice.choice(["f", "nn.Conv2d", "torch.nn.functional.some_function"])
        return Call(func, tuple(inner(4)), tuple((self.name(12), code) for code in inner(3)))

    def operand(self, depth, inner):
        return self.call(depth, inner) if self.dice.random() < 0.5 else Raw(self.name())

    def places(self):
        name = Raw(self.name())
        slices = [slice(None, 3), slice(name, None), slice(Infix(name, "+", 1), name), slice(None, name, 2)]
        return tuple(self.dice.choice([..., 0, None, *slices]) for _ in range(self.dice.randrange(3) + 1))

    def items(self):
        count = self.dice.randrange(12) + 1
        number = lambda: self.dice.randrange(3000)  # noqa: E731
        return self.dice.choice(
            [
                [(number(), number(), number()) for _ in range(count)],
                [number() for _ in range(2 * count)],
                call("zip", *map(Raw, self.names(4, 30))),
                call("range", Raw(self.name(60))),
                Raw(self.name(70)),
            ]
        )

    def statement(self):
        indent, code = self.dice.choice([4, 8, 12]), self.code(self.dice.randrange(4))
        kinds = [
            lambda: lay_out(self.dice.choice(["x = ", "self.a_name = ", "return "]), code, "", indent),
            lambda: assignment(self.names(3, 50), code, indent),
            lambda: [*loop_head(self.names(3, 40), self.items(), indent), " " * (indent + 4) + "pass"],
        ]
        head = [" " * 4 * depth + ("def f():" if depth == 0 else "if True:") for depth in range(indent // 4)]
        return "\n".join([*head, *self.dice.choice(kinds)()]) + "\n"


def test_the_formatter_leaves_random_statements_as_they_are():
    drawn = Drawn(0)
    assert formatted("\n\n".join(drawn.statement() for _ in range(1500))) == ""


@pytest.mark.parametrize("place", range(len(LONG)))
@pytest.mark.parametrize("indent", [0, 8, 40])
def test_what_is_broken_means_the_same(place, indent):
    code = LONG[place]
    lines = lay_out("x = ", code, "", indent)
    assert len(lines) > 1 or len(lines[0]) <= WIDTH
    head = "if True:\n" if indent else ""
    assert ast.dump(ast.parse(head + "\n".join(lines))) == ast.dump(ast.parse(f"{head} x = {inline(code)}".lstrip()))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (Infix(Infix(Raw("a"), "+", Raw("b")), "+", Raw("c")), "a + b + c"),
        (Infix(Raw("a"), "+", Infix(Raw("b"), "+", Raw("c"))), "a + (b + c)"),
        (Infix(Raw("a"), "-", Infix(Raw("b"), "-", Raw("c"))), "a - (b - c)"),
        (Infix(Infix(Raw("a"), "-", Raw("b")), "-", Raw("c")), "a - b - c"),
        (Infix(Raw("a"), "-", Infix(Raw("b"), "*", Raw("c"))), "a - b * c"),
        (Infix(Raw("a"), "*", Infix(Raw("b"), "+", Raw("c"))), "a * (b + c)"),
        (Infix(Infix(Raw("a"), "+", Raw("b")), "*", Raw("c")), "(a + b) * c"),
        (Infix(Infix(Raw("a"), "/", Raw("b")), "/", Raw("c")), "a / b / c"),
        (Infix(Raw("a"), "/", Infix(Raw("b"), "/", Raw("c"))), "a / (b / c)"),
        (Infix(Infix(Raw("a"), "**", Raw("b")), "**", Raw("c")), "(a**b) ** c"),
        (Infix(Raw("a"), "*", Infix(Raw("b"), "**", 2)), "a * b**2"),
        (Attr(Infix(Raw("a"), "+", Raw("b")), "shape"), "(a + b).shape"),
        (
            Index(Infix(Raw("a"), "@", Raw("b")), (0, ..., slice(None, 3), slice(1, None, 2))),
            "(a @ b)[0, ..., :3, 1::2]",
        ),
        (Index(Raw("a"), (slice(Infix(Raw("n"), "-", 1), None),)), "a[n - 1 :]"),
        ((1,), "(1,)"),
        ([1], "[1]"),
        ((), "()"),
        ([Generator(Raw("i"), "i", Raw("a"))], "[i for i in a]"),
        (call("sum", Generator(Raw("i"), "i", Raw("a"))), "sum(i for i in a)"),
        (call("sum", Generator(Raw("i"), "i", Raw("a")), axis=1), "sum((i for i in a), axis=1)"),
        (call("f", **unless(1, stride=1), **unless(0, padding=0.0), **unless(True, bias=1)), "f(padding=0.0, bias=1)"),
        (1e-5, "1e-5"),
        (1e20, "1e+20"),
        (float("inf"), 'float("inf")'),
        ('it\'s "so"\n', "'it\\'s \"so\"\\n'"),
        ('a"b', "'a\"b'"),
        ("it's", '"it\'s"'),
        ("a\\'b\"", '"a\\\\\'b\\""'),
        ("\t\x00é\n", '"\\t\\x00é\\n"'),
        ("a##b", '"a#\\x23b"'),
        (None, "None"),
        (-1, "-1"),
    ],
)
def test_on_one_line(code, text):
    assert inline(code) == text


def test_random_operations_keep_their_order():
    """Brackets are left out only where Python reads the same without them."""
    rng = random.Random(0)

    def drawn(depth):
        if depth == 0 or rng.random() < 0.2:
            return Raw(rng.choice("abc"))
        return Infix(drawn(depth - 1), rng.choice(["+", "-", "*", "/", "//", "@", "**", "%"]), drawn(depth - 1))

    def bracketed(code):
        return code.text if isinstance(code, Raw) else f"({bracketed(code.left)} {code.op} {bracketed(code.right)})"

    for _ in range(2000):
        code = drawn(4)
        assert ast.dump(ast.parse(inline(code))) == ast.dump(ast.parse(bracketed(code))), bracketed(code)


def test_random_words_are_what_they_were():
    rng = random.Random(0)
    words = ["".join(rng.choices("'\"\\#\n\t{}%aé\x00\x7f\u2028\ud800", k=rng.randrange(8))) for _ in range(2000)]
    for word in words:
        assert ast.literal_eval(inline(word)) == word
    plain = [word for word in words if word.isprintable() and "#" not in word]
    assert formatted("".join(f"x = {inline(word)}\n" for word in plain)) == ""


def test_values_are_filled_in():
    code = call("f", X(), [X(1), slice(X(1), None)], key=Infix(X(), "+", X(2)))
    assert inline(fill(code, [Raw("a"), Raw("b"), 3])) == "f(a, [b, b:], key=a + 3)"


def test_a_note_stands_where_there_is_room():
    assert lay_out("x = ", Raw("a"), "", 4, "2 x 3") == ["    x = a  # 2 x 3"]
    name = Raw("a" * (WIDTH - 12))
    assert lay_out("x = ", name, "", 0, "12345") == [f"x = {name.text}"]
    assert lay_out("x = ", name, "", 0, "1234") == [f"x = {name.text}  # 1234"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("'a, b', c", ["'a, b'", "c"]),
        ("""'a", b', c, "d', e", f""", ["""'a", b'""", "c", """"d', e\"""", "f"]),
        (r"'it\'s, so', b", [r"'it\'s, so'", "b"]),
        (r"'a\\', b", [r"'a\\'", "b"]),
        ("f('), ('), b", ["f('), (')", "b"]),
        ("a, b", ["a", "b"]),
    ],
)
def test_commas_within_quotes_part_nothing(text, parts):
    assert split(text) == parts
    assert len(ast.parse(f"[{text}]").body[0].value.elts) == len(parts)


# --- statements -------------------------------------------------------------------------------------------------------


def test_a_branch_that_does_nothing_passes():
    body = (Assign(Raw("1"), "a"),)
    statement = IfElse(((Raw("c"), ()), (Raw("d"), body), (None, body)))
    assert render([statement], 4) == [
        "    if c:",
        "        pass",
        "    elif d:",
        "        a = 1",
        "    else:",
        "        a = 1",
    ]


def test_branches_at_the_end_that_do_nothing_are_left_out():
    body = (Assign(Raw("1"), "a"),)
    opposite = "not {}".format
    assert [*choose([(Raw("c"), body), (None, ())], opposite)] == [IfElse(((Raw("c"), body),))]
    assert [*choose([(Raw("c"), ()), (None, body)], opposite)] == [IfElse(((Raw("not c"), body),))]
    assert [*choose([(Raw("c"), ()), (None, ())], opposite)] == []


def test_names_are_those_of_all_statements_below():
    loop = ForIn(
        "i, y", Raw("zip(a, b)"), (IfElse(((Raw("c > i"), (Assign(Raw("d.e"), "x", "f"), Return(Raw("g")))),)),)
    )
    assert names_in([loop, Refuse(Raw("h"))]) == {"zip", "a", "b", "c", "i", "d", "g", "h"}


def test_expressions_change_and_targets_stay():
    body = (Assign(Raw("x"), "x"), IfElse(((Raw("x"), (Do(Raw("x")),)), (None, (Return(Raw("x")),)))))
    loop = ForIn("x", Raw("x"), body).mapped(lambda code: Raw("y"))
    assert render([loop], 0) == [
        "for x in y:",
        "    x = y",
        "    if y:",
        "        y",
        "    else:",
        "        return y",
    ]
