.PHONY: demo test lint docs bench nightly fuzz nextest tools

# The whole story on a real engine, told while it happens.
demo:
	scripts/demo

# Every test, those on Docker and Podman included; engines that were not up before are down again afterwards. Random cases are
# the same in each run, so that a push fails for what it changes; `nightly` draws new ones.
test: tools nextest
	PROPTEST_RNG_SEED=20261130 scripts/engines run -- cargo nextest run --locked $(ARGS)

nextest:
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest

# What the build needs, what the CI jobs that `init` writes call (a test runs them), the servers that tests ask.
# Runlevel 1 keeps the package from starting an sshd of its own.
tools: target/tools/moto/bin/moto_server
	@missing=; [ -e /usr/include/openssl/ssl.h ] || missing=libssl-dev; \
	[ -e /usr/lib/$$(uname -m)-linux-gnu/faketime ] || missing="$$missing libfaketime"; \
	for pair in age:age sqlite3:sqlite3 zstd:zstd pkg-config:pkg-config curl:curl jq:jq /usr/sbin/sshd:openssh-server ssh-keygen:openssh-client openssl:openssl systemd-analyze:systemd docker-registry:docker-registry htpasswd:apache2-utils /usr/bin/pebble:pebble /usr/sbin/nginx:nginx-light caddy:caddy /usr/lib/postgresql/15/bin/postgres:postgresql redis-server:redis-server /usr/sbin/mariadbd:mariadb-server; do \
	command -v $${pair%%:*} >/dev/null || missing="$$missing $${pair#*:}"; done; \
	[ -z "$$missing" ] || \
	{ apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }

# A server of S3's protocol, and a client of its own make, for `tests/s3`.
target/tools/moto/bin/moto_server:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || \
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; }
	python3 -m venv target/tools/moto && target/tools/moto/bin/python -m pip install --quiet 'moto[server]==5.2.5'

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --offline check bans licenses sources; \
	else echo 'cargo-deny is not installed: licenses and sources were not checked (cargo install --locked cargo-deny)'; fi

# What is generated is as the code says, and every link in the code's own documentation leads somewhere.
docs:
	cargo run --quiet --locked -- schema --check
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
	cargo test --quiet --locked --doc

bench:
	scripts/engines run docker -- cargo bench --locked $(ARGS)

# The same tests with many more cases, those that take too long for every push, and the fuzz targets.
nightly: tools nextest
	PROPTEST_CASES=20000 LAWS_STATES=5000 CRASH_SEEDS=1000 ROLLOUTS=10 KILLS=8 scripts/engines run -- cargo nextest run --locked --run-ignored all -E 'not test(large::)' $(ARGS); \
	tests=$$?; scripts/engines run docker -- cargo nextest run --locked --release --test end_to_end --run-ignored all -E 'test(large::)' || tests=1; \
	scripts/fuzz && exit $$tests

# Every fuzz target for FUZZ_SECONDS (300) seconds.
fuzz:
	scripts/fuzz
