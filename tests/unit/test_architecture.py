"""Who may import whom, how large a module may grow, and what is costly to import stays unread until it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kubectl_netpol"

# Room -> the rooms that it may import. A room stands below all that may import it, so there is no cycle.
MAY_IMPORT = {
    "errors": "",
    "fields": "",
    "concurrency": "errors",
    "console": "errors concurrency",
    "model": "errors",
    "policies": "fields model",
    "manifests": "errors fields model policies",
    "engine": "model",
    "connection": "errors model engine",
    "analysis": "model engine",
    "lint": "model engine connection analysis",
    "allow": "errors model manifests engine connection analysis",
    "probe": "errors concurrency model",
    "diagnosis": "model engine connection analysis probe",
    "matrix": "model engine connection diagnosis",
    "suite": "errors fields model manifests engine connection diagnosis matrix",
    "cluster": "errors fields concurrency model manifests",
    "render": "console model manifests engine connection analysis lint allow diagnosis matrix suite",
    "commands/common": (
        "errors concurrency console model manifests engine connection analysis lint allow probe diagnosis matrix "
        "suite cluster render"
    ),
    "commands": (
        "errors console model manifests engine connection analysis lint allow matrix suite cluster render "
        "commands/common"
    ),
    "cli": "errors console commands",
    "__main__": "errors cli",
}
BOUND = {
    "certifi": ("cluster/tls.py",),
    "kubernetes": ("cluster/",),
    "urllib3": ("cluster/",),
    "websocket": ("cluster/",),
    "yaml": ("manifests/yaml_text.py",),
}
MOST_LINES = 450
MOST_LINES_OF_A_FUNCTION = 60


def modules() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


def tree_of(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def imported(module: str) -> Iterator[str]:
    """Full names of the modules that a module imports, at any level of its code and for type checking too."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            name = node.module or ""
            yield from (f"{name}.{a.name}" for a in node.names) if name == "kubectl_netpol" else [name]


def room(name: str) -> str:
    """The room of "render/text.py", or of "kubectl_netpol.render.text": render."""
    parts = name.removesuffix(".py").removeprefix("kubectl_netpol.").replace(".", "/").split("/")
    return "commands/common" if parts[:2] == ["commands", "common"] else parts[0]


def rooms_imported(module: str) -> set[str]:
    ours = {room(name) for name in imported(module) if name.startswith("kubectl_netpol.")}
    return ours - {"__version__", room(module)}


@pytest.mark.parametrize("module", modules())
def test_a_room_imports_only_what_the_table_allows(module: str) -> None:
    if module == "__init__.py":
        return
    assert rooms_imported(module) <= set(MAY_IMPORT[room(module)].split())


def test_the_table_has_no_cycle_and_nothing_that_is_not_used() -> None:
    done: list[str] = []
    for name, allowed in MAY_IMPORT.items():
        assert set(allowed.split()) <= set(done), f"{name} stands above something that it may import"
        done.append(name)
        used = {other for module in modules() if room(module) == name for other in rooms_imported(module)}
        assert used == set(allowed.split()), f"{name} no longer imports {set(allowed.split()) - used}"


