#!/bin/sh
# Makes .venv with everything that `make` needs: the locked packages (hashes checked) and this project, editable.
# `make install` runs it when requirements or pyproject.toml have changed. PYTHON=… chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

say() { echo "install: $*"; }
fail() {
    echo "install: $*" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and not found (Debian 12 or newer: apt-get install python3 python3-venv)"
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$python has no venv; install it and run this again (Debian: apt-get install python3-venv)"
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
}

# What pip is configured to use, uv should use: the index (environment first, then pip's files) and the certificates.
configure_uv() {
    index=${PIP_INDEX_URL:-$($pip config get install.index-url 2>/dev/null ||
        $pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"; fi
    if [ -n "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"; fi
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
}

pip=".venv/bin/python -m pip"
export PIP_DISABLE_PIP_VERSION_CHECK=1
# pip asks for nothing and, without a home of ours to cache in, does not complain either.
export PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

$pip --version >/dev/null 2>&1 || make_venv

say "fetching uv, the installer"
$pip install --quiet --require-hashes --requirement requirements/uv.txt

say "installing $(grep -c '^[a-z].*==' requirements/dev.txt) locked packages into .venv (some 150 MB the first time)"
configure_uv
# Compiled now, as pip does it: where the environment forbids it later, every start of a process would compile anew.
if ! .venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/dev.txt; then
    say "uv could not; trying pip itself, which takes longer"
    $pip install --quiet --require-hashes --requirement requirements/dev.txt
fi

say "installing this project into .venv, editable"
$pip install --quiet --no-deps --no-build-isolation --no-index --editable .
say "done"
