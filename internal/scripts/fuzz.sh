#!/usr/bin/env bash
# Runs each fuzz test of the module it is started in, one after the other, since
# `go test -fuzz` takes one only.
#
#   internal/scripts/fuzz.sh TIME PATTERN      such as 30s Frame
set -euo pipefail
export GOTOOLCHAIN=go1.27.3

time=$1
pattern=$2

# Minimizing is bounded by tries: by time, it would take all of a short run.
while read -r package dir; do
  for fuzz in $(grep -hos '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | grep -e "$pattern" || true); do
    echo "$package $fuzz for $time"
    go test -run='^$' -fuzz="^$fuzz\$" -fuzztime="$time" -fuzzminimizetime=20x "$package" </dev/null
  done
done < <(go list -f '{{.ImportPath}} {{.Dir}}' ./...)
