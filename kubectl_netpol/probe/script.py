"""The one program that probes from the source container, and the command that shows a person the same.

What varies is an argument of the program, and is never written into its text.
"""

from __future__ import annotations

import math
import pkgutil
import re
from functools import cache
from typing import TYPE_CHECKING, cast

from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.probe import classify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.probe.outcome import Target

# How many targets and names at once. Tools that take long to start would starve each other in a pod with little CPU;
# where memory is short there are fewer.
MOST_AT_ONCE = 32
MOST_AT_ONCE_SLOW = 4
FEWEST_AT_ONCE = 2

# Seconds after the timeout at which the guard ends a tool with a limit of its own; at the timeout, one without.
GRACE = 0.95

DNS_PORT = 53
# A query for kube-dns.kube-system.svc.cluster.local A, with the id NP and without a line break in it.
DNS_QUERY = (
    r"NP\001\000\000\001\000\000\000\000\000\000"
    r"\010kube-dns\013kube-system\003svc\007cluster\005local\000\000\001\000\001"
)
ANY_DATAGRAM = r"\012"

# Short, as the program is. What they print is read by classify.
BASH_TCP = 'echo netpol: connecting;exec 3<>"/dev/tcp/$0/$1"&&echo netpol: connected'
BASH_UDP = (
    'exec 3<>"/dev/udp/$0/$1"&&printf "$2">&3&&if IFS= read -rd "" -n1 -t$3 -u3;then echo netpol: answered;'
    "elif [ $? -gt 128 ];then echo netpol: silent;fi"
)
BASH_NAME = 'exec 3<>"/dev/udp/$0/9"&&echo netpol: resolves'
PYTHON_TCP = """import socket as s,sys
v=sys.argv
try:
 s.create_connection((v[1],int(v[2])),float(v[3]));print("netpol: connected")
except Exception as e:print(e)"""
PYTHON_UDP = """import socket as s,sys
v=sys.argv
try:
 f,t,p,_,a=s.getaddrinfo(v[1],int(v[2]),0,2)[0];c=s.socket(f,t,p);c.settimeout(float(v[3]));c.connect(a)
 c.send(v[4].encode().decode("unicode_escape").encode("latin-1"));c.recv(1);print("netpol: answered")
except s.timeout:print("netpol: silent")
except Exception as e:print(e)"""
PYTHON_NAME = """import socket as s,sys
print("netpol: asking");sys.stdout.flush()
try:s.getaddrinfo(sys.argv[1],9);print("netpol: resolves")
except Exception as e:print(e)"""
PERL_NEW = (
    'my$k=eval{require IO::Socket::IP}?"IO::Socket::IP":(require IO::Socket::INET,"IO::Socket::INET")[1];'
    "my$s=$k->new(PeerAddr=>$ARGV[0],PeerPort=>$ARGV[1],Timeout=>$ARGV[2],Proto=>$ARGV[3])"
    'or print("$@ $!"),exit;'
)
PERL_TCP = PERL_NEW + 'print"netpol: connected"'
PERL_UDP = PERL_NEW + (
    "(my$q=$ARGV[4])=~s/\\\\(\\d{3})/chr oct$1/ge;send$s,$q,0;vec(my$r,fileno$s,1)=1;"
    'if(!select$r,undef,undef,$ARGV[2]){print"netpol: silent"}'
    'elsif(defined recv$s,my$b,1,0){print"netpol: answered"}else{print"$!"}'
)
PERL_NAME = '$|=1;print"netpol: asking\n";print gethostbyname($ARGV[0])?"netpol: resolves":"netpol: unknown name"'

# Forms of nc that differ only in options: (letters after -n, options up to the one that takes the limit).
NC_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nc": ("zvv", ("-w",)),
    "nc-openbsd": ("uw", ()),
    "nc-ncat": ("uv", ("--no-shutdown", "-i")),
    "nc-zu": ("zuvw", ()),
    "nc-u": ("uvv", ("-w",)),
}
NC_READS_DATAGRAM = ("nc-openbsd", "nc-ncat", "nc-u")  # from its standard input


