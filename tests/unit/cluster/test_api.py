"""Calls against a recording server: requests, results and errors."""

from __future__ import annotations

import gzip
import signal
import socket
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from kubernetes.client.configuration import Configuration

from kubectl_netpol.cluster import api as module
from kubectl_netpol.cluster.api import Api, Attributes, rbac_attributes
from kubectl_netpol.cluster.kubeconfig import Access
from kubectl_netpol.cluster.tls import tls_context
from kubectl_netpol.errors import ClusterError, ForbiddenError, NotFoundError
from kubectl_netpol.fields import BadField
from tests.unit.cluster.fakes import Answer, FakeServer, Pki, Request, api_for

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., FakeServer]

PODS = "/api/v1/namespaces/shop/pods"


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def listing(*names: str) -> Answer:
    return Answer(body={"kind": "PodList", "items": [pod(name) for name in names]})


def test_a_list_returns_the_raw_items_over_one_kept_connection(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: listing("a", "b"))
    api = api_for(server.url, pki)
    assert api.list(PODS) == [pod("a"), pod("b")]
    assert api.list(PODS) == [pod("a"), pod("b")]
    assert server.connections == 1
    first = server.requests[0]
    assert (first.method, first.target) == ("GET", f"{PODS}?limit=500")  # consistent: no resourceVersion
    assert first.values("accept-encoding") == ["gzip"]
    assert first.values("accept") == ["application/json"]
    assert first.values("user-agent")[0].startswith("kubectl-netpol/")
    assert first.values("authorization") == []


def test_a_compressed_response_is_decoded(serve: Serve, pki: Pki) -> None:
    packed = gzip.compress(b'{"items": [{"metadata": {"name": "a"}}]}')
    server = serve(lambda *_: Answer(body=packed, headers=(("Content-Encoding", "gzip"),)))
    assert api_for(server.url, pki).list(PODS) == [pod("a")]


def test_a_path_below_the_servers_own_and_a_query(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: Answer(body={"kind": "Pod"}))
    api = api_for(f"{server.url}/k8s/clusters/c-1", pki)
    assert api.get("/api/v1/pods/a", [("labelSelector", "a in (b,c)")]) == {"kind": "Pod"}
    assert server.requests[0].target == "/k8s/clusters/c-1/api/v1/pods/a?labelSelector=a+in+%28b%2Cc%29"


def test_a_patch_is_sent_as_json(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: Answer(201, {"done": True}))
    api = api_for(server.url, pki)
    assert api.patch(f"{PODS}/a/ephemeralcontainers", {"x": "é"}, "application/strategic-merge-patch+json") == {
        "done": True
    }
    (patch,) = server.requests
    assert (patch.method, patch.body) == ("PATCH", b'{"x": "\\u00e9"}')
    assert patch.values("content-type") == ["application/strategic-merge-patch+json"]


def test_the_clock_of_the_server_advances(serve: Serve, pki: Pki) -> None:
    date = formatdate(1_000_000_000, usegmt=True)
    api = api_for(serve(lambda *_: Answer(body={}, headers=(("Date", date),))).url, pki)
    assert api.now() is None
    api.get("/version")
    first = api.now()
    assert first is not None
    assert 1_000_000_000 <= first < 1_000_000_010
    time.sleep(0.01)
    assert (api.now() or 0) > first


def test_an_empty_date_is_no_clock(serve: Serve, pki: Pki) -> None:
    api = api_for(serve(lambda *_: Answer(body={}, headers=(("Date", ""),))).url, pki)
    api.get("/version")
    assert api.now() is None


@pytest.mark.parametrize("date", ["yesterday", "Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 99 Jan 2026"])
def test_a_date_that_is_none_is_an_error(serve: Serve, pki: Pki, date: str) -> None:
    api = api_for(serve(lambda *_: Answer(body={}, headers=(("Date", date),))).url, pki)
    with pytest.raises(ClusterError, match=f'the server responded with a Date that is none: "{date}"'):
        api.get("/version")


