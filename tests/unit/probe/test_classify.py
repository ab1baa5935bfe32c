"""Output of real runs of the tools: on a cluster, on Debian 12 or in a namespace with iptables."""

from __future__ import annotations

import pytest

from kubectl_netpol.probe.classify import Attempt, resolves, tcp_outcome, udp_outcome
from kubectl_netpol.probe.outcome import Outcome

NCAT = "Ncat: Version 7.93 ( https://nmap.org/ncat )\n"
USAGE = "nc: invalid option -- 'n'\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.\n"

OPEN, REFUSED, TIMED_OUT, UNREACHABLE = Outcome.OPEN, Outcome.REFUSED, Outcome.TIMED_OUT, Outcome.UNREACHABLE
NO_ANSWER, UNRESOLVED = Outcome.NO_ANSWER, Outcome.UNRESOLVED

# (what happened, form, exit status, killed by the guard, seconds, output, outcome)
TCP: list[tuple[str, str, int, bool, float, str, Outcome | None]] = [
    ("busybox, open", "nc", 0, False, 0.1, "10.244.0.2 (10.244.0.2:80) open\nsent 0, rcvd 0", OPEN),
    ("busybox, open on ipv6", "nc", 0, False, 0.0, "::1 ([::1]:18080) open\nsent 0, rcvd 0", OPEN),
    (
        "busybox, nothing listens",
        "nc",
        1,
        False,
        0.1,
        "nc: 10.244.0.12 (10.244.0.12:80): Connection refused\nsent 0, rcvd 0",
        REFUSED,
    ),
    (
        "busybox, rejected after a second",
        "nc",
        1,
        False,
        1.1,
        "nc: 10.244.0.11 (10.244.0.11:8080): Connection refused\nsent 0, rcvd 0",
        REFUSED,
    ),
    (
        "busybox, dropped",
        "nc",
        1,
        False,
        2.1,
        "nc: 10.244.0.99 (10.244.0.99:80): Connection timed out\nsent 0, rcvd 0",
        TIMED_OUT,
    ),
    (
        "busybox, administratively prohibited",
        "nc",
        1,
        False,
        1.0,
        "nc: 127.0.0.1 (127.0.0.1:18086): No route to host\nsent 0, rcvd 0",
        UNREACHABLE,
    ),
    (
        "busybox, no ipv6 in the pod",
        "nc",
        1,
        False,
        0.0,
        "nc: fd00::9 ([fd00::9]:80): Network is unreachable\nsent 0, rcvd 0",
        UNREACHABLE,
    ),
    ("busybox -zv is silent on a refused connection", "nc", 1, False, 0.1, "", None),
    ("debian's busybox does not know -n, -z and -v", "nc", 1, False, 0.0, USAGE, None),
    ("debian's busybox -e, open", "nc-e", 0, False, 0.0, "netpol: connected", OPEN),
    (
        "debian's busybox -e, nothing listens",
        "nc-e",
        1,
        False,
        0.0,
        "nc: can't connect to remote host (127.0.0.1): Connection refused",
        REFUSED,
    ),
    (
        "debian's busybox -e, prohibited",
        "nc-e",
        1,
        False,
        1.0,
        "nc: can't connect to remote host (127.0.0.1): No route to host",
        UNREACHABLE,
    ),
    ("debian's busybox -e, dropped", "nc-e", 1, False, 2.0, "nc: timed out", TIMED_OUT),
    ("openbsd, open", "nc", 0, False, 0.1, "Connection to 10.244.0.2 80 port [tcp/*] succeeded!", OPEN),
    (
        "openbsd, nothing listens or rejected",
        "nc",
        1,
        False,
        0.2,
        "nc: connect to 10.244.0.11 port 8080 (tcp) failed: Connection refused",
        REFUSED,
    ),
    (
        "openbsd, dropped",
        "nc",
        1,
        False,
        2.1,
        "nc: connect to 10.244.0.99 port 80 (tcp) timed out: Operation now in progress",
        TIMED_OUT,
    ),
    (
        "openbsd, prohibited",
        *(
            "nc",
            1,
            False,
            0.0,
            "nc.openbsd: connect to 127.0.0.1 port 8086 (tcp) failed: No route to host",
            UNREACHABLE,
        ),
    ),
    ("traditional, open", "nc", 0, False, 0.1, "(UNKNOWN) [10.244.0.2] 80 (?) open\n sent 0, rcvd 0", OPEN),
    (
        "traditional, open, though it could not look the address up",
        "nc",
        0,
        False,
        0.1,
        "10.244.0.2: inverse host lookup failed: Host name lookup failure\n(UNKNOWN) [10.244.0.2] 80 (?) open",
        OPEN,
    ),
    (
        "traditional, rejected",
        "nc",
        1,
        False,
        1.1,
        "(UNKNOWN) [10.244.0.11] 8080 (?) : Connection refused\n sent 0, rcvd 0",
        REFUSED,
    ),
    (
        "traditional, dropped",
        "nc",
        1,
        False,
        2.1,
        "(UNKNOWN) [10.244.0.99] 80 (?) : Connection timed out\n sent 0, rcvd 0",
        TIMED_OUT,
    ),
    ("traditional knows no ipv6", "nc", 1, False, 0.0, "Can't parse ::1 as an IP address", None),
    ("ncat, open", "nc", 0, False, 0.1, NCAT + "Ncat: Connected to 10.244.0.2:80.\nNcat: 0 bytes sent", OPEN),
    ("ncat, nothing listens or rejected", "nc", 1, False, 0.2, NCAT + "Ncat: Connection refused.", REFUSED),
    ("ncat, dropped", "nc", 1, False, 2.1, NCAT + "Ncat: TIMEOUT.", TIMED_OUT),
    ("ncat, prohibited", "nc", 1, False, 0.2, NCAT + "Ncat: No route to host.", UNREACHABLE),
    ("ncat, killed while it was starting", "nc", 137, True, 2.6, NCAT, None),
    (
        "ncat, killed while it was connecting",
        "nc",
        137,
        True,
        2.6,
        NCAT + "libnsock nsock_connect_tcp(): TCP connection requested to 10.0.0.9:80 (IOD #1)",
        TIMED_OUT,
    ),
    ("toybox, open", "nc-q", 0, False, 1.0, "", OPEN),
    ("toybox, nothing listens", "nc-q", 1, False, 0.0, "nc: connect: Connection refused", REFUSED),
    ("toybox, dropped", "nc-q", 1, False, 2.0, "nc: Timeout", TIMED_OUT),
    ("toybox knows no -z", "nc", 1, False, 0.0, "nc: Unknown option 'zvv' (see \"nc --help\")", None),
    ("bash, open", "bash", 0, False, 0.0, "netpol: connecting\nnetpol: connected", OPEN),
    (
        "bash, nothing listens",
        "bash",
        1,
        False,
        0.0,
        "netpol: connecting\n10.0.0.9: connect: Connection refused\n10.0.0.9: line 1: /dev/tcp/",
        REFUSED,
    ),
    (
        "bash, prohibited",
        "bash",
        1,
        False,
        1.0,
        "netpol: connecting\n10.0.0.9: connect: No route to host",
        UNREACHABLE,
    ),
    ("bash, dropped", "bash", 137, True, 2.6, "netpol: connecting", TIMED_OUT),
    ("bash, killed before it began", "bash", 137, True, 2.6, "", None),
    ("python, open", "python", 0, False, 0.1, "netpol: connected", OPEN),
    ("python, nothing listens", "python", 0, False, 0.1, "[Errno 111] Connection refused", REFUSED),
    ("python, dropped", "python", 0, False, 2.1, "timed out", TIMED_OUT),
    ("python, prohibited", "python", 0, False, 0.1, "[Errno 113] No route to host", UNREACHABLE),
    (
        "python, ipv6 switched off",
        "python",
        0,
        False,
        0.1,
        "[Errno 99] Cannot assign requested address",
        UNREACHABLE,
    ),
    ("perl, dropped", "perl", 0, False, 2.0, "Connection timed out Connection timed out", TIMED_OUT),
    (
        "curl, open",
        "curl",
        49,
        False,
        0.0,
        "*   Trying 10.0.0.9:80...\n* Connected to 10.0.0.9 (10.0.0.9) port 80",
        OPEN,
    ),
    (
        "curl, nothing listens",
        "curl",
        7,
        False,
        0.0,
        "*   Trying 10.0.0.9:80...\n* connect to 10.0.0.9 port 80 failed: Connection refused",
        REFUSED,
    ),
    ("curl that only says it failed", "curl", 7, False, 0.0, "curl: (7) Couldn't connect to server", None),
    ("curl, dropped", "curl", 28, False, 2.0, "* Connection timed out after 2000 milliseconds", TIMED_OUT),
    ("no such tool", "nc", 127, False, 0.0, "sh: 1: nc: not found", None),
    ("no right to run it", "nc", 126, False, 0.0, "sh: 1: nc: Permission denied", None),
    ("output in another language", "nc", 1, False, 0.0, "nc: Verbindungsaufbau abgelehnt", None),
    ("no right to a socket", "nc", 1, False, 0.0, "nc: socket(AF_INET,1,0): Operation not permitted", None),
    ("exit status 0 and no output", "nc", 0, False, 0.0, "", None),
]


