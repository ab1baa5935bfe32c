"""Imports go down only, and what is costly to import stays unread until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kubectl_netpol"

# From the ground up: a module or folder may import what stands in lines above its own, or in its own folder.
LAYERS = (
    ("__init__", "errors", "codes", "fields", "addresses", "threads"),
    ("model",),
    ("snapshot", "console", "labels", "verdict", "yaml_text", "policy_text", "probe"),
    ("rules", "resolve", "policy_manifest"),
    ("evaluate", "overriding", "routes", "parties", "generate"),
    ("judge", "manifest", "isolation", "label_form", "effects"),
    ("words", "dns", "faults", "cluster"),
    ("lint", "selection", "diagnose"),
    ("least", "matrix"),
    ("render",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
BOUND = {
    "kubernetes": ("cluster/",),
    "urllib3": ("cluster/",),
    "websocket": ("cluster/",),
    "yaml": ("cluster/", "yaml_text.py"),
}


def modules() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


def imported(module: str) -> Iterator[str]:
    """Full names of the modules that a module imports, at any level of its code and for type checking too."""
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            name = node.module or ""
            yield from (f"{name}.{a.name}" for a in node.names) if name == "kubectl_netpol" else [name]


def unit(module: str) -> str:
    """The name in LAYERS: of "render/text.py" render, of "model.py" model."""
    return module.split("/", maxsplit=1)[0].removesuffix(".py")


@pytest.mark.parametrize("module", modules())
def test_imports_go_down_only(module: str) -> None:
    own = unit(module)
    assert own in HEIGHT, f"{own} stands in no layer: decide where it belongs"
    for name in imported(module):
        package, _, rest = name.partition(".")
        if package != "kubectl_netpol":
            continue
        other = "__init__" if rest.startswith("__") else rest.split(".")[0]
        assert other == own or HEIGHT[other] < HEIGHT[own], f"{module} imports {name}"


@pytest.mark.parametrize("module", modules())
def test_clients_of_the_cluster_stay_in_their_folder(module: str) -> None:
    for name in imported(module):
        allowed = BOUND.get(name.split(".")[0])
        assert allowed is None or module.startswith(allowed), f"{module} imports {name}"


@pytest.mark.parametrize("module", ["addresses.py", "errors.py", "codes.py", "fields.py"])
def test_the_ground_stands_on_the_standard_library_alone(module: str) -> None:
    assert {name.split(".")[0] for name in imported(module)} <= sys.stdlib_module_names


# Themselves imported inside functions only.
NEEDS_CLUSTER = ("kubectl_netpol.cluster", "kubectl_netpol.commands.probing", "kubectl_netpol.commands.comparing")


@pytest.mark.parametrize("module", modules())
def test_the_cluster_is_imported_inside_functions(module: str) -> None:
    """Or for type checking: a command that needs no cluster starts without it."""
    if f"kubectl_netpol/{module}".removesuffix(".py").replace("/", ".").startswith(NEEDS_CLUSTER):
        return
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith(NEEDS_CLUSTER), f"{module} imports {node.module}"


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        pytest.param(["--help"], ("kubernetes", "urllib3", "websocket", "yaml", "json"), id="help"),
        pytest.param(["explain", "--help"], ("kubernetes", "urllib3", "websocket", "yaml"), id="help of a command"),
        pytest.param(["version"], ("kubernetes", "urllib3", "websocket", "yaml"), id="version"),
        pytest.param(
            ["allow", "--from", "run=san", "--to", "run=nginx", "--port", "80", "-n", "shop"],
            ("kubernetes", "urllib3", "websocket", "yaml", "dataclasses"),
            id="allow by labels",
        ),
        pytest.param(
            ["explain", "nginx", "-n", "shop", "-f", str(ROOT / "examples/shop.yaml")],
            ("kubernetes", "urllib3", "websocket"),
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