BUSY = Answer(429, {"message": "storage is (re)initializing"}, (("Retry-After", "0"),))


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        pytest.param([listing("a")], 1, id="an answer at once"),
        pytest.param([BUSY, BUSY, listing("a")], 3, id="an answer when the server is ready"),
    ],
)
def test_a_list_is_asked_for_again_when_the_server_says_so(
    serve: Serve, pki: Pki, answers: list[Answer], asked: int
) -> None:
    server = serve(lambda *_: answers.pop(0))
    assert api_for(server.url, pki).list(PODS) == [pod("a")]
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        pytest.param(BUSY, 5, id="not for ever"),
        pytest.param(BUSY._replace(headers=()), 1, id="not if it does not say when"),
        pytest.param(BUSY._replace(headers=(("Retry-After", "6"),)), 1, id="not if it wants to wait long"),
        pytest.param(BUSY._replace(headers=(("Retry-After", "Fri, 31 Dec 1999"),)), 1, id="not by a date"),
        pytest.param(BUSY._replace(status=503), 1, id="not after another error"),
    ],
)
def test_a_list_is_not_asked_for_again(serve: Serve, pki: Pki, answer: Answer, asked: int) -> None:
    server = serve(lambda *_: answer)
    with pytest.raises(ClusterError, match=r"storage is \(re\)initializing"):
        api_for(server.url, pki).list(PODS)
    assert len(server.requests) == asked


def test_a_change_is_never_sent_again(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: BUSY)
    with pytest.raises(ClusterError):
        api_for(server.url, pki).patch(PODS, {}, "application/json")
    assert len(server.requests) == 1


def test_an_object_is_asked_for_in_another_form(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: Answer(body={}))
    api_for(server.url, pki).get("/apis", accept="application/json;as=Table,application/json")
    assert server.requests[0].values("accept") == ["application/json;as=Table,application/json"]


FORBIDDEN = (
    'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "shop": '
    "no RBAC policy matched"
)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(403, {"message": FORBIDDEN}), ForbiddenError, FORBIDDEN),
        (Answer(403, {"message": "an admission plugin says no"}), ForbiddenError, "an admission plugin says no"),
        (Answer(403, b"denied"), ForbiddenError, "not allowed to list pods"),
        (
            Answer(403, {"message": ["x"]}),
            ClusterError,
            "the server responded with 403, but message: expected a string, got a list",
        ),
        (Answer(403, b"[" * 100_000), ClusterError, "the server responded with 403, but the body is nested too deeply"),
        (Answer(403, b"{oops"), ClusterError, "the server responded with 403, but the body is not JSON"),
        (Answer(403, []), ForbiddenError, "not allowed to list pods"),
        (Answer(404, {"message": 'pods "a" not found'}), NotFoundError, 'pods "a" not found'),
        (Answer(404, b"404 page not found\n"), NotFoundError, "could not find the requested resource"),
        (Answer(401, {"message": "Unauthorized"}), ClusterError, "you must be logged in to the server (Unauthorized)"),
        (Answer(500, {"message": "etcdserver: leader changed"}), ClusterError, "etcdserver: leader changed"),
        (Answer(503, b"<html>"), ClusterError, "the server responded with 503 Reason"),
        (Answer(429, b""), ClusterError, "the server responded with 429 Reason"),
        (Answer(200, b"<html>log in</html>"), ClusterError, "the server responded with 200, but the body is not JSON"),
        (Answer(200, b'{"items": ['), ClusterError, "the server responded with 200, but the body is not JSON"),
        (Answer(302, b"", (("Location", "/login"),)), ClusterError, "the server responded with 302"),
        (Answer(206, {"items": []}), ClusterError, "the server responded with 206"),
        (Answer(204, b""), ClusterError, "the server responded with 204"),
        (Answer(200, {}), ClusterError, f"invalid response to {PODS}: expected a list"),
        (Answer(200, {"kind": "Pod"}), ClusterError, f'invalid response to {PODS}: kind: expected PodList, got "Pod"'),
        (
            Answer(200, {"kind": "Status", "message": "etcd is down", "items": []}),
            ClusterError,
            f'invalid response to {PODS}: kind: expected PodList, got "Status"',
        ),
        (Answer(200, {"kind": "ServiceList", "items": []}), ClusterError, "kind: expected PodList"),
        (Answer(200, ["a"]), ClusterError, f"invalid response to {PODS}: expected an object, got a list"),
    ],
    ids=lambda value: f"{value.status} {value.body!r:.30}" if isinstance(value, Answer) else "",
)
def test_an_invalid_response(serve: Serve, pki: Pki, answer: Answer, error: type[ClusterError], message: str) -> None:
    server = serve(lambda *_: answer)
    with pytest.raises(error) as caught:
        api_for(server.url, pki).list(PODS)
    assert type(caught.value) is error
    assert message in caught.value.message
    assert len(server.requests) == 1  # nothing is retried
    if type(caught.value) is ClusterError:
        assert server.url in (caught.value.hint or "")
    if isinstance(caught.value, ForbiddenError):
        assert (caught.value.verb, caught.value.resource) == ("list", "pods")
        assert caught.value.namespace == "shop"