def attempts(rows: list[tuple[str, str, int, bool, float, str, Outcome | None]]) -> list[object]:
    return [
        pytest.param(Attempt(form, form, code, killed, seconds, output), outcome, id=what)
        for what, form, code, killed, seconds, output, outcome in rows
    ]


@pytest.mark.parametrize(("attempt", "outcome"), attempts(TCP))
def test_tcp(attempt: Attempt, outcome: Outcome | None) -> None:
    assert tcp_outcome(attempt, named=False) is outcome
    assert tcp_outcome(attempt, named=True) is outcome


GET = "--2026-11-25 03:53:37--  http://10.0.0.9/\nConnecting to 10.0.0.9:80... "
SENT = "connected.\nHTTP request sent, awaiting response... "
BB_GET = "Connecting to 10.0.0.9:80 (10.0.0.9:80)\n"
CURLED = "*   Trying 10.0.0.9:80...\n* Connected to 10.0.0.9 (10.0.0.9) port 80 (#0)\n> GET / HTTP/1.1\n"

# (what happened, program, exit status, seconds, output, outcome)
HTTP: list[tuple[str, str, int, float, str, Outcome | None]] = [
    ("gnu wget, answered", "wget", 0, 0.0, GET + SENT + "200 OK", OPEN),
    ("gnu wget, another answer", "wget", 8, 0.0, GET + SENT + "404 Not Found\nERROR 404: Not Found.", OPEN),
    ("gnu wget, a gateway", "wget", 8, 0.0, GET + SENT + "503 Service Unavailable\nERROR 503", None),
    (
        "gnu wget, redirected to a port that refuses",
        "wget",
        4,
        0.0,
        GET + SENT + "302 Found\nConnection refused.",
        OPEN,
    ),
    ("gnu wget, no answer", "wget", 4, 1.0, GET + SENT + "Read error (Connection timed out) in headers.", None),
    ("gnu wget, nothing listens", "wget", 4, 0.0, GET + "failed: Connection refused.", REFUSED),
    ("gnu wget, dropped", "wget", 4, 1.0, GET + "failed: Connection timed out.", TIMED_OUT),
    ("busybox wget, answered", "wget", 0, 0.0, BB_GET + "saving to '/dev/null'\n'/dev/null' saved", OPEN),
    ("busybox wget, another answer", "wget", 1, 0.0, BB_GET + "wget: server returned error: HTTP/1.0 404 No", OPEN),
    ("busybox wget, a gateway", "wget", 1, 0.0, BB_GET + "wget: server returned error: HTTP/1.0 503 Service", None),
    (
        "busybox wget, redirected to a port that refuses",
        "wget",
        1,
        0.0,
        BB_GET + "Connecting to 10.0.0.8:80 (10.0.0.8:80)\nwget: can't connect to remote host: Connection refused",
        OPEN,
    ),
    ("busybox wget, perhaps dropped, perhaps no answer", "wget", 1, 1.0, BB_GET + "wget: download timed out", None),
    (
        "busybox wget, nothing listens",
        "wget",
        1,
        0.0,
        BB_GET + "wget: can't connect to remote host (10.0.0.9): Connection refused",
        REFUSED,
    ),
    ("curl, answered", "curl", 0, 0.0, CURLED + "< HTTP/1.0 200 OK", OPEN),
    ("curl, answered in version 2", "curl", 0, 0.0, CURLED + "< HTTP/2 401", OPEN),
    ("curl, a gateway", "curl", 0, 0.0, CURLED + "< HTTP/1.1 503 Service Unavailable", None),
    ("curl, no answer", "curl", 28, 1.0, CURLED + "* Operation timed out after 1001 milliseconds", None),
    ("curl, dropped", "curl", 28, 1.0, "*   Trying 10.0.0.9:80...\n* Connection timed out after 1001", TIMED_OUT),
    (
        "curl, nothing listens",
        "curl",
        7,
        0.0,
        "*   Trying 10.0.0.9:80...\n* connect to 10.0.0.9 port 80 failed: Connection refused",
        REFUSED,
    ),
]


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        pytest.param(Attempt("http", program, code, killed=False, seconds=seconds, output=output), outcome, id=what)
        for what, program, code, seconds, output, outcome in HTTP
    ],
)
def test_http(attempt: Attempt, outcome: Outcome | None) -> None:
    assert tcp_outcome(attempt, named=False) is outcome


