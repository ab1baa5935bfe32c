"""What the output of a tool means, in the C locale."""

from __future__ import annotations

import re
from typing import NamedTuple

from kubectl_netpol.probe.outcome import Outcome

# Fragments of output. All but a few are from real runs.
CONNECTED = (
    ") open",  # BusyBox and traditional nc
    "succeeded!",  # OpenBSD nc
    "Ncat: Connected to ",
    "* Connected to ",  # curl
    "* Established connection to ",  # curl from 8.16 on
    "netpol: connected",  # printed by our programs for bash, Python, Perl and `nc -e`
)
# Without one of these the guard may have killed the tool before it began to connect.
CONNECTING = (
    "netpol: connecting",  # bash, which has no limit of its own
    "TCP connection requested",  # ncat -vv
)
# A response to a request: curl's, GNU wget's with its status, BusyBox wget's with any status but 200.
RESPONSE = re.compile(
    r"^< HTTP/[\d.]+ (\d+)|awaiting response\.\.\. (\d+)|returned error: HTTP/[\d.]+ (\d+)", re.MULTILINE
)
GATEWAY_FAILED = ("502", "503", "504")
ANSWERED = ("netpol: answered",)
SILENT = ("netpol: silent", "net timeout", "Idle timeout expired")
REFUSED = ("onnection refused",)
UNKNOWN_NAME = (
    "bad address",
    "getaddrinfo for host",
    "forward host lookup failed",
    "ould not resolve host",
    "Name or service not known",
    "Name does not resolve",
    "failure in name resolution",
    "No address associated with hostname",
    "unable to resolve host",
    "Try again",  # musl, where no server answers
    "Name has no usable address",
    "esolving timed out",
    "netpol: unknown name",
)
KNOWN_NAME = (
    "netpol: resolves",
    "PING ",
    "Trying ",  # curl
    "nvalid argument",  # nc -s 127.0.0.1, ping -I 127.0.0.1: what connect says to an address that is not the pod's own
    "Connection refused",  # the same, and the address is the pod's own
    "Name:",  # nslookup
)
TIMED_OUT = ("imed out", "nc: Timeout", "Ncat: TIMEOUT")
UNREACHABLE = (
    "o route to host",
    "etwork is unreachable",
    "etwork unreachable",
    "ost is unreachable",
    "ost unreachable",
    "annot assign requested address",  # IPv6 asked for where the pod has none
    "peration not permitted",  # a filter at connect()
    "ermission denied",  # a route of type prohibit
)
ASKING = "netpol: asking"
# Forms that ask at once: if the guard killed one, it was asking. The others print ASKING first.
QUICK = ("getent", "bash", "nc", "ping", "nslookup")
WRONG_OPTION = ("nvalid option", "nrecognized option", "nknown option")
NOT_RUN = (126, 127)
AT_ONCE = 0.9  # shorter than the shortest limit of a tool, which is a second


class Attempt(NamedTuple):
    """One run of one tool. `form` says how it was started, `killed` whether the guard ended it."""

    form: str
    program: str
    exit_code: int
    killed: bool
    seconds: float
    output: str


def conclusive(protocol: str) -> tuple[str, ...]:
    """The fragments that decide the outcome for an address, so that no other tool is tried."""
    if protocol == "UDP":
        return (*ANSWERED, *SILENT, *REFUSED, *UNREACHABLE)
    return (*CONNECTED, *REFUSED, *TIMED_OUT, *UNREACHABLE)


def ran(attempt: Attempt) -> bool:
    """Whether the image has the tool, and the tool knows its options."""
    return attempt.exit_code not in NOT_RUN and not _contains(attempt.output, WRONG_OPTION)