def test_an_empty_list_may_be_null(serve: Serve, pki: Pki) -> None:
    assert api_for(serve(lambda *_: Answer(body={"items": None})).url, pki).list(PODS) == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", Attributes("list", "pods", None)),
        ("GET", "/api/v1/namespaces/shop/pods", Attributes("list", "pods", "shop")),
        ("GET", "/api/v1/namespaces/shop/pods/web", Attributes("get", "pods", "shop")),
        ("POST", "/api/v1/namespaces/shop/pods/web/exec", Attributes("create", "pods/exec", "shop")),
        (
            "PATCH",
            "/api/v1/namespaces/shop/pods/web/ephemeralcontainers",
            Attributes("patch", "pods/ephemeralcontainers", "shop"),
        ),
        ("GET", "/api/v1/namespaces", Attributes("list", "namespaces", None)),
        ("GET", "/api/v1/namespaces/shop", Attributes("get", "namespaces", "shop")),
        ("GET", "/api/v1/nodes/n1", Attributes("get", "nodes", None)),
        ("GET", "/apis/networking.k8s.io/v1/networkpolicies", Attributes("list", "networkpolicies", None)),
        (
            "GET",
            "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
            Attributes("list", "networkpolicies", "shop"),
        ),
        ("GET", "/version", Attributes("get", "/version", None)),
        ("GET", "/apis/apps/v1", Attributes("get", "/apis/apps/v1", None)),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments/web", Attributes("get", "deployments", "shop")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_rbac_decides_on(method: str, path: str, expected: Attributes) -> None:
    assert rbac_attributes(method, path) == expected


# Unreachable servers.


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_refused_connection(pki: Pki) -> None:
    port = closed_port()
    with pytest.raises(ClusterError) as caught:
        api_for(f"https://127.0.0.1:{port}", pki).list(PODS)
    assert caught.value.message == (
        f"the connection to the server 127.0.0.1:{port} was refused - did you specify the right host or port?"
    )
    assert caught.value.hint == f"the server is https://127.0.0.1:{port}"


def test_an_unknown_host(pki: Pki) -> None:
    with pytest.raises(ClusterError, match=r"unable to connect to the server: lookup nowhere\.invalid:6443: "):
        api_for("https://nowhere.invalid:6443", pki).list(PODS)


def test_an_unreachable_network(pki: Pki) -> None:
    with pytest.raises(ClusterError, match=r"unable to connect to the server: [A-Z][a-z ]+$"):
        api_for("https://255.255.255.255:6443", pki).list(PODS)