UNKNOWN_NAMES: list[tuple[str, str, int, str]] = [
    ("busybox", "nc", 1, "nc: bad address 'nosuch'"),
    ("openbsd", "nc", 1, 'nc: getaddrinfo for host "nosuch" port 80: Temporary failure in name resolution'),
    ("traditional", "nc", 1, "nosuch: forward host lookup failed: Host name lookup failure : Resource temporarily"),
    ("ncat", "nc", 2, 'Ncat: Could not resolve hostname "nosuch": Temporary failure in name resolution. QUITTING.'),
    ("bash", "bash", 1, "bash: line 1: nosuch: Name or service not known\nbash: line 1: /dev/tcp/nosuch/80: Invalid"),
    ("curl", "curl", 6, "* Could not resolve host: nosuch\n* Closing connection 0"),
    ("curl, when time ran out", "curl", 28, "* Resolving timed out after 2000 milliseconds"),
    ("python", "python", 0, "[Errno -2] Name or service not known"),
    ("python on musl", "python", 0, "[Errno -2] Name does not resolve"),
]


@pytest.mark.parametrize(
    ("form", "code", "output"), [row[1:] for row in UNKNOWN_NAMES], ids=[r[0] for r in UNKNOWN_NAMES]
)
def test_a_name_that_does_not_resolve(form: str, code: int, output: str) -> None:
    attempt = Attempt(form, form, code, killed=False, seconds=0.1, output=output)
    assert tcp_outcome(attempt, named=True) is UNRESOLVED
    assert udp_outcome(attempt, named=True) is UNRESOLVED
    assert resolves(attempt, "nosuch") is False


