"""What `test` asks of a cluster, once and again and again, with the network replaced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.commands.common.options import ProbeOptions
from tests.support.running import run

if TYPE_CHECKING:
    from tests.support.network import Network


def test_the_prober_is_given_the_options(network: Network) -> None:
    run("test", "san pod/nginx 80,53/udp -n shop --context lab --http --timeout 2s -c side --debug-image busybox")
    assert network.asked == [("san", "80/TCP"), ("san", "53/UDP")]
    assert network.given == {
        "namespace": "shop",
        "cluster": ClusterOptions(namespace="shop", context="lab"),
        "options": ProbeOptions(timeout=2.0, container="side", http=True, debug_image="busybox"),
        "ahead": None,
    }
    run("test", "san pod/nginx 80")
    assert network.given["ahead"]


def test_too_many_pairs_are_refused_before_anything_is_probed(network: Network) -> None:
    ran = run("test", "--from-selector run --to-selector run=nginx 1-100")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == ("error: 200 pairs to probe, more than --max 100\nhint: add --max 200 to probe them all\n")
    assert network.asked == []


@pytest.mark.parametrize(
    "line", ["--watch san pod/nginx 80,81", "san pod/nginx --watch 80,81", "san --watch= pod/nginx 80,81"]
)
def test_watch_prints_a_line_only_where_something_changed(
    line: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.reachable = {80: True, 81: False}
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        network.reachable[80] = len(slept) < 2
        if len(slept) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_netpol.commands.common.watch.time.sleep", sleep)
    ran = run("test", line)
    assert (ran.status, [text[9:] for text in ran.out.splitlines()]) == (
        130,
        [
            "open: san → nginx, TCP 80: in the test",
            "blocked: san → nginx, TCP 81: in the test",
            "blocked: san → nginx, TCP 80: in the test",
        ],
    )
    assert re.fullmatch(r"note: 4 rounds in \d+ s, 1 line about changes\n", ran.err)
    assert (slept, network.times) == ([2.0] * 4, 4)


def test_watch_asks_selectors_again(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    network.reachable = {80: True}
    monkeypatch.setattr("kubectl_netpol.commands.common.watch.time.sleep", sleep)
    ran = run("test", "--from-selector 'run in (san,cart)' nginx 80 --watch=1m")
    assert [line[9:] for line in ran.out.splitlines()] == [
        "open: cart → nginx, TCP 80: in the test",
        "open: san → nginx, TCP 80: in the test",
    ]
