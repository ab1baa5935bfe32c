"""Mutation testing: runs mutants drawn at random, the same for the same seed, and prints those that no test kills.

    python tests/bench/mutants.py --seed 1 --number 300 model connection analysis allow

Mutants within texts are left out. mutmut makes the mutants, and runs each against the unit tests that call the
function; those that survive are tried with the laws too.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mutmut.mutation.file_mutation import mutate_file_contents

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MARK = "__mutmut_"


def mutants(room: str) -> Iterator[str]:
    """The names of a room's mutants, without those within texts."""
    folder = ROOT / "kubectl_netpol" / room
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        code = mutate_file_contents(str(path), path.read_text(encoding="utf-8")).code
        functions = {node.name: node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)}
        for name, function in functions.items():
            original, mark, number = name.rpartition(MARK)
            if mark and number.isdecimal() and not _alike(functions[f"{original}{MARK}orig"].body, function.body):
                yield f"{module}.{name}"


def _alike(one: object, other: object) -> bool:
    """Whether two pieces of code are the same but for their texts, one of which may be missing."""
    if _is_text(one):
        return True
    if isinstance(one, list) and isinstance(other, list):
        if len(one) == len(other) + 1:
            return any(_is_text(one[at]) and _alike(one[:at] + one[at + 1 :], other) for at in range(len(one)))
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, ast.AST) and type(one) is type(other):
        return all(_alike(getattr(one, field, None), getattr(other, field, None)) for field in one._fields)
    return one == other


def _is_text(node: object) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def survives(name: str) -> bool:
    """Whether all tests of the room and all laws pass with this mutant.

    mutmut runs the room's tests that call the function while they run. Tables may call it when they are imported, and
    the laws take too long for every mutant.
    """
    tests = (f"tests/unit/{name.split('.')[1]}", "tests/laws")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "MUTANT_UNDER_TEST": name}
    ran = subprocess.run(command, cwd=ROOT / "mutants", env=environment, capture_output=True, check=False)
    return ran.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Run mutants and print those that no test kills.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=300, help="how many, at random; 0 for all")
    parser.add_argument("rooms", nargs="+", metavar="ROOM")
    options = parser.parse_args()
    found = sorted(name for room in options.rooms for name in mutants(room))
    chosen = random.Random(options.seed).sample(found, min(options.number or len(found), len(found)))
    print(f"{len(chosen)} of {len(found)} mutants, seed {options.seed}", flush=True)
    mutmut = Path(sys.executable).with_name("mutmut")
    subprocess.run([mutmut, "run", "--max-children", "1", *chosen], cwd=ROOT, check=True, stdout=sys.stderr)
    listed = subprocess.run([mutmut, "results"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    states = dict(line.strip().split(": ") for line in listed.splitlines() if ": " in line)
    left = [name for name in chosen if name in states and survives(name)]
    for name in left:
        print(f"\n{states[name]}: {name}", flush=True)
        subprocess.run([mutmut, "show", name], cwd=ROOT, check=True)
    print(f"\n{len(chosen) - len(left)} of {len(chosen)} killed")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main())
