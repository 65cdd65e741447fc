# The binary in a small image. Build: docker build -t reconcile .
#
#   docker run --rm -v /var/run/docker.sock:/var/run/docker.sock -v /srv/git/manifests.git:/manifests:ro \
#     -v /etc/reconcile:/etc/reconcile:ro -v /var/lib/reconcile:/var/lib/reconcile -v /run/reconcile:/run/reconcile \
#     --network host --pid host --cap-add SYS_ADMIN --cap-add SYS_PTRACE reconcile --source /manifests
#
# With `watch` behind it, it stays: docs/hosts.md.
#
# It runs as root: whoever may write to the engine's socket is root on the host, so another user inside would promise
# what it cannot keep. `--network` and `--pid host` with the two capabilities are for the http and tcp probes, which
# look from inside a container's own network. On a host with systemd the bare binary is simpler.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends git pkg-config libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What needs no engine, since there is none in a build; `make test` is for the rest.
RUN cargo test --locked --lib --test layers -- --skip docker --skip podman
RUN cargo build --locked --profile dist && cp target/dist/reconcile /reconcile

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /reconcile /usr/local/bin/reconcile
ENTRYPOINT ["/usr/local/bin/reconcile"]