def test_plain_http_where_tls_is_expected(pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def complain() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(1)
                sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                sock.recv(65536)

        thread = threading.Thread(target=complain)
        thread.start()
        with pytest.raises(ClusterError, match="http: server gave HTTP response to HTTPS client"):
            api_for(f"https://127.0.0.1:{listener.getsockname()[1]}", pki).list(PODS)
        thread.join()


@pytest.mark.parametrize(
    ("pair", "trusted", "message"),
    [
        ("server", False, "failed to verify certificate: "),
        ("misnamed", True, "is not valid for '127.0.0.1'"),
    ],
    ids=["an unknown authority", "another name"],
)
def test_a_certificate_that_does_not_verify(serve: Serve, pki: Pki, pair: str, *, trusted: bool, message: str) -> None:
    server = serve(lambda *_: listing(), pair=pair)
    configuration = Configuration(host=server.url)
    configuration.proxy = None
    anchors = (pki.ca if trusted else pki.pair("alice")[0]).read_bytes()
    context = tls_context(anchors, None, verify=True, user="u")
    with pytest.raises(ClusterError, match="unable to connect to the server: tls: ") as caught:
        Api(Access(configuration, (), "shop", None, context)).list(PODS)
    assert message in caught.value.message
    assert server.requests == []


def test_a_server_that_requires_a_client_certificate(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: listing(), demanding=True)
    with pytest.raises(ClusterError, match=r"tls: tlsv13 alert certificate required|closed|reset|aborted"):
        api_for(server.url, pki).list(PODS)


def test_without_verification_any_certificate_is_accepted_without_a_warning(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: listing("a"), pair="misnamed")
    assert api_for(server.url, pki, verify=False).list(PODS) == [pod("a")]


@pytest.mark.parametrize("stage", ["before TLS", "before the answer", "within the answer"])
def test_a_server_that_stops_is_bounded_by_the_request_timeout(serve: Serve, pki: Pki, stage: str) -> None:
    box: list[FakeServer] = []

    def silent(_: Request, stream: Any) -> None:
        if stage == "within the answer":
            stream.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items"')
        box[0].wait_closing(30)

    box.append(serve(silent, hang=stage == "before TLS"))
    began = time.monotonic()
    with pytest.raises(ClusterError, match=r"no response within 0\.4 s"):
        api_for(box[0].url, pki, timeout=0.4).list(PODS)
    assert time.monotonic() - began < 10
    assert box[0].connections == 1


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), id="a byte now and then"
        ),
        pytest.param((b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="status 100 for ever"),
        pytest.param((b"HTTP/1.1 200 OK\r\n", b"a"), id="a header without an end"),
        pytest.param((b"HTTP/1.1 403 Forbidden\r\n\r\n", b"x"), id="the body of an error"),
    ],
)
def test_a_call_ends_at_its_deadline_whatever_comes(serve: Serve, pki: Pki, script: tuple[bytes, bytes]) -> None:
    def dribble(_: Request, stream: Any) -> None:
        stream.sendall(script[0])
        while True:
            stream.sendall(script[1])
            time.sleep(0.02)

    began = time.monotonic()
    with pytest.raises(ClusterError, match=r"no response within 0\.5 s"):
        api_for(serve(dribble).url, pki, timeout=0.5).list(PODS)
    assert time.monotonic() - began < 5


