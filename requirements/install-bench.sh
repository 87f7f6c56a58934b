#!/bin/sh
# Fetches what only the peers of the benchmarks need: Python packages into .bench, each set by itself since arq wants
# another redis-py than Envoi, and BullMQ's into benchmarks/bullmq/node_modules. Locked; hashes are checked.
set -eu
cd "$(dirname "$0")/.."

say() { echo "install-bench: $*"; }

pip=".venv/bin/python -m pip"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

for set in gevent arq; do
    say "fetching the packages of $set"
    rm -rf ".bench/$set"
    $pip install --quiet --no-deps --require-hashes --requirement "requirements/bench-$set.txt" --target ".bench/$set"
done

if command -v npm >/dev/null; then
    say "fetching the packages of BullMQ"
    npm ci --prefix benchmarks/bullmq --ignore-scripts --no-audit --no-fund --loglevel error
else
    say "no npm here: BullMQ is left out (it takes Node 20.18.1 or newer)"
fi
