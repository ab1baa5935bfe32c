"""The credentials that a request carries, compared with the real kubectl."""

from __future__ import annotations

import base64
import json
import os

import pytest

from kubectl_netpol.cluster import kubeconfig
from kubectl_netpol.cluster.options import ClusterOptions
from kubectl_netpol.errors import ClusterError
from tests.unit.cluster.kubeconfigs import (
    ALICE,
    BEARER,
    PATHS,
    TOKEN,
    Row,
    Seen,
    World,
    assert_exec_sends,
    assert_same_as_kubectl,
    cluster,
    config,
    plugin,
    says,
)

ROWS = {
    "no credentials": Row({"home/.kube/config": config()}, Seen(), kubectl_differs="prompts for a user name"),
    "tokenFile with a newline": Row({"t": "abc\n", "k": config({"tokenFile": "t"})}, BEARER, env={"KUBECONFIG": "k"}),
    "tokenFile relative to its file": Row(
        {"sub/t": "abc", "sub/k": config({"tokenFile": "t"})}, BEARER, env={"KUBECONFIG": "sub/k"}
    ),
    "tokenFile beats token": Row(
        {"t": "abc\n", "k": config({"token": "old", "tokenFile": "t"})}, BEARER, env={"KUBECONFIG": "k"}
    ),
    "token where tokenFile is missing": Row(
        {"k": config({**TOKEN, "tokenFile": "gone"})}, BEARER, env={"KUBECONFIG": "k"}
    ),
    "token where tokenFile is empty": Row(
        {"t": "\n", "k": config({**TOKEN, "tokenFile": "t"})}, BEARER, env={"KUBECONFIG": "k"}
    ),
    "tokenFile that is missing": Row({"k": config({"tokenFile": "gone"})}, "tokenFile ", env={"KUBECONFIG": "k"}),
    "tokenFile that is empty": Row(
        {"t": "", "k": config({"tokenFile": "t"})},
        "tokenFile ",
        env={"KUBECONFIG": "k"},
        kubectl_differs="is anonymous",
    ),
    "a token with a line break in it": Row({"home/.kube/config": config({"token": "a\nb"})}, "line breaks"),
    "user name and password": Row(
        {"home/.kube/config": config({"username": "u", "password": "p:é"})},
        Seen(authorization="Basic " + base64.b64encode("u:p:é".encode()).decode()),
    ),
    "token and password": Row(
        {"home/.kube/config": config({**TOKEN, "username": "u"})}, "more than one authentication method found for main"
    ),
    "a client certificate as data": Row({"home/.kube/config": config(ALICE)}, Seen(client="alice")),
    "a client certificate beside a token": Row(
        {"home/.kube/config": config({**ALICE, **TOKEN})}, BEARER._replace(client="alice")
    ),
    "client certificate paths relative to the user's file, not the cluster's": Row(
        {
            "a/k": {**config(), "users": []},
            "b/k": {"users": [{"name": "main", "user": PATHS}]},
            "b/alice.crt": "@alice.crt-pem@",
            "b/alice.key": "@alice.key-pem@",
        },
        Seen(client="alice"),
        env={"KUBECONFIG": "a/k:b/k"},
    ),
    "a client certificate without a key": Row(
        {"home/.kube/config": config({"client-certificate-data": "@bob.crt-data@"})},
        "client-key-data or client-key must be specified for main",
    ),
    "an auth-provider": Row(
        {"home/.kube/config": config({"auth-provider": {"name": "gcp"}})},
        'user "main" uses the auth-provider gcp, which is not supported',
        hint="credential plugin",
    ),
    "a plugin's token": Row({"plugin": says(token="abc"), "home/.kube/config": config(plugin())}, BEARER),
    "a plugin's certificate": Row(
        {
            "plugin": says(clientCertificateData="@alice.crt-pem@", clientKeyData="@alice.key-pem@"),
            "home/.kube/config": config(plugin()),
        },
        Seen(client="alice"),
    ),
    "a plugin's token and certificate": Row(
        {
            "plugin": says(token="abc", clientCertificateData="@alice.crt-pem@", clientKeyData="@alice.key-pem@"),
            "home/.kube/config": config(plugin()),
        },
        BEARER._replace(client="alice"),
    ),
    "a plugin of version v1beta1 without interactiveMode": Row(
        {
            "plugin": says("client.authentication.k8s.io/v1beta1", token="abc"),
            "home/.kube/config": config(
                plugin(apiVersion="client.authentication.k8s.io/v1beta1", interactiveMode=None)
            ),
        },
        BEARER,
    ),
    "a plugin by a path relative to its file, in the user's own folder": Row(
        {
            "sub/bin/plugin": f"#!/bin/sh\ntest -e sub || exit 9\n{says(token='abc').split(chr(10), 1)[1]}",
            "sub/k": config(plugin("./bin/plugin")),
        },
        BEARER,
        env={"KUBECONFIG": "sub/k"},
    ),
    "a plugin found on PATH": Row(
        {"bin/my-plugin": says(token="abc"), "home/.kube/config": config(plugin("my-plugin"))},
        BEARER,
        env={"PATH": "@dir@/bin:/usr/bin:/bin"},
    ),
    "a plugin with arguments, variables and the cluster's data": Row(
        {
            "plugin": "#!/bin/sh\n"
            'cat <<END\n{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'
            '$1-$2-$EXTRA-$(echo "$KUBERNETES_EXEC_INFO" | base64 -w0)"}}\nEND\n',
            "home/.kube/config": config(
                plugin(args=["a", "b c"], env=[{"name": "EXTRA", "value": "e"}], provideClusterInfo=True),
                at=cluster(
                    tls_server_name="kube.example",
                    extensions=[{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x", "n": 1}}],
                ),
            ),
        },
        Seen(authorization="Bearer a-b c-e-@exec-info@", sni="kube.example"),
    ),
    "a static token beats a plugin": Row(
        {"plugin": says(token="other"), "home/.kube/config": config({**TOKEN, **plugin()})}, BEARER
    ),
    "a plugin that is not installed": Row(
        {"home/.kube/config": config(plugin("gone-plugin", installHint="run: get gone-plugin"))},
        "getting credentials: exec: executable gone-plugin not found",
        hint="run: get gone-plugin",
    ),
    "a plugin that fails": Row(
        {"plugin": "#!/bin/sh\necho out; echo why >&2; exit 4\n", "home/.kube/config": config(plugin())},
        "failed with exit code 4",
    ),
    "a plugin that can't be run": Row(
        {"plugin": "#!/no/such/interpreter\n", "home/.kube/config": config(plugin())}, "getting credentials: exec: "
    ),
    "a plugin that does not print JSON": Row(
        {"plugin": "#!/bin/sh\necho nonsense\n", "home/.kube/config": config(plugin())}, "decoding stdout of "
    ),
    "a plugin that answers in another version": Row(
        {"plugin": says("client.authentication.k8s.io/v1beta1", token="abc"), "home/.kube/config": config(plugin())},
        "plugin returned version client.authentication.k8s.io/v1beta1",
    ),
    "a plugin without status": Row(
        {
            "plugin": '#!/bin/sh\necho \'{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}\'\n',
            "home/.kube/config": config(plugin()),
        },
        "didn't return a status field",
    ),
    "a plugin with an empty status": Row(
        {"plugin": says(), "home/.kube/config": config(plugin())}, "didn't return a token or cert/key pair"
    ),
    "a plugin with half a pair": Row(
        {"plugin": says(clientCertificateData="x"), "home/.kube/config": config(plugin())}, "not both"
    ),
    "a plugin whose token has a line break": Row(
        {"plugin": says(token="a\nb"), "home/.kube/config": config(plugin())}, "a token that contains line breaks"
    ),
    "a plugin without command": Row({"home/.kube/config": config(plugin(""))}, "command must be specified for main"),
    "a plugin without apiVersion": Row(
        {"home/.kube/config": config(plugin(apiVersion=None))}, "apiVersion must be specified for main"
    ),
    "a plugin of an old version": Row(
        {"home/.kube/config": config(plugin(apiVersion="client.authentication.k8s.io/v1alpha1"))}, "invalid apiVersion"
    ),
    "a plugin of version v1 without interactiveMode": Row(
        {"home/.kube/config": config(plugin(interactiveMode=None))}, "interactiveMode must be specified for main"
    ),
    "a plugin with an invalid interactiveMode": Row(
        {"home/.kube/config": config(plugin(interactiveMode="Maybe"))}, "invalid interactiveMode"
    ),
    "a plugin that needs a terminal": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(interactiveMode="Always"))},
        "standard input is not a terminal",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_request_as_kubectl(world: World, row: Row, capfd: pytest.CaptureFixture[str]) -> None:
    world.prepare(row)
    assert_same_as_kubectl(world, row, capfd)


@pytest.mark.parametrize(
    "name", ["a client certificate as data", "a plugin's token and certificate", "user name and password"]
)
def test_exec_has_the_same_proxy_and_identity(world: World, name: str) -> None:
    world.prepare(ROWS[name])
    assert_exec_sends(world, ROWS[name])


def test_a_plugin_sees_the_users_environment_and_nothing_of_ours(world: World) -> None:
    world.write({"plugin": "#!/bin/sh\nenv -0 > seen\nexit 1\n", "home/.kube/config": config(plugin())})
    with pytest.raises(ClusterError, match="failed with exit code 1"):
        kubeconfig.load(ClusterOptions())
    seen = dict(one.split("=", 1) for one in (world.folder / "seen").read_text().split("\0") if one)
    assert json.loads(seen.pop("KUBERNETES_EXEC_INFO"))["kind"] == "ExecCredential"
    by_the_shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert {key: value for key, value in seen.items() if key not in by_the_shell} == {
        key: value for key, value in os.environ.items() if key not in by_the_shell
    }


def test_a_plugin_that_prints_for_ever_is_ended(world: World) -> None:
    script = "#!/bin/sh\necho $$ > pid\nwhile :; do echo 0123456789012345678901234567890123456789; done\n"
    world.write({"plugin": script, "home/.kube/config": config(plugin())})
    with pytest.raises(ClusterError, match="printed more than 16 MiB"):
        kubeconfig.load(ClusterOptions())
    with pytest.raises(ProcessLookupError):
        os.kill(int((world.folder / "pid").read_text()), 0)
