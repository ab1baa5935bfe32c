#!/usr/bin/env bash
# Builds, shows and tests kubectl netpol. Needs Python 3.10 or newer with pip, and a package index that pip reaches.
set -euo pipefail
cd "$(dirname "$0")"

PYTHON=${PYTHON:-python3}
ZIPAPP=dist/kubectl-netpol
# Rooms without input and output, where tests must cover every branch.
PURE_CORE=(model policies manifests engine connection analysis lint allow diagnosis suite errors fields concurrency)

usage() {
  cat <<'EOF'
usage: ./build.sh                           build dist/kubectl-netpol
       ./build.sh demo                      run test, allow and explain on examples/, without a cluster
       ./build.sh test                      run linters, type checks and tests; if possible, on a real cluster too
       ./build.sh release VERSION URI-BASE HOMEPAGE
                                            build the files of a release in dist/release: archive and manifest for krew,
                                            wheel and sdist, SBOM
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

# fetch NAME LOCK [PIP-OPTION...]: installs the packages of packaging/LOCK into build/NAME if LOCK has changed.
# With pip's --target, an externally managed Python will do, without venv and without root.
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
  # Always for CPython 3.10 on Linux, so that any machine fetches the same files (only pure Python is kept).
  fetch dependencies requirements.txt --platform manylinux2014_x86_64 --implementation cp --abi cp310 --python-version 3.10
  fetch tools requirements-build.txt
  "$PYTHON" packaging/make_zipapp.py --dependencies build/dependencies --tools build/tools --output "$ZIPAPP"
  printf 'built %s (%s bytes)\n' "$ZIPAPP" "$(wc -c <"$ZIPAPP" | tr -d ' ')"
}

build_if_needed() {
  if [ ! -x "$ZIPAPP" ] || [ -n "$(find kubectl_netpol packaging LICENSE -type f ! -name '*.pyc' -newer "$ZIPAPP")" ]; then build; fi
}

# show ARGUMENT...: prints the command as typed, its output, and exit status 1, which is the answer "no".
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

# environment FOLDER LOCK: creates or updates a virtual environment with the packages of packaging/LOCK.
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
  local python=.venv/bin/python pure='' room
  for room in "${PURE_CORE[@]}"; do
    if [ -d "kubectl_netpol/$room" ]; then
      pure+="kubectl_netpol/$room/*,"
    elif [ -f "kubectl_netpol/$room.py" ]; then
      pure+="kubectl_netpol/$room.py,"
    else
      fail "PURE_CORE: kubectl_netpol/$room does not exist"
    fi
  done
  export NETPOL_ZIPAPP=$PWD/$ZIPAPP NETPOL_SHARED=${NETPOL_SHARED:-$PWD/../shared}

  .venv/bin/shellcheck build.sh .ci/run kubectl_netpol/probe/probe.sh tests/cluster/kit/*.sh
  .venv/bin/oxlint --config packaging/oxlint.json --deny-warnings kubectl_netpol/render/page.js
  "$python" -m ruff check .
  "$python" -m ruff format --check .
  "$python" -m mypy
  "$python" -m pytest tests --ignore=tests/packaging --ignore=tests/cluster --numprocesses=auto --dist=worksteal \
    --cov --cov-report=
  "$python" -m coverage report --include="${pure%,}" --fail-under=100
  if [ -n "${CI-}" ]; then
    environment build/kubernetes-36 requirements-kubernetes-36.txt
    build/kubernetes-36/bin/python -m pytest tests/unit/cluster
  fi
  "$python" -m pytest tests/cluster tests/packaging
}

release() {
  [ $# -eq 3 ] || {
    usage >&2
    exit 2
  }
  check_python
  "$PYTHON" packaging/release.py --check "$@"
  build
  environment build/release requirements-release.txt
  build/release/bin/python packaging/release.py "$@"
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
