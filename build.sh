#!/usr/bin/env bash
# Builds, shows and tests kubectl netpol. Needs Python 3.10 or newer with pip, and a package index that pip reaches.
set -euo pipefail
cd "$(dirname "$0")"

PYTHON=${PYTHON:-python3}
ZIPAPP=dist/kubectl-netpol
# No input, no output, every branch tested.
PURE_CORE=(
  addresses codes diagnose dns errors evaluate faults fields generate isolation judge label_form labels least lint manifest model
  overriding policy_manifest policy_text resolve routes rules selection snapshot threads verdict words yaml_text
)

usage() {
  cat <<'EOF'
usage: ./build.sh                           build dist/kubectl-netpol
       ./build.sh demo                      show test, allow and explain on examples/, without a cluster
       ./build.sh test                      lint, types, unit tests, tests of the zipapp and, where possible, on a real cluster
       ./build.sh release VERSION URI-BASE  build dist/ for a release: tar.gz, sha256, plugin.yaml for krew
EOF
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

check_python() {
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$PYTHON is not Python 3.10 or newer (set PYTHON)"
  "$PYTHON" -m pip --version >/dev/null || fail "$PYTHON has no pip"
}

# fetch NAME LOCK [PIP-OPTION...]: the packages of packaging/LOCK as the folder build/NAME, fetched when LOCK has changed.
# A target folder is not an installation: this works with an externally managed Python, without venv and without root.
fetch() {
  local folder=build/$1 lock=packaging/$2 new
  shift 2
  if cmp -s "$lock" "$folder/.lock"; then return; fi
  mkdir -p build
  new=$(mktemp -d build/new-XXXXXX)
  PIP_ROOT_USER_ACTION=ignore "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-compile --no-deps \
    --require-hashes --only-binary=:all: --target "$new" "$@" --requirement "$lock"
  cp "$lock" "$new/.lock"
  rm -rf "$folder"
  mv "$new" "$folder"
}

build() {
  check_python
  # For CPython 3.10 on Linux whatever builds: the same files everywhere (what is not pure Python is pruned).
  fetch dependencies requirements.txt --platform manylinux2014_x86_64 --implementation cp --abi cp310 --python-version 3.10
  fetch tools requirements-build.txt
  "$PYTHON" packaging/make_zipapp.py --dependencies build/dependencies --tools build/tools --output "$ZIPAPP"
  printf 'built %s (%s bytes)\n' "$ZIPAPP" "$(wc -c <"$ZIPAPP" | tr -d ' ')"
}

build_if_needed() {
  if [ ! -x "$ZIPAPP" ] || [ -n "$(find kubectl_netpol packaging LICENSE -type f ! -name '*.pyc' -newer "$ZIPAPP")" ]; then build; fi
}

# show ARGUMENT...: the command as typed, its output, and its exit status where that is the answer "no".
show() {
  local status=0
  printf '\n$ kubectl netpol %s\n' "$*"
  "$PYTHON" "$ZIPAPP" "$@" || status=$?
  case $status in
    0) ;;
    1) printf '(exit status 1: no)\n' ;;
    *) fail "exit status $status" ;;
  esac
}

demo() {
  build_if_needed
  show test -f examples/shop.yaml san nginx 80 -n shop
  show allow --from run=san --to run=nginx --port 80 -n shop -f examples/shop.yaml
  show explain nginx -n shop -f examples/shop.yaml
}

# environment FOLDER LOCK: a virtual environment with the packages of packaging/LOCK, made or brought up to date.
environment() {
  local folder=$1 lock=packaging/$2
  if cmp -s "$lock" "$folder/.lock"; then return; fi
  if [ ! -x "$folder/bin/python" ]; then
    fetch virtualenv requirements-virtualenv.txt
    PYTHONPATH=build/virtualenv "$PYTHON" -m virtualenv --quiet --no-download "$folder"
  fi
  PIP_ROOT_USER_ACTION=ignore "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$lock"
  cp "$lock" "$folder/.lock"
}

run_tests() {
  build
  environment .venv requirements-dev.txt
  local python=.venv/bin/python modules='' module
  for module in "${PURE_CORE[@]}"; do
    [ -f "kubectl_netpol/$module.py" ] || fail "PURE_CORE names $module, which is not there"
    modules+=kubectl_netpol/$module.py,
  done
  export NETPOL_ZIPAPP=$PWD/$ZIPAPP NETPOL_SHARED=${NETPOL_SHARED:-$PWD/../shared}

  .venv/bin/shellcheck build.sh .ci/run tests/cluster/kit/*.sh
  "$python" -m ruff check .
  "$python" -m ruff format --check .
  "$python" -m mypy
  "$python" -m coverage run -m pytest tests --ignore=tests/packaging --ignore=tests/cluster
  "$python" -m coverage report --include="${modules%,}" --fail-under=100
  if [ -n "${CI-}" ]; then
    environment build/kubernetes-36 requirements-kubernetes-36.txt
    build/kubernetes-36/bin/python -m pytest tests/unit/cluster
  fi
  "$python" -m pytest tests/cluster tests/packaging
}

release() {
  [ $# -eq 2 ] || {
    usage >&2
    exit 2
  }
  build
  "$PYTHON" packaging/release.py "$@"
}

case ${1-} in
  '') build ;;
  demo) demo ;;
  test) run_tests ;;
  release)
    shift
    release "$@"
    ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
