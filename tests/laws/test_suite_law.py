"""The policies of today pass the suite that is made of them; and no file is so strange that reading it crashes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpol.commands.common.questions import Question, answers
from kubectl_netpol.diagnosis.diagnose import ConnectionResult, predicted
from kubectl_netpol.errors import ManifestError
from kubectl_netpol.matrix.grid import Grid
from kubectl_netpol.matrix.pod_sets import PodSets
from kubectl_netpol.matrix.summary import group_by_workload
from kubectl_netpol.suite.from_matrix import suite_of
from kubectl_netpol.suite.judge import Asked, Result, judge
from kubectl_netpol.suite.reader import read_suites
from tests.support.clusters import clusters, read
from tests.support.lawful import lawful

if TYPE_CHECKING:
    from kubectl_netpol.model.snapshot import Snapshot
    from kubectl_netpol.suite.checks import Check

PORTS = (("TCP", 80), ("TCP", 8080), ("UDP", 53), ("SCTP", 80))


@lawful(150)
@given(
    cluster=clusters(pods=(2, 10), policies=6, without={"services": "a matrix is of pods"}),
    ports=st.sets(st.sampled_from(PORTS), min_size=1),
)
def test_the_policies_of_today_pass_the_suite_of_today(cluster: object, ports: set[tuple[str, int]]) -> None:
    snapshot: Snapshot = read(cluster)  # type: ignore[arg-type] # drawn by the strategy
    pods, groups = group_by_workload(snapshot, (pod for pod in snapshot.pods if not pod.finished))
    if not pods:
        return
    sets = PodSets(snapshot, pods)
    found = suite_of([(Grid(sets, *port), sets.all) for port in sorted(ports)], groups, "")
    if not found.content["checks"]:
        return
    asked = []
    for check in read_suites([("suite", json.dumps(found.content))]):
        question = Question("default", check.names, check.selectors, check.ports)
        results = [ConnectionResult(one, predicted(one)) for one in answers(snapshot, question)]
        asked.append(Asked(check, tuple(results)))
    assert [one.check.name for one in judge(asked, live=False) if one.result is not Result.EXPECTED] == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("name", "namespace", "from", "fromSelector", "to", "toSelector", "port", "protocol", "expect", "control", "x")
GOOD = {"name": "a", "from": "san", "to": "web", "port": 80, "expect": "open"}
SOME = st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3)


@lawful(300)
@given(own=SOME, defaults=SOME | ANYTHING, checks=st.none() | ANYTHING, text=st.none() | st.text(max_size=60))
def test_a_strange_file_is_read_or_refused_in_one_line(
    own: dict[str, object], defaults: object, checks: object, text: str | None
) -> None:
    given_checks = [{**GOOD, **own}] if checks is None else checks
    suite = {"apiVersion": "netpol/v1", "kind": "TestSuite", "defaults": defaults, "checks": given_checks}
    problem = "s.yaml"
    found: tuple[Check, ...] = ()
    try:
        found = read_suites([("s.yaml", json.dumps(suite) if text is None else text)])
    except ManifestError as error:
        problem = error.message
    assert problem.startswith("s.yaml")
    assert all(check.ports and check.line == 1 for check in found)
