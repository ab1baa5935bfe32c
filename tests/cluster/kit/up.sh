#!/usr/bin/env bash
# Brings up one real Kubernetes node in namespaces of its own, in ten seconds, as often side by side as memory allows.
#
# usage: up.sh [--no-enforcer] [--while-stdin] STATE
#   STATE          a folder for everything that this cluster writes; down.sh STATE removes it
#   --no-enforcer  nothing enforces NetworkPolicy, as on minikube, kind or flannel
#   --while-stdin  the cluster goes down by itself when standard input ends, so also when whoever holds it is killed
#
# The node's first process (node.sh) is alone in its process, mount and network namespaces: with it ends, unmounted and
# disconnected, all that ever ran there. STATE/lock is held as long as it lives; STATE/netns is its network namespace,
# STATE/netnss the folder of those that it made.
set -euo pipefail
kit=$(cd "$(dirname "$0")" && pwd)
enforcer=yes leash=no
while [ $# -gt 1 ]; do
  case $1 in
    --no-enforcer) enforcer=no ;;
    --while-stdin) leash=yes ;;
    *) echo "$0: $1?" >&2; exit 2 ;;
  esac
  shift
done
artefacts=$("$kit/build.sh" </dev/null)
# Where it is a module and absent, what pods of one node send each other passes by every enforcer.
modprobe br_netfilter 2>/dev/null || true
mkdir -p "$1/log"
state=$(cd "$1" && pwd)
exec 9>"$state/lock"
flock -n 9 || { echo "$0: $state is up" >&2; exit 1; }

[ $leash = yes ] || exec </dev/null
LEASH=$leash ENFORCER=$enforcer setsid unshare --mount --net --pid --fork --kill-child --mount-proc \
  "$kit/node.sh" "$state" "$artefacts" <&0 >"$state/log/node.log" 2>&1 &
node=$!
echo $node >"$state/pid"
ln -sfn "$artefacts/bin" "$state/bin"
ln -sfn "/proc/$node/ns/net" "$state/netns"
ln -sfn "/proc/$node/root/run/netns" "$state/netnss"

for _ in $(seq 1200); do
  if [ -e "$state/ready" ]; then
    echo "nsenter --net=$state/netns $state/bin/kubectl --kubeconfig $state/admin.kubeconfig"
    exit
  fi
  kill -0 $node 2>/dev/null || break
  sleep 0.1
done
tail -n 8 "$state"/log/*.log >&2
"$kit/down.sh" "$state"
echo "$0: the cluster did not come up" >&2
exit 1
