"""Which server, user and namespace a kubeconfig means, compared with the real kubectl."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cluster import kubeconfig
from kubectl_netpol.cluster.options import ClusterOptions
from tests.unit.cluster.kubeconfigs import (
    BEARER,
    TOKEN,
    Row,
    Seen,
    World,
    assert_exec_sends,
    assert_same_as_kubectl,
    cluster,
    config,
)

if TYPE_CHECKING:
    from tests.unit.cluster.fakes import Pki

ROWS = {
    "the file in the home folder": Row({"home/.kube/config": config(TOKEN)}, BEARER),
    "KUBECONFIG names the file": Row({"k": config(TOKEN), "home/.kube/config": "{"}, BEARER, env={"KUBECONFIG": "k"}),
    "an empty KUBECONFIG is the default file": Row(
        {"home/.kube/config": config(TOKEN)}, BEARER, env={"KUBECONFIG": ""}
    ),
    "--kubeconfig beats KUBECONFIG": Row(
        {"k": config(TOKEN), "other": "{"}, BEARER, ClusterOptions(kubeconfig="k"), env={"KUBECONFIG": "other"}
    ),
    "--kubeconfig with a colon in its name is one file": Row(
        {"a:b": config(TOKEN)}, BEARER, ClusterOptions(kubeconfig="a:b")
    ),
    "--kubeconfig must exist": Row({}, "nowhere: no such file", ClusterOptions(kubeconfig="nowhere")),
    "the first current-context wins": Row(
        {
            "a": config(TOKEN, name="a", current="a"),
            "b": config({"token": "b"}, at=cluster("@two@"), name="b", current="b"),
        },
        BEARER,
        env={"KUBECONFIG": "a:b"},
    ),
    "a current-context from the second file": Row(
        {
            "a": config(TOKEN, name="a", current=None),
            "b": config({"token": "b"}, at=cluster("@two@"), name="b", current="b"),
        },
        Seen("two", authorization="Bearer b"),
        env={"KUBECONFIG": "a:b"},
    ),
    "the first definition of a name wins": Row(
        {"a": config(TOKEN, namespace="first"), "b": config({"token": "b"}, at=cluster("@two@"), namespace="second")},
        BEARER._replace(namespace="first"),
        env={"KUBECONFIG": "a:b"},
    ),
    "missing and empty files are skipped": Row(
        {"a": "", "b": config(TOKEN)}, BEARER, env={"KUBECONFIG": "gone:a::b:b"}
    ),
    "a user in one file and the cluster in another": Row(
        {
            "a": {**config(), "users": []},
            "b": {"users": [{"name": "main", "user": TOKEN}]},
        },
        BEARER,
        env={"KUBECONFIG": "a:b"},
    ),
    "--context": Row(
        {"a": config(TOKEN, name="a", current="a"), "b": config({"token": "b"}, at=cluster("@two@"), name="b")},
        Seen("two", authorization="Bearer b"),
        ClusterOptions(context="b"),
        env={"KUBECONFIG": "a:b"},
    ),
    "--cluster and --user": Row(
        {"a": config(TOKEN, name="a", current="a"), "b": config({"token": "b"}, at=cluster("@two@"), name="b")},
        Seen("two", authorization="Bearer b"),
        ClusterOptions(cluster="b", user="b"),
        env={"KUBECONFIG": "a:b"},
    ),
    "--cluster and --user without any context": Row(
        {"k": config(TOKEN, current=None)}, BEARER, ClusterOptions(cluster="main", user="main"), env={"KUBECONFIG": "k"}
    ),
    "the context's namespace": Row(
        {"home/.kube/config": config(TOKEN, namespace="shop")}, BEARER._replace(namespace="shop")
    ),
    "--namespace": Row(
        {"home/.kube/config": config(TOKEN, namespace="shop")},
        BEARER._replace(namespace="bank"),
        ClusterOptions(namespace="bank"),
    ),
    "YAML with anchors, comments and a document after it": Row(
        {
            "k": "# mine\ncurrent-context: c\nclusters: [{name: c, cluster: &c {server: '@one@', "
            "certificate-authority: '@ca.crt@'}}]\n"
            "contexts: [{name: c, context: {cluster: c, user: u, namespace: 2024-01-01}}]\n"
            "users: [{name: u, user: {token: abc}}]\n---\nmore: 1\n"
        },
        BEARER._replace(namespace="2024-01-01"),
        env={"KUBECONFIG": "k"},
    ),
    "the last of duplicate keys": Row(
        {"k": json.dumps(config(TOKEN))[:-1] + ', "current-context": "x", "current-context": "main"}'},
        BEARER,
        env={"KUBECONFIG": "k"},
    ),
    "a token that YAML 1.1 reads as a number, but kubectl does not": Row(
        {"k": json.dumps(config({"token": "T"})).replace('"T"', "12:30:45")},
        Seen(authorization="Bearer 12:30:45"),
        env={"KUBECONFIG": "k"},
    ),
    "a token that kubectl reads as a number, but YAML 1.1 does not": Row(
        {"k": json.dumps(config({"token": "T"})).replace('"T"', "1e3")},
        "token of main must be a string, not a number",
        env={"KUBECONFIG": "k"},
    ),
    "a token with a tag, which is not shown": Row(
        {"k": "users:\n- user:\n    token: !!int s3cret\n"},
        'error loading config file "k": line 3, column 12: expected an integer',
        env={"KUBECONFIG": "k"},
    ),
    "no kubeconfig at all": Row(
        {}, "no configuration has been provided", hint="set KUBECONFIG", kubectl_differs="asks localhost:8080"
    ),
    "broken YAML": Row({"k": "clusters: [}"}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "broken YAML in the second file": Row(
        {"a": config(TOKEN), "b": "{"}, 'error loading config file "b": ', env={"KUBECONFIG": "a:b"}
    ),
    "a list": Row({"k": "[1]"}, "not a kubeconfig", env={"KUBECONFIG": "k"}),
    "a binary file": Row({"k": b"\xff\xfe\x00"}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "endless nesting": Row({"k": "[" * 5000}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "an alias of itself": Row({"k": "clusters: &a [*a]"}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "a folder": Row({"k/x": ""}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "a cluster that is a string": Row(
        {"k": {"clusters": [{"name": "c", "cluster": "x"}]}}, "cluster c must be a mapping", env={"KUBECONFIG": "k"}
    ),
    "a name twice in one file": Row(
        {"k": {**config(TOKEN), "users": [{"name": "main", "user": TOKEN}] * 2}},
        'duplicate name "main" in users',
        env={"KUBECONFIG": "k"},
    ),
    "a token with a colon, which is not shown": Row(
        {"k": "users:\n- user:\n    token: s3cret: s3cret\n"},
        'error loading config file "k": line 3, column 18: mapping values are not allowed',
        env={"KUBECONFIG": "k"},
    ),
    "a password with a star, which is not shown": Row(
        {"k": "users:\n- user:\n    password: *s3cret\n"},
        'error loading config file "k": line 3, column 15: found undefined alias',
        env={"KUBECONFIG": "k"},
    ),
    "an unknown --context": Row(
        {"home/.kube/config": config(TOKEN)}, 'context "x" does not exist', ClusterOptions(context="x"), hint=": main"
    ),
    "an unknown current-context": Row(
        {"home/.kube/config": config(TOKEN, current="x")},
        "context was not found for specified context: x",
        hint=": main",
    ),
    "an unknown --cluster": Row(
        {"home/.kube/config": config(TOKEN)}, 'cluster "x" does not exist', ClusterOptions(cluster="x")
    ),
    "an unknown --user": Row(
        {"home/.kube/config": config(TOKEN)}, 'auth info "x" does not exist', ClusterOptions(user="x")
    ),
    "a context whose user does not exist": Row(
        {"home/.kube/config": {**config(TOKEN), "users": []}},
        'auth info "main" does not exist',
        kubectl_differs="is anonymous",
    ),
    "a context whose cluster does not exist": Row(
        {"home/.kube/config": {**config(TOKEN), "clusters": []}},
        'cluster "main" does not exist',
        kubectl_differs="asks localhost:8080",
    ),
    "no current-context": Row(
        {"home/.kube/config": config(TOKEN, current=None)},
        "current-context is not set",
        hint="main",
        kubectl_differs="asks localhost:8080",
    ),
    "a cluster without a server": Row(
        {"home/.kube/config": config(TOKEN, at={"tls-server-name": "x"})},
        'no server found for cluster "main"',
        kubectl_differs="asks localhost:8080",
    ),
    "a server with another scheme": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("ftp://localhost"))},
        'the server "ftp://localhost" of cluster "main"',
    ),
    "a server with a bad port": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://localhost:x"))}, "must be a URL or a host:port pair"
    ),
    "a server with a password and a bad port": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://u:s3cret@localhost:99999"))},
        'the server "localhost:99999" of cluster "main" must be a URL',
    ),
    "a server with a password": Row(
        {"home/.kube/config": config(at=cluster("https://u:p@localhost"))},
        "has a user in its URL",
        kubectl_differs="sends it",
    ),
    "a server below a path": Row({"home/.kube/config": config(TOKEN, at=cluster("@one@/k8s/clusters/c-1/"))}, BEARER),
    "an IPv6 server": Row({"home/.kube/config": config(TOKEN, at=cluster("@six@"))}, BEARER._replace(server="six")),
    "host:port is plain HTTP, without credentials": Row(
        {
            "home/.kube/config": config(
                {**TOKEN, "as": "zoe"}, at=cluster("@plain-netloc@", certificate_authority_data="@ca.crt-data@")
            )
        },
        Seen("plain", impersonation=("impersonate-user: zoe",)),
    ),
    "certificate-authority as a path relative to its file": Row(
        {
            "sub/k": config(TOKEN, at=cluster(certificate_authority="../pem/ca.crt", certificate_authority_data=None)),
            "pem/ca.crt": "@ca.crt-pem@",
        },
        BEARER,
        env={"KUBECONFIG": "sub/k"},
    ),
    "insecure-skip-tls-verify beside an authority": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(insecure_skip_tls_verify=True))},
        "specifying a root certificates file with the insecure flag is not allowed",
    ),
    "as, as-uid and as-groups in the file": Row(
        {
            "home/.kube/config": config(
                {**TOKEN, "as": "zoë", "as-uid": "7", "as-groups": ["g", "h"], "as-user-extra": {"Why/so": ["x", "y"]}}
            )
        },
        BEARER._replace(
            impersonation=(
                "impersonate-extra-why%2fso: x",
                "impersonate-extra-why%2fso: y",
                "impersonate-group: g",
                "impersonate-group: h",
                "impersonate-uid: 7",
                "impersonate-user: zoë",
            )
        ),
    ),
    "--as, --as-group and --as-uid": Row(
        {"home/.kube/config": config(TOKEN)},
        BEARER._replace(
            impersonation=(
                "impersonate-group: g",
                "impersonate-group: h",
                "impersonate-uid: 7",
                "impersonate-user: zoe",
            )
        ),
        ClusterOptions(as_user="zoe", as_groups=("g", "h"), as_uid="7"),
    ),
    "--as beats the file's as and keeps its groups": Row(
        {"home/.kube/config": config({**TOKEN, "as": "old", "as-groups": ["g"]})},
        BEARER._replace(impersonation=("impersonate-group: g", "impersonate-user: zoe")),
        ClusterOptions(as_user="zoe"),
    ),
    "--as-group replaces the file's groups": Row(
        {"home/.kube/config": config({**TOKEN, "as": "old", "as-groups": ["g"]})},
        BEARER._replace(impersonation=("impersonate-group: h", "impersonate-user: old")),
        ClusterOptions(as_groups=("h",)),
    ),
    "--as-group without --as": Row(
        {"home/.kube/config": config(TOKEN)},
        "without impersonating a user",
        ClusterOptions(as_groups=("g",)),
        hint="--as",
    ),
    "as-groups without as": Row(
        {"home/.kube/config": config({**TOKEN, "as-groups": ["g"]})}, "without impersonating a user"
    ),
    "--as with a line break": Row(
        {"home/.kube/config": config(TOKEN)}, "invalid Impersonate-User: must be", ClusterOptions(as_user="a\nb")
    ),
}


IN_CLUSTER = {
    "the service account": Row({}, Seen(namespace="own", authorization="Bearer from-pod")),
    "the service account and --namespace": Row(
        {}, Seen(namespace="bank", authorization="Bearer from-pod"), ClusterOptions(namespace="bank")
    ),
    "POD_NAMESPACE": Row({}, Seen(namespace="mine", authorization="Bearer from-pod"), env={"POD_NAMESPACE": "mine"}),
    "a kubeconfig beats the service account, whose namespace is the default": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@two@"))}, Seen("two", "own", "Bearer abc")
    ),
    "a kubeconfig with a namespace": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@two@"), namespace="shop")}, Seen("two", "shop", "Bearer abc")
    ),
    "a kubeconfig without current-context": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@two@"), current=None)},
        Seen(namespace="own", authorization="Bearer from-pod"),
    ),
    "--context that does not exist": Row({}, 'context "x" does not exist', ClusterOptions(context="x")),
    "a context without a cluster": Row(
        {"home/.kube/config": {**config(TOKEN), "contexts": [{"name": "main", "context": {"user": "main"}}]}},
        'context "main" has no cluster',
        kubectl_differs="asks localhost:8080",
    ),
    "--user that does not exist": Row({}, 'auth info "x" does not exist', ClusterOptions(user="x")),
    "--as": Row(
        {},
        Seen(namespace="own", authorization="Bearer from-pod", impersonation=("impersonate-user: zoe",)),
        ClusterOptions(as_user="zoe"),
        kubectl_differs="asks localhost:8080",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_request_as_kubectl(world: World, row: Row, capfd: pytest.CaptureFixture[str]) -> None:
    world.prepare(row)
    assert_same_as_kubectl(world, row, capfd)


@pytest.mark.parametrize(
    "name",
    [
        "as, as-uid and as-groups in the file",
        "an IPv6 server",
        "a server below a path",
        "host:port is plain HTTP, without credentials",
    ],
)
def test_exec_has_the_same_proxy_and_identity(world: World, name: str) -> None:
    world.prepare(ROWS[name])
    assert_exec_sends(world, ROWS[name])


@pytest.mark.parametrize("row", IN_CLUSTER.values(), ids=IN_CLUSTER)
def test_the_same_request_as_kubectl_in_a_pod(
    world: World, row: Row, pki: Pki, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    account = world.folder / "account"
    account.mkdir()
    for name, content in (("token", "from-pod\n"), ("namespace", "own\n"), ("ca.crt", pki.ca.read_text())):
        (account / name).write_text(content)
    monkeypatch.setattr(kubeconfig, "_SERVICE_ACCOUNT", str(account))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", world.values["one-port"])
    world.prepare(row)
    # kubectl has one path for the account: it gets a /run of its own.
    place = "/run/secrets/kubernetes.io/serviceaccount"
    script = f'mount -t tmpfs none /run && mkdir -p {place} && cp {account}/* {place} && exec "$@"'
    if os.geteuid() != 0:
        row = row._replace(kubectl_differs="needs a mount")
    assert_same_as_kubectl(world, row, capfd, "unshare", "-m", "sh", "-c", script, "sh")


def test_the_names_for_completion_are_sorted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "b:a")
    world.write({"b": config(name="b"), "a": config(name="a"), "c": config(name="c")})
    for section in ("contexts", "clusters", "users"):
        assert kubeconfig.entries(section, None) == ["a", "b"]
        assert kubeconfig.entries(section, "c") == ["c"]


@pytest.mark.parametrize(
    ("given", "expected"), [({}, None), ({"request_timeout": 0.0}, None), ({"request_timeout": 2.5}, 2.5)]
)
def test_the_request_timeout(world: World, given: dict[str, Any], expected: float | None) -> None:
    world.write({"home/.kube/config": config(TOKEN)})
    assert kubeconfig.load(ClusterOptions(**given)).request_timeout == expected
