#!/bin/sh
# Runs schemathesis (MIT) with the given arguments. PyPI brings it, once, into the directory $1.
set -eu
version=4.32.5
home="$1/schemathesis-$version"
shift
if [ ! -d "$home" ]; then
  # Two runs that come here at once do not see each other's half.
  part=$(mktemp -d "$home.XXXXXX")
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --target "$part" "schemathesis==$version" >&2
  mv -T "$part" "$home" 2>/dev/null || rm -rf "$part"
fi
PYTHONPATH="$home" exec python3 -m schemathesis.cli "$@"
