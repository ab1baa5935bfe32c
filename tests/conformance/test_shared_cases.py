"""Every verdict of the shared cases from public reports, asked in the words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from kubectl_netpol.connection.predict import Prediction, predict
from kubectl_netpol.connection.resolve import parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import request
from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_netpol.model.snapshot import Snapshot

# Wrong today; the test fails when one of these is right, so that it is removed here.
NOT_YET: dict[str, str] = {}
NAMES_AS_TYPED = 101  # from this case on


def typed(check: dict[str, Any], which: str, case: str) -> str:
    name = str(check[which])
    kind = check.get(f"{which}_kind", "pod")
    if kind == "node":
        return f"node/{name.removeprefix('node:')}"
    if "/" not in name or int(case) >= NAMES_AS_TYPED:
        return name
    namespace, name = name.split("/")
    return f"{namespace}/{kind}/{name}"


def ask(snapshot: Snapshot, check: dict[str, Any], case: str) -> Prediction:
    source = resolve_source(snapshot, parse_reference(typed(check, "from", case), "default"))
    destination = resolve_destination(snapshot, parse_reference(typed(check, "to", case), "default"))
    return predict(snapshot, request(snapshot, source, destination, check["port"], check.get("protocol", "TCP")))


def faults(check: dict[str, Any], verdict: Prediction) -> list[str]:
    found = []
    if verdict.verdict.value != check["verdict"]:
        found.append(f"verdict {verdict.verdict.value}, wanted {check['verdict']}: {verdict.reason}")
    if "reason_code" in check and (verdict.reason is None or verdict.reason.code != check["reason_code"]):
        found.append(f"reason {verdict.reason}, wanted {check['reason_code']}")
    if "policy_verdict" in check:
        sides = {verdict.egress.verdict.value, verdict.ingress.verdict.value}
        if sides != {check["policy_verdict"]}:
            found.append(f"policies say {sides}, wanted {check['policy_verdict']}")
    if "resolves_to" in check:
        got = [
            {"pod": route.connection.destination.title, "port": route.connection.port, "verdict": route.verdict.value}
            for route in verdict.routes
        ]
        wanted = check["resolves_to"]
        if len(got) != len(wanted) or any(
            {key: mine[key] for key in theirs} != theirs for mine, theirs in zip(got, wanted, strict=True)
        ):
            found.append(f"resolves to {got}, wanted {wanted}")
    if "blocked_at" in check and [side.field for side in verdict.blocked_at] != sorted(check["blocked_at"]):
        found.append(f"blocked at {verdict.blocked_at}, wanted {check['blocked_at']}")
    return found


def read(folder: Path, check: dict[str, Any]) -> Snapshot | None:
    """What the check is about; None where it is about the generator's own output, checked where that is made."""
    reader = Reader()
    reader.add_text((folder / check.get("manifests", "manifests.yaml")).read_text(encoding="utf-8"), "manifests.yaml")
    if check.get("state") == "after":
        expected = folder / "expected.yaml"
        if not expected.exists():
            return None
        reader.add_text(expected.read_text(encoding="utf-8"), "expected.yaml")
    return reader.snapshot()


def test_every_check_of_the_shared_cases_is_right(shared: Path) -> None:
    checked = 0
    wrong: dict[str, list[str]] = {}
    for folder in sorted((shared / "cases").glob("[0-9]*")):
        case = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
        name = str(case["id"])
        for check in case.get("checks", ()):
            checked += 1
            try:
                snapshot = read(folder, check)
            except ManifestError as error:
                found = [] if check.get("refused") else [str(error)]
            else:
                found = ["not refused"] if check.get("refused") else []
                found += faults(check, ask(snapshot, check, name)) if snapshot and not found else []
            wrong.setdefault(name, []).extend(f"{folder.name}: {check}: {fault}" for fault in found)
    assert sorted(name for name, found in wrong.items() if found) == sorted(NOT_YET), "\n".join(
        fault for name, found in wrong.items() if name not in NOT_YET for fault in found
    )
    assert checked > 200
