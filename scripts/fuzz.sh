#!/usr/bin/env bash
# Runs each fuzz test of the module it is started in, one after the other, since
# `go test -fuzz` takes one only.
#
#   scripts/fuzz.sh TIME PATTERN      such as 30s Frame
set -euo pipefail

time=$1
pattern=$2

for package in $(go list ./...); do
  for fuzz in $(go test -list "^Fuzz.*$pattern" "$package" | grep '^Fuzz' || true); do
    echo "$package $fuzz for $time"
    go test -run='^$' -fuzz="^$fuzz\$" -fuzztime="$time" "$package"
  done
done