def test_contributing_shows_the_same_table() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/]+?)(?:\.py|/)?` \|.*\|([^|]*)\|$", text, re.MULTILINE)
    assert {name: set(re.findall(r"`([\w/]+)`", allowed)) for name, allowed in rows} == {
        name: set(allowed.split()) for name, allowed in MAY_IMPORT.items() if name != "__main__"
    }


@pytest.mark.parametrize("module", modules())
def test_every_module_says_in_its_first_line_what_it_is_for(module: str) -> None:
    first = (ast.get_docstring(tree_of(module)) or "").partition("\n")[0]
    assert first.endswith((".", "?")), module
    assert first.count(" ") > 1, module


def test_a_package_has_nothing_but_its_docstring_in_init() -> None:
    for module in modules():
        if module.endswith("/__init__.py"):
            assert len(tree_of(module).body) == 1, module


@pytest.mark.parametrize("module", modules())
def test_no_module_and_no_function_is_too_long_to_hold_in_mind(module: str) -> None:
    assert len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef) and node.name != "add_arguments":
            assert (node.end_lineno or 0) - node.lineno < MOST_LINES_OF_A_FUNCTION, f"{module}: {node.name}"


# Tests of no single module: of several together, of the documents, and what tests share.
TESTS_ACROSS = {
    "lint/test_nearly.py",
    "test_architecture.py",
    "test_laws.py",
}


def test_tests_mirror_the_package_name_for_name() -> None:
    unit = ROOT / "tests/unit"
    tests = {str(path.relative_to(unit)) for path in unit.rglob("test_*.py")} - TESTS_ACROSS
    wanted = {
        f"{folder}test_{name}"
        for folder, name in (re.fullmatch(r"(.*/)?(.*)", module).groups(default="") for module in modules())  # type: ignore[union-attr] # it always matches
        if not name.startswith("__")
    }
    assert sorted(tests - wanted) == [], "these test no module of their name"
    assert sorted(wanted - tests) == [], "these modules have no test of their name"


@pytest.mark.parametrize("module", modules())
def test_clients_of_the_cluster_and_yaml_stay_in_their_rooms(module: str) -> None:
    for name in imported(module):
        top = name.split(".")[0]
        if top != "kubectl_netpol" and top not in sys.stdlib_module_names:
            assert module.startswith(BOUND[top]), f"{module} imports {name}"


def test_the_dependencies_are_what_is_imported() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("\ndependencies = [\n")[2].partition("\n]\n")[0]
    distributions = {"yaml": "pyyaml", "websocket": "websocket-client"}
    assert sorted(re.findall(r'^ +"([\w-]+)', block, re.MULTILINE)) == sorted(
        distributions.get(name, name) for name in BOUND
    )


@pytest.mark.parametrize("module", modules())
def test_typed_options_end_in_commands(module: str) -> None:
    """argparse.Namespace is a parameter of `run` and of what builds the options, and of nothing else."""
    for node in ast.walk(tree_of(module)):
        if not isinstance(node, ast.FunctionDef):
            continue
        annotations = [argument.annotation for argument in (*node.args.args, *node.args.kwonlyargs)]
        if any(annotation and "argparse.Namespace" in ast.unparse(annotation) for annotation in annotations):
            assert module.startswith("commands/"), f"{module}: {node.name}"
            assert node.name == "run" or node.name.endswith("_options"), f"{module}: {node.name}"


LIGHT = "kubectl_netpol.cluster.options"
# Themselves imported inside functions only.
NEEDS_CLUSTER = (
    "kubectl_netpol.cluster",
    "kubectl_netpol.commands.common.prober",
    "kubectl_netpol.commands.common.matrix_probe",
)


@pytest.mark.parametrize("module", modules())
def test_the_cluster_is_imported_inside_functions(module: str) -> None:
    """Or for type checking: a command that needs no cluster starts without it."""
    if f"kubectl_netpol/{module}".removesuffix(".py").replace("/", ".").startswith(NEEDS_CLUSTER):
        return
    for node in tree_of(module).body:
        if isinstance(node, ast.ImportFrom) and node.module != LIGHT:
            assert not (node.module or "").startswith(NEEDS_CLUSTER), f"{module} imports {node.module}"


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        pytest.param(["--help"], ("kubernetes", "urllib3", "websocket", "yaml", "json"), id="help"),
        pytest.param(["explain", "--help"], ("kubernetes", "urllib3", "websocket", "yaml"), id="help of a command"),
        pytest.param(["version"], ("kubernetes", "urllib3", "websocket", "yaml"), id="version"),
        pytest.param(
            ["allow", "--from", "run=san", "--to", "run=nginx", "--port", "80", "-n", "shop"],
            ("kubernetes", "urllib3", "websocket", "yaml", "dataclasses", "kubectl_netpol.engine.evaluate"),
            id="allow by labels",
        ),
        pytest.param(
            ["explain", "nginx", "-n", "shop", "-f", str(ROOT / "examples/shop.yaml")],
            (
                *("kubernetes", "urllib3", "websocket"),
                *(
                    "kubectl_netpol.engine.cilium",
                    "kubectl_netpol.policies.cilium_rules",
                    "kubectl_netpol.model.cilium",
                ),
            ),
            id="explain of a file",
        ),
    ],
)
def test_what_a_command_does_not_need_is_not_imported(arguments: list[str], without: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom kubectl_netpol.cli import main\nstatus = main(sys.argv[1:])\n"
        "print(*sys.modules, file=sys.stderr)\nsys.exit(status)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    loaded = set(run.stderr.split())
    assert "kubectl_netpol.cli" in loaded
    assert not loaded & set(without)
