#!/usr/bin/env bash
# Builds what the cluster runs and prints the folder it is in: bin/, images.tar.
#
# Kubernetes, etcd, CoreDNS and kube-router come as Go modules; containerd, runc, the CNI plugins and the tools in the
# images from Debian. The folder is named after everything that goes into it, so a clone with the same sources uses what
# another one built, and never something else. Ten minutes with an empty Go cache, one with a warm one, then 0.2 s.
set -euo pipefail
kit=$(cd "$(dirname "$0")" && pwd)
cache=${NETPOL_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-netpol-lab}
kubernetes=1.35.4
packages=(containerd runc containernetworking-plugins iptables ipset conntrack iproute2 util-linux openssl procps gcc libc6-dev
  make bzip2 bash coreutils dpkg-dev busybox-static nginx-light netcat-openbsd netcat-traditional ncat curl dash)

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() { echo "$0: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "the cluster needs root"
command -v go >/dev/null || fail "the cluster needs Go"

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  # Exit status 101 keeps the packages' own services (containerd, nginx) from being started.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    trap 'rm -rf "$work" "$policy"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$work/apt.log" 2>&1 ||
    { tail -n 20 "$work/apt.log" >&2; fail "installing ${missing[*]} failed"; }
fi

key=$({
  cd "$kit" && sha256sum build.sh images.py pause.c kube/* dns/* router/* server/*
  go version
  dpkg-query -W "${packages[@]}"
} | sha256sum | cut -c 1-16)
out=$cache/$key
if [ -e "$out" ]; then
  touch "$out"
  echo "$out"
  exit
fi

echo "building the cluster's programs into $out" >&2
bin=$work/bin
mkdir -p "$bin"
export CGO_ENABLED=0
compile() { (cd "$kit/$1" && go build -trimpath -ldflags "-s -w ${4:-}" -o "$bin/$2" "$3"); }
# Without a version the API server calls itself v0.0.0-master, which kubectl can't parse.
x=k8s.io/component-base/version
minor=${kubernetes#*.}
compile kube kube . "-X $x.gitVersion=v$kubernetes -X $x.gitMajor=${kubernetes%%.*} -X $x.gitMinor=${minor%%.*}"
for name in kubectl etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
  ln -s kube "$bin/$name"
done
compile dns coredns .
compile router kube-router github.com/cloudnativelabs/kube-router/v2/cmd/kube-router
compile server server .
gcc -static -O2 -Wall -o "$bin/pause" "$kit/pause.c"

# The busybox image that people run has an nc with -z and -v, Debian's busybox has neither. Both are wanted: the first is
# built from Debian's source, with lists of its own so that the machine's apt configuration stays as it is.
lists=$work/lists
mkdir -p "$lists/partial" "$work/sources.d" "$work/busybox"
for file in /etc/apt/sources.list.d/*.sources; do
  [ -f "$file" ] && sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/sources.d/${file##*/}"
done
if [ -f /etc/apt/sources.list ]; then
  sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$work/sources.d/main.list"
fi
source_only=(-qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$work/sources.d" -o "Dir::State::Lists=$lists"
  -o "APT::Sandbox::User=root")
(
  cd "$work/busybox"
  apt-get "${source_only[@]}" update
  apt-get "${source_only[@]}" source --download-only busybox
  tar xjf busybox_*.orig.tar.bz2 --strip-components=1
  make defconfig
  sed -i -e 's/^# CONFIG_STATIC is not set/CONFIG_STATIC=y/' -e 's/^CONFIG_TC=y/# CONFIG_TC is not set/' \
    -e 's/^# CONFIG_NC_110_COMPAT is not set/CONFIG_NC_110_COMPAT=y/' .config
  # `yes` ends by SIGPIPE, which pipefail would call a failure.
  { yes '' || true; } | make oldconfig
  make -j"$(nproc)" busybox
  cp busybox "$bin/busybox"
) >"$work/busybox.log" 2>&1 || { tail -n 20 "$work/busybox.log" >&2; fail "busybox does not build"; }

mkdir "$work/done"
python3 "$kit/images.py" "$bin" "$work/done/images.tar"
mv "$bin" "$work/done/"
mv "$work/done" "$out"
find "$cache" -mindepth 1 -maxdepth 1 -type d -name '????????????????' -mtime +14 -exec rm -rf {} +
echo "$out"
