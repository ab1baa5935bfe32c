#!/bin/sh
# What runs in the source container: it tries the tools that it finds there and reports what each of them printed.
#
# It needs nothing but POSIX sh and the tools that it tries: no temporary file, no date, no timeout. script.py sends it
# as text, which a shell reads byte by byte. So names are short, a comment has a line of its own (script.py leaves those
# lines out, and the indentation), and only the parts that are needed are sent. A part begins at a line "## NAME":
# common, then tcp or udp, then names if there are any, then targets.
#
# Each line of the report starts with a word of ours, so that no output of a tool passes for a report:
#   R ID FORM PROGRAM STATUS GUARD CENTISECONDS   one run of a tool; GUARD is 9 if the guard ended it
#   W ID TEXT                                     a line that this run printed
#   Z                                             the end
#
# Variables without quotes hold no blank, or are lists; set -f is on.
# shellcheck disable=SC2086

## common
exec 2>/dev/null
export LC_ALL=C
# F, T: the limit of a tool that has one of its own, and of one that has none, in hundredths of a second. W: the timeout
# in seconds. H: 1 to send an HTTP request. L, S, E: how many at once, how many with slow tools, and how few where
# memory is short. The rest: fragments of output after which no other tool is tried, one per line.
F=$1 T=$2 W=$3 H=$4 L=$5 S=$6 E=$7 SURE=$8 UNKNOWN=$9
shift 9
# What bash, Python and Perl (B, Y, P) run to connect to a target (T) or to look up a name (N). ANY, DNS: what is sent
# over UDP, as a printf format. m: how many names follow; then addresses and ports in turn.
KNOWN=$1 BT=$2 YT=$3 PT=$4 BN=$5 YN=$6 PN=$7 ANY=$8 DNS=$9
shift 9
m=$1
shift
NL='
'
# Sets c to the uptime in hundredths of a second. 1XX-100, because 08 would be an invalid octal number.
clock() {
    c=
    read -r c i </proc/uptime
    i=${c%.*} c=${c#*.}
    c=$((${i:-0}*100+1${c:-00}-100))
}
has() { command -v "$1" >/dev/null; }
# A trap interrupts `wait`, but not a command.
nap() { "$@" & wait $!; }
# Kills the tool t when the rest of the limit G is over, and returns 9 then. A sleep that takes no fractions gets whole
# seconds; where there is no sleep, bash waits for a datagram.
# shellcheck disable=SC2016  # bash expands it
guard() {
    trap '[ $! = $t ] || kill -9 $!; wait; exit 1' TERM
    s=$(((G-b+b0)/100)) x=$(((G-b+b0)%100+100))
    x=$s.${x#1}
    { nap sleep $x || nap sleep $((s+1)) || nap bash -c 'read -rt$0 </dev/udp/127.0.0.1/9;[ $? -gt 128 ]' $x; } || exit
    trap '' TERM
    kill -9 $t && exit 9
}
# Waits for the last background command, with a guard: r is its exit status, g the guard's.
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
# Reports one run. True if it was the last: it settled the matter, or the guard ended it, or hardly any time is left.
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
# try FORM PROGRAM COMMAND...: runs and reports a command, if it is there. Its 9 is the output too, for `nc -e`.
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
# From here the limit G counts, for all tools that are tried on one target together.
start() {
    clock
    b0=$c G=$F
}
# Waits for the first of the processes given: q is the others, j their number.
oldest() {
    wait $1
    shift
    q=$* j=$#
}
# Notes that the last background command is one of those at once, and waits if they are as many as may be.
begun() {
    q="$q $!" j=$((j+1))
    [ $j -lt $L ] || oldest $q
}
# Lets no more run at once than fit into half the memory that the container has left: beyond its limit the kernel kills
# the probe, or the container with it. Version 2 of cgroups has the files in D itself, version 1 below it; file pages
# that are not in use count as left. A run takes up to $1 MB; measured: 0.7 to 1.9 with nc and bash, 3 with ncat and
# curl, 8 with Python.
room() {
    D=/sys/fs/cgroup x='' y='' z=0
    [ -r $D/memory.max ] || D=$D/memory
    read -r x <$D/memory.max || read -r x <$D/memory.limit_in_bytes
    read -r y <$D/memory.current || read -r y <$D/memory.usage_in_bytes
    case $x.$y in .*|*.|*[!0-9.]*|????????????????*.*) return;; esac
    while read -r k n; do case $k in *inactive_file) z=$n;; esac; done <$D/memory.stat
    x=$(((x-y+z)/2000000/$1))
    [ $x -ge $L ] || L=$x
    [ $L -ge $E ] || L=$E
}
set -f
x=2
has nc || has bash || L=$S x=4
has ncat && L=$S x=4
room $x
i=0 j=0 q=
ncs=
for N in nc ncat netcat; do has $N && ncs="$ncs $N"; done
has nc || for N in busybox toybox; do has $N && ncs="$ncs $N"; done

