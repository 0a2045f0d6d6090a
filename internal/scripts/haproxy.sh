#!/usr/bin/env bash
# Gets the versions of HAProxy that Spoke is tested against, and tells which
# there are.
#
#   internal/scripts/haproxy.sh            all that the tests want
#   internal/scripts/haproxy.sh any        one, whichever version
#   internal/scripts/haproxy.sh status     only tells
#   internal/scripts/haproxy.sh matrix     gets older and newer ones too, prints all as SPOKE_HAPROXY has them
#   internal/scripts/haproxy.sh newest     gets the newest of those, prints its path
#   internal/scripts/haproxy.sh fetch RELEASE   puts Debian RELEASE's into the cache, again if it is there
#
# This system's own HAProxy is installed by apt-get. Those of other Debian
# releases do not touch the system: their packages are fetched by debootstrap,
# and HAProxy with the libraries it needs is put into
# ${SPOKE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/spoke}/haproxy/RELEASE, where
# RELEASE/haproxy starts it. Package spoe/spoetest finds them there.
#
# One that cannot be had is a failure under CI (CI=true), a notice elsewhere.
# Getting `any` fails where there is none in the end.
set -euo pipefail
cd "$(dirname "$0")"

# What the tests want: Debian's release, and the version it must have there. A
# "+" stands for "or later", since sid moves on.
wanted=("bookworm 2.6" "trixie 3.0" "sid 3.2+")

# What `make test-all` tests besides. They have a cache of their own, so that `make
# test` does not find them.
more=("bullseye 2.2" "experimental 3.4+")

cache="${SPOKE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spoke}/haproxy"
more_cache="$cache-more"
cache=${SPOKE_HAPROXY_FOLDER:-$cache} # matrix fetches into another folder
PATH="$PATH:/usr/sbin:/usr/local/sbin" # not on every user's PATH

in_ci() { case "${CI:-}" in '' | 0 | false) return 1 ;; esac }

# version PROGRAM prints 2.6.12-1+deb12u4, or nothing.
version() { "$1" -v 2>/dev/null | sed -n 's/^HA-\{0,1\}Proxy version \([0-9][^ ]*\).*/\1/p'; }

# is VERSION WANTED, such as 3.2.26-1 3.2+
is() {
  local have=${1%%[!0-9.]*} want=${2%+}
  [ -n "$have" ] || return 1
  case "$have." in "$want".*) return 0 ;; esac
  [ "$2" != "$want" ] && [ "$(printf '%s\n%s\n' "$want" "$have" | sort -V | head -n 1)" = "$want" ]
}

