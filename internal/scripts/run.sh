#!/usr/bin/env bash
# `make run`: HAProxy, an origin and the ip-reputation agent, to try out; with the
# argument waf, rate-limit or mirror, as in `make run-mirror`, that agent. See
# internal/demo, which this starts.
#
# It stays until Ctrl-C. Without a terminal, or with RUN_SECONDS=n (for n seconds
# of requests), it asks by itself and exits with 0 only if each answer was right.
# Where there is no HAProxy and none can be installed, or with
# RUN_WITHOUT_HAPROXY=1, package spoe/spoetest takes its side.
set -euo pipefail
export GOTOOLCHAIN=go1.27.3
cd "$(dirname "$0")/../.."

args=(-example="${1:-ip-reputation}")
if [ -n "${RUN_WITHOUT_HAPROXY:-}" ]; then
  args+=(-haproxy=false)
elif ! internal/scripts/haproxy.sh any; then
  echo "THERE IS NO HAPROXY, and none could be installed. Decisions are shown without it."
  args+=(-haproxy=false)
fi

if [ -n "${RUN_SECONDS:-}" ]; then
  args+=(-for="${RUN_SECONDS}s")
elif [ -t 0 ] || [ -t 1 ]; then
  args+=(-stay)
fi

tmp=$(mktemp -d)
child=
# Signals are for the demo, which ends what it started; this waits for it.
# shellcheck disable=SC2317 # called by the trap
finish() { if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null || true; fi; }
trap finish INT TERM HUP
trap 'rm -rf "$tmp"' EXIT

go build -o "$tmp/demo" ./internal/demo
"$tmp/demo" "${args[@]}" &
child=$!
# A signal interrupts wait; the demo's own status is the one that counts.
while :; do
  status=0
  wait "$child" || status=$?
  kill -0 "$child" 2>/dev/null || break
done
exit "$status"