@cache
def _parts() -> dict[str, str]:
    """The parts of probe.sh by name, without indentation, comments and blank lines."""
    # importlib.resources does the same, and takes 15 ms to import.
    text = cast("bytes", pkgutil.get_data("kubectl_netpol.probe", "probe.sh")).decode()
    _, *found = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)
    return {
        name: "".join(f"{line}\n" for line in map(str.strip, part.splitlines()) if line and line[0] != "#")
        for name, part in zip(found[::2], found[1::2], strict=True)
    }


def whole_seconds(timeout: float) -> int:
    """The timeout rounded up, for tools that take no fractions."""
    return max(1, math.ceil(timeout))


def shell_argv(
    shell: str, targets: Sequence[Target], *, protocol: str, timeout: float, http: bool, names: Sequence[str]
) -> list[str]:
    """The one exec that probes all targets and looks up all names; its arguments as probe.sh reads them."""
    udp = protocol == "UDP"
    parts = ("common", "udp" if udp else "tcp", *(["names"] if names else []), "targets")
    argv = [shell, "-c", "".join(_parts()[part] for part in parts).strip(), shell]
    argv += [
        str(round((timeout + GRACE) * 100)),
        str(round(timeout * 100)),
        str(whole_seconds(timeout)),
        "1" if http else "0",
        str(MOST_AT_ONCE),
        str(MOST_AT_ONCE_SLOW),
        str(FEWEST_AT_ONCE),
    ]
    argv += ["\n".join(classify.conclusive(protocol))]
    argv += ["\n".join(fragments) if names else "" for fragments in (classify.UNKNOWN_NAME, classify.KNOWN_NAME)]
    argv += [BASH_UDP, PYTHON_UDP, PERL_UDP] if udp else [BASH_TCP, PYTHON_TCP, PERL_TCP]
    argv += [BASH_NAME, PYTHON_NAME, PERL_NAME] if names else ["", "", ""]
    argv += [ANY_DATAGRAM, DNS_QUERY] if udp else ["", ""]
    argv += [str(len(names)), *names]
    for target in targets:
        argv += [target.address, str(target.port)]
    return argv


def tool_argv(form: str, program: str, target: Target, timeout: float, *, udp: bool = False) -> tuple[str, ...]:
    """One tool against one target, as a person would type it after `kubectl exec POD --`."""
    address, port, limit = target.address, str(target.port), str(whole_seconds(timeout))
    if form == "nc-e":
        return (*_applet(program), "-w", limit, address, port, "-e", "true")
    if form == "nc-q":
        return (*_applet(program), "-w", limit, "-q", "1", address, port)
    if form in NC_OPTIONS:
        options, limit_option = NC_OPTIONS[form]
        numeric = "n" if is_ip(address) else ""
        argv = (*_applet(program), f"-{numeric}{options}", *limit_option, limit, address, port)
        return ("sh", "-c", f"printf '{datagram(target)}' | {' '.join(argv)}") if form in NC_READS_DATAGRAM else argv
    host = f"[{address}]" if ":" in address else address
    if form == "curl":
        return ("curl", "-sSvm", limit, "-o", "/dev/null", "-t", "netpol", f"telnet://{host}:{port}")
    if form == "http":
        request = ("-sSvm", limit, "-o", "/dev/null") if program == "curl" else ("-O", "/dev/null", "-T", limit)
        return (program, *request, f"http://{host}:{port}/")
    data = (datagram(target),) if udp else ()
    if form == "bash":
        return ("bash", "-c", BASH_UDP if udp else BASH_TCP, address, port, *data, *((limit,) if udp else ()))
    if form == "python":
        return (program, "-c", PYTHON_UDP if udp else PYTHON_TCP, address, port, limit, *data)
    return ("perl", "-e", PERL_UDP if udp else PERL_TCP, address, port, limit, "udp" if udp else "tcp", *data)


def datagram(target: Target) -> str:
    """What is sent over UDP, as a printf format."""
    return DNS_QUERY if target.port == DNS_PORT else ANY_DATAGRAM


def _applet(program: str) -> tuple[str, ...]:
    return (program, "nc") if program in ("busybox", "toybox") else (program,)