def test_a_handshake_that_is_never_answered_says_how_long_it_was_waited_for(
    serve: Serve, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CONNECT_SECONDS", 0.3)
    with pytest.raises(ClusterError, match=r"no response within 0\.3 s"):
        api_for(serve(lambda *_: None, hang=True).url, pki).list(PODS)


def test_a_name_server_that_does_not_answer_is_waited_for_to_the_deadline(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: over.wait(20) and [])
    with pytest.raises(ClusterError, match=r"no response within 0\.3 s"):
        api_for("https://api.test:6443", pki, timeout=0.3).get(PODS)
    over.set()


def test_a_connection_that_is_there_too_late_is_closed(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    ready, made = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = api_for(f"http://127.0.0.1:{listener.getsockname()[1]}", pki, timeout=0.2)
        connected = api._connected  # noqa: SLF001 - it is to be slow

        def slow(seconds: float) -> Any:
            ready.wait(20)
            made.append(connected(seconds))
            return made[0]

        monkeypatch.setattr(api, "_connected", slow)
        with pytest.raises(ClusterError, match=r"no response within 0\.2 s"):
            api.get(PODS)
        ready.set()
        with listener.accept()[0] as other:
            assert other.recv(1) == b""
    assert made[0].sock is None


def test_a_retry_is_within_the_deadline(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: BUSY._replace(headers=(("Retry-After", "5"),)))
    began = time.monotonic()
    with pytest.raises(ClusterError, match=r"storage is \(re\)initializing"):
        api_for(server.url, pki, timeout=2).list(PODS)
    assert time.monotonic() - began < 2
    assert len(server.requests) == 1


def test_a_response_that_unfolds_is_left(serve: Serve, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 4 << 20)
    packed = gzip.compress(b" " * (64 << 20))
    server = serve(lambda *_: Answer(body=packed, headers=(("Content-Encoding", "gzip"),)))
    with pytest.raises(ClusterError, match="the server sent more than 4 MiB in one response"):
        api_for(server.url, pki).list(PODS)


# Lists in pages.


def page(token: str | None, *names: str) -> Answer:
    return Answer(body={"metadata": {"continue": token} if token else {}, "items": [pod(name) for name in names]})


GONE = Answer(410, {"message": "The provided continue parameter is too old"})


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        pytest.param([page("x", "a", "b"), page("y/z", "c"), page(None, "d")], ["", "x", "y/z"], id="to the end"),
        pytest.param(
            [page("x", "q"), GONE, page("z", "a", "b", "c"), page("", "d")], ["", "x", "", "z"], id="once more"
        ),
        pytest.param(
            [page("x", "a", "b"), page("y"), page("z"), page(None, "c", "d")],
            ["", "x", "y", "z"],
            id="pages of nothing in between",
        ),
    ],
)
def test_a_list_is_read_in_pages(serve: Serve, pki: Pki, answers: list[Answer], asked: list[str]) -> None:
    server = serve(lambda *_: answers.pop(0))
    assert api_for(server.url, pki).list(PODS, lambda item: item["metadata"]["name"]) == ["a", "b", "c", "d"]
    assert [dict(parse_qsl(urlsplit(one.target).query)).get("continue", "") for one in server.requests] == asked
    assert {dict(parse_qsl(urlsplit(one.target).query))["limit"] for one in server.requests} == {"500"}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        pytest.param(
            [page("x", "a"), GONE] * 2, "could not be read to its end: The provided continue", id="too old twice"
        ),
        pytest.param([page("x", "a"), page("x", "b")], "the list does not end", id="the same page for ever"),
        pytest.param([page("x", "a"), page("y", "b"), page("x", "c")], "the list does not end", id="pages in a circle"),
        pytest.param(
            [Answer(body={"metadata": {"remainingItemCount": 7}, "items": []})],
            "metadata.continue: is missing, and there are more items",
            id="more items and no way to them",
        ),
        pytest.param([page("x", "a"), Answer(500, {"message": "no"})], "no", id="an error in between"),
        pytest.param(
            [Answer(body={"metadata": {"continue": 3}, "items": []})], "metadata.continue: expected", id="a number"
        ),
        pytest.param(
            [Answer(body={"metadata": [], "items": []})], "metadata: expected an object", id="metadata of a list"
        ),
        pytest.param([Answer(body={"items": "abc"})], 'items: expected a list, got "abc"', id="text for items"),
        pytest.param(
            [Answer(body={"items": [[]]})], r"items\[0\]: expected an object, got a list", id="a list as an item"
        ),
        pytest.param([Answer(body=b"[" * 100_000)], "the body is nested too deeply", id="nested deeply"),
    ],
)
def test_a_list_that_is_not_complete_is_an_error(serve: Serve, pki: Pki, answers: list[Answer], message: str) -> None:
    server = serve(lambda *_: answers.pop(0))
    with pytest.raises(ClusterError, match=message):
        api_for(server.url, pki).list(PODS)
    assert not answers


