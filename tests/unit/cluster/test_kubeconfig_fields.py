"""Fields of a kubeconfig that are invalid, compared with the real kubectl; no error shows a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cluster.kubeconfig_fields import data_or_file, flag, mapping, mappings, strings, text
from kubectl_netpol.errors import ClusterError
from tests.unit.cluster.kubeconfigs import (
    PATHS,
    TOKEN,
    Row,
    Seen,
    World,
    assert_same_as_kubectl,
    cluster,
    config,
    plugin,
    says,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = {
    "clusters that are not a list of mappings": Row(
        {"k": {"clusters": [7]}}, "clusters of k must be a list of mappings", env={"KUBECONFIG": "k"}
    ),
    "contexts that are a number": Row(
        {"k": {"contexts": 7}}, "contexts of k must be a list of mappings", env={"KUBECONFIG": "k"}
    ),
    "a token that YAML reads as a number": Row(
        {"home/.kube/config": config({"token": 123})}, "token of main must be a string, not a number"
    ),
    "a password that is a list": Row(
        {"home/.kube/config": config({"username": "u", "password": ["s3cret"]})},
        "password of main must be a string",
    ),
    "a flag that is a string": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(insecure_skip_tls_verify="yes"))},
        "insecure-skip-tls-verify of main must be true or false",
    ),
    "certificate-authority that is missing": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority="gone", certificate_authority_data=None))},
        "unable to read certificate-authority ",
    ),
    "certificate-authority-data that is not base64": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data="a"))},
        "certificate-authority-data of main is not valid base64",
    ),
    "certificate-authority-data with what is in no base64": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority_data="!!!"))},
        "certificate-authority-data of main is not valid base64",
    ),
    "certificate-authority with a NUL in its path": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(certificate_authority="a\0b", certificate_authority_data=None))},
        "unable to read certificate-authority ",
        kubectl_differs="it can't be given one",
    ),
    "a plugin's argument with a NUL": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(args=["a\0b"]))},
        "args of main has a character that no program can be given",
        kubectl_differs="it starts the plugin without it",
    ),
    "a plugin's variable with an equals sign in its name": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(env=[{"name": "A=B", "value": "x"}]))},
        'env of main has the invalid name "A=B"',
        kubectl_differs="it sets another one",
    ),
    "a server with a blank": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("http://a b/"))}, "must be a URL or a host:port pair"
    ),
    "a proxy with a blank": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="http://a b:1"))},
        "http://a b:1 must be an http:// or https:// URL",
    ),
    "a name to verify that is none": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(tls_server_name="a" * 5000))},
        'tls-server-name of cluster "main" is not a host name',
    ),
    "a client certificate that is missing": Row(
        {"home/.kube/config": config(PATHS)}, "unable to read client-certificate "
    ),
    "a client certificate as data with the key as a path": Row(
        {"home/.kube/config": config({"client-certificate-data": "@bob.crt-data@", "client-key": "@bob.key@"})},
        Seen(client="bob"),
    ),
    "as-groups that is a string": Row(
        {"home/.kube/config": config({**TOKEN, "as": "z", "as-groups": "g"})},
        "as-groups of main must be a list of strings",
    ),
    "as-user-extra that is a list": Row(
        {"home/.kube/config": config({**TOKEN, "as": "z", "as-user-extra": ["x"]})},
        "as-user-extra of main must be a mapping",
    ),
    "tokenFile with a NUL": Row(
        {"home/.kube/config": config({"tokenFile": "a\0b"})},
        "can't be read: embedded null byte",
        kubectl_differs="it can't be given one",
    ),
    "a server whose address is none": Row(
        {"home/.kube/config": config(TOKEN, at=cluster("https://[v1.x]:1"))},
        "invalid kubeconfig: Failed to parse: ",
    ),
    "a proxy whose address is none": Row(
        {"home/.kube/config": config(TOKEN, at=cluster(proxy_url="http://[v1.x]:1"))},
        "invalid kubeconfig: Failed to parse: ",
    ),
    "a plugin that is not a mapping": Row(
        {"home/.kube/config": config({"exec": "x"})}, "exec of main must be a mapping"
    ),
    "plugin arguments that are not a list": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(args="x"))},
        "args of main must be a list of strings",
    ),
    "a plugin with a variable that is a number": Row(
        {"plugin": says(token="abc"), "home/.kube/config": config(plugin(env=[{"name": "N", "value": 1}]))},
        "value of main must be a string",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_request_as_kubectl(world: World, row: Row, capfd: pytest.CaptureFixture[str]) -> None:
    world.prepare(row)
    assert_same_as_kubectl(world, row, capfd)


@pytest.mark.parametrize(
    ("read", "value", "message", "hint"),
    [
        pytest.param(text, True, "a string, not a boolean", "quote it", id="a string: true"),
        pytest.param(text, 4711, "a string, not a number", "quote it", id="a string: a number"),
        pytest.param(text, 47.11, "a string, not a number", "quote it", id="a string: a fraction"),
        pytest.param(text, {"s3cret": 1}, "a string, not a mapping", None, id="a string: a mapping"),
        pytest.param(flag, "s3cret", "true or false, not a string", None, id="a flag"),
        pytest.param(mapping, "s3cret", "a mapping, not a string", None, id="a mapping"),
        pytest.param(mapping, [], "a mapping", None, id="a mapping: an empty list"),
        pytest.param(strings, ["s3cret", 4711], "a list of strings", None, id="strings: one is a number"),
        pytest.param(strings, "s3cret", "a list of strings, not a string", None, id="strings: one string"),
        pytest.param(mappings, {"s3cret": 1}, "a list of mappings, not a mapping", None, id="mappings: one mapping"),
    ],
)
def test_an_error_names_the_field_and_not_its_value(
    read: Callable[..., Any], value: Any, message: str, hint: str | None
) -> None:
    with pytest.raises(ClusterError) as caught:
        read({"key": value}, "key", "main")
    assert caught.value.message == f"invalid kubeconfig: key of main must be {message}"
    assert caught.value.hint == hint


@pytest.mark.parametrize("body", [{}, {"key": None}], ids=["absent", "null"])
def test_an_absent_field_is_empty(body: dict[str, Any]) -> None:
    read = (text, flag, mapping, strings, mappings, data_or_file)
    assert [one(body, "key", "main") for one in read] == ["", False, {}, (), (), b""]


def test_half_a_character_is_an_error() -> None:
    with pytest.raises(ClusterError, match=r"^invalid kubeconfig: key of main has half a character$"):
        text({"key": "s3cret\ud800"}, "key", "main")


def test_a_file_that_a_kubeconfig_names_is_read_to_a_limit(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate((16 << 20) + 1)
    for path in (str(large), "/dev/zero"):
        with pytest.raises(ClusterError, match=f"^unable to read key {path} for main due to more than 16 MiB$"):
            data_or_file({"key": path}, "key", "main")
    large.write_bytes(b"x")
    assert data_or_file({"key": str(large)}, "key", "main") == b"x"