def tcp_outcome(attempt: Attempt, *, named: bool) -> Outcome | None:
    """The outcome, or None if the output is not conclusive. `named`: the target is a name, whose lookup may fail."""
    output = attempt.output
    if not ran(attempt):
        return None
    if attempt.form == "http" and (_contains(output, CONNECTED) or _may_have_requested(attempt)):
        return _http_outcome(attempt)
    if _contains(output, CONNECTED):
        return Outcome.OPEN
    if named and _contains(output, UNKNOWN_NAME):
        return Outcome.UNRESOLVED
    if _contains(output, REFUSED):
        return Outcome.REFUSED
    if _contains(output, TIMED_OUT):
        return Outcome.TIMED_OUT
    if attempt.form == "nc-q" and attempt.exit_code == 0 and not output:
        return Outcome.OPEN  # toybox prints nothing on success, and something on every failure
    if attempt.killed and _contains(output, CONNECTING):
        return Outcome.TIMED_OUT
    return _unreachable(output)


def _may_have_requested(attempt: Attempt) -> bool:
    """Whether wget got far enough to send its request, or may have."""
    output = attempt.output
    if (
        attempt.exit_code == 0
        or RESPONSE.search(output)
        or "... connected." in output
        or "download timed out" in output
    ):
        return True
    return output.count("Connecting to ") > 1  # it was redirected


def _http_outcome(attempt: Attempt) -> Outcome | None:
    # A proxy that takes over all connections accepts each of them, and returns a gateway error if it can't connect.
    statuses = [status for match in RESPONSE.findall(attempt.output) for status in match if status]
    if statuses:
        return None if statuses[0] in GATEWAY_FAILED else Outcome.OPEN
    redirected = attempt.program == "wget" and attempt.output.count("Connecting to ") > 1
    return Outcome.OPEN if redirected or (attempt.exit_code == 0 and "Connecting to " in attempt.output) else None


def udp_outcome(attempt: Attempt, *, named: bool) -> Outcome | None:
    """The outcome, or None if the output is not conclusive: only an answer or an ICMP error is."""
    output = attempt.output
    if not ran(attempt):
        return None
    if _contains(output, ANSWERED):
        return Outcome.OPEN
    if named and _contains(output, UNKNOWN_NAME):
        return Outcome.UNRESOLVED
    if _contains(output, REFUSED):
        return Outcome.REFUSED
    if unreachable := _unreachable(output):
        return unreachable
    if attempt.killed or _contains(output, SILENT):
        return Outcome.NO_ANSWER
    # After its input ends, nc -u waits for answers until its limit, unless there is an error on the socket. OpenBSD nc
    # prints nothing then and returns 0; traditional nc prints what it sent, but no time-out.
    if attempt.form == "nc-openbsd" and attempt.exit_code == 0 and not output:
        return Outcome.REFUSED if attempt.seconds < AT_ONCE else Outcome.NO_ANSWER
    if attempt.form == "nc-u" and attempt.seconds < AT_ONCE and "rcvd 0" in output:
        return Outcome.REFUSED
    return None


def _unreachable(output: str) -> Outcome | None:
    # A pod that is not allowed to create a socket says nothing about the network.
    return Outcome.UNREACHABLE if _contains(output, UNREACHABLE) and "socket(" not in output else None


def resolves(attempt: Attempt, name: str) -> bool | None:
    """Whether the name resolves, or None if the output is not conclusive."""
    output = attempt.output
    if not ran(attempt):
        return None
    if attempt.killed:
        return False if attempt.form in QUICK or ASKING in output else None
    if attempt.form == "getent":
        return {0: True, 2: False}.get(attempt.exit_code)
    if attempt.form == "nslookup":
        return _nslookup(output, name)
    if _contains(output, UNKNOWN_NAME):
        return False
    return True if _contains(output, KNOWN_NAME) else None


def _nslookup(output: str, name: str) -> bool | None:
    if "Name:" in output:
        return True
    if _contains(output, ("can't resolve", "timed out")):
        return False
    # BusyBox's nslookup asks the server only: not /etc/hosts, and without the search list for a name with a dot.
    return False if "NXDOMAIN" in output and ".svc." in name else None


def _contains(output: str, fragments: tuple[str, ...]) -> bool:
    return any(fragment in output for fragment in fragments)
