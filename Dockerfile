# All images of Roomful: `docker build --target chat-node .`, and the same for gateway, admin-api, roomful and nginx.
# docker-compose.yml names the targets. Plain Dockerfile syntax, so that every builder can build it.

ARG RUST_VERSION=1.95
ARG NODE_VERSION=22
ARG NGINX_VERSION=1.28
ARG DEBIAN_VERSION=bookworm
# What the images are called; the last thing in each of them, so that it costs no layer that is kept.
ARG VERSION=local

# ---------------------------------------------------------------------------------------------- the Rust services

# Compiles the dependencies from the manifests alone, so that they are one layer that a change of ours does not touch.
FROM rust:${RUST_VERSION}-${DEBIAN_VERSION} AS chef
# By the author of "Zero To Production In Rust"; Apache-2.0 or MIT.
RUN cargo install cargo-chef --locked --version 0.1.78
WORKDIR /src

FROM chef AS recipe
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS services
# Line tables are of use only beside the sources; the names of functions, for backtraces, stay.
ENV CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_STRIP=debuginfo CARGO_INCREMENTAL=0
COPY --from=recipe /src/recipe.json .
RUN cargo chef cook --release --locked --recipe-path recipe.json \
    --package chat-node --package gateway --package admin-api --package roomful
COPY Cargo.toml Cargo.lock ./
COPY bench bench
COPY crates crates
RUN cargo build --release --locked --package chat-node --package gateway --package admin-api --package roomful \
 && mkdir /programs \
 && cd target/release && cp chat-node gateway admin-api roomful /programs/

# What all of them stand on: Debian's C library, and whom to trust with TLS. Nothing in it needs a shell, and it runs
# with a read-only root.
FROM debian:${DEBIAN_VERSION}-slim AS runtime
COPY --from=services /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV HOST=0.0.0.0 PORT=8080 LOG_FORMAT=json
EXPOSE 8080
# No account of the host is likely to have this number.
USER 10001:10001
LABEL org.opencontainers.image.source="https://github.com/roomful/roomful" org.opencontainers.image.licenses="MIT"

FROM runtime AS chat-node
COPY --from=services /programs/chat-node /usr/local/bin/
ENTRYPOINT ["chat-node"]
ARG VERSION
LABEL org.opencontainers.image.title="roomful chat-node" org.opencontainers.image.version="$VERSION"

FROM runtime AS gateway
COPY --from=services /programs/gateway /usr/local/bin/
ENTRYPOINT ["gateway"]
ARG VERSION
LABEL org.opencontainers.image.title="roomful gateway" org.opencontainers.image.version="$VERSION"

FROM runtime AS admin-api
COPY --from=services /programs/admin-api /usr/local/bin/
ENTRYPOINT ["admin-api"]
ARG VERSION
LABEL org.opencontainers.image.title="roomful admin-api" org.opencontainers.image.version="$VERSION"

# For `roomful doctor`; it also has the product in one process, without the page.
FROM runtime AS roomful
COPY --from=services /programs/roomful /usr/local/bin/
ENTRYPOINT ["roomful"]
ARG VERSION
LABEL org.opencontainers.image.title="roomful" org.opencontainers.image.version="$VERSION"

# ------------------------------------------------------------------------------------------- the page, and nginx

FROM node:${NODE_VERSION}-${DEBIAN_VERSION}-slim AS page
WORKDIR /src
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY frontend .
RUN npm run build

FROM nginx:${NGINX_VERSION}-${DEBIAN_VERSION} AS nginx
# The image's own entry point fills in templates/ and puts the result into conf.d, the only directory that it writes to.
RUN rm -f /etc/nginx/conf.d/* && chown 10001:10001 /etc/nginx/conf.d
COPY nginx/nginx.conf.template nginx/upstreams.conf.template /etc/nginx/templates/
COPY nginx/page.conf /etc/nginx/templates/page.conf.template
COPY nginx/problems.conf /etc/nginx/templates/problems.conf.template
COPY nginx/proxy.conf /etc/nginx/templates/proxy.conf.template
COPY nginx/security_headers.conf /etc/nginx/templates/security_headers.conf.template
COPY nginx/types.conf /etc/nginx/templates/types.conf.template
COPY nginx/websocket.conf /etc/nginx/templates/websocket.conf.template
COPY --from=page /src/dist /srv/page
# Docker's own resolver, which every network with names has; another orchestrator has another one.
ENV LISTEN=8080 FRONTEND_ROOT=/srv/page STATE_DIR=/tmp ACCESS_LOG=/dev/stdout LOG_ADDRESSES=short WORKER_PROCESSES=auto \
    OPEN_FILES=16384 WORKER_CONNECTIONS=16000 NGINX_LOCAL_RESOLVERS=127.0.0.11 \
    GATEWAY=gateway:8080 CHAT_NODES=chat-node:8080 ADMIN_API=admin-api:8080
EXPOSE 8080
USER 10001:10001
# At once: waiting for the end of WebSockets would be waiting for ever, while nobody is let in.
STOPSIGNAL SIGTERM
CMD ["nginx", "-c", "/etc/nginx/conf.d/nginx.conf", "-g", "daemon off;"]
ARG VERSION
LABEL org.opencontainers.image.title="roomful nginx" org.opencontainers.image.version="$VERSION"
