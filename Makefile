# Every command a person needs. Needs Rust, Python 3 and, for asl-validator in `make lint`, Node.js.

EVENT ?= events/direct.json
SECONDS ?= 60

# The EC2 SDK, compiled faster for development; a wrapper of one's own, such as sccache, takes its place.
export RUSTC_WRAPPER ?= $(CURDIR)/dev/rustc

# Tools live in virtual environments of their own, one for each file in dev/requirements.
installed = .venv/$(1)/.installed
with = PATH="$(CURDIR)/.venv/$(1)/bin:$$PATH"

# Tools of cargo, each version in a folder of its own; built without optimisation, which takes them a third of the time.
tool = .tools/$(1)/bin/$(firstword $(subst @, ,$(1)))
cargo_deny := $(call tool,cargo-deny@0.20.2)
cargo_cyclonedx := $(call tool,cargo-cyclonedx@0.5.9)
cargo_mutants := $(call tool,cargo-mutants@27.1.0)
cargo_nextest := $(call tool,cargo-nextest@0.9.143)

.PHONY: help invoke test soak model test-rust test-tools test-deploy test-package fuzz coverage mutants lint lint-rust lint-stack lint-crates fmt build package sbom lock clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## Lists the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

invoke: $(call installed,lambda) stand-ins ## Runs the function locally, with EVENT=events/….json, and prints its answer
	@$(call with,lambda) python3 dev/scripts/invoke.py "$(EVENT)"

test: test-rust test-tools test-deploy test-package ## Runs every test

soak: ## 200,000 invocations in one process, with faults: memory, descriptors, times (half an hour; `make test` has 4,000)
	SOAK_INVOCATIONS=200000 cargo test --locked --test hostile -- --nocapture soak

model: ## The model test over 10,000 random sequences (`make test` has 2,000); MODEL_SEED=… runs one again
	MODEL_SEQUENCES=$${MODEL_SEQUENCES:-10000} cargo test --locked --test hostile -- --nocapture model

test-rust: ## The contract through the real binary, the stand-ins, unit and property tests
	cargo test --locked --workspace

test-tools: $(call installed,clients) $(call installed,lambda) $(call installed,sam) stand-ins ## The stand-in against boto3 and the aws CLI; the function under cargo lambda and AWS's emulator
	$(call with,lambda) .venv/clients/bin/python -m pytest -q tests/tools

test-deploy: $(call installed,clients) $(call installed,deploy) $(call installed,sam) stand-ins ## Deploys the stack onto a local AWS with sam deploy, and runs it there
	$(call with,sam) .venv/deploy/bin/python -m pytest -q tests/deploy

test-package: $(call installed,lint) sbom ## The zip: the same bytes twice; the SBOM against its schema
	.venv/lint/bin/python -m pytest -q dev/package

fuzz: ## Looks for SECONDS (60) each for events and answers that break a rule; dev/fuzz has the rules and the corpus
	RUSTC_WORKSPACE_WRAPPER="$(CURDIR)/dev/fuzz/rustc" cargo build --locked --package fuzz --features libfuzzer
	dev/fuzz/run $(SECONDS)

coverage: llvm ## Lines and branches of src/ that the tests reach, in the real binary too
	python3 dev/coverage/coverage.py

mutants: $(cargo_mutants) $(cargo_nextest) ## Changes src/ in 300 places, one at a time, and lists what no test notices: over an hour; MUTANTS="--file src/asn.rs" for a part
	CARGO_TARGET_DIR="$(CURDIR)/target" CARGO_PROFILE_DEV_DEBUG=false MODEL_SEQUENCES=200 SOAK_INVOCATIONS=400 \
	    PATH="$(CURDIR)/$(dir $(cargo_mutants)):$(CURDIR)/$(dir $(cargo_nextest)):$$PATH" \
	    cargo mutants --no-shuffle --output target $(MUTANTS)

lint: lint-rust lint-stack lint-crates ## Everything that reads without running

lint-rust: ## Format, clippy, documentation and the dependency graph
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet
	dev/check-graph.sh

lint-stack: $(call installed,lint) $(call installed,sam) dev/node_modules/.installed ## sam validate, cfn-lint, checkov; asl-validator, parliament and a rule matcher as tests
	AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .venv/sam/bin/sam validate --lint
	.venv/lint/bin/cfn-lint template.yaml
	.venv/lint/bin/checkov -f template.yaml --framework cloudformation --compact --quiet --skip-download
	.venv/lint/bin/python -m pytest -q tests/lint

lint-crates: $(cargo_deny) ## Licences, sources, duplicate versions; advisories, where their database can be reached
	$(cargo_deny) --locked --workspace check bans licenses sources
	dev/check-advisories.sh $(cargo_deny)

fmt: ## Formats the Rust code
	cargo fmt --all

build: ## Builds for development, the stand-ins too, as the tests need it
	cargo build --locked --workspace

package: $(call installed,sam) ## Writes the zip for Terraform, CDK or the console to dist/
	$(call with,sam) python3 dev/package/package.py

