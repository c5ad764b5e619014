"""The house: imports go down only, and what is heavy stays outside."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "netspec"
# from the ground up: each folder imports from those before it alone, for types as well
FLOORS = [
    "support",
    "base",
    "codes",
    "files",
    "pycode",
    "layers",
    "syntax",
    "consteval",
    "ir",
    "resolve",
    "elaborate",
    "analysis",
    "codegen",
    "diagram",
    "report",
    "runtime",
    "weights",
    "importing",
    "reference",
    "verify",
    "api",
    "zoo",
    "cli",
    "__main__",
    "__init__",
]
# the same within code generation
STAGES = ["identifiers", "styles", "orders", "lowering", "ir", "printer", "passes", "outline", "backends"]
STAGES += ["pipeline", "__init__"]
# the backends of one framework know nothing of the other
BACKENDS = ("torch", "keras")
FRAMEWORKS = {"torch", "keras", "tensorflow", "numpy", "pandas", "graphviz", "pygraphviz", "safetensors", "h5py"}
# who runs models, and who works with arrays or pictures
RUNNING = {"runtime", "api"}
ROOMS = {
    "reference": {"numpy"},
    "layers": {"numpy"},
    "weights": {"numpy", "safetensors", "h5py"},
    "verify": {"numpy"},
    "report": {"pandas"},
    "diagram": {"graphviz", "pygraphviz"},
    "cli": {"numpy"},
}
DATA = {"tables.py", "vocabulary.py"}  # lists of facts, as long as there are facts


def modules():
    return sorted(p for p in ROOT.rglob("*.py") if "__pycache__" not in p.parts)


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor_of(module):
    return module.split(".")[0]


def imports(path):
    """Each import: (module within netspec or outside, is it inside, stands at the top, is for types only)."""
    tree = ast.parse(path.read_text())
    package = ["netspec", *path.relative_to(ROOT).parent.parts]
    typed = {
        id(n)
        for c in ast.walk(tree)
        if isinstance(c, ast.If) and isinstance(c.test, ast.Name) and c.test.id == "TYPE_CHECKING"
        for s in c.body
        for n in ast.walk(s)
    }
    inner = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Import):
            found = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            folder = ROOT.parent.joinpath(*stem.split("."))
            found = [f"{stem}.{a.name}" if (folder / f"{a.name}.py").exists() else stem for a in node.names]
        for module in found:
            yield module, id(node) not in inner, id(node) in typed


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_go_down(path):
    here = name_of(path)
    for module, _, _ in imports(path):
        if not module.startswith("netspec"):
            continue
        target = module.removeprefix("netspec").removeprefix(".")
        assert target or here in ("cli", "__main__") or here.startswith("cli."), f"{here} imports the package face"
        if target and here and floor_of(target) != floor_of(here):
            assert FLOORS.index(floor_of(target)) < FLOORS.index(floor_of(here)), f"{here} imports {target}"


@pytest.mark.parametrize("path", [p for p in modules() if "codegen" in p.parts], ids=name_of)
def test_stages_of_code_generation_know_those_before_them(path):
    here = name_of(path).split(".")[1:2]
    for module, _, _ in imports(path):
        target = module.removeprefix("netspec.codegen.")
        if target != module and here and target.split(".")[0] != here[0]:
            assert STAGES.index(target.split(".")[0]) < STAGES.index(here[0]), f"{name_of(path)} imports {target}"


def test_no_modules_know_one_another():
    """Not in a circle of any length, for types or within functions either."""
    known = {
        name_of(path): {module.removeprefix("netspec.") for module, _, _ in imports(path) if module != "netspec"}
        for path in modules()
    }
    reached = {name: _reached(name, known) for name in known}
    circles = {
        frozenset(other for other in known if other in reached[name] and name in reached[other]) for name in known
    }
    assert circles == {frozenset()}


def _reached(name, known):
    found, todo = set(), list(known[name])
    while todo:
        other = todo.pop()
        if other in known and other not in found:
            found.add(other)
            todo += known[other]
    return found


def test_each_folder_is_on_a_floor():
    assert {floor_of(name_of(path)) for path in modules()} == set(FLOORS)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_who_may_import_what(path):
    here = name_of(path)
    top = here.split(".")[0]
    if top == "support":  # which generated code carries along, and nobody imports
        return
    for module, at_top, typed in imports(path):
        assert not module.startswith("netspec.support"), f"{here} imports {module}"
        outside = module.split(".")[0]
        if outside == "lark":
            assert here == "syntax.generate"
            assert not at_top
        if outside == "argparse":
            assert top == "cli"
        if outside in FRAMEWORKS and not typed:
            allowed = not at_top or here == "layers.arrays"
            assert allowed, f"{here} imports {outside} when it is loaded"
            assert top in RUNNING or outside in ROOMS.get(top, ()), f"{here} imports {outside}"
        if top == "layers" and module.startswith("netspec."):
            assert module.split(".")[1] in ("base", "pycode", "layers"), f"{here}: {module}"
        if here.startswith("codegen.backends.") and module.startswith("netspec.codegen.backends."):
            of = [framework for name in (here, module) for framework in BACKENDS if f"backends.{framework}" in name]
            assert len(set(of)) < 2, f"{here} knows {module}"


def test_only_the_command_line_prints():
    for path in modules():
        if name_of(path).split(".")[0] in ("cli", "__main__"):
            continue
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        names = {n.func.id for n in calls if isinstance(n.func, ast.Name)}
        assert not names & {"print", "exit", "quit", "input"}, name_of(path)


@pytest.mark.parametrize("path", [p for p in modules() if p.name not in DATA], ids=name_of)
def test_rooms_are_small(path):
    assert len(path.read_text().splitlines()) <= 400


def printed(code):
    """The words that a process of its own prints, without what the machine adds to Python."""
    command = [sys.executable, "-S", "-c", f"import sys; {code}"]
    return set(subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent, check=True).stdout.split())


CHECKED = "from netspec.cli import main; assert main(['check', 'specs/vgg16.net', '-q']) == 0; print(*sys.modules)"


def test_a_check_loads_nothing_heavy():
    heavy = {*FRAMEWORKS, "lark", "typing", "dataclasses", "inspect", "json", "pathlib", "logging", "csv", "difflib"}
    loaded = printed(CHECKED)
    assert not heavy & loaded
    # what only helps those who went wrong
    assert not {"netspec.layers.foreign", "netspec.layers.vocabulary", "netspec.syntax.faults"} & loaded


def test_a_check_loads_the_layers_that_the_text_names():
    loaded = {m.rpartition(".")[2] for m in printed(CHECKED) if m.startswith("netspec.layers.")}
    shared = {"arguments", "base", "forms", "index", "initialisers", "registry", "shapes", "signs"}
    kinds = {"activations", "conv", "dropout", "linear", "pool", "shaping"}
    assert loaded == shared | kinds | {"padding", "pointwise", "weighted", "window"}


def test_pytorch_code_loads_no_backend_of_keras():
    loaded = printed(CHECKED.replace("'check', 'specs/vgg16.net', '-q'", "'build', 'specs/vgg16.net', '--to', 'torch'"))
    assert "netspec.codegen.backends.torch" in loaded
    assert not any(module.startswith("netspec.codegen.backends.keras") for module in loaded)


def test_the_index_of_the_layers_is_that_of_the_classes():
    code = "from netspec.layers.__main__ import HERE, index; assert (HERE / 'index.py').read_text() == index()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=True)


def test_importing_the_package_loads_nothing():
    code = "before = set(sys.modules); import netspec; print(*sorted(set(sys.modules) - before))"
    assert printed(code) <= {"netspec", "__future__"}


def test_a_class_name_stands_for_one_thing():
    names = Counter()
    for path in modules():
        if "support" not in path.parts:  # which holds what generated code is made of
            classes = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef))
            names.update(node.name.lstrip("_") for node in classes)
    assert {name for name, count in names.items() if count > 1} == set()
