#!/bin/sh
# Replaces the containers of a service by new ones, while everybody talks: as many new ones are started beside the old
# ones, and when all of them are ready the old ones are ended in turn. Their clients open a new connection before they
# let go of the old one, so that nobody sees anything.
#
#   deploy/rollout.sh chat-node           after `docker compose build`, `docker compose pull`, or a change of .env
#   deploy/rollout.sh chat-node gateway admin-api
#
# All new ones are there before the first old one goes: whoever moves finds as many places as there will be in the end, and
# the last to be started is not the one that stays empty.
set -eu
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 64; }
# Seconds until new ones are ready, and until an old one has drained.
ready_within=${READY_WITHIN:-120}
drained_within=${DRAINED_WITHIN:-60}

if docker compose version >/dev/null 2>&1; then compose="docker compose"; else compose=docker-compose; fi

# Ready is more than what Docker calls healthy, which is that it lives.
ready() { docker exec "$1" "$2" health >/dev/null 2>&1; }

for service in "$@"; do
    old=$($compose ps -q "$service")
    count=$(echo "$old" | grep -c . || true)
    if [ "$count" -eq 0 ]; then
        echo "rollout: $service is not running: start it with \`docker compose up -d\`" >&2
        exit 1
    fi
    echo "── $service: starting $count beside $count"
    $compose up -d --no-deps --no-build --no-recreate --scale "$service=$((count * 2))" "$service"

    new=$($compose ps -q "$service")
    for id in $old; do new=$(echo "$new" | grep -v "^$id" || true); done
    waited=0
    for id in $new; do
        until ready "$id" "$service"; do
            if [ "$waited" -ge "$ready_within" ]; then
                echo "rollout: a new $service is not ready after $ready_within s; the old ones go on, and the new ones end." >&2
                for failed in $new; do docker logs --tail 20 "$failed" >&2 || true; done
                echo "$new" | xargs docker rm --force >/dev/null
                exit 1
            fi
            sleep 1
            waited=$((waited + 1))
        done
    done

    # One at a time: its clients are not sent to another one that is about to go at the same moment.
    for id in $old; do
        begin=$(date +%s)
        docker stop --time "$drained_within" "$id" >/dev/null
        status=$(docker inspect --format '{{.State.ExitCode}}' "$id")
        docker rm "$id" >/dev/null
        echo "   $(echo "$id" | cut -c1-12) ended with $status after $(($(date +%s) - begin)) s"
    done
done
