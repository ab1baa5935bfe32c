"""The same server, identity and namespace as kubectl: a table of kubeconfigs, ours and the real kubectl's requests.

Each row is written to disk, read by our code and by `kubectl get pods`, and what reaches recording servers is compared
with the row and between the two. Without kubectl (or NETPOL_KUBECTL) only the row's own words count.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from kubectl_netpol.cluster import kubeconfig
from kubectl_netpol.cluster.api import Api
from kubectl_netpol.cluster.kubeconfig import Options
from kubectl_netpol.cluster.streams import execute
from kubectl_netpol.errors import ClusterError
from tests.unit.cluster.fakes import Answer, FakeServer, Pki, Request, discovery, message, switch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KUBECTL = os.environ.get("NETPOL_KUBECTL") or shutil.which("kubectl")


class Seen(NamedTuple):
    """What reached a server, and through which proxy."""

    server: str = "one"
    namespace: str = "default"
    authorization: str | None = None
    client: str | None = None
    impersonation: tuple[str, ...] = ()
    sni: str | None = None
    proxied: tuple[str, ...] = ()


class Row(NamedTuple):
    """Files below the folder that is current; `@name@` in them and in `env` stands for what `World.words` says.

    `expected` is what is seen, or the words of the error. `apart`: why kubectl itself is not asked.
    """

    files: dict[str, Any]
    expected: Seen | str
    options: Options = Options()
    env: dict[str, str] = {}  # noqa: RUF012 # a row is never changed
    hint: str = ""
    apart: str = ""


def cluster(server: str = "@one@", **more: Any) -> dict[str, Any]:
    body = {"server": server}
    if server.startswith("@one@") or server in ("@two@", "@six@") or "example" in server:
        body["certificate-authority-data"] = "@ca.crt-data@"
    body |= {key.replace("_", "-"): value for key, value in more.items()}
    return {key: value for key, value in body.items() if value is not None}


def config(
    user: dict[str, Any] | None = None,
    *,
    at: dict[str, Any] | None = None,
    namespace: str | None = None,
    current: str | None = "main",
    name: str = "main",
) -> dict[str, Any]:
    """Return a kubeconfig of one context with one cluster and user, all of one name."""
    context = {"cluster": name, "user": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        **({"current-context": current} if current else {}),
        "clusters": [{"name": name, "cluster": at or cluster()}],
        "contexts": [{"name": name, "context": context}],
        "users": [{"name": name, "user": user or {}}],
    }


def plugin(command: str = "@dir@/plugin", **more: Any) -> dict[str, Any]:
    spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never", **more}
    return {"exec": {key: value for key, value in spec.items() if value is not None}}


def says(version: str = "client.authentication.k8s.io/v1", **status: Any) -> str:
    """Return a credential plugin that prints this status."""
    answer = {"kind": "ExecCredential", "apiVersion": version, "status": status}
    return f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n"


TOKEN = {"token": "abc"}
BEARER = Seen(authorization="Bearer abc")
PATHS = {"client-certificate": "alice.crt", "client-key": "alice.key"}
ALICE = {"client-certificate-data": "@alice.crt-data@", "client-key-data": "@alice.key-data@"}

ROWS = {
    # Which file, and which part of it.
    "the file in the home folder": Row({"home/.kube/config": config(TOKEN)}, BEARER),
    "KUBECONFIG names the file": Row({"k": config(TOKEN), "home/.kube/config": "{"}, BEARER, env={"KUBECONFIG": "k"}),
    "an empty KUBECONFIG is the default file": Row(
        {"home/.kube/config": config(TOKEN)}, BEARER, env={"KUBECONFIG": ""}
    ),
    "--kubeconfig beats KUBECONFIG": Row(
        {"k": config(TOKEN), "other": "{"}, BEARER, Options(kubeconfig="k"), env={"KUBECONFIG": "other"}
    ),
    "--kubeconfig with a colon in its name is one file": Row({"a:b": config(TOKEN)}, BEARER, Options(kubeconfig="a:b")),
    "--kubeconfig must exist": Row({}, "nowhere: no such file", Options(kubeconfig="nowhere")),
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
        Options(context="b"),
        env={"KUBECONFIG": "a:b"},
    ),
    "--cluster and --user": Row(
        {"a": config(TOKEN, name="a", current="a"), "b": config({"token": "b"}, at=cluster("@two@"), name="b")},
        Seen("two", authorization="Bearer b"),
        Options(cluster="b", user="b"),
        env={"KUBECONFIG": "a:b"},
    ),
    "--cluster and --user without any context": Row(
        {"k": config(TOKEN, current=None)}, BEARER, Options(cluster="main", user="main"), env={"KUBECONFIG": "k"}
    ),
    "the context's namespace": Row(
        {"home/.kube/config": config(TOKEN, namespace="shop")}, BEARER._replace(namespace="shop")
    ),
    "--namespace": Row(
        {"home/.kube/config": config(TOKEN, namespace="shop")},
        BEARER._replace(namespace="bank"),
        Options(namespace="bank"),
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
    # What can't be.
    "no kubeconfig at all": Row(
        {}, "no configuration has been provided", hint="set KUBECONFIG", apart="asks localhost:8080"
    ),
    "broken YAML": Row({"k": "clusters: [}"}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "broken YAML in the second file": Row(
        {"a": config(TOKEN), "b": "{"}, 'error loading config file "b": ', env={"KUBECONFIG": "a:b"}
    ),
    "a list": Row({"k": "[1]"}, "it holds no kubeconfig", env={"KUBECONFIG": "k"}),
    "a binary file": Row({"k": b"\xff\xfe\x00"}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "endless nesting": Row({"k": "[" * 5000}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "an alias of itself": Row({"k": "clusters: &a [*a]"}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "a folder": Row({"k/x": ""}, 'error loading config file "k": ', env={"KUBECONFIG": "k"}),
    "clusters that are no list": Row(
        {"k": {"clusters": [7]}}, "clusters of k must be a list of mappings", env={"KUBECONFIG": "k"}
    ),
    "contexts that are a number": Row(
        {"k": {"contexts": 7}}, "contexts of k must be a list of mappings", env={"KUBECONFIG": "k"}
    ),
    "a cluster that is a string": Row(
        {"k": {"clusters": [{"name": "c", "cluster": "x"}]}}, "cluster c must be a mapping", env={"KUBECONFIG": "k"}
    ),
    "a name twice in one file": Row(
        {"k": {**config(TOKEN), "users": [{"name": "main", "user": TOKEN}] * 2}},
        'duplicate name "main" in users',
        env={"KUBECONFIG": "k"},
    ),
    "a token that YAML reads as a number": Row(
        {"home/.kube/config": config({"token": 123})}, "token of main must be a string, is a number"
    ),
    "a password that is a list": Row(
        {"home/.kube/config": config({"username": "u", "password": ["s3cret"]})},
        "password of main must be a string, is a list",
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
    "a flag that is a string": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(insecure_skip_tls_verify="yes"))},
        "insecure-skip-tls-verify of main must be true or false",
    ),
    "an unknown --context": Row(
        {"home/.kube/config": config(TOKEN)}, 'context "x" does not exist', Options(context="x"), hint=": main"
    ),
    "an unknown current-context": Row(
        {"home/.kube/config": config(TOKEN, current="x")},
        "context was not found for specified context: x",
        hint=": main",
    ),
    "an unknown --cluster": Row(
        {"home/.kube/config": config(TOKEN)}, 'cluster "x" does not exist', Options(cluster="x")
    ),
    "an unknown --user": Row({"home/.kube/config": config(TOKEN)}, 'auth info "x" does not exist', Options(user="x")),
    "a context whose user does not exist": Row(
        {"home/.kube/config": {**config(TOKEN), "users": []}}, 'auth info "main" does not exist', apart="is anonymous"
    ),
    "a context whose cluster does not exist": Row(
        {"home/.kube/config": {**config(TOKEN), "clusters": []}},
        'cluster "main" does not exist',
        apart="asks localhost:8080",
    ),
    "no current-context": Row(
        {"home/.kube/config": config(TOKEN, current=None)},
        "current-context is not set",
        hint="main",
        apart="asks localhost:8080",
    ),
    "a cluster without a server": Row(
        {"home/.kube/config": config(TOKEN, at={"tls-server-name": "x"})},
        'no server found for cluster "main"',
        apart="asks localhost:8080",
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
        {"home/.kube/config": config(at=cluster("https://u:p@localhost"))}, "has a user in its URL", apart="sends it"
    ),
    # The server.
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
    "certificate-authority that is missing": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority="gone", certificate_authority_data=None))},
        "unable to read certificate-authority ",
    ),
    "certificate-authority that is no certificate": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data="bm9wZQ=="))},
        "unable to load root certificates",
    ),
    "certificate-authority-data that is no base64": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data="a"))},
        "certificate-authority-data of main is no base64",
    ),
    "an unknown authority": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data="@alice.crt-data@"))},
        "tls: failed to verify certificate",
    ),
    "no authority means the system's": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data=None))},
        "tls: failed to verify certificate",
    ),
    "the system's authorities by SSL_CERT_FILE": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data=None))},
        BEARER,
        env={"SSL_CERT_FILE": "@ca.crt@"},
    ),
    "insecure-skip-tls-verify": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@odd@", insecure_skip_tls_verify=True))},
        BEARER._replace(server="odd"),
    ),
    "insecure-skip-tls-verify beside an authority": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(insecure_skip_tls_verify=True))},
        "specifying a root certificates file with the insecure flag is not allowed",
    ),
    "tls-server-name": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(tls_server_name="kube.example"))},
        BEARER._replace(sni="kube.example"),
    ),
    "tls-server-name that is not in the certificate": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(tls_server_name="wrong.example"))},
        "tls: failed to verify certificate",
    ),
    "a certificate for another name": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@odd@", certificate_authority_data="@ca.crt-data@"))},
        "tls: failed to verify certificate",
    ),
    # The user.
    "nobody": Row({"home/.kube/config": config()}, Seen(), apart="prompts for a user name"),
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
        {"t": "", "k": config({"tokenFile": "t"})}, "tokenFile ", env={"KUBECONFIG": "k"}, apart="is anonymous"
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
    "a client certificate as data with the key as a path": Row(
        {"home/.kube/config": config({"client-certificate-data": "@bob.crt-data@", "client-key": "@bob.key@"})},
        Seen(client="bob"),
    ),
    "a client certificate without a key": Row(
        {"home/.kube/config": config({"client-certificate-data": "@bob.crt-data@"})},
        "client-key-data or client-key must be specified for main",
    ),
    "a client certificate that is missing": Row(
        {"home/.kube/config": config(PATHS)}, "unable to read client-certificate "
    ),
    "a client certificate with another's key": Row(
        {"home/.kube/config": config({**ALICE, "client-key-data": "@bob.key-data@"})},
        'the client certificate and key of user "main" do not load',
    ),
    "an auth-provider": Row(
        {"home/.kube/config": config({"auth-provider": {"name": "gcp"}})},
        'user "main" uses the auth-provider gcp, which is not supported',
        hint="credential plugin",
    ),
    # Impersonation.
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
        Options(as_user="zoe", as_groups=("g", "h"), as_uid="7"),
    ),
    "--as beats the file's as and keeps its groups": Row(
        {"home/.kube/config": config({**TOKEN, "as": "old", "as-groups": ["g"]})},
        BEARER._replace(impersonation=("impersonate-group: g", "impersonate-user: zoe")),
        Options(as_user="zoe"),
    ),
    "--as-group replaces the file's groups": Row(
        {"home/.kube/config": config({**TOKEN, "as": "old", "as-groups": ["g"]})},
        BEARER._replace(impersonation=("impersonate-group: h", "impersonate-user: old")),
        Options(as_groups=("h",)),
    ),
    "--as-group without --as": Row(
        {"home/.kube/config": config(TOKEN)}, "without impersonating a user", Options(as_groups=("g",)), hint="--as"
    ),
    "groups in the file without as": Row(
        {"home/.kube/config": config({**TOKEN, "as-groups": ["g"]})}, "without impersonating a user"
    ),
    "groups in the file that are one string": Row(
        {"home/.kube/config": config({**TOKEN, "as": "z", "as-groups": "g"})},
        "as-groups of main must be a list of strings",
    ),
    "extra in the file that is a list": Row(
        {"home/.kube/config": config({**TOKEN, "as": "z", "as-user-extra": ["x"]})},
        "as-user-extra of main must be a mapping",
    ),
    "--as with a line break": Row(
        {"home/.kube/config": config(TOKEN)}, "Impersonate-User can't be", Options(as_user="a\nb")
    ),
    # Credential plugins.
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
    "a plugin of version v1beta1 that says no interactiveMode": Row(
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
    "a plugin that is not there": Row(
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
    "a plugin that prints nonsense": Row(
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
        {"plugin": says(token="a\nb"), "home/.kube/config": config(plugin())}, "a token with line breaks in it"
    ),
    "a plugin that is a string": Row({"home/.kube/config": config({"exec": "x"})}, "exec of main must be a mapping"),
    "a plugin whose arguments are no list": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(args="x"))},
        "args of main must be a list of strings",
    ),
    "a plugin with a variable that is a number": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(env=[{"name": "N", "value": 1}]))},
        "value of main must be a string",
    ),
    "a plugin without command": Row({"home/.kube/config": config(plugin(""))}, "command must be specified for main"),
    "a plugin without apiVersion": Row(
        {"home/.kube/config": config(plugin(apiVersion=None))}, "apiVersion must be specified for main"
    ),
    "a plugin of an old version": Row(
        {"home/.kube/config": config(plugin(apiVersion="client.authentication.k8s.io/v1alpha1"))}, "invalid apiVersion"
    ),
    "a plugin of version v1 that says no interactiveMode": Row(
        {"home/.kube/config": config(plugin(interactiveMode=None))}, "interactiveMode must be specified for main"
    ),
    "a plugin with a strange interactiveMode": Row(
        {"home/.kube/config": config(plugin(interactiveMode="Maybe"))}, "invalid interactiveMode"
    ),
    "a plugin that needs a terminal": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(interactiveMode="Always"))},
        "standard input is not a terminal",
    ),
    # Proxies.
    "proxy-url": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="@proxy@"))},
        BEARER._replace(proxied=("@one-netloc@",)),
    ),
    "proxy-url with a password": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="http://me:p%40ss@@proxy-netloc@"))},
        BEARER._replace(proxied=("@one-netloc@ Basic " + base64.b64encode(b"me:p@ss").decode(),)),
    ),
    "proxy-url by https": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="@secure-proxy@"))},
        BEARER._replace(proxied=("@one-netloc@",)),
    ),
    "proxy-url with tls-server-name and a client certificate": Row(
        {"home/.kube/config": config(ALICE, at=cluster(proxy_url="@proxy@", tls_server_name="kube.example"))},
        Seen(client="alice", sni="kube.example", proxied=("@one-netloc@",)),
    ),
    "proxy-url for a plain HTTP server": Row(
        {"home/.kube/config": config({"as": "z", "as-groups": ["g", "h"]}, at=cluster("@plain@", proxy_url="@proxy@"))},
        Seen(
            "proxy",
            impersonation=("impersonate-group: g", "impersonate-group: h", "impersonate-user: z"),
            proxied=("@plain@",),
        ),
    ),
    "proxy-url by https for a plain HTTP server": Row(
        {"home/.kube/config": config(at=cluster("@plain@", proxy_url="@secure-proxy@"))},
        Seen("secure-proxy", proxied=("@plain@",)),
        env={"SSL_CERT_FILE": "@ca.crt@"},
    ),
    "HTTPS_PROXY that is no URL": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        "invalid HTTPS_PROXY: localhost:x must be",
        env={"HTTPS_PROXY": "http://me:secret@localhost:x"},
    ),
    "proxy-url beats NO_PROXY": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="@proxy@"))},
        BEARER._replace(proxied=("@one-netloc@",)),
        env={"NO_PROXY": "*"},
    ),
    "proxy-url by socks5": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="socks5://127.0.0.1:1"))},
        "is a SOCKS proxy, which is not supported",
        hint="http:// proxy",
    ),
    "proxy-url of another kind": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="ftp://localhost"))},
        'invalid proxy-url of cluster "main": ftp://localhost must be',
    ),
    "proxy-url that refuses": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="http://127.0.0.1:1"))},
        "the proxy http://127.0.0.1:1 refused",
    ),
    "HTTPS_PROXY": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        BEARER._replace(sni="kube.example", proxied=("kube.example:@one-port@",)),
        env={"HTTPS_PROXY": "@proxy@", "HTTP_PROXY": "http://127.0.0.1:1"},
    ),
    "https_proxy without a scheme": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        BEARER._replace(sni="kube.example", proxied=("kube.example:@one-port@",)),
        env={"https_proxy": "@proxy-netloc@"},
    ),
    "HTTPS_PROXY beats https_proxy": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        BEARER._replace(sni="kube.example", proxied=("kube.example:@one-port@",)),
        env={"HTTPS_PROXY": "@proxy@", "https_proxy": "http://127.0.0.1:1"},
    ),
    "HTTPS_PROXY never for loopback": Row(
        {"home/.kube/config": config(TOKEN)}, BEARER, env={"HTTPS_PROXY": "http://127.0.0.1:1"}
    ),
    "HTTPS_PROXY never for localhost": Row(
        {
            "home/.kube/config": config(
                TOKEN, at=cluster("https://localhost:@one-port@", certificate_authority_data="@ca.crt-data@")
            )
        },
        BEARER._replace(sni="localhost"),
        env={"HTTPS_PROXY": "http://127.0.0.1:1"},
    ),
    "NO_PROXY for the name": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        "lookup kube.example",
        env={"HTTPS_PROXY": "@proxy@", "NO_PROXY": "a.example, kube.example"},
    ),
    "HTTPS_PROXY by socks5": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://kube.example:@one-port@"))},
        "is a SOCKS proxy",
        env={"HTTPS_PROXY": "socks5://127.0.0.1:1"},
    ),
}

IN_CLUSTER = {
    "the service account": Row({}, Seen(namespace="own", authorization="Bearer from-pod")),
    "the service account and --namespace": Row(
        {}, Seen(namespace="bank", authorization="Bearer from-pod"), Options(namespace="bank")
    ),
    "POD_NAMESPACE": Row({}, Seen(namespace="mine", authorization="Bearer from-pod"), env={"POD_NAMESPACE": "mine"}),
    "a kubeconfig beats the service account, but its namespace stands in": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@two@"))}, Seen("two", "own", "Bearer abc")
    ),
    "a kubeconfig with a namespace": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@two@"), namespace="shop")}, Seen("two", "shop", "Bearer abc")
    ),
    "a kubeconfig without current-context": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("@two@"), current=None)},
        Seen(namespace="own", authorization="Bearer from-pod"),
    ),
    "--context that does not exist": Row({}, 'context "x" does not exist', Options(context="x")),
    "a context that names no cluster": Row(
        {"home/.kube/config": {**config(TOKEN), "contexts": [{"name": "main", "context": {"user": "main"}}]}},
        'context "main" names no cluster',
        apart="asks localhost:8080",
    ),
    "--user that does not exist": Row({}, 'auth info "x" does not exist', Options(user="x")),
    "--as": Row(
        {},
        Seen(namespace="own", authorization="Bearer from-pod", impersonation=("impersonate-user: zoe",)),
        Options(as_user="zoe"),
        apart="asks localhost:8080",
    ),
}


class World:
    """The servers, and a folder to be current in."""

    def __init__(self, pki: Pki, folder: Path) -> None:
        self.folder = folder
        self.proxied: list[str] = []
        self.servers = {
            "one": FakeServer(pki, answer),
            "two": FakeServer(pki, answer),
            "six": FakeServer(pki, answer, address="::1"),
            "odd": FakeServer(pki, answer, pair="misnamed"),
            "plain": FakeServer(None, answer),
            "proxy": FakeServer(None, self._proxy),
            "secure-proxy": FakeServer(pki, self._proxy),
        }
        self.words = {"dir": str(folder)}
        for name, server in self.servers.items():
            self.words |= {name: server.url, f"{name}-netloc": server.netloc, f"{name}-port": str(server.port)}
        for path in (pki.ca, *pki.pair("alice"), *pki.pair("bob")):
            content = path.read_bytes()
            self.words[path.name] = str(path)
            self.words[f"{path.name}-data"] = base64.b64encode(content).decode()
            self.words[f"{path.name}-pem"] = content.decode()
        info = {
            "kind": "ExecCredential",
            "apiVersion": "client.authentication.k8s.io/v1",
            "spec": {
                "cluster": {
                    "server": self.words["one"],
                    "tls-server-name": "kube.example",
                    "certificate-authority-data": self.words["ca.crt-data"],
                    "config": {"audience": "x", "n": 1},
                },
                "interactive": False,
            },
        }
        self.words["exec-info"] = json.dumps(info, sort_keys=True)

    def fill(self, text: str, *, quoted: bool = False) -> str:
        def word(match: re.Match[str]) -> str:
            return json.dumps(self.words[match[1]])[1:-1] if quoted else self.words[match[1]]

        return re.sub(r"@([a-z0-9.-]+)@", word, text)

    def write(self, files: dict[str, Any]) -> None:
        (self.folder / "home").mkdir()
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif isinstance(content, str):
                path.write_text(self.fill(content, quoted=content.startswith("#!") and "-pem@" in content))
            else:
                path.write_text(self.fill(json.dumps(content), quoted=True))
            path.chmod(0o700)

    def seen(self) -> Seen | None:
        """Return what arrived since the last call; None where no pods were asked for."""
        found = [
            (name, request)
            for name, server in self.servers.items()
            for request in server.requests
            if "/pods" in request.target
        ]
        proxied = tuple(dict.fromkeys(self.proxied))
        self.proxied.clear()
        for server in self.servers.values():
            server.requests.clear()
        if not found:
            return None
        name, request = found[-1]
        space = re.search(r"/namespaces/([^/]+)/pods", request.target)
        return Seen(
            name,
            space[1] if space else "",
            decoded(next(iter(request.values("authorization")), None)),
            request.client,
            tuple(sorted(f"{key}: {value}" for key, value in request.headers if key.startswith("impersonate-"))),
            request.sni,
            proxied,
        )

    def _proxy(self, request: Request, stream: Any) -> Answer | None:
        if request.method != "CONNECT":
            self.proxied.append(re.sub(r"(?<=\d)/.*", "", request.target))
            return answer(request._replace(target=re.sub(r"^http://[^/]+", "", request.target)), stream)
        self.proxied.append(" ".join([request.target, *request.values("proxy-authorization")]))
        stream.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection(("127.0.0.1", int(request.target.rpartition(":")[2]))) as server:
            back = threading.Thread(target=pump, args=(server, stream), daemon=True)
            back.start()
            pump(stream, server)
            back.join()
        return None


def decoded(authorization: str | None) -> str | None:
    """Spell out what a plugin was told, which the test's plugin hands on in its token."""
    match = re.fullmatch(r"(Bearer a-b c-e-)(.+)", authorization or "")
    if not match:
        return authorization
    return match[1] + json.dumps(json.loads(base64.b64decode(match[2])), sort_keys=True)


