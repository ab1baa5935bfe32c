"""Suite files as written: what a check is, where defaults come in, and every mistake with its file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.yaml_text import load_with_lines
from kubectl_netpol.model.ports import SinglePort
from kubectl_netpol.suite import reader
from kubectl_netpol.suite.checks import Check, Expect
from kubectl_netpol.suite.reader import read_suites

if TYPE_CHECKING:
    from kubectl_netpol.manifests.yaml_text import Lines

HEAD = "apiVersion: netpol/v1\nkind: TestSuite\n"
ONE = "{name: a, from: san, to: web, port: 80, expect: open}"
TCP80 = (SinglePort("TCP", 80),)
EXAMPLE = Path(__file__).parents[3] / "examples" / "suite.yaml"


def read(text: str) -> tuple[Check, ...]:
    return read_suites([("s.yaml", text)])


def checks(*lines: str, defaults: str = "{}") -> str:
    """A suite whose first check is in line 5."""
    return f"{HEAD}defaults: {defaults}\nchecks:\n" + "".join(f"- {line}\n" for line in lines)


SAN_WEB = Check("a", ("san", "web"), (None, None), TCP80, Expect.OPEN, file="s.yaml", line=5)


@pytest.mark.parametrize(
    ("line", "defaults", "check"),
    [
        pytest.param(ONE, "{}", SAN_WEB, id="everything that must be there"),
        pytest.param(
            "{name: a, namespace: shop, from: deploy/san, to: db/svc/web, port: 80, expect: open}",
            "{}",
            SAN_WEB._replace(namespace="shop", names=("deploy/san", "db/svc/web")),
            id="a namespace, and names as test has them",
        ),
        pytest.param(
            '{name: a, from: san, to: web, port: "80,8000-8001,http,53/udp", expect: open}',
            "{}",
            SAN_WEB._replace(
                ports=(
                    *TCP80,
                    SinglePort("TCP", 8000),
                    SinglePort("TCP", 8001),
                    SinglePort("TCP", "http"),
                    SinglePort("UDP", 53),
                )
            ),
            id="several ports are one check",
        ),
        pytest.param(
            "{name: a, from: san, to: web, port: 80, protocol: udp, expect: open}",
            "{}",
            SAN_WEB._replace(ports=(SinglePort("UDP", 80),)),
            id="a protocol",
        ),
        pytest.param(
            "{name: a, fromSelector: run!=web, toSelector: '', port: 80, expect: blocked}",
            "{}",
            SAN_WEB._replace(names=(None, None), selectors=("run!=web", ""), expect=Expect.BLOCKED),
            id="pods by their labels, all of them by an empty selector",
        ),
        pytest.param(
            "{name: a, from: san, to: 192.0.2.1, port: 80, expect: blocked, control: none}",
            "{}",
            SAN_WEB._replace(names=("san", "192.0.2.1"), expect=Expect.BLOCKED, control=False),
            id="without a control",
        ),
        pytest.param(
            "{name: a}",
            "{namespace: shop, from: san, to: web, port: 80, protocol: SCTP, expect: blocked, control: none}",
            SAN_WEB._replace(namespace="shop", ports=(SinglePort("SCTP", 80),), expect=Expect.BLOCKED, control=False),
            id="everything from the defaults",
        ),
        pytest.param(
            "{name: a, from: san, to: web, port: 80, expect: open, namespace: null}",
            "{from: cat, port: 81, expect: blocked, namespace: shop}",
            SAN_WEB,
            id="a check's own come first, null included",
        ),
        pytest.param(
            "{name: a, from: san, port: 80, expect: open}",
            "{fromSelector: run=cat, to: web}",
            SAN_WEB,
            id="a name takes the place of the selector in the defaults",
        ),
        pytest.param(
            "{name: a, fromSelector: run=cat, port: 80, expect: open}",
            "{from: san, to: web}",
            SAN_WEB._replace(names=(None, "web"), selectors=("run=cat", None)),
            id="and a selector that of the name",
        ),
    ],
)
def test_a_check(line: str, defaults: str, check: Check) -> None:
    assert read(checks(line, defaults=defaults)) == (check,)


def test_files_and_documents_follow_each_other_and_each_check_knows_its_place() -> None:
    two = f"---\n{checks(ONE)}---\n# nothing\n---\n{checks('{name: b, from: x, to: y, port: 1, expect: open}')}"
    found = read_suites([("one.yaml", two), ("two.yaml", checks(ONE))])
    assert [(check.name, check.file, check.line) for check in found] == [
        ("a", "one.yaml", 6),
        ("b", "one.yaml", 14),
        ("a", "two.yaml", 5),
    ]


def test_json_is_read_too_whatever_it_is_indented_by(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_tabs(content: str, source: str) -> list[tuple[Any, Lines]]:
        assert "\t" not in content, "PyYAML without its C part refuses it"
        return load_with_lines(content, source)

    monkeypatch.setattr(reader, "load_with_lines", without_tabs)
    text = (
        '{\n\t"apiVersion": "netpol/v1", "kind": "TestSuite", "checks": [\n'
        '\t\t{"name": "a", "from": "san", "to": "web", "port": 80, "expect": "open"}]}'
    )
    assert read(f"\ufeff{text}") == (SAN_WEB._replace(line=3),)


def test_a_check_may_be_merged_from_an_anchor() -> None:
    text = f"{HEAD}checks:\n- &one {ONE}\n- <<: *one\n  name: b\n"
    assert [(check.name, check.names, check.line) for check in read(text)] == [
        ("a", ("san", "web"), 4),
        ("b", ("san", "web"), 5),
    ]


def test_the_example() -> None:
    found = read_suites([("suite.yaml", EXAMPLE.read_text(encoding="utf-8"))])
    assert len(found) == 3
    assert EXAMPLE.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=../docs/schemas/TestSuite.json\n"
    )


NO_PORT = "{name: a, from: san, to: web, expect: open}"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("", "s.yaml: no TestSuite", "it begins with apiVersion: netpol/v1 and kind: TestSuite", id="none"),
        pytest.param("- a\n", "s.yaml, line 1: expected an object, got a list", None, id="a list"),
        pytest.param(
            "kind: Pod\napiVersion: v1\n",
            's.yaml, line 1: kind: expected TestSuite, got "Pod"',
            "-F reads suites, -f reads manifests",
            id="a manifest",
        ),
        pytest.param(
            "kind: TestSuite\napiVersion: netpol/v2\n",
            's.yaml, line 2: apiVersion: expected netpol/v1, got "netpol/v2"',
            None,
            id="of another version",
        ),
        pytest.param("kind: TestSuite\n", "s.yaml, line 1: apiVersion: is missing", None, id="of no version"),
        pytest.param(
            f"{HEAD}check: []\n",
            's.yaml, line 1: unknown field "check"',
            "did you mean checks?",
            id="a field of the suite misspelt",
        ),
        pytest.param(
            f"{HEAD}checks: []\n", "s.yaml, line 3: checks: is empty, so nothing could fail", None, id="empty"
        ),
        pytest.param(HEAD, "s.yaml, line 1: checks: is empty, so nothing could fail", None, id="without checks"),
        pytest.param(
            f"{HEAD}checks: {ONE}\n",
            "s.yaml, line 3: checks: expected a list, got an object",
            "start each item with a dash",
            id="a check that is not in a list",
        ),
        pytest.param(
            checks("san web 80"), 's.yaml, line 5: checks[0]: expected an object, got "san web 80"', None, id="a text"
        ),
        pytest.param(
            checks(ONE, "{name: b, frm: san}"),
            's.yaml, line 6: checks[1]: unknown field "frm"',
            "did you mean from?",
            id="a field of a check misspelt",
        ),
        pytest.param(
            checks(ONE, defaults="{name: b}"),
            's.yaml, line 3: defaults: unknown field "name"',
            "did you mean namespace?",
            id="what is no default",
        ),
        pytest.param(
            checks("{from: san, to: web, port: 80, expect: open}"),
            "s.yaml, line 5: checks[0].name: is missing",
            None,
            id="without a name",
        ),
        pytest.param(
            checks('{name: "a\\nb", from: san, to: web, port: 80, expect: open}'),
            "s.yaml, line 5: checks[0].name: must be one line, without control characters",
            None,
            id="a name of two lines",
        ),
        pytest.param(
            checks(ONE, ONE),
            's.yaml, line 6: checks[1].name: another check, in line 5, is named "a"',
            None,
            id="the name of another check",
        ),
        pytest.param(
            f"{checks(ONE)}---\n{checks(ONE)}",
            's.yaml, line 11: checks[0].name: another check, in line 5, is named "a"',
            None,
            id="the name of another check of another document",
        ),
        pytest.param(
            checks("{name: a, to: web, port: 80, expect: open}"),
            "s.yaml, line 5: checks[0].from: is missing",
            None,
            id="without a source",
        ),
        pytest.param(
            checks("{name: a, from: san, port: 80, expect: open}"),
            "s.yaml, line 5: checks[0].to: is missing",
            None,
            id="without a destination",
        ),
        pytest.param(
            checks("{name: a, from: san, fromSelector: run=san, to: web, port: 80, expect: open}"),
            "s.yaml, line 5: checks[0].fromSelector: from is given too",
            "one of the two says which pods",
            id="a name and a selector",
        ),
        pytest.param(
            checks("{name: a, from: a/b/c/d, to: web, port: 80, expect: open}"),
            's.yaml, line 5: checks[0].from: invalid name "a/b/c/d"',
            "write NAME, NAMESPACE/NAME, KIND/NAME or NAMESPACE/KIND/NAME",
            id="a name that can't be one",
        ),
        pytest.param(
            checks("{name: a, from: san, toSelector: x=*, port: 80, expect: open}"),
            's.yaml, line 5: checks[0].toSelector: invalid label value "*": must be at most 63 of A-Z a-z 0-9 . _ -, '
            "with a letter or digit at both ends",
            "to list labels: kubectl get pods --show-labels",
            id="a selector that can't be one",
        ),
        pytest.param(
            checks("\n    name: a\n    from: san\n    to: 10\n"),
            "s.yaml, line 8: checks[0].to: expected a string, got 10",
            "quote it",
            id="a number for a name, in a line of its own",
        ),
        pytest.param(checks(NO_PORT), "s.yaml, line 5: checks[0].port: is missing", None, id="without a port"),
        pytest.param(
            checks("{name: a, from: san, to: web, port: true, expect: open}"),
            "s.yaml, line 5: checks[0].port: expected a string, got true",
            "quote it",
            id="a boolean for a port",
        ),
        pytest.param(
            checks(NO_PORT, defaults="{port: 99999}"),
            's.yaml, line 3: defaults.port: invalid port "99999": must be 1-65535',
            None,
            id="a default's mistake where the default is",
        ),
        pytest.param(
            checks("{name: a, from: san, to: web, port: 80, protocol: ICMP, expect: open}"),
            's.yaml, line 5: checks[0].protocol: invalid protocol "ICMP"',
            "must be one of TCP, UDP, SCTP",
            id="another protocol",
        ),
        pytest.param(
            checks("{name: a, namespace: Shop, from: san, to: web, port: 80, expect: open}"),
            's.yaml, line 5: checks[0].namespace: invalid namespace "Shop"',
            None,
            id="a namespace that can't be one",
        ),
        pytest.param(
            checks("{name: a, from: san, to: web, port: 80, expect: shut}"),
            's.yaml, line 5: checks[0].expect: expected open or blocked, got "shut"',
            None,
            id="what can't be expected",
        ),
        pytest.param(
            checks("{name: a, from: san, to: web, port: 80}"),
            "s.yaml, line 5: checks[0].expect: is missing",
            None,
            id="nothing that is expected",
        ),
        pytest.param(
            checks("{name: a, from: san, to: web, port: 80, expect: blocked, control: web}"),
            's.yaml, line 5: checks[0].control: expected none, got "web"',
            "leave it out to ask for one",
            id="another control",
        ),
        pytest.param(
            f"{checks(ONE)}---\n- [",
            "s.yaml, document 2, line 8: did not find expected node content",
            None,
            id="no YAML",
        ),
    ],
)
def test_a_mistake(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(ManifestError) as caught:
        read(text)
    # PyYAML without its C part words errors of syntax in its own way.
    assert (caught.value.message.partition("did not")[0], caught.value.hint) == (message.partition("did not")[0], hint)
