#!/usr/bin/env bash
# The first process of a node, started by up.sh in namespaces of its own: lays the network, starts the components, and stays.
# usage: LEASH=yes|no ENFORCER=yes|no node.sh STATE ARTEFACTS
set -euo pipefail
state=$1 bin=$2/bin images=$2/images.tar
node=node1 ip=192.0.2.10 outside=192.0.2.1
cd "$state"
mkdir -p pki etcd cni kubelet

# Whatever the programs write outside STATE (sockets, locks, network namespaces, /var/lib/kubelet) ends with the mount namespace.
mount --bind "$state" "$state"
mount -t tmpfs tmpfs /run
mkdir -p /run/var/upper /run/var/work
mount -t overlay -o lowerdir=/var,upperdir=/run/var/upper,workdir=/run/var/work overlay /var
case $state in /var/* | /run/*) echo "STATE must not be below /var or /run" >&2; exit 1 ;; esac

# `outside` is a host beyond the cluster and the node's gateway. A veth pair, since not every kernel has dummy links.
ip link set lo up
ip netns add outside
ip -n outside link set lo up
ip link add eth0 type veth peer name eth0 netns outside
ip addr add $ip/24 dev eth0
ip link set eth0 up
ip -n outside addr add $outside/24 dev eth0
ip -n outside link set eth0 up
ip -n outside route add 10.244.0.0/16 via $ip
ip route add default via $outside dev eth0
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
[ ! -e /proc/sys/net/bridge ] || sysctl -qw net.bridge.bridge-nf-call-iptables=1

start() { # NAME COMMAND...
  local name=$1
  shift
  "$@" >"log/$name.log" 2>&1 </dev/null &
}
wait_for() { # COMMAND...: at most a minute; up.sh shows the logs of what does not come up
  for _ in $(seq 600); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "waited in vain: $*"
  exit 1
}

certificate() { # NAME SUBJECT OPENSSL-OPTION...
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -keyout "pki/$1.key" -out "pki/$1.crt" \
    -subj "/CN=$2" "${@:3}" 2>/dev/null
}
certificate ca lab-ca
certificate api kube-apiserver -CA pki/ca.crt -CAkey pki/ca.key \
  -addext "subjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:$ip,IP:10.96.0.1" \
  -addext basicConstraints=critical,CA:FALSE
openssl ecparam -name prime256v1 -genkey -noout -out pki/sa.key
openssl ec -in pki/sa.key -pubout -out pki/sa.pub 2>/dev/null
cat >pki/tokens.csv <<X
admin-token,admin,admin,"system:masters"
viewer-token,viewer,viewer,"viewers"
X
for user in admin viewer; do
  cat >$user.kubeconfig <<X
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://127.0.0.1:6443", certificate-authority: $state/pki/ca.crt}}]
users: [{name: $user, user: {token: $user-token}}]
contexts: [{name: lab, context: {cluster: lab, user: $user}}]
current-context: lab
X
done
config=$state/admin.kubeconfig
kubectl=("$bin/kubectl" --kubeconfig "$config")

start etcd "$bin/etcd" --data-dir etcd --unsafe-no-fsync \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380
start apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range=10.96.0.0/16 \
  --tls-cert-file=pki/api.crt --tls-private-key-file=pki/api.key --authorization-mode=RBAC --token-auth-file=pki/tokens.csv \
  --service-account-issuer=https://kubernetes.default.svc --service-account-signing-key-file=pki/sa.key --service-account-key-file=pki/sa.pub \
  --advertise-address=$ip --secure-port=6443 --allow-privileged=true --kubelet-preferred-address-types=InternalIP --profiling=false

cat >cni/10-lab.conflist <<X
{"cniVersion": "0.4.0", "name": "lab", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/run/cni-ipam"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
X
cat >containerd.toml <<X
version = 2
root = "/run/containerd-root"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab/pause:1"
  stream_server_address = "127.0.0.1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${SNAPSHOTTER:-overlayfs}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
X
start containerd containerd -c containerd.toml
wait_for ctr version
ctr -n k8s.io images import "$images" >log/images.log 2>&1 &
import=$!

# Two kubelets on one machine would each clean away the other's pods below a common cgroup.
cgroup=netpol-lab-$(basename "$state")
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do
  [ ! -e "$hierarchy/cgroup.procs" ] || mkdir -p "$hierarchy/$cgroup"
done
echo "nameserver $outside" >resolv.conf
cat >kubelet.yaml <<X
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: $state/resolv.conf
podLogsDir: $state/pods
evictionHard: {imagefs.available: 0%, nodefs.available: 0%, memory.available: 0%}
imageGCHighThresholdPercent: 100
maxPods: 240
kubeAPIQPS: 200
kubeAPIBurst: 400
X
cat >proxy.yaml <<X
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $config}
mode: iptables
clusterCIDR: 10.244.0.0/16
hostnameOverride: $node
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
X
wait_for "${kubectl[@]}" get --raw /readyz
start kcm "$bin/kube-controller-manager" --kubeconfig="$config" --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt \
  --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 --leader-elect=false --use-service-account-credentials=false
start scheduler "$bin/kube-scheduler" --kubeconfig="$config" --leader-elect=false
wait $import
start kubelet "$bin/kubelet" --config=kubelet.yaml --kubeconfig="$config" --root-dir="$state/kubelet" --cert-dir="$state/kubelet/pki" \
  --hostname-override=$node --node-ip=$ip
start proxy "$bin/kube-proxy" --config=proxy.yaml
"${kubectl[@]}" apply -f "$(dirname "$0")/dns.yaml" >/dev/null
wait_for "${kubectl[@]}" get node $node
if [ "$ENFORCER" = yes ]; then
  start kube-router "$bin/kube-router" --run-router=false --run-firewall=true --run-service-proxy=false --kubeconfig="$config" \
    --hostname-override=$node --service-cluster-ip-range=10.96.0.0/16 --health-port=0
fi
wait_for "${kubectl[@]}" -n kube-system rollout status deployment/coredns --timeout=60s
[ "$ENFORCER" = no ] || wait_for iptables -w -S KUBE-ROUTER-FORWARD
touch ready

if [ "$LEASH" = yes ]; then
  while read -r; do :; done
else
  wait
fi
