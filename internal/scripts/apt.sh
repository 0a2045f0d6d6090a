#!/usr/bin/env bash
# Installs Debian packages: as root, or through sudo.
#
#   internal/scripts/apt.sh PACKAGE...
#
# Where that cannot be done, it says what to do instead and exits with 3.
set -euo pipefail

cannot() {
  echo "Cannot install $*: $why." >&2
  echo "Install it by the means of this system and run this again." >&2
  exit 3
}

why="there is no apt-get here, as on Debian and Ubuntu"
command -v apt-get >/dev/null || cannot "$@"

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  why="that takes root, and there is no sudo"
  command -v sudo >/dev/null || cannot "$@"
  # Without a terminal nobody can type a password.
  if [ -t 0 ]; then sudo=(sudo); else sudo=(sudo -n); fi
fi

apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing $*"
# A machine whose package lists are fresh is spared the update. A source of
# packages that fails to update does not matter if the install succeeds.
if ! "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >"$log" 2>&1; then
  "${apt[@]}" update </dev/null >>"$log" 2>&1 || true
  if ! "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >>"$log" 2>&1; then
    cat "$log" >&2
    why="apt-get failed, see above"
    cannot "$@"
  fi
fi
