#!/bin/sh
# Says in one line what is missing, before anything long begins. Arguments: programs that are needed beside the usual.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "roomful: $1" >&2
  exit 1
}

# at_least HAVE WANT: whether version HAVE is WANT or newer.
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v cargo >/dev/null 2>&1 || fail "Rust $rust or newer is needed: https://rustup.rs"
have=$(cargo --version | cut -d' ' -f2)
at_least "$have" "$rust" || fail "Rust $rust or newer is needed, and this is $have: run 'rustup update'"
command -v cc >/dev/null 2>&1 || fail "a C compiler is needed (for the cryptography): on Debian, apt-get install build-essential"

node=20.19.0
command -v node >/dev/null 2>&1 || fail "Node.js $node or newer is needed: https://nodejs.org"
have=$(node --version | cut -c2-)
at_least "$have" "$node" || fail "Node.js $node or newer is needed, and this is $have: https://nodejs.org"
command -v npm >/dev/null 2>&1 || fail "npm is needed; it comes with Node.js: https://nodejs.org"

missing=
for program in "$@"; do
  # Debian has programs for administrators where not everybody looks; setpriv comes in another package.
  PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -z "$missing" ] || fail "missing:$missing. On Debian and Ubuntu: apt-get install$(echo "$missing" | sed 's/setpriv/util-linux/')"