# (what happened, form, exit status, killed by the guard, seconds, output, outcome)
UDP: list[tuple[str, str, int, bool, float, str, Outcome | None]] = [
    (
        "openbsd, open or dropped: nc says succeeded",
        "nc-zu",
        0,
        False,
        2.0,
        "Connection to 10.0.0.9 514 succeeded!",
        None,
    ),
    ("openbsd, silence to the end", "nc-openbsd", 0, False, 2.0, "", NO_ANSWER),
    ("openbsd, refused: it ends at once and says nothing", "nc-openbsd", 0, False, 0.0, "", REFUSED),
    ("openbsd, no route: it ends at once and says nothing", "nc-openbsd", 1, False, 0.0, "", None),
    ("openbsd, answered", "nc-openbsd", 0, False, 2.0, "netpol: answered", OPEN),
    (
        "openbsd, no route, asked with -v",
        "nc-zu",
        1,
        False,
        0.0,
        "nc: connect to 10.9.9.9 port 53 (udp) failed: Network is unreachable",
        UNREACHABLE,
    ),
    ("traditional, open or dropped", "nc-u", 0, False, 4.0, "(UNKNOWN) [10.0.0.9] 53 (?) open\nnet timeout", NO_ANSWER),
    ("traditional, killed by the guard", "nc-u", 137, True, 2.6, "(UNKNOWN) [10.0.0.9] 53 (?) open", NO_ANSWER),
    (
        "traditional, refused: it ends before its time",
        "nc-u",
        0,
        False,
        0.0,
        "(UNKNOWN) [127.0.0.1] 18056 (?) open\n sent 1, rcvd 0",
        REFUSED,
    ),
    (
        "traditional, no route",
        "nc-u",
        1,
        False,
        0.0,
        "(UNKNOWN) [10.9.9.9] 53 (?) : Network is unreachable\n sent 0, rcvd 0",
        UNREACHABLE,
    ),
    (
        "busybox, refused",
        "nc-u",
        0,
        False,
        0.0,
        "10.0.0.9 (10.0.0.9:53) open\nnc: net read: Connection refused\nsent 1",
        REFUSED,
    ),
    ("busybox, answered", "nc-u", 137, False, 0.0, "10.0.0.9 (10.0.0.9:53) open\nnetpol: answered", OPEN),
    ("ncat, silence", "nc-ncat", 1, False, 2.1, NCAT + "Ncat: Idle timeout expired (2000 ms).", NO_ANSWER),
    (
        "ncat, refused",
        "nc-ncat",
        1,
        False,
        0.1,
        NCAT + "Ncat: Connected to 10.0.0.9:53.\nNcat: Connection refused.",
        REFUSED,
    ),
    ("ncat says it sent", "nc-ncat", 0, False, 0.1, NCAT + "Ncat: UDP packet sent successfully", None),
    ("bash, answered", "bash", 0, False, 0.0, "netpol: answered", OPEN),
    ("bash, silence", "bash", 0, False, 2.0, "netpol: silent", NO_ANSWER),
    ("bash, refused", "bash", 0, False, 0.0, "10.0.0.9: line 1: read: read error: 3: Connection refused", REFUSED),
    ("python, refused", "python", 0, False, 0.1, "[Errno 111] Connection refused", REFUSED),
    ("no such tool", "nc-u", 127, False, 0.0, "", None),
]


