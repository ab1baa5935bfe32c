"""The options that choose a cluster, as typed for another command."""

from __future__ import annotations

import pytest

from kubectl_netpol.cluster.options import ClusterOptions


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        pytest.param(ClusterOptions(), [], id="none"),
        pytest.param(
            ClusterOptions(kubeconfig="k", context="c", cluster="l", user="u"),
            ["--kubeconfig", "k", "--context", "c", "--cluster", "l", "--user", "u"],
            id="which cluster, and as which of its users",
        ),
        pytest.param(
            ClusterOptions(as_user="ada", as_groups=("a", "b"), as_uid="1"),
            ["--as", "ada", "--as-group", "a", "--as-group", "b", "--as-uid", "1"],
            id="as whom, each group by itself",
        ),
        pytest.param(ClusterOptions(plugin="Cilium"), ["--plugin", "cilium"], id="the plugin of manifests"),
        pytest.param(
            ClusterOptions(namespace="shop", request_timeout=5.0),
            [],
            id="namespace and time limit are the other command's own",
        ),
    ],
)
def test_what_leads_another_command_to_the_same_cluster(options: ClusterOptions, arguments: list[str]) -> None:
    assert options.arguments() == arguments