## tcp
# A: the address, P: the port, z: n if A is no name.
# shellcheck disable=SC2329  # the other connect is not sent with this one
connect() {
    start
    B=$A
    case $A in *:*) B=[$A];; esac
    if [ $H = 1 ]; then
        has curl && { try http curl curl -sSvm $W -o /dev/null http://$B:$P/; return; }
        has wget && { try http wget wget -O /dev/null -T $W http://$B:$P/; return; }
    fi
    for N in $ncs; do
        M=
        case $N in busybox|toybox) M=nc;; esac
        try nc $N $N $M -${z}zvv -w $W $A $P && return
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

## udp
# ask SECONDS FORM PROGRAM COMMAND...: as try, for an nc that sends the datagram Q. Its input stays open for so long
# after that, and its output is not kept: the first byte is an answer, after which the sender and the nc are killed.
# 3 is what is kept, 4 the way to the reader at the end, 5 the datagram.
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
            read -r y
            if has dd; then x=$(dd bs=512 count=1; echo .); else read -r x && x=.. || x=$x.; fi
            [ "$x" = . ] || echo netpol: answered >&3
            kill -9 $a $y
        }
    )
    r=${out##*netpol: exit }
    r=${r%%"$NL"*}
    g=${r#* } r=${r% *}
    say
}
# As in tcp.
connect() {
    start
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
            # It says nothing of an error that is not a refusal: only with -v, and then without waiting for an answer.
            *OpenBSD*)
                ask 0 nc-openbsd $N $N $M -${z}uw $W $A $P && return
                [ $r = 0 ] && return
                try nc-zu $N $N $M -${z}zuvw $W $A $P && return;;
            *Ncat*) ask $((W+1)) nc-ncat $N $N $M -${z}uv --no-shutdown -i $W $A $P && return;;
            *'[v1.1'*|*BusyBox*-u*) ask 0 nc-u $N $N $M -${z}uvv -w $W $A $P && return;;
        esac
    done
}

## names
# Looks up the name A.
lookup() {
    start
    G=$T
    try getent getent getent hosts $A && return
    case $r in 0|2) return;; esac
    try bash bash bash -c "$BN" $A && return
    for N in python3 python; do try python $N $N -c "$YN" $A && return; done
    try perl perl perl -e "$PN" $A && return
    # From 127.0.0.1 nothing reaches another pod: the error says whether the name had an address.
    for N in $ncs; do case $N in nc|ncat) try nc $N $N -s 127.0.0.1 -zvv -w $W $A 9 && return;; esac; done
    G=$F
    try curl curl curl -sSvm $W --interface 127.0.0.1 -o /dev/null telnet://$A:9 && return
    try ping ping ping -c1 -W1 -I 127.0.0.1 $A && return
    case $A in *.svc.*) try nslookup nslookup nslookup $A;; esac
}
until [ $i = $m ]; do
    A=$1 id=n$i sure=$KNOWN$NL$UNKNOWN i=$((i+1))
    shift
    lookup &
    begun
done

## targets
i=0
while [ $1 ]; do
    A=$1 P=$2 id=t$i z=n sure=$SURE i=$((i+1))
    shift 2
    case $A in *:*) ;; *[!0-9.]*) sure=$SURE$NL$UNKNOWN z=;; esac
    connect &
    begun
done
wait
echo Z