@pytest.mark.parametrize(("attempt", "outcome"), attempts(UDP))
def test_udp(attempt: Attempt, outcome: Outcome | None) -> None:
    assert udp_outcome(attempt, named=False) is outcome


NAME = "web.shop.svc.cluster.local"
# (what happened, form, exit status, killed by the guard, output, whether the name resolves)
LOOKUPS: list[tuple[str, str, int, bool, str, bool | None]] = [
    ("getent found it", "getent", 0, False, "10.96.0.9       web.shop.svc.cluster.local", True),
    ("getent did not find it", "getent", 2, False, "", False),
    ("getent without a database", "getent", 1, False, "Unknown database: hosts", None),
    ("getent, killed while it was asking", "getent", 137, True, "", False),
    ("python, killed, perhaps before it began", "python", 137, True, "", None),
    ("python, killed while it was asking", "python", 137, True, "netpol: asking", False),
    ("nslookup, killed while it was asking", "nslookup", 137, True, "", False),
    ("ping from loopback, killed while it was asking", "ping", 137, True, "", False),
    ("bash found it", "bash", 0, False, "netpol: resolves", True),
    ("busybox nc from loopback", "nc", 1, False, "nc: web (10.96.0.9:9): Invalid argument", True),
    (
        "openbsd nc from loopback",
        "nc",
        1,
        False,
        "nc: connect to web (10.96.0.9) port 9 (tcp) failed: Invalid argument",
        True,
    ),
    ("nc without -s", "nc", 1, False, "nc: invalid option -- 's'", None),
    ("curl from loopback", "curl", 7, False, "*   Trying 10.96.0.9:9...\n* Immediate connect fail", True),
    (
        "ping from loopback",
        "ping",
        1,
        False,
        "PING web (10.96.0.9) from 127.0.0.1\nping: sendto: Invalid argument",
        True,
    ),
    ("ping that may not open a socket", "ping", 2, False, "ping: socket: Operation not permitted", None),
    ("nslookup found it", "nslookup", 0, False, "Server:\t\t10.96.0.10\n\nName:\tweb\nAddress: 10.96.0.9", True),
    (
        "nslookup found one family of two",
        "nslookup",
        1,
        False,
        "Name:\tweb\nAddress: 10.96.0.9\n** server can't find web: NXDOMAIN",
        True,
    ),
    (
        "nslookup did not find it",
        "nslookup",
        1,
        False,
        "** server can't find web.shop.svc.cluster.local: NXDOMAIN",
        False,
    ),
    ("nslookup had no answer", "nslookup", 1, False, ";; connection timed out; no servers could be reached", False),
    ("no such tool", "nslookup", 127, False, "", None),
]


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        pytest.param(Attempt(form, form, code, killed, 0.1, output), answer, id=what)
        for what, form, code, killed, output, answer in LOOKUPS
    ],
)
def test_lookup(attempt: Attempt, answer: bool | None) -> None:  # noqa: FBT001 - a column of the table
    assert resolves(attempt, NAME) is answer


@pytest.mark.parametrize(("name", "answer"), [("web", None), ("web.shop", None), ("web.shop.svc", None), (NAME, False)])
def test_nslookup_is_believed_only_where_it_asks_as_programs_do(name: str, answer: bool | None) -> None:  # noqa: FBT001 - a column
    output = f"** server can't find {name}: NXDOMAIN"
    assert resolves(Attempt("nslookup", "nslookup", 1, killed=False, seconds=0.1, output=output), name) is answer
