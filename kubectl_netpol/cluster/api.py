"""HTTP calls to the API server with raw JSON, and errors with kubectl's messages."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import re
import time
import warnings
import weakref
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit

import urllib3

from kubectl_netpol import __version__
from kubectl_netpol.cluster.connecting import Prepared, causes, pool, reason, shut_after
from kubectl_netpol.cluster.decode import MOST_BYTES, BadJsonError, as_object, decode, shapes
from kubectl_netpol.cluster.pages import page_of
from kubectl_netpol.cluster.timed import Timed
from kubectl_netpol.concurrency import THREADS, map_concurrently, next_of, start
from kubectl_netpol.errors import ClusterError, ExpiredError, ForbiddenError, NotFoundError
from kubectl_netpol.fields import BadField, each, optional_text, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kubectl_netpol.cluster.kubeconfig import Access

K = TypeVar("K")
Items: TypeAlias = "list[Any]"
Query: TypeAlias = "Sequence[tuple[str, str]]"
JSON = "application/json"
PAGE = 500  # what kubectl asks for at once
_CONNECT_SECONDS = 10.0  # Go's limit for a TLS handshake
_CALL_SECONDS = 75.0  # the API server itself gives up a request after 60
_PIECE_BYTES = 1 << 16
_MOST_BYTES_OF_AN_ERROR = 1 << 20
_LONGEST_MESSAGE = 2000
_TRIES = 5
_FEW, _NEAR_SECONDS = 3, 0.02  # a server that is near answers before another connection is made
_AHEAD = 1 + _FEW  # for a stream, and for calls
_MOST_PAGES = 4000  # two million objects
_DONE = (200, 201)
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE, _TOO_MANY, _ERROR = 401, 403, 404, 410, 429, 400
_BROKEN = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError)


class Attributes(NamedTuple):
    """What RBAC decides on: `resource` with its subresource ("pods/exec"), `namespace` None at the cluster scope."""

    verb: str
    resource: str
    namespace: str | None


class Api:
    """A client of one API server, safe to use from several threads.

    A failed call raises ForbiddenError, NotFoundError or another ClusterError. A call has one deadline, from the first
    byte sent to the last one read. Nothing is retried but a GET that the server asks to send again (429 with
    Retry-After), as it does while it opens the storage of a new kind.
    """

    def __init__(self, access: Access) -> None:
        configuration = access.configuration
        self.namespace: str = access.namespace
        self.server: str = configuration.host
        self._proxy: str | None = configuration.proxy
        self._prefix = urlsplit(self.server).path
        self._secure = access.tls is not None
        self._call_seconds = access.request_timeout or _CALL_SECONDS
        self._idle: Items = []
        self._ahead: dict[str, queue.SimpleQueue[dict[str, Any] | Exception]] = {}
        self._prepared = Prepared()
        weakref.finalize(self, _close, self._idle)
        weakref.finalize(self, self._prepared.close)
        self._date: tuple[float, float] | None = None
        self._headers: tuple[tuple[str, str], ...] = (
            ("User-Agent", f"kubectl-netpol/{__version__}"),
            *(("Authorization", value) for value in configuration.api_key.values()),
            *access.headers,
        )
        if access.tls and not configuration.verify_ssl:
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        self._pool = pool(access)
        self._near = False

    def get(self, path: str, query: Query = (), *, accept: str = JSON) -> dict[str, Any]:
        """The object at `path`, such as "/api/v1/namespaces/shop/pods/web"; `accept`: in which form, as JSON."""
        answer = self._request("GET", path, query=query, accept=accept)
        with shapes(f"response to {path}", self._hint()):
            return as_object(answer)

    def list(
        self,
        path: str,
        read: Callable[[dict[str, Any]], Any] | None = None,
        *,
        query: Query = (),
        accept: str = JSON,
    ) -> Items:
        """The items of the list at `path`, which have no kind and apiVersion; of each what `read` makes of it.

        One consistent read, in pages. It begins once more if it takes so long that the server has forgotten where.
        """
        try:
            return self._list(path, read, query, accept)
        except ExpiredError:
            try:
                return self._list(path, read, query, accept)
            except ExpiredError as error:
                hint = "the server forgets a list after some minutes: try again, or choose one namespace"
                raise ClusterError(f"the list {path} could not be read to its end: {error.message}", hint) from None

    def _list(
        self,
        path: str,
        read: Callable[[dict[str, Any]], Any] | None,
        query: Query,
        accept: str,
    ) -> Items:
        found: Items = []
        tokens: set[str | None] = {None}
        more: Query = []
        while True:
            plain = not query and accept == JSON and not more
            answer = self._begun(path) if plain else None
            answer = answer or self.get(path, [*query, ("limit", str(PAGE)), *more], accept=accept)
            with shapes(f"response to {path}", self._hint()):
                items, token = page_of(answer, path)
                found += each(items, "items", read) if read else items
            if not token:
                return found
            if token in tokens or len(tokens) == _MOST_PAGES:
                raise ClusterError(f"invalid response to {path}: the list does not end", self._hint())
            tokens.add(token)
            more = [("continue", token)]

    def read_ahead(self, paths: Iterable[str]) -> None:
        """Begin to read these lists, each for the next `list` of it, while the caller does something else."""
        for path in paths:
            found: queue.SimpleQueue[dict[str, Any] | Exception] = queue.SimpleQueue()
            if start(partial(self._read_into, found, path)):
                self._ahead[path] = found

    def _read_into(self, found: queue.SimpleQueue[dict[str, Any] | Exception], path: str) -> None:
        try:
            found.put(self.get(path, [("limit", str(PAGE))]))
        except Exception as error:  # noqa: BLE001 - raised again by the next list
            found.put(error)

    def _begun(self, path: str) -> dict[str, Any] | None:
        """The first page of a list that was begun ahead."""
        found = self._ahead.pop(path, None)
        answer = next_of(found) if found else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def gather(
        self, paths: Mapping[K, str], read: Callable[[K, dict[str, Any]], Any] | None = None
    ) -> dict[K, Any | ClusterError]:
        """List several paths concurrently; the value of one that is forbidden or not found is that error.

        Of each item what `read` makes of it, given the key of its list.
        """

        def one(key: K) -> Items | ClusterError:
            try:
                return self.list(paths[key], partial(read, key) if read else None)
            except (ForbiddenError, NotFoundError) as error:
                return error

        at_once = _FEW if self._near else THREADS
        return dict(zip(paths, map_concurrently(one, list(paths), at_once=at_once), strict=True))

    def patch(self, path: str, body: Any, content_type: str) -> Any:
        """Patch the object at `path`; `content_type` such as "application/strategic-merge-patch+json"."""
        return self._request("PATCH", path, body=body, content_type=content_type)

    def now(self) -> float | None:
        """The server's clock in whole seconds since the epoch, plus the time passed; None before the first response."""
        if self._date is None:
            return None
        date, received = self._date
        return date + time.monotonic() - received

    def prepare(self) -> None:
        """Begin to connect for the next `dial` and some calls, while the caller does something else."""
        self._prepared.begin(_AHEAD, lambda: self._connected(_CONNECT_SECONDS))

    # For streams, which use websockets with the same TLS, proxy and identity.

    def dial(self, seconds: float) -> Any:
        """A connected socket, through proxy and TLS; the caller closes it."""
        return self._new(seconds).sock

    def _new(self, seconds: float) -> Any:
        """A connection of nobody yet: a prepared one, or one that is made now."""
        own = Prepared()
        try:
            if connection := self._prepared.take(seconds):
                return connection
            own.begin(1, lambda: self._connected(seconds))
            return own.take(seconds) or self._connected(seconds)
        except TimeoutError as error:
            raise self._connection_error(error, seconds) from None
        finally:
            own.close()

    def _connected(self, seconds: float) -> Any:
        connection = self._pool._new_conn()  # noqa: SLF001 # the public way to a bare connection would be a second set of TLS and proxy settings
        began = time.monotonic()
        until = began + seconds
        try:
            if seconds <= 0:
                raise TimeoutError
            connection.timeout = seconds
            with shut_after(seconds, connection) if self._proxy else contextlib.nullcontext():
                if self._proxy and self._secure:
                    self._pool._prepare_proxy(connection)  # noqa: SLF001 # the same
                if connection.sock is None:
                    connection.connect()
        except _BROKEN as error:
            connection.close()
            late = time.monotonic() >= until
            raise self._connection_error(TimeoutError() if late else error, seconds) from error
        self._near = time.monotonic() - began < _NEAR_SECONDS
        return connection

    def target(self, path: str, query: Query = ()) -> str:
        """The target of a request line: `path` below the server's own path, with the query."""
        return f"{self._prefix}{path}{'?' if query else ''}{urlencode(query)}"

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that identify the user; a name may occur several times."""
        return self._headers

    def status_error(self, status: int, reason: str, body: bytes, attributes: Attributes) -> ClusterError:
        """The error for a response of 400 and above, with the server's own message if there is one."""
        message = None
        try:
            answer = decode(body)
            if isinstance(answer, dict):
                message = optional_text(answer.get("message"), "message")
        except BadJsonError as error:
            if body.lstrip()[:1] in (b"{", b"["):  # a proxy's own words are no JSON
                return ClusterError(f"the server responded with {status}, but the body is {error}", self._hint())
        except BadField as error:
            return ClusterError(f"the server responded with {status}, but {error}", self._hint())
        message = message[:_LONGEST_MESSAGE] if message else None
        if status == _UNAUTHORIZED:
            hint = f"check that the credentials of this context are still valid for {self.server}"
            return ClusterError("you must be logged in to the server (Unauthorized)", hint)
        if status == _FORBIDDEN:
            if verb := re.search(r"cannot (\w+) resource", message or ""):
                attributes = attributes._replace(verb=verb.group(1))
            message = message or f"not allowed to {attributes.verb} {attributes.resource}"
            return ForbiddenError(message, **attributes._asdict())
        if status == _NOT_FOUND:
            return NotFoundError(message or f"the server {self.server} could not find the requested resource")
        if status == _GONE:
            return ExpiredError(message or "the server no longer knows it (410)", self._hint())
        return ClusterError(message or f"the server responded with {status} {reason}".rstrip(), self._hint())

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Any:
        # http.client writes Latin-1; header values are UTF-8, as kubectl sends them.
        headers = urllib3.HTTPHeaderDict((name, value.encode().decode("latin-1")) for name, value in self._headers)
        headers.extend({"Accept": accept, "Accept-Encoding": "gzip"})
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body).encode()
        url = self.target(path, query)
        if self._proxy and not self._secure:
            url = f"http://{urlsplit(self.server).netloc}{url}"
        until = time.monotonic() + self._call_seconds
        for left in reversed(range(_TRIES)):
            response, content = self._exchange(method, url, headers, data, until)
            pause = response.headers.get("Retry-After", "") if response.status == _TOO_MANY else ""
            again = method == "GET" and left and re.fullmatch("[0-5]", pause)
            if not again or time.monotonic() + int(pause) > until:
                break
            time.sleep(int(pause))
        self._set_clock(response.headers.get("Date"))
        if response.status not in _DONE:
            attributes = rbac_attributes(method, path)
            raise self.status_error(response.status, response.reason or "", content, attributes)
        try:
            return decode(content)
        except BadJsonError as error:
            message = f"the server responded with {response.status}, but the body is {error}"
            raise ClusterError(message, self._hint()) from error

    def _exchange(self, method: str, url: str, headers: Any, data: bytes | None, until: float) -> tuple[Any, bytes]:
        """One response with its body, on a connection that is kept for the next."""
        connection = self._connection(until)
        # TLS within TLS reads from its socket again and again in one read, whose deadline begins anew each time.
        shut = shut_after(until - time.monotonic(), connection) if self._proxy else contextlib.nullcontext()
        try:
            with shut:
                connection.request(method, url, body=data, headers=headers, preload_content=False)
                response = connection.getresponse()
                content = self._content(response)
        except _BROKEN as error:
            connection.close()
            late = time.monotonic() >= until
            raise self._connection_error(TimeoutError() if late else error, self._call_seconds) from error
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # it is closed where the server wants that
            self._idle.append(connection)
        return response, content

    def _connection(self, until: float) -> Any:
        while self._idle:
            with contextlib.suppress(IndexError):  # another thread was faster
                connection = self._idle.pop()
                if connection.is_connected:
                    connection.sock.until = until
                    return connection
                connection.close()
        connection = self._new(min(until - time.monotonic(), _CONNECT_SECONDS))
        connection.sock = Timed(connection.sock, until)
        return connection

    def _content(self, response: Any) -> bytes:
        most = MOST_BYTES if response.status < _ERROR else _MOST_BYTES_OF_AN_ERROR
        pieces = []
        size = 0
        for piece in response.stream(_PIECE_BYTES, decode_content=True):
            size += len(piece)
            if size > most:
                raise ClusterError(f"the server sent more than {most >> 20} MiB in one response", self._hint())
            pieces.append(piece)
        return b"".join(pieces)

    def _set_clock(self, date: str | None) -> None:
        """The server's, by the Date of a response: how long ago a policy changed is told by it."""
        if not date:
            return
        try:
            self._date = parsedate_to_datetime(date).timestamp(), time.monotonic()
        except (ValueError, TypeError, OverflowError, IndexError):
            message = f"the server responded with a Date that is none: {shown(date[:80])}"
            raise ClusterError(message, self._hint()) from None

    def _hint(self) -> str:
        return f"the server is {self.server}" + (f", through the proxy {self._proxy}" if self._proxy else "")

    def _connection_error(self, error: BaseException, seconds: float) -> ClusterError:
        netloc = urlsplit(self.server).netloc
        chain = list(causes(error))
        if any(isinstance(cause, ConnectionRefusedError) for cause in chain):
            message = f"the connection to the server {netloc} was refused - did you specify the right host or port?"
            if self._proxy:
                message = f"unable to connect to the server: the proxy {self._proxy} refused the connection"
        else:
            message = f"unable to connect to the server: {reason(chain, netloc, seconds)}"
        return ClusterError(message, self._hint())


def _close(connections: Items) -> None:
    for connection in connections:
        connection.close()


def rbac_attributes(method: str, path: str) -> Attributes:
    """What RBAC decides on for `method` on `path`; the path itself is the resource of a non-resource URL."""
    verbs = {"GET": "get", "POST": "create", "PATCH": "patch"}
    parts = path.strip("/").split("/")
    skipped = {"api": 2, "apis": 3}.get(parts[0], len(parts))
    if len(parts) <= skipped:
        return Attributes(verbs[method], path, None)
    parts = parts[skipped:]
    namespace = parts[1] if parts[0] == "namespaces" and len(parts) > 1 else None
    if namespace and len(parts) > 2:  # noqa: PLR2004 # namespaces/NS/pods, against namespaces/NS itself
        parts = parts[2:]
    verb = "list" if method == "GET" and not parts[1:] else verbs[method]
    return Attributes(verb, "/".join([parts[0], *parts[2:]]), namespace)
