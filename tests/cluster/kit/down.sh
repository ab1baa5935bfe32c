#!/usr/bin/env bash
# Takes down the cluster of a STATE folder and removes the folder. Also right where up.sh or its caller was killed.
#
# usage: down.sh [--if-dead] STATE
#   --if-dead  leave it alone where its node still runs
set -euo pipefail
if_dead=no
[ "$1" != --if-dead ] || { if_dead=yes; shift; }
[ -d "$1" ] || exit 0
state=$(cd "$1" && pwd)
exec 9>>"$state/lock"
if ! flock -n 9; then
  [ $if_dead = no ] || exit 0
  node=$(cat "$state/pid" 2>/dev/null || true)
  # A process id may have been used again: only one that holds this folder's lock is ours.
  if [ -n "$node" ] && [ "/proc/$node/fd/9" -ef "$state/lock" ]; then kill -KILL "$node"; fi
  flock -w 20 9 || { echo "$0: something still holds $state/lock" >&2; exit 1; }
fi
name=netpol-lab-$(basename "$state")
for root in /sys/fs/cgroup/"$name" /sys/fs/cgroup/*/"$name"; do
  [ -d "$root" ] || continue
  for _ in $(seq 50); do
    find "$root" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [ -d "$root" ] || break
    sleep 0.1
  done
done
rm -rf "$state"
