#!/bin/sh
# Locks every dependency with hashes. Run after changing pyproject.toml; commit what changes.
# requirements files, not uv.lock: a lock that records registry addresses is not committed.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
compile() {
    out=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --custom-compile-command "requirements/compile.sh" --output-file "$out" "$@"
}
echo "uv" | compile requirements/uv.txt -
compile requirements/worker.txt pyproject.toml --extra worker
compile requirements/image.txt pyproject.toml --extra console --extra sandbox --extra worker
compile requirements/dev.txt pyproject.toml --extra demo --group dev --constraint requirements/image.txt
compile requirements/bench-gevent.txt --group bench-gevent --constraint requirements/dev.txt
compile requirements/bench-arq.txt --group bench-arq