def pump(source: Any, sink: Any) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def answer(request: Request, stream: Any) -> Answer | None:
    if "/exec" in request.target:
        stream.sendall(switch(request) + message(3, {"status": "Success"}))
        return None
    return discovery(request._replace(target=request.target.removeprefix("/k8s/clusters/c-1")), stream)


@pytest.fixture
def world(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(("KUBE", "POD_NAMESPACE", "SSL_CERT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    world = World(pki, tmp_path)
    yield world
    for server in world.servers.values():
        server.close()


def ours(world: World, options: Options) -> Seen | None:
    api = Api(kubeconfig.load(options))
    api.list(f"/api/v1/namespaces/{api.namespace}/pods")
    return world.seen()


def kubectl(world: World, row: Row, *before: str) -> Seen | None:
    """Return what `kubectl get pods` with the same options sends; None where it fails, or asks another server."""
    options = row.options
    words = [f"--as-group={group}" for group in options.as_groups]
    words += [
        f"--{name.removesuffix('_user').replace('_', '-')}={value}"
        for name in ("kubeconfig", "context", "cluster", "user", "namespace", "as_user", "as_uid")
        if (value := getattr(options, name)) is not None
    ]
    subprocess.run(
        [*before, KUBECTL or "", "get", "pods", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return world.seen()


def compare(world: World, row: Row, capfd: pytest.CaptureFixture[str], *before: str) -> None:
    if isinstance(row.expected, str):
        with pytest.raises(ClusterError, match=re.escape(row.expected)) as caught:
            ours(world, row.options)
        assert row.hint in (caught.value.hint or "")
        assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"
        assert world.seen() is None
    else:
        expected = Seen(*(filled(world, part) for part in row.expected))
        assert ours(world, row.options) == expected
    assert capfd.readouterr().out == ""
    if KUBECTL and not row.apart:
        assert kubectl(world, row, *before) == (None if isinstance(row.expected, str) else expected)


def filled(world: World, part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(world.fill(one) for one in part)
    return world.fill(part) if isinstance(part, str) else part


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_as_kubectl(
    world: World, row: Row, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world.write(row.files)
    for name, value in row.env.items():
        monkeypatch.setenv(name, world.fill(value))
    compare(world, row, capfd)


@pytest.mark.parametrize("row", IN_CLUSTER.values(), ids=IN_CLUSTER)
def test_the_same_as_kubectl_in_a_pod(
    world: World, row: Row, pki: Pki, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    account = world.folder / "account"
    account.mkdir()
    for name, content in (("token", "from-pod\n"), ("namespace", "own\n"), ("ca.crt", pki.ca.read_text())):
        (account / name).write_text(content)
    monkeypatch.setattr(kubeconfig, "_SERVICE_ACCOUNT", str(account))
    environment = {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": world.words["one-port"],
        **row.env,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    world.write(row.files)
    # kubectl knows one place for the account: give it a /run of its own there.
    place = "/run/secrets/kubernetes.io/serviceaccount"
    script = f'mount -t tmpfs none /run && mkdir -p {place} && cp {account}/* {place} && exec "$@"'
    if os.geteuid() != 0:
        row = row._replace(apart="needs a mount")
    compare(world, row, capfd, "unshare", "-m", "sh", "-c", script, "sh")


ON_EXEC = (
    "as, as-uid and as-groups in the file",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "a client certificate as data",
    "proxy-url with tls-server-name and a client certificate",
    "proxy-url by https",
    "proxy-url with a password",
    "an IPv6 server",
    "HTTPS_PROXY",
    "a plugin's token and certificate",
    "a server below a path",
    "host:port is plain HTTP, without credentials",
    "user name and password",
)


@pytest.mark.parametrize("name", ON_EXEC)
def test_exec_goes_the_same_way_with_the_same_identity(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROWS[name]
    assert isinstance(row.expected, Seen)
    world.write(row.files)
    for key, value in row.env.items():
        monkeypatch.setenv(key, world.fill(value))
    api = Api(kubeconfig.load(row.options))
    assert execute(api, api.namespace, "web", "app", ["true"], deadline=10).exit_code == 0
    assert world.seen() == Seen(*(filled(world, part) for part in row.expected))


LONG = "LS0tLS1" + "abcd" * 20


@pytest.mark.parametrize(
    "written",
    [
        f"a: {LONG}=\nb: {LONG}==\n",
        f"a: &x\n  b: {LONG}\nc: *x\n",
        f"a: {LONG}\n  continued\n",
        f"# a: {LONG}\nb: 1\n",
        f"a: |\n  b: {LONG}\n  c\n",
        f'{{"a": "{LONG}", "b": {LONG}}}',
        f"a: {LONG}\nb: \ue0000\n",
        f"- a: {LONG}\n- [1, 2.5, null, true]\n",
    ],
)
def test_long_values_are_read_as_they_stand(written: str) -> None:
    assert kubeconfig._document(written) == yaml.safe_load(written)  # noqa: SLF001 # a shortcut must not show


def test_the_names_to_choose_from(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "b:a")
    world.write({"b": config(name="b"), "a": config(name="a"), "c": config(name="c")})
    for section in ("contexts", "clusters", "users"):
        assert sorted(kubeconfig.entries(section, None)) == ["a", "b"]
        assert kubeconfig.entries(section, "c") == ["c"]


def test_a_plugin_sees_the_users_environment_and_nothing_of_ours(world: World) -> None:
    world.write({"plugin": "#!/bin/sh\nenv -0 > seen\nexit 1\n", "home/.kube/config": config(plugin())})
    with pytest.raises(ClusterError, match="failed with exit code 1"):
        kubeconfig.load(Options())
    seen = dict(one.split("=", 1) for one in (world.folder / "seen").read_text().split("\0") if one)
    assert json.loads(seen.pop("KUBERNETES_EXEC_INFO"))["kind"] == "ExecCredential"
    by_the_shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert {key: value for key, value in seen.items() if key not in by_the_shell} == {
        key: value for key, value in os.environ.items() if key not in by_the_shell
    }


@pytest.mark.parametrize("name", ["a client certificate as data", "the system's authorities by SSL_CERT_FILE"])
def test_without_memory_files_and_system_certificates(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch, pki: Pki, tmp_path: Path
) -> None:
    """As on macOS: a file for a moment, and certifi's certificates where Python knows none of the system's."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: SimpleNamespace(cafile=None, capath=None))
    monkeypatch.setattr("ssl.SSLContext.load_default_certs", lambda _: None)
    monkeypatch.setattr("certifi.where", lambda: str(pki.ca))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    world.write(ROWS[name].files)
    assert ours(world, Options()) == ROWS[name].expected
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"), [({}, None), ({"request_timeout": 0.0}, None), ({"request_timeout": 2.5}, 2.5)]
)
def test_the_request_timeout(world: World, words: dict[str, Any], expected: float | None) -> None:
    world.write({"home/.kube/config": config(TOKEN)})
    assert kubeconfig.load(Options(**words)).request_timeout == expected


@pytest.mark.parametrize(
    ("host", "patterns", "expected"),
    [
        ("https://kube.example:6443", "", True),
        ("https://kube.example:6443", "*", False),
        ("https://kube.example:6443", "example", False),
        ("https://kube.example:6443", ".example", False),
        ("https://kube.example:6443", "*.example", False),
        ("https://example:6443", ".example", True),
        ("https://kube.example:6443", "be.example", True),
        ("https://KUBE.example:6443", " , Kube.Example", False),
        ("https://kube.example:6443", "kube.example:6443", False),
        ("https://kube.example:6443", "kube.example:443", True),
        ("https://kube.example", "kube.example:443", False),
        ("https://192.0.2.7:6443", "192.0.2.7", False),
        ("https://192.0.2.7:6443", "192.0.2.0/24", False),
        ("https://192.0.2.7:6443", "192.0.3.0/24,nonsense/99", True),
        ("https://192.0.2.7:6443", "2.7", True),
        ("https://[2001:db8::7]:6443", "2001:db8::/32", False),
        ("https://[2001:db8::7]:6443", "2001:db8::7", False),
        ("https://[2001:db8::7]:6443", "[2001:db8::7]:6443", False),
        ("https://[2001:db8::7]:6443", "[2001:db8::7]:443", True),
        ("https://localhost:6443", "", False),
        ("https://127.3.2.1:6443", "", False),
        ("https://[::1]:6443", "", False),
        ("https://kube.example:6443", "kube.example:99999", True),
        ("https://kube.example:6443", "[::1, :::, kube.example", False),
    ],
)
def test_which_servers_the_proxy_of_the_environment_is_for(
    monkeypatch: pytest.MonkeyPatch, host: str, patterns: str, *, expected: bool
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", patterns)
    assert kubeconfig._uses_proxy(host) is expected  # noqa: SLF001 # the rules of Go, one by one
