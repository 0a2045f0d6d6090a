#!/usr/bin/env bash
# `make agents-cost`: the CPU time of each example's agent for a question, by spoectl bench
# with 8 connections × 16 questions in flight. Prints the lines of a table.
set -euo pipefail
export GOTOOLCHAIN=go1.27.3
cd "$(dirname "$0")/../.."
count="${N:-200000}"

tmp=$(mktemp -d)
agent=
site=
# shellcheck disable=SC2317 # called by the trap
finish() {
  for child in $agent $site; do kill "$child" 2>/dev/null || true; done
  rm -rf "$tmp"
}
trap finish EXIT
go build -C cmd/spoectl -o "$tmp/spoectl" .
printf 'Host: site.example\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\nAccept: */*\nCookie: a=1; b=2\n' > "$tmp/headers"

# cpu prints the CPU time that a process has used, in clock ticks.
cpu() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# measure NAME WHAT COUNT FLAGS -- MESSAGE ARGUMENTS AND FLAGS OF BENCH
measure() {
  local name=$1 what=$2 n=$3 flags=() before after addr
  shift 3
  while [ "$1" != -- ]; do flags+=("$1"); shift; done
  shift
  go build -C "examples/$name" -o "$tmp/$name" .
  (cd "$tmp" && exec "./$name" -listen 127.0.0.1:0 -admin-listen off -timeout 5s -shutdown-timeout 100ms "${flags[@]}") > "$tmp/log" 2>&1 &
  agent=$!
  for _ in $(seq 200); do
    addr=$(sed -n 's/.*msg=ready addresses="\?\[\([^]]*\)\].*/\1/p' "$tmp/log")
    if [ -n "$addr" ]; then break; fi
    sleep 0.1
  done
  if [ -z "$addr" ]; then
    cat "$tmp/log" >&2
    exit 1
  fi
  before=$(cpu "$agent")
  "$tmp/spoectl" bench "$addr" "$@" --count "$n" --warm-up 0s > "$tmp/bench"
  after=$(cpu "$agent")
  awk -v name="$name" -v what="$what" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v n="$n" \
    'BEGIN { printf "| %s | %s | %.1f µs |\n", name, what, ticks / hz / n * 1e6 }'
  kill "$agent"
  wait "$agent" 2>/dev/null || true
  agent=
}

# The arguments of the messages with a whole request.
request=(method=GET 'url=/index.html?id=1' "headers:hdrs_bin=@$tmp/headers" body:string= body_length=null body_ended=true)

measure ip-reputation "its sample lists" "$count" -- ip-rep ip=192.0.2.66
measure mirror "a request that goes to no target" "$count" -- mirror "${request[@]}"
# A site that answers at once, at a rate that it keeps up with.
internal/scripts/haproxy.sh any
port=$((20000 + RANDOM % 10000))
printf 'defaults\n  mode http\n  timeout client 9s\nfrontend f\n  bind 127.0.0.1:%d\n  http-request return status 200\n' "$port" > "$tmp/site.cfg"
haproxy -db -f "$tmp/site.cfg" &
site=$!
measure mirror "a request that is copied" $((count / 10)) -url "http://127.0.0.1:$port" -queue 100000 -- mirror "${request[@]}" --rate 4000
if grep 'copies fail' "$tmp/log"; then exit 1; fi
measure waf "a GET without a match, Core Rule Set" $((count / 100)) -- waf-request "id=1" src=192.0.2.1 src-port=1234 dst=192.0.2.2 dst-port=443 version=1.1 "${request[@]}"
printf 'keys: [%064d]\nsites: [{hosts: [site.example], rules: [{do: allow}]}]\n' 0 > "$tmp/sso.yaml"
measure sso "a path without a login" "$count" -config "$tmp/sso.yaml" -pages-listen 127.0.0.1:0 -- authenticate \
  method=GET host=site.example target=/index.html from=192.0.2.1 cookie='a=1; b=2' accept='*/*'
