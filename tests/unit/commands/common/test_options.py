"""Options that every command has: how long a time is, and that each means what it means in kubectl."""

from __future__ import annotations

import pytest

from kubectl_netpol.cli import COMMANDS, build_parser
from kubectl_netpol.commands.common.options import cluster_options, parse_duration, probe_options
from kubectl_netpol.errors import UsageError

ON_A_CLUSTER = [name for name in COMMANDS if name not in ("completion", "version")]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("3", 3.0, id="seconds without a unit"),
        pytest.param("0", 0.0, id="none"),
        pytest.param("1.5", 1.5, id="a fraction without a unit"),
        pytest.param("3s", 3.0, id="seconds"),
        pytest.param("500ms", 0.5, id="milliseconds"),
        pytest.param("1m", 60.0, id="a minute is m"),
        pytest.param("1m30s", 90.0, id="two units"),
        pytest.param("1h1m1s1ms", 3661.001, id="all of them"),
        pytest.param("1.5h", 5400.0, id="a fraction of a unit"),
        pytest.param("2us", 2e-6, id="microseconds"),
        pytest.param("2µs", 2e-6, id="microseconds as Go writes them"),
        pytest.param("2ns", 2e-9, id="nanoseconds"),
    ],
)
def test_a_length_of_time(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-3s", "3 s", "3d", "3S", "s3", "3s4", "1e3", "inf", "nan", "٣s", "3s\n"])
def test_anything_else_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageError, match="invalid duration") as caught:
        parse_duration(text)
    assert caught.value.hint == "write 3s, 500ms or 1m"


@pytest.mark.parametrize("name", ON_A_CLUSTER)
@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        pytest.param(["-n", "shop"], "namespace", "shop", id="-n"),
        pytest.param(["--namespace", "shop"], "namespace", "shop", id="--namespace"),
        pytest.param(["--context", "kind"], "context", "kind", id="--context"),
        pytest.param(["--cluster", "kind"], "cluster", "kind", id="--cluster"),
        pytest.param(["--user", "ada"], "user", "ada", id="--user"),
        pytest.param(["--kubeconfig", "x"], "kubeconfig", "x", id="--kubeconfig"),
        pytest.param(["--as", "ada"], "as_user", "ada", id="--as"),
        pytest.param(["--as-group", "a", "--as-group", "b"], "as_groups", ["a", "b"], id="--as-group, more than once"),
        pytest.param(["--as-uid", "1"], "as_uid", "1", id="--as-uid"),
        pytest.param(["--request-timeout", "5s"], "request_timeout", "5s", id="--request-timeout"),
        pytest.param(["-f", "a", "--filename", "b"], "filenames", ["a", "b"], id="-f, more than once"),
        pytest.param(["-o", "json"], "output", "json", id="-o"),
        pytest.param(["--plugin", "cilium"], "plugin", "cilium", id="--plugin"),
        pytest.param(["-v"], "verbose", True, id="-v"),
        pytest.param([], "filenames", [], id="no -f"),
        pytest.param([], "as_groups", [], id="no --as-group"),
        pytest.param([], "namespace", None, id="no -n"),
    ],
)
def test_every_command_on_a_cluster_has_kubectls_options(
    name: str, words: list[str], field: str, value: object
) -> None:
    assert getattr(build_parser(name).parse(words), field) == value


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        pytest.param([], None, id="not given: the default of each call"),
        pytest.param(["--request-timeout", "5s"], 5.0, id="five seconds"),
        pytest.param(["--request-timeout", "0"], 0.0, id="never"),
    ],
)
def test_the_request_timeout_in_seconds(typed: list[str], seconds: float | None) -> None:
    assert cluster_options(build_parser("test").parse(typed)).request_timeout == seconds


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        pytest.param([], 3.0, id="the default"),
        pytest.param(["--timeout", "1ms"], 0.001, id="a short one"),
        pytest.param(["--timeout", "1h"], 3600.0, id="the longest"),
    ],
)
def test_the_timeout_of_a_probe(typed: list[str], seconds: float) -> None:
    assert probe_options(build_parser("test").parse(typed)).timeout == seconds


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_not_abbreviated(name: str) -> None:
    with pytest.raises(UsageError, match="unknown option --hel"):
        build_parser(name).parse(["--hel"])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["-n", "shop", "--request-timeout", "5s"], [], id="neither namespace nor timeout"),
        pytest.param(["--context", "other"], ["--context", "other"], id="a context"),
        pytest.param(["--as-uid=7"], ["--as-uid", "7"], id="a UID"),
        pytest.param(
            ["--as-group=a", "--as-group=b", "--as=joe", "--user=u", "--cluster=c", "--kubeconfig=k"],
            ["--kubeconfig", "k", "--cluster", "c", "--user", "u", "--as", "joe", "--as-group", "a", "--as-group", "b"],
            id="all the others",
        ),
    ],
)
def test_the_options_that_lead_to_the_same_cluster(typed: list[str], words: list[str]) -> None:
    assert cluster_options(build_parser("test").parse(typed)).arguments() == words