# find_haproxy WANTED prints the path of one that is.
find_haproxy() {
  local path
  for path in "$(command -v haproxy || true)" "$cache"/*/haproxy; do
    if [ -x "$path" ] && is "$(version "$path")" "$1"; then
      echo "$path"
      return
    fi
  done
  return 1
}

# debian RELEASE: is this system of that release?
debian() { [ "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)" = "$1" ]; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif [ -t 0 ]; then sudo "$@"
  else sudo -n "$@"
  fi
}

# from_experimental ROOT puts experimental's HAProxy in place of sid's. debootstrap
# has checked the signature of the list that has its sum.
from_experimental() {
  local archives="$1/var/cache/apt/archives" file sum mirror
  read -r file sum < <(awk -v RS= '/^Package: haproxy\n/' "$1"/var/lib/apt/lists/*_experimental_main_binary-*_Packages |
    awk '$1 == "Filename:" { file = $2 } $1 == "SHA256:" { sum = $2 } END { print file, sum }')
  as_root rm -f "$archives"/haproxy_*.deb
  # The mirror is the one that debootstrap has chosen; its log names it.
  mirror=$(sed -n 's/^I: Checking component main on \(.*[^.]\)\.\.\.$/\1/p' "$tmp/log" | head -n 1)
  wget -q -O "$tmp/haproxy.deb" "${mirror:?debootstrap named no mirror}/$file"
  echo "$sum  $tmp/haproxy.deb" | sha256sum --check --quiet
  as_root mv "$tmp/haproxy.deb" "$archives/haproxy_experimental.deb"
}

# fetch RELEASE puts that release's HAProxy into the cache. Everything happens
# in a folder beside it that is renamed at the end: what is there is whole.
fetch() {
  release=$1
  mkdir -p "$cache"
  # One fetch at a time: apt and the cache are shared by all. Who has waited finds
  # what the other has fetched.
  exec 9>"$cache/.lock"
  if ! flock -n 9; then
    echo "Another fetch is running; waiting for it"
    flock 9
    if [ -n "${2:-}" ] && [ -n "$(version "$cache/$release/haproxy")" ] && is "$(version "$cache/$release/haproxy")" "$2"; then return; fi
  fi
  ./apt.sh debootstrap debian-archive-keyring >/dev/null || exit
  echo "Fetching HAProxy of Debian $release"
  tmp=$(mktemp -d "$cache/.$release.XXXXXX")
  trap 'as_root rm -rf "$tmp"' EXIT

  # Only the packages: nothing is set up, nothing runs in there. Experimental is not
  # whole by itself: all but HAProxy comes from sid.
  suite=$release include=haproxy extra=()
  if [ "$release" = experimental ]; then
    suite=sid include=haproxy,libjemalloc2,libopentracing-c-wrapper0t64,libssl3t64 extra=(--extra-suites=experimental)
  fi
  if ! as_root debootstrap --download-only --variant=minbase --include="$include" "${extra[@]}" \
    "$suite" "$tmp/root" >"$tmp/log" 2>&1 </dev/null; then
    tail -n 20 "$tmp/log" >&2
    exit 1
  fi
  if [ "$release" = experimental ]; then from_experimental "$tmp/root"; fi
  mkdir "$tmp/all"
  for deb in "$tmp"/root/var/cache/apt/archives/{haproxy,lib}*.deb; do
    dpkg-deb --extract "$deb" "$tmp/all"
  done

  # The dynamic loader knows which libraries HAProxy needs. Its folder is named
  # after the architecture; releases before trixie have it in /lib.
  loader=$(find "$tmp/all" -path '*/lib/*-linux-gnu*/ld-linux*.so.*' | head -n 1)
  arch=$(basename "$(dirname "$loader")")
  lib="usr/lib/$arch"
  needed=$("$loader" --library-path "$tmp/all/lib/$arch:$tmp/all/$lib" --list "$tmp/all/usr/sbin/haproxy" |
    sed -n 's/.* => \(.*\) (0x.*/\1/p')
  out="$tmp/out"
  mkdir -p "$out/$lib" "$out/usr/sbin" "$out/usr/share/doc/haproxy"
  cp "$tmp/all/usr/sbin/haproxy" "$out/usr/sbin/"
  cp -L "$loader" "$out/$lib/"
  for file in $needed; do
    # The loader is listed too, by the path that the binary wants it at.
    case "$file" in "$tmp"/*) cp -L "$file" "$out/$lib/" ;; esac
  done
  cp "$tmp"/all/usr/share/doc/haproxy/*.gz "$out/usr/share/doc/haproxy/" # SPOE.txt of this version
  argv0='--argv0 "$0"'
  # Loaders before glibc 2.33 cannot set it. HAProxy needs it for its master process.
  case "$("$loader" --help 2>&1 || true)" in *--argv0*) ;; *) argv0= ;; esac
  cat >"$out/haproxy" <<EOF
#!/bin/sh
# HAProxy of Debian $release through its own dynamic loader and libraries.
d=\${0%/*}
exec "\$d/$lib/$(basename "$loader")" $argv0 --library-path "\$d/$lib" "\$d/usr/sbin/haproxy" "\$@"
EOF
  chmod 755 "$out" "$out/haproxy"
  [ -n "$(version "$out/haproxy")" ] || {
    echo "HAProxy of Debian $release does not start here:" >&2
    "$out/haproxy" -v >&2 || true
    exit 1
  }

  old="$tmp/old"
  if [ -e "$cache/$release" ]; then mv "$cache/$release" "$old"; fi
  mv -T "$out" "$cache/$release"
}

# get RELEASE WANTED: by apt-get where this system is of that release, but not
# in place of another HAProxy that was installed here.
get() {
  if debian "$1" && ! command -v haproxy >/dev/null; then
    ./apt.sh haproxy && is "$(version haproxy)" "$2" && return
  fi
  # A process of its own: in a function that is part of a condition, bash does
  # not stop at errors.
  bash haproxy.sh fetch "$1" "$2"
}

status() {
  local entry release want path missing=()
  for entry in "${wanted[@]}"; do
    read -r release want <<<"$entry"
    if path=$(find_haproxy "$want"); then
      printf 'HAProxy %-20s %s\n' "$(version "$path")" "$path"
    else
      missing+=("$want (Debian $release)")
    fi
  done
  [ ${#missing[@]} -eq 0 ] && return
  for entry in "${missing[@]}"; do
    echo "NOT THERE: HAProxy $entry. Tests run against the others only." >&2
  done
  echo "To have it, run \"make haproxy\" on Debian or Ubuntu on amd64 or arm64 as root or with sudo," >&2
  echo "or name any haproxy in SPOKE_HAPROXY, a list of paths parted by colons." >&2
  return 1
}

# matrix gets all there are to test and prints them as SPOKE_HAPROXY has them.
matrix() {
  local entry release want list=""
  for entry in "${wanted[@]}"; do
    read -r release want <<<"$entry"
    find_haproxy "$want" >/dev/null || get "$release" "$want" >&2 || true
    list+=":$(find_haproxy "$want")"
  done
  cache=$more_cache
  for entry in "${more[@]}"; do
    read -r release want <<<"$entry"
    [ -n "$(version "$cache/$release/haproxy")" ] ||
      SPOKE_HAPROXY_FOLDER=$cache bash haproxy.sh fetch "$release" "$want" >&2
    list+=":$cache/$release/haproxy"
  done
  echo "${list#:}"
}

# newest gets the newest version and prints its path.
newest() {
  local release want
  read -r release want <<<"${more[-1]}"
  cache=$more_cache
  [ -n "$(version "$cache/$release/haproxy")" ] ||
    SPOKE_HAPROXY_FOLDER=$cache bash haproxy.sh fetch "$release" "$want" >&2
  echo "$cache/$release/haproxy"
}

case "${1:-all}" in
any)
  if [ -n "${SPOKE_HAPROXY:-}" ] || command -v haproxy >/dev/null; then exit; fi
  for path in "$cache"/*/haproxy; do
    if [ -n "$(version "$path")" ]; then exit; fi
  done
  ./apt.sh haproxy
  ;;
all)
  # The list names all there is: nothing to get, and no judging it.
  if [ -n "${SPOKE_HAPROXY:-}" ]; then
    echo "HAProxy of SPOKE_HAPROXY: $SPOKE_HAPROXY"
    exit
  fi
  for entry in "${wanted[@]}"; do
    read -r release want <<<"$entry"
    find_haproxy "$want" >/dev/null || get "$release" "$want" || true
  done
  status || ! in_ci
  ;;
matrix)
  matrix
  ;;
newest)
  newest
  ;;
status)
  status
  ;;
fetch)
  fetch "${2:?which release of Debian?}" "${3:-}"
  ;;
*)
  sed -n '2,/^set/s/^# \{0,1\}//p' haproxy.sh >&2
  exit 2
  ;;
esac
