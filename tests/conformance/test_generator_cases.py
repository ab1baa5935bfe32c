"""The generator cases from public reports: what `allow` prints decides every check as the case says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kubectl_netpol.connection.predict import predict
from kubectl_netpol.connection.resolve import parse_reference, resolve_destination, resolve_source
from kubectl_netpol.connection.routes import request
from kubectl_netpol.manifests.reader import Reader
from tests.support.running import allow

if TYPE_CHECKING:
    from pathlib import Path

CASES = ("63", "65", "69", "71")


def commands(case: dict[str, Any]) -> list[str]:
    asked = case["request"]
    return list(asked.get("commands") or [asked["command"]])


@pytest.mark.parametrize("number", CASES)
def test_what_is_printed_decides_every_check_of_the_case(number: str, shared: Path) -> None:
    (folder,) = (shared / "cases").glob(f"{number}-*")
    case = yaml.safe_load((folder / "case.yaml").read_text())
    manifests = folder / "manifests.yaml"
    ran = [allow(line.removeprefix("allow ").replace("manifests.yaml", str(manifests))) for line in commands(case)]
    assert [one.status for one in ran] == [0] * len(ran)
    snapshots = {}
    for state in ("before", "after"):
        reader = Reader()
        reader.add_text(manifests.read_text(), "manifests")
        for one in ran if state == "after" else ():
            reader.add_text(one.out, "printed")
        snapshots[state] = reader.snapshot()
    checked = 0
    for check in case["checks"]:
        snapshot = snapshots[check["state"]]
        words = [f"{end.replace('/', '/pod/')}" if "/" in end else end for end in (check["from"], check["to"])]
        ends = (
            resolve_source(snapshot, parse_reference(words[0], "default")),
            resolve_destination(snapshot, parse_reference(words[1], "default")),
        )
        found = predict(snapshot, request(snapshot, *ends, check["port"], check["protocol"]))
        assert found.verdict.value == check["verdict"], check
        checked += 1
    assert checked > 3
    if number == "63":
        assert "isolates ckad/api for ingress: ckad/batch and everything outside" in ran[0].err
        assert "others lose access to port 9090" in ran[0].err


def test_a_host_name_is_refused_with_the_reason(shared: Path) -> None:
    case = yaml.safe_load(next((shared / "cases").glob("67-*/case.yaml")).read_text())
    ran = allow(commands(case)[0].removeprefix("allow "))
    assert (ran.status, ran.out) == (2, "")
    assert "a NetworkPolicy can't match hosts" in ran.err
    assert "write an address such as 203.0.113.7/32" in ran.err
    assert "some network plugins have their own policies for hosts" in ran.err