def test_a_list_with_a_new_page_for_ever_ends(serve: Serve, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_netpol.cluster.api._MOST_PAGES", 5)
    numbers = iter(range(100))
    with pytest.raises(ClusterError, match="the list does not end"):
        api_for(serve(lambda *_: page(f"t{next(numbers)}", "a")).url, pki).list(PODS)
    assert next(numbers) == 5


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("/apis/networking.k8s.io/v1/networkpolicies", "NetworkPolicyList", id="a built-in kind"),
        pytest.param("/api/v1/pods", "PartialObjectMetadataList", id="metadata alone"),
        pytest.param(
            "/apis/cilium.io/v2/ciliumnetworkpolicies", "AnyList", id="a custom kind, whose list has any name"
        ),
    ],
)
def test_the_kind_of_a_list(path: str, kind: str, serve: Serve, pki: Pki) -> None:
    assert api_for(serve(lambda *_: Answer(body={"kind": kind, "items": []})).url, pki).list(path) == []


def test_an_item_of_another_form_is_named_by_its_place(serve: Serve, pki: Pki) -> None:
    def refuse(item: dict[str, Any]) -> None:
        if item["metadata"]["name"] == "b":
            raise BadField("metadata.name", "is bad")

    with pytest.raises(ClusterError, match=rf"invalid response to {PODS}: items\[1\]\.metadata\.name: is bad"):
        api_for(serve(lambda *_: listing("a", "b")).url, pki).list(PODS, refuse)


def test_a_truncated_response_is_an_error(serve: Serve, pki: Pki) -> None:
    def cut(_: Request, stream: Any) -> None:
        stream.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items": []}')

    with pytest.raises(ClusterError, match="unable to connect to the server"):
        api_for(serve(cut).url, pki).list(PODS)


def test_connections_that_were_prepared_are_the_ones_that_are_dialled_and_called(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: listing("a"))
    api = api_for(server.url, pki)
    api.prepare()
    assert api.get(PODS) == listing("a").body
    api.dial(10).close()
    api.dial(10).close()
    api.dial(10).close()
    assert server.connections == 4
    assert api.get(PODS) == listing("a").body
    assert server.connections == 4
    api.dial(10).close()
    assert server.connections == 5


def test_a_connection_that_could_not_be_prepared_is_no_error_before_it_is_dialled(pki: Pki) -> None:
    api = api_for(f"https://127.0.0.1:{closed_port()}", pki)
    api.prepare()
    with pytest.raises(ClusterError, match="was refused"):
        api.dial(10)
    with pytest.raises(ClusterError, match="was refused"):
        api.get(PODS)


