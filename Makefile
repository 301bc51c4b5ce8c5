# The command surface. The logic is in crates/xtask (cargo xtask --help).

.DEFAULT_GOAL := help
.PHONY: help run cluster env compose-test audit load bench page test instructions codegen idle-memory screenshots

help:
	@echo 'make run          build everything and serve the chat at http://localhost:8080 (PORT=… for another port)'
	@echo 'make cluster      Redis, nginx, gateway, admin API and NODES=3 chat-nodes as processes of their own, at PORT=8080'
	@echo 'make env          write .env with secrets of its own, for docker compose up --build --scale chat-node=3'
	@echo 'make compose-test the containers under audit: scaled, killed, rolled out anew, restarted (needs Docker)'
	@echo 'make audit        clients, faults and a judge: nothing lost, doubled or reordered (SEED=1 DURATION=240s URL=…)'
	@echo 'make load         thousands of connections, and what each delivery costs (PROFILE=rooms URL=… LOAD="--rate 50k")'
	@echo 'make bench        ours against Socket.IO, ws and a floor, in turn, as ratios (ROUNDS=3 BENCH="--rates 25k")'
	@echo 'make test         every test and check; installs what they need where it is missing'
	@echo 'make instructions count what encoding, fan-out and decoding take, against the kept figures (make test does, too)'
	@echo 'make codegen      write the generated files anew (TypeScript types, golden frames, .env.example)'
	@echo 'make screenshots  take the pictures of the README from a running server (URL=http://localhost:8080)'
	@echo 'make idle-memory  print what an idle connection costs (CONNECTIONS=5000)'

run: page
	@echo '── server (the first build takes some minutes)'
	@exec cargo run --release --locked --package roomful -- --dev

# Ends with make, however that ends: a shell that is told to end make, and not what it runs, leaves nothing behind.
NODES ?= 3
PORT ?= 8080
cluster:
	@scripts/preflight.sh redis-server nginx setpriv
	@$(MAKE) --no-print-directory page
	@echo '── services (the first build takes some minutes)'
	@cargo build --release --locked --package cluster --package chat-node --package gateway --package admin-api
	@exec setpriv --pdeathsig TERM -- "$${CARGO_TARGET_DIR:-target}/release/cluster" \
	  --nodes "$(NODES)" --port "$(PORT)" --dir .run --frontend frontend/dist

env:
	@scripts/make-env.sh

# Builds the images and starts a stack of its own, which it removes at the end. Some 10 minutes, and as many for the first
# build. Exit status 1: a promise was not kept.
compose-test:
	@scripts/preflight.sh docker
	@echo '── auditor'
	@cargo build --release --locked --package load-test
	@exec "$${CARGO_TARGET_DIR:-target}/release/load-test" audit --compose . --seed "$(SEED)" --out .run/compose-test $(AUDIT)

# A cluster of its own unless URL says where one is. Exit status 1: a promise was not kept.
SEED ?= 1
DURATION ?= 240s
audit:
	@$(if $(URL),scripts/preflight.sh,scripts/preflight.sh redis-server nginx setpriv)
	@echo '── services and auditor (the first build takes some minutes)'
	@cargo build --release --locked --package load-test --package chat-node --package gateway
	@exec setpriv --pdeathsig TERM -- "$${CARGO_TARGET_DIR:-target}/release/load-test" audit \
	  --seed "$(SEED)" --duration "$(DURATION)" $(if $(URL),--url "$(URL)") $(AUDIT)

# A cluster of its own unless URL says where one is. Exit status 1: something was lost, or connections failed.
# LOAD has further options; `load-test load --help` lists them. The processes' limits of open files are raised to the most
# that is allowed.
PROFILE ?= rooms
load:
	@$(if $(URL),scripts/preflight.sh,scripts/preflight.sh redis-server nginx setpriv)
	@echo '── services and load tester (the first build takes some minutes)'
	@cargo build --release --locked --package load-test --package cluster --package chat-node --package gateway
	@ulimit -n $$(ulimit -Hn) && exec setpriv --pdeathsig TERM -- \
	  "$${CARGO_TARGET_DIR:-target}/release/load-test" load --profile "$(PROFILE)" \
	  --json .run/load/report.json --html .run/load/report.html $(if $(URL),--url "$(URL)") $(LOAD)

# Systems that take turns, each on a Redis of its own; some 12 minutes. BENCH has further options; `load-test bench --help`
# lists them, and BENCH='--readme README.md' writes the tables there.
ROUNDS ?= 3
bench:
	@scripts/preflight.sh redis-server setpriv
	@echo '── peers'
	@$(MAKE) --no-print-directory bench/peers/node_modules/.package-lock.json
	@echo '── chat-node, floor and load tester (the first build takes some minutes)'
	@cargo build --release --locked --package load-test --package chat-node --package bench-floor
	@ulimit -n $$(ulimit -Hn) && exec setpriv --pdeathsig TERM -- \
	  "$${CARGO_TARGET_DIR:-target}/release/load-test" bench --rounds "$(ROUNDS)" $(BENCH)

page:
	@scripts/preflight.sh
	@echo '── front end'
	@$(MAKE) --no-print-directory frontend/node_modules/.package-lock.json
	@npm --prefix frontend run --silent build

# Only when the lock file is newer than what is installed.
frontend/node_modules/.package-lock.json: frontend/package-lock.json
	@npm --prefix frontend ci --no-audit --no-fund --loglevel=error

bench/peers/node_modules/.package-lock.json: bench/peers/package-lock.json
	@npm --prefix bench/peers ci --ignore-scripts --no-audit --no-fund --loglevel=error

test:
	@scripts/preflight.sh
	@cargo xtask ci

instructions:
	@scripts/preflight.sh valgrind
	@cargo xtask instructions

codegen:
	@cargo xtask codegen

idle-memory: page
	@cargo build --release --locked --package roomful
	@ulimit -n $$(ulimit -Hn) && cargo run --release --locked --package client --example idle_memory

screenshots:
	@cd frontend && node e2e/screenshots.mjs
