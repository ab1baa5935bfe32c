"""What the words of a tool mean, in the C locale; all but a few are from real runs."""

from __future__ import annotations

import re
from typing import NamedTuple

from kubectl_netpol.probe.outcome import Outcome

CONNECTED = (
    ") open",  # BusyBox and traditional nc
    "succeeded!",  # OpenBSD nc
    "Ncat: Connected to ",
    "* Connected to ",  # curl
    "* Established connection to ",  # curl from 8.16 on
    "netpol: connected",  # our own output to bash, Python, Perl and `nc -e`
)
# Without one of these the guard may have come before the tool had begun.
CONNECTING = (
    "netpol: connecting",  # bash, which has no limit of its own
    "TCP connection requested",  # ncat -vv
)
# An answer to a request: curl's, GNU wget's with its status, BusyBox wget's with any status but 200.
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
QUICK = ("getent", "bash", "nc", "ping", "nslookup")  # ended by the guard, they were asking; others say when they begin
WRONG_OPTION = ("nvalid option", "nrecognized option", "nknown option")
NOT_RUN = (126, 127)
AT_ONCE = 0.9  # shorter than the shortest limit of a tool, which is a second


class Attempt(NamedTuple):
    """One run of one tool. `form` says how it was started; `ended` is True where the guard killed it."""

    form: str
    program: str
    exit_code: int
    ended: bool
    seconds: float
    output: str


def sure(protocol: str) -> tuple[str, ...]:
    """The fragments that settle the matter for an address, so that no other tool is tried."""
    if protocol == "UDP":
        return (*ANSWERED, *SILENT, *REFUSED, *UNREACHABLE)
    return (*CONNECTED, *REFUSED, *TIMED_OUT, *UNREACHABLE)


def ran(attempt: Attempt) -> bool:
    """Whether the tool was there and understood its options."""
    return attempt.exit_code not in NOT_RUN and not _says(attempt.output, WRONG_OPTION)


def tcp_outcome(attempt: Attempt, *, named: bool) -> Outcome | None:
    """The outcome, or None where the output do not tell. `named`: the target is a host name, so a lookup may fail."""
    output = attempt.output
    if not ran(attempt):
        return None
    if attempt.form == "http" and (_says(output, CONNECTED) or _requested(attempt)):
        return _answer(attempt)
    if _says(output, CONNECTED):
        return Outcome.OPEN
    if named and _says(output, UNKNOWN_NAME):
        return Outcome.UNRESOLVED
    if _says(output, REFUSED):
        return Outcome.REFUSED
    if _says(output, TIMED_OUT):
        return Outcome.TIMED_OUT
    if attempt.form == "nc-q" and attempt.exit_code == 0 and not output:
        return Outcome.OPEN  # toybox, known by then, is silent on success and speaks on every failure
    if attempt.ended and _says(output, CONNECTING):
        return Outcome.TIMED_OUT
    return _unreachable(output)


def _requested(attempt: Attempt) -> bool:
    """Whether wget got so far that it sent its request, or may have got so far."""
    output = attempt.output
    if (
        attempt.exit_code == 0
        or RESPONSE.search(output)
        or "... connected." in output
        or "download timed out" in output
    ):
        return True
    return output.count("Connecting to ") > 1  # it was sent on to somewhere else


def _answer(attempt: Attempt) -> Outcome | None:
    # Where a proxy takes every connection over, it is the proxy that was connected to, and it may be the one that
    # says that it could not reach what is behind it.
    statuses = [status for match in RESPONSE.findall(attempt.output) for status in match if status]
    if statuses:
        return None if statuses[0] in GATEWAY_FAILED else Outcome.OPEN
    sent_on = attempt.program == "wget" and attempt.output.count("Connecting to ") > 1
    return Outcome.OPEN if sent_on or (attempt.exit_code == 0 and "Connecting to " in attempt.output) else None


def udp_outcome(attempt: Attempt, *, named: bool) -> Outcome | None:
    """The outcome, or None where the output do not tell: only an answer or an ICMP error decides."""
    output = attempt.output
    if not ran(attempt):
        return None
    if _says(output, ANSWERED):
        return Outcome.OPEN
    if named and _says(output, UNKNOWN_NAME):
        return Outcome.UNRESOLVED
    if _says(output, REFUSED):
        return Outcome.REFUSED
    if unreachable := _unreachable(output):
        return unreachable
    if attempt.ended or _says(output, SILENT):
        return Outcome.NO_ANSWER
    # Its input is over, yet nc -u waits for answers until its limit: only an error on the socket ends it before.
    # OpenBSD says nothing then and returns 0, traditional nc says what it sent and nothing of a time-out.
    if attempt.form == "nc-openbsd" and attempt.exit_code == 0 and not output:
        return Outcome.REFUSED if attempt.seconds < AT_ONCE else Outcome.NO_ANSWER
    if attempt.form == "nc-u" and attempt.seconds < AT_ONCE and "rcvd 0" in output:
        return Outcome.REFUSED
    return None


def _unreachable(output: str) -> Outcome | None:
    # A pod that may not make a socket at all has not met the network.
    return Outcome.UNREACHABLE if _says(output, UNREACHABLE) and "socket(" not in output else None


def resolves(attempt: Attempt, name: str) -> bool | None:
    """Whether the name resolves, or None where the output do not tell."""
    output = attempt.output
    if not ran(attempt):
        return None
    if attempt.ended:
        return False if attempt.form in QUICK or ASKING in output else None
    if attempt.form == "getent":
        return {0: True, 2: False}.get(attempt.exit_code)
    if attempt.form == "nslookup":
        return _nslookup(output, name)
    if _says(output, UNKNOWN_NAME):
        return False
    return True if _says(output, KNOWN_NAME) else None


def _nslookup(output: str, name: str) -> bool | None:
    if "Name:" in output:
        return True
    if _says(output, ("can't resolve", "timed out")):
        return False
    # BusyBox's nslookup asks the server only: not /etc/hosts, and no search list for a name with dots in it.
    return False if "NXDOMAIN" in output and ".svc." in name else None


def _says(output: str, fragments: tuple[str, ...]) -> bool:
    return any(fragment in output for fragment in fragments)