check-size: $(call installed,roots) package valgrind ## The limits on the zip, on the instructions of a start, and on the dependency graph
	dev/check-graph.sh
	cargo build --locked --quiet -p bench
	python3 dev/bench/zips.py target/bench/zips own=$(artifact-own)
	target/debug/bench --roots "$$(.venv/roots/bin/python -m certifi)" --own $(program-own) \
	    --zips target/bench/zips --count --limits dev/bench/limits.json

bench: $(call installed,bench) $(call installed,roots) package bench-peers ## Measures cold starts beside a Python, a Node.js and an empty function; NAIVE=1 adds a naive Rust one
	cargo build --locked --quiet --release -p bench
	python3 dev/bench/zips.py target/bench/zips $(foreach it,$(candidates),$(it)=$(artifact-$(it)))
	target/release/bench --roots "$$(.venv/roots/bin/python -m certifi)" --zips target/bench/zips --out $(OUT) \
	    $(foreach it,$(candidates),--$(it) $(program-$(it))) $(BENCH)


sbom: $(cargo_cyclonedx) ## Writes what the function is made of to dist/, as CycloneDX
	python3 dev/package/sbom.py $(CURDIR)/$(cargo_cyclonedx)

lock: $(call installed,lock) ## Writes dev/requirements/*.txt anew from *.in: what the tools written in Python are made of
	cd dev/requirements && for file in *.in; do \
	    ../../.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	        --custom-compile-command 'make lock' "$$file" --output-file "$${file%.in}.txt" || exit 1; \
	done

clean: ## Removes everything that was built, downloaded or installed here
	rm -rf target .aws-sam .venv .tools dist dev/node_modules dev/bench/node/node_modules dev/bench/node/dist dev/bench/naive/target

# Where `make bench` writes its JSON and its picture (docs for the committed ones), and more options of its program.
OUT ?= target/bench
BENCH ?=
NAIVE ?=

artifact-own = target/lambda/deprovision-ipam-byoasn/bootstrap
artifact-floor = target/lambda/floor/bootstrap
artifact-python = dev/bench/python/app.py
artifact-node = dev/bench/node/dist/index.js
artifact-naive = dev/bench/naive/target/lambda/naive/bootstrap
program-own = $(artifact-own)
program-floor = $(artifact-floor)
program-python = .venv/bench/bin/python
program-node = dev/bench/node
program-naive = $(artifact-naive)
# Node.js where it could be installed.
candidates = own floor python $(shell test -e $(artifact-node) && echo node) $(if $(NAIVE),naive)

.PHONY: bench bench-peers check-size valgrind llvm
valgrind:
	@command -v valgrind >/dev/null || { apt-get -q update && apt-get -qy install --no-install-recommends valgrind; } \
	    || { echo "check-size needs valgrind" >&2; exit 1; }

# The Rust toolchain's own, or the system's.
llvm:
	@test -e "$$(rustc --print target-libdir)/../bin/llvm-cov" || command -v llvm-cov-19 >/dev/null \
	    || { apt-get -q update && apt-get -qy install --no-install-recommends llvm-19; } \
	    || { echo "coverage needs LLVM: rustup component add llvm-tools" >&2; exit 1; }

# cargo-lambda of the same environment as for `package`: its path is in the linker's name, and another linker
# compiles everything once more.
bench-peers: $(call installed,sam)
	$(call with,sam) cargo lambda build --locked --release --example floor
	@$(MAKE) --no-print-directory $(artifact-node) || { rm -rf $(dir $(artifact-node)); echo "bench: without Node.js. Its \
	peer needs Node.js from 18 on, npm, and to compile aws-lambda-ric cmake, autoconf, automake, libtool, make and g++." >&2; }
	$(if $(NAIVE),export $(call with,sam) && cd / && cargo lambda build --locked --release --manifest-path $(CURDIR)/dev/bench/naive/Cargo.toml)

# As `sam build` bundles: minified, CommonJS.
$(artifact-node): dev/bench/node/index.mjs dev/bench/node/package-lock.json
	npm ci --prefix dev/bench/node --no-audit --no-fund --silent
	dev/bench/node/node_modules/.bin/esbuild $< --bundle --minify --platform=node --target=node20 --format=cjs \
	    --log-level=error --outfile=$@

.PHONY: stand-ins
# The two programs apart: what a workspace's crates ask of a shared dependency stays apart too. The function first: AWS-LC
# compiles on the processors that the EC2 SDK, one unit and the longest, leaves idle.
stand-ins:
	@cargo build --locked --quiet
	@cargo build --locked --quiet -p stand-ins

dev/node_modules/.installed: dev/package-lock.json
	npm ci --prefix dev --no-audit --no-fund --silent
	touch $@

# The lock file is the whole list, each file with its hash. Wheels only: a source package runs its author's code here,
# and fetches build tools that no list names.
.venv/%/.installed: dev/requirements/%.txt
	python3 -m venv --clear .venv/$*
	.venv/$*/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
	    --requirement $<
	.venv/$*/bin/pip check
	touch $@

.tools/%:
	cargo install --locked --debug --quiet --root .tools/$(firstword $(subst /, ,$*)) $(firstword $(subst /, ,$*))
