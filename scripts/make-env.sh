#!/bin/sh
# Writes .env with secrets of its own, for docker-compose.yml. What is there already stays as it is.
set -eu
cd "$(dirname "$0")/.."
file=${1:-.env}

if [ -e "$file" ]; then
    echo "$file exists, and stays as it is. \`docker compose run --rm doctor\` says whether it is a good one."
    exit 0
fi

# Hexadecimal, because that needs quotes neither in a URL nor in a shell.
secret() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
cat >"$file.new" <<ENV
# Made by \`make env\`. Whoever has these is whoever they like: keep the file to yourself, and out of version control.
# .env.example lists everything that can be set here.

# Where nginx listens.
PORT=${PORT:-8080}

# Signs sessions and tokens. With another one, everybody is a new guest.
JWT_SECRET=$(secret 48)

# Redis asks everybody for this.
REDIS_PASSWORD=$(secret 24)

# For /admin/.
ADMIN_USER=admin
ADMIN_PASS=$(secret 12)

# For Grafana, with --profile observability; the user is admin.
GRAFANA_PASSWORD=$(secret 12)
ENV
mv "$file.new" "$file"
echo "$file is written, with secrets of its own; the admin's password is in it.
Next: docker compose up --build --scale chat-node=3"