def test_a_prepared_connection_is_waited_for_no_longer_than_a_new_one(pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = api_for(f"https://127.0.0.1:{listener.getsockname()[1]}", pki)
        api.prepare()
        with pytest.raises(ClusterError, match=r"no response within 0\.2 s"):
            api.dial(0.2)


def test_a_prepared_connection_that_the_server_has_closed_is_not_used(pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = api_for(f"http://127.0.0.1:{listener.getsockname()[1]}", pki)
        api.prepare()
        for _ in range(4):
            listener.accept()[0].close()
        first = api.dial(10)
        second, _ = listener.accept()
        assert first.getsockname() == second.getpeername()
        first.close()
        second.close()


def test_a_list_that_was_begun_ahead_is_asked_for_once(serve: Serve, pki: Pki) -> None:
    first = Answer(body={"kind": "PodList", "metadata": {"continue": "next"}, "items": [pod("a")]})
    server = serve(lambda request, _: listing("b") if "continue=" in request.target else first)
    api = api_for(server.url, pki)
    api.read_ahead([PODS])
    assert api.list(PODS) == [pod("a"), pod("b")]
    assert len(server.requests) == 2
    assert api.list(PODS) == [pod("a"), pod("b")]
    assert len(server.requests) == 4


def test_a_list_that_was_begun_ahead_is_for_none_of_another_form(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: listing("a"))
    api = api_for(server.url, pki)
    api.read_ahead([PODS])
    api.list(PODS, query=[("labelSelector", "app=web")])
    api.list(PODS)
    assert len(server.requests) == 2


def test_an_error_of_a_list_that_was_begun_ahead_is_the_error_of_the_list(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: Answer(403, {"message": FORBIDDEN}))
    api = api_for(server.url, pki)
    api.read_ahead([PODS])
    with pytest.raises(ForbiddenError, match=FORBIDDEN):
        api.list(PODS)
    assert len(server.requests) == 1


# Several lists at once.


def test_gather_returns_what_is_forbidden_or_not_found_as_errors(serve: Serve, pki: Pki) -> None:
    def answer(request: Request, _: Any) -> Answer:
        kind = request.target.partition("?")[0].rpartition("/")[2]
        special = {"secret": Answer(403, {"message": FORBIDDEN}), "gone": Answer(404, {"message": "no such thing"})}
        return special.get(kind, Answer(body={"items": [pod(kind)]}))

    paths = {kind: f"/api/v1/{kind}" for kind in ("pods", "secret", "services", "gone")}
    results = api_for(serve(answer).url, pki).gather(paths)
    assert results["pods"] == [pod("pods")]
    assert results["services"] == [pod("services")]
    assert isinstance(results["secret"], ForbiddenError)
    assert isinstance(results["gone"], NotFoundError)
    assert set(results) == set(paths)


def test_gather_uses_at_most_eight_connections_concurrently(serve: Serve, pki: Pki) -> None:
    together = threading.Barrier(8, timeout=20)

    def answer(*_: Any) -> Answer:
        together.wait()
        return listing("a")

    server = serve(answer)
    results = api_for(server.url, pki).gather({n: f"/api/v1/kind{n}" for n in range(16)})
    assert results == {n: [pod("a")] for n in range(16)}
    assert server.connections == 8


def test_gather_of_nothing(pki: Pki) -> None:
    assert api_for("https://127.0.0.1:1", pki).gather({}) == {}


def test_gather_raises_if_the_server_is_unreachable(pki: Pki) -> None:
    with pytest.raises(ClusterError, match="was refused"):
        api_for(f"https://127.0.0.1:{closed_port()}", pki).gather({"a": "/api/v1/pods", "b": "/api/v1/services"})


def test_gather_raises_other_errors(serve: Serve, pki: Pki) -> None:
    server = serve(lambda *_: Answer(500, {"message": "etcd is down"}))
    with pytest.raises(ClusterError, match="etcd is down"):
        api_for(server.url, pki).gather({"a": "/api/v1/pods"})


@pytest.mark.parametrize(
    "call",
    [lambda api: api.list(PODS), lambda api: api.gather({"a": PODS, "b": "/api/v1/services"})],
    ids=["list", "gather"],
)
def test_an_interrupt_ends_a_call_at_once(serve: Serve, pki: Pki, call: Callable[[Api], Any]) -> None:
    box: list[FakeServer] = []

    def silent(*_: Any) -> None:
        box[0].wait_closing(30)

    box.append(serve(silent))
    api = api_for(box[0].url, pki)
    began = time.monotonic()

    def interrupt() -> None:
        while not box[0].requests:
            box[0].wait_closing(0.02)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        call(api)
    thread.join()
    assert time.monotonic() - began < 10
