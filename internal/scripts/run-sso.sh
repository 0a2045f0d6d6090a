#!/usr/bin/env bash
# `make run-sso`: HAProxy, a provider with two users, two sites and the sso agent, to try
# out. See examples/sso/internal/demo, which this starts. It stays until Ctrl-C; without a
# terminal it drives a browser and exits with 0 only if each step went as it should.
set -euo pipefail
export GOTOOLCHAIN=go1.27.3
cd "$(dirname "$0")/../.."
internal/scripts/haproxy.sh any
args=()
if [ -t 0 ] || [ -t 1 ]; then args+=(-stay); fi
cd examples/sso
exec go run ./internal/demo "${args[@]}"
