"""The one program that runs in the source container, and the words that start it.

It is POSIX sh and needs nothing but builtins and the tools it tries: no temporary file, no date, no timeout.
Everything that varies is an argument; nothing is ever written into its text. The text travels in the URL of the exec
call, so it is short.

A report line is `R ID FORM PROGRAM STATUS OVER CENTISECONDS` (OVER is 9 where the guard ended it), followed by
`W ID TEXT` for each line the tool said. Every line starts with our own word, so no text can pose as a report.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from kubectl_netpol.model.addresses import is_ip
from kubectl_netpol.probe import classify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.probe.outcome import Target

# At most so many at once; fewer of the tools that take long to start, or a pod with little CPU starves them all.
SIDE_BY_SIDE = 32
SIDE_BY_SIDE_SLOW = 4
# The guard ends what has a limit of its own so much after the timeout, in seconds, and what has none at the timeout.
GRACE = 0.95
DNS_PORT = 53
# A query for kube-dns.kube-system.svc.cluster.local A: no byte of it is a line break, and its id reads NP.
DNS_QUERY = (
    r"NP\001\000\000\001\000\000\000\000\000\000"
    r"\010kube-dns\013kube-system\003svc\007cluster\005local\000\000\001\000\001"
)
ANY_DATAGRAM = r"\012"
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
# The forms of nc that differ in nothing but options: (letters after -n, the option that takes the limit or nothing).
NC_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nc": ("zvv", ("-w",)),
    "nc-openbsd": ("uw", ()),
    "nc-ncat": ("uv", ("--no-shutdown", "-i")),
    "nc-zu": ("zuvw", ()),
    "nc-u": ("uvv", ("-w",)),
}
NC_SENDS = ("nc-openbsd", "nc-ncat", "nc-u")
_COMMON = r"""
exec 2>/dev/null
export LC_ALL=C
F=$1 T=$2 W=$3 H=$4 L=$5 S=$6 SURE=$7 UNKNOWN=$8 KNOWN=$9
shift 9
BT=$1 YT=$2 PT=$3 BN=$4 YN=$5 PN=$6 ANY=$7 DNS=$8 m=$9
shift 9
NL='
'
clock() {
c=
read -r c i </proc/uptime
i=${c%.*} c=${c#*.}
c=$((${i:-0}*100+1${c:-00}-100))
}
has() { command -v "$1" >/dev/null; }
nap() { "$@" & wait $!; }
guard() {
trap '[ $! = $t ] || kill -9 $!; wait; exit 1' TERM
s=$(((G-b+b0)/100)) x=0$(((G-b+b0)%100))
x=$s.${x#${x%??}}
{ nap sleep $x || nap sleep $((s+1)) || nap bash -c 'read -rt$0 </dev/udp/127.0.0.1/9;[ $? -gt 128 ]' $x; } || exit
trap '' TERM
kill -9 $t && exit 9
}
watch() {
t=$!
guard >/dev/null 9>&- 3>&- 5<&- &
g=$!
wait $t
r=$?
kill $g
wait $g
g=$?
}
say() {
clock
printf 'R %s %s %s %s %s %s\n' $id $form $tool $r $g $((c-b))
IFS=$NL
n=0 k=1
for l in $out; do
case $l in 'netpol: exit '*) continue;; esac
n=$((n+1))
[ $n -gt 16 ] || printf 'W %s %.300s\n' $id "$l"
done
case "$r $out" in
127' '*|126' '*|*'nvalid option'*|*'nrecognized option'*|*'nknown option'*) ;;
*) for l in $sure; do case $out in *"$l"*) k=0;; esac; done;;
esac
unset IFS
[ $k = 0 ] || [ $g = 9 ] || [ $((c-b0+50)) -ge $G ]
}
try() {
form=$1 tool=$2 r=
shift 2
has "$1" || return 1
clock
b=$c
out=$(
"$@" </dev/null 9>&1 2>&1 &
watch
echo "$NL$r $g"
)
r=${out##*"$NL"} out=${out%"$NL"*}
g=${r#* } r=${r% *}
say
}
start() {
clock
b0=$c G=$F
"$@"
}
"""
_TCP = r"""
connect() {
B=$A
case $A in *:*) B=[$A];; esac
if [ $H = 1 ]; then
has curl && { try http curl curl -sSvm $W -o /dev/null http://$B:$P/; return; }
has wget && { try http wget wget -O /dev/null -T $W http://$B:$P/; return; }
fi
for N in $ncs; do
M=
case $N in busybox|toybox) M=nc;; esac
out=$old
[ -z "$old" ] && try nc $N $N $M -${z}zvv -w $W $A $P && return
case $out in
*BusyBox*) try nc-e $N $N $M -w $W $A $P -e sh -c 'echo netpol: connected >&9' && return;;
*'see "nc --help"'*) try nc-q $N sh -c 'exec "$@" >/dev/null' sh $N $M -w $W -q 1 $A $P && return;;
esac
done
G=$T
try bash bash bash -c "$BT" $A $P && return
G=$F
for N in python3 python; do try python $N $N -c "$YT" $A $P $W && return; done
try perl perl perl -e "$PT" $A $P $W tcp && return
try curl curl curl -sSvm $W -o /dev/null -t netpol telnet://$B:$P
}
"""
_UDP = r"""
ask() {
hold=$1 G=$T
shift
form=$1 tool=$2
shift 2
clock
b=$c
out=$(
exec 3>&1
{
exec 4>&1
sh -c 'echo $$ >&4; printf "$1"; exec sleep $2 4>&-' sh "$Q" $hold 3>&- 4>&4 | {
exec 5<&0 4>&-
"$@" <&5 2>&3 3>&- 5<&- &
echo $!
watch
echo "netpol: exit $r $g" >&3
} &
exec >&- 4>&- 3>&-
wait
} | {
read -r a
read -r z
if has dd; then x=$(dd bs=512 count=1; echo .); else read -r x && x=.. || x=$x.; fi
[ "$x" = . ] || echo netpol: answered >&3
kill -9 $a $z
}
)
r=${out##*netpol: exit }
r=${r%%"$NL"*}
g=${r#* } r=${r% *}
say
}
connect() {
Q=$ANY
[ $P = 53 ] && Q=$DNS
try bash bash bash -c "$BT" $A $P "$Q" $W && return
for N in python3 python; do try python $N $N -c "$YT" $A $P $W "$Q" && return; done
try perl perl perl -e "$PT" $A $P $W udp "$Q" && return
for N in $ncs; do
M=
case $N in busybox|toybox) M=nc;; esac
h=$($N $M -h 2>&1 </dev/null)
case $h in
*OpenBSD*) ask 0 nc-openbsd $N $N $M -${z}uw $W $A $P && return
[ $r = 0 ] && return
try nc-zu $N $N $M -${z}zuvw $W $A $P && return;;
*Ncat*) ask $((W+1)) nc-ncat $N $N $M -${z}uv --no-shutdown -i $W $A $P && return;;
*'[v1.1'*|*BusyBox*-u*) ask 0 nc-u $N $N $M -${z}uvv -w $W $A $P && return;;
esac
done
}
"""
_NAMES = r"""
name() {
G=$T
try getent getent getent hosts $A && return
case $r in 0|2) return;; esac
try bash bash bash -c "$BN" $A && return
for N in python3 python; do try python $N $N -c "$YN" $A && return; done
try perl perl perl -e "$PN" $A && return
for N in $ncs; do case $N in nc|ncat) try nc $N $N -s 127.0.0.1 -zvv -w $W $A 9 && return;; esac; done
G=$F
try curl curl curl -sSvm $W --interface 127.0.0.1 -o /dev/null telnet://$A:9 && return
try ping ping ping -c1 -W1 -I 127.0.0.1 $A && return
case $A in *.svc.*) try nslookup nslookup nslookup $A;; esac
}
"""
_MAIN = r"""
oldest() {
wait $1
shift
q=$* j=$#
}
set -f
has nc || has bash || L=$S
has ncat && L=$S
ncs=
for N in nc ncat netcat; do has $N && ncs="$ncs $N"; done
has nc || for N in busybox toybox; do has $N && ncs="$ncs $N"; done
old=
has nc && has busybox && case $(nc -h 2>&1 </dev/null) in *BusyBox*-z*) ;; *BusyBox*) old=BusyBox;; esac
i=0
while [ $i -lt $m ]; do
A=$1 id=n$i sure=$KNOWN$NL$UNKNOWN i=$((i+1))
shift
start name &
done
q= j=0 i=0
while [ $1 ]; do
A=$1 P=$2 id=t$i z=n sure=$SURE
shift 2
case $A in *:*) ;; *[!0-9.]*) z= sure=$SURE$NL$UNKNOWN;; esac
start connect &
q="$q $!" j=$((j+1)) i=$((i+1))
[ $j -lt $L ] || oldest $q
done
wait
echo Z
"""


def whole(timeout: float) -> int:
    """The timeout in whole seconds, as most tools take it."""
    return max(1, math.ceil(timeout))


def shell_words(
    shell: str, targets: Sequence[Target], *, protocol: str, timeout: float, http: bool, names: Sequence[str]
) -> list[str]:
    """The words of the one exec that probes all targets and checks all names."""
    udp = protocol == "UDP"
    text = _COMMON + (_UDP if udp else _TCP) + (_NAMES if names else "") + _MAIN
    words = [shell, "-c", re.sub(r"\n+", "\n", text).strip(), shell]
    words += [
        str(round((timeout + GRACE) * 100)),
        str(round(timeout * 100)),
        str(whole(timeout)),
        "1" if http else "0",
        str(SIDE_BY_SIDE),
        str(SIDE_BY_SIDE_SLOW),
    ]
    words += ["\n".join(classify.sure(protocol))]
    words += ["\n".join(fragments) if names else "" for fragments in (classify.UNKNOWN_NAME, classify.KNOWN_NAME)]
    words += [BASH_UDP, PYTHON_UDP, PERL_UDP] if udp else [BASH_TCP, PYTHON_TCP, PERL_TCP]
    words += [BASH_NAME, PYTHON_NAME, PERL_NAME] if names else ["", "", ""]
    words += [ANY_DATAGRAM, DNS_QUERY] if udp else ["", ""]
    words += [str(len(names)), *names]
    for target in targets:
        words += [target.address, str(target.port)]
    return words


def tool_words(form: str, program: str, target: Target, timeout: float, *, udp: bool = False) -> tuple[str, ...]:
    """The words that run one tool against one target: what a person would type behind `kubectl exec POD --`."""
    address, port, limit = target.address, str(target.port), str(whole(timeout))
    if form == "nc-e":
        return (*_applet(program), "-w", limit, address, port, "-e", "true")
    if form == "nc-q":
        return (*_applet(program), "-w", limit, "-q", "1", address, port)
    if form in NC_OPTIONS:
        options, limit_option = NC_OPTIONS[form]
        numeric = "n" if is_ip(address) else ""
        words = (*_applet(program), f"-{numeric}{options}", *limit_option, limit, address, port)
        return ("sh", "-c", f"printf '{datagram(target)}' | {' '.join(words)}") if form in NC_SENDS else words
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
