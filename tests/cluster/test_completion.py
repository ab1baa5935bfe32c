"""Completion through kubectl's own hook, on a real cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.test_scenario import NAMESPACE, make_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.lab import Cluster


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Cluster]:
    link = cluster.plugins / "kubectl_complete-netpol"
    link.unlink(missing_ok=True)
    link.symlink_to((cluster.plugins / "kubectl-netpol").resolve())
    yield from make_shop(cluster)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        pytest.param([""], {"test", "explain", "allow", "diff"}, id="the subcommands"),
        pytest.param(["ex"], {"explain"}, id="a subcommand by its beginning"),
        pytest.param(["test", "-n", NAMESPACE, ""], {"san", "nginx"}, id="pods as sources"),
        pytest.param(["test", "-n", NAMESPACE, "san", "n"], {"nginx"}, id="Services and pods as destinations"),
        pytest.param(["test", "-n", NAMESPACE, "san", "nginx", ""], {"80"}, id="the ports of a Service"),
        pytest.param(["test", "-n", NAMESPACE, "san", "pod/nginx", ""], {"80", "http"}, id="the ports of a pod"),
        pytest.param(["explain", "-n", "netpol-te"], {NAMESPACE}, id="namespaces"),
        pytest.param(["allow", "-n", NAMESPACE, "--from", ""], {"run=san", "run=nginx"}, id="labels for --from"),
        pytest.param(["explain", "-o", ""], {"json", "yaml"}, id="the formats of -o"),
        pytest.param(["explain", "--context", ""], {"lab"}, id="contexts"),
        pytest.param(["test", "--time"], {"--timeout"}, id="options"),
        pytest.param(["test", "-n", "nowhere", "x"], set(), id="nothing where nothing matches"),
    ],
)
def test_kubectl_completes(shop: Cluster, typed: list[str], wanted: set[str]) -> None:
    result = shop.run("kubectl", "__complete", "netpol", *typed)
    candidates = {line.split("\t")[0] for line in result.stdout.splitlines() if not line.startswith(":")}
    assert wanted <= candidates
    assert (not wanted) is (not candidates)


def test_it_is_silent_where_the_cluster_is_not_there(shop: Cluster) -> None:
    result = shop.run("kubectl_complete-netpol", "test", "", env={"KUBECONFIG": "/nowhere/config"})
    assert (result.returncode, result.stdout, result.stderr) == (0, ":4\n", "")
