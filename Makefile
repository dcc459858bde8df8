# Needs Rust and Python 3. `make lint` also needs Node.js; some targets name other programs that they need.

EVENT ?= events/direct.json
SECONDS ?= 60
# Of the function that is packaged: x86_64 or arm64. The default is this machine's.
ARCHITECTURE ?= $(subst aarch64,arm64,$(shell uname -m))

# Compiles the EC2 SDK faster in development builds. Set the variable to use another wrapper, such as sccache.
export RUSTC_WRAPPER ?= $(CURDIR)/dev/scripts/rustc-wrapper

# Each dependency group of pyproject.toml has its own virtual environment.
uv := .venv/uv-0.13.9/bin/uv
group = .venv/$(1)/.installed
# cargo-lambda runs Zig with the first python3 of the path, and Zig is in the group lambda.
path_of = PATH="$(CURDIR)/.venv/lambda/bin:$(CURDIR)/.venv/$(1)/bin:$$PATH"

# Each version of a cargo tool has its own folder. A debug build of a tool takes a third of the time of a release build.
tool = .tools/$(1)/bin/$(firstword $(subst @, ,$(1)))
cargo_cyclonedx := $(call tool,cargo-cyclonedx@0.5.9)
cargo_deny := $(call tool,cargo-deny@0.20.2)
cargo_llvm_cov := $(call tool,cargo-llvm-cov@0.9.1)
cargo_mutants := $(call tool,cargo-mutants@27.1.0)
cargo_nextest := $(call tool,cargo-nextest@0.9.143)
tools_path = PATH="$(subst $() ,:,$(foreach program,$(1),$(CURDIR)/$(dir $(program)))):$$PATH"

# $(call require,PROGRAM,HOW TO INSTALL IT)
require = command -v $(1) >/dev/null || { echo "make $@ needs $(1): $(2)" >&2; exit 1; }

package := deprovision-ipam-byoasn
version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
binary := target/lambda/$(package)/bootstrap

# RUSTFLAGS of release builds. With the paths of this machine replaced, the same sources and tools give the same bytes
# everywhere. cargo-lambda selects these CPUs, the oldest of Lambda's, itself, but not where RUSTFLAGS is set.
cpu-x86_64 = haswell
cpu-arm64 = neoverse-n1
cargo_home = $(or $(CARGO_HOME),$(HOME)/.cargo)
rust_sources = $(shell rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$(shell rustc -vV | sed -n 's/^commit-hash: //p')
release_flags = RUSTFLAGS="-Ctarget-cpu=$(cpu-$(ARCHITECTURE)) --remap-path-prefix=$(cargo_home)=/cargo --remap-path-prefix=$(rust_sources)"

.PHONY: help invoke test test-rust test-tools test-deploy test-package test-arm64 soak model fuzz coverage mutants lint lint-rust \
    lint-stack lint-crates lint-workflows fmt build stand-ins package check-size bench release sbom lock clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

invoke: $(call group,lambda) stand-ins ## Run the function locally against the EC2 stand-in (EVENT=events/….json)
	@$(call path_of,lambda) python3 dev/scripts/invoke.py "$(EVENT)"

test: test-rust test-tools test-deploy test-package ## Run all tests

test-rust: ## Unit, contract, resilience and property tests
	cargo test --locked --workspace

test-tools: $(call group,test) $(call group,lambda) stand-ins ## The EC2 stand-in with boto3 and the AWS CLI; the function with cargo lambda and AWS's emulator
	$(call path_of,test) .venv/test/bin/python -m pytest -q tests/tools

test-deploy: $(call group,deploy) $(call group,test) $(call group,lambda) stand-ins ## Deploy the stack to a local AWS with SAM CLI and run it
	$(call path_of,test) $(release_flags) .venv/deploy/bin/python -m pytest -q tests/deploy

test-package: $(call group,test) package sbom ## The zip, the SBOM, the benchmark's report and the scripts
	$(call path_of,test) .venv/test/bin/python -m pytest -q tests/package

test-arm64: $(call group,lambda) ## The contract and resilience tests with the arm64 function (or with ARM64_BINARY=PATH)
	$(call path_of,lambda) dev/scripts/test-arm64.sh $(ARM64_BINARY)

soak: ## 200,000 invocations of one process, with faults (half an hour; `make test` runs 4,000)
	SOAK_INVOCATIONS=200000 cargo test --locked --test integration -- --nocapture soak

model: ## The model test with 10,000 random sequences (`make test` runs 2,000); MODEL_SEED=… repeats one
	MODEL_SEQUENCES=$${MODEL_SEQUENCES:-10000} cargo test --locked --test integration -- --nocapture model

fuzz: ## Fuzz each target for SECONDS (60)
	RUSTC_WORKSPACE_WRAPPER="$(CURDIR)/dev/scripts/rustc-fuzz" cargo build --locked --package fuzz --features libfuzzer
	dev/fuzz/run $(SECONDS)

# In the target folder of the other builds, because the EC2 SDK takes minutes to compile; the workspace wrapper keeps the
# instrumented crates apart. Continuous mode (%c) writes counts as they change: the tests end the function with SIGKILL.
coverage: $(cargo_llvm_cov) ## Line coverage of src/, including the function in child processes
	@test -e "$$(rustc --print target-libdir)/../bin/llvm-cov" -o -n "$$LLVM_COV" || \
	    { echo "make coverage needs LLVM's tools: rustup component add llvm-tools" >&2; exit 1; }
	export $(call tools_path,$(cargo_llvm_cov)) RUSTC_WORKSPACE_WRAPPER="$(CURDIR)/dev/scripts/rustc-coverage" && \
	environment=$$(LLVM_PROFILE_FILE_NAME=%p-%m-%c.profraw cargo llvm-cov show-env --sh --no-cfg-coverage) && eval "$$environment" && \
	cargo llvm-cov clean --profraw-only && \
	cargo test --locked --package $(package) && \
	cargo llvm-cov report --ignore-filename-regex '^$(CURDIR)/(dev|tests)/' --show-missing-lines

mutants: $(cargo_mutants) $(cargo_nextest) ## Mutation tests of src/ (over an hour); MUTANTS="--file src/asn.rs" for a part
	CARGO_TARGET_DIR="$(CURDIR)/target" CARGO_PROFILE_DEV_DEBUG=false MODEL_SEQUENCES=200 SOAK_INVOCATIONS=400 \
	    $(call tools_path,$(cargo_mutants) $(cargo_nextest)) cargo mutants --no-shuffle --output target $(MUTANTS)

lint: lint-rust lint-stack lint-crates lint-workflows ## All static checks

lint-rust: ## Format, clippy, documentation and the dependency graph
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet
	dev/scripts/check-graph.sh

lint-stack: $(call group,lint) $(call group,test) dev/node_modules/.installed ## The template, the policies and the state machine
	AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .venv/test/bin/sam validate --lint
	.venv/lint/bin/cfn-lint template.yaml
	.venv/lint/bin/checkov -f template.yaml --framework cloudformation --compact --quiet --skip-download
	.venv/lint/bin/python -m pytest -q tests/lint

lint-crates: $(cargo_deny) ## Licenses, sources and duplicates of the crates; advisories, if their database can be reached
	$(cargo_deny) --locked --workspace check bans licenses sources
	dev/scripts/check-advisories.sh $(cargo_deny)

lint-workflows: $(call group,lint) ## The GitHub workflows
	.venv/lint/bin/zizmor --offline --quiet .github/workflows
	.venv/lint/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

fmt: ## Format the Rust code
	cargo fmt --all

build: ## Build for development, including what the tests start
	cargo build --locked --workspace

package: $(call group,lambda) ## Write the function's zip to dist/ (ARCHITECTURE=x86_64 or arm64)
	$(call path_of,lambda) $(release_flags) python3 dev/scripts/package.py $(ARCHITECTURE)

check-size: package ## Check the limits on the zip, the instructions of a start and the dependency graph
	@$(call require,valgrind,install your system's package valgrind)
	dev/scripts/check-graph.sh
	cargo build --locked --quiet --package bench
	$(count) | python3 dev/bench/check_size.py dist/$(package)-$(version)-$(ARCHITECTURE).zip $(ARCHITECTURE)

bench: package bench-peers ## Measure cold starts beside Python, Node.js and an empty function; OUT=docs renews docs/benchmark.*
	cargo build --locked --quiet --release --package bench
	target/release/bench function=$(binary) floor=target/lambda/floor/bootstrap python=.venv/bench/bin/python $(BENCH) \
	    $$(test -e $(node_bundle) && echo node=dev/bench/node) >target/bench.json
	python3 dev/bench/report.py target/bench.json $(OUT)

release: $(cargo_cyclonedx) ## Write zips, checksums, SBOMs and application templates to dist/
	python3 dev/scripts/release.py $(CURDIR)/$(cargo_cyclonedx)

sbom: $(cargo_cyclonedx) ## Write the function's SBOMs (CycloneDX) to dist/
	python3 dev/scripts/sbom.py $(CURDIR)/$(cargo_cyclonedx) x86_64
	python3 dev/scripts/sbom.py $(CURDIR)/$(cargo_cyclonedx) arm64

lock: $(uv) ## Renew uv.lock from pyproject.toml
	$(uv) lock

clean: ## Remove everything that was built or installed in this folder
	rm -rf target .aws-sam .venv .tools dist dev/node_modules dev/bench/node/node_modules dev/bench/node/dist

# Where `make bench` writes benchmark.json and benchmark.svg, and further arguments of the program: "--rounds 20", or another
# build of the function, "before=PATH".
OUT ?= target
BENCH ?=
node_bundle := dev/bench/node/dist/index.js

# valgrind counts the instructions of a program for this machine only, and the limits are those of x86_64.
count = $(if $(filter x86_64,$(ARCHITECTURE)),target/debug/bench --count function=$(binary),echo '{}')

.PHONY: bench-peers
bench-peers: $(call group,bench) $(call group,lambda)
	$(call path_of,lambda) $(release_flags) cargo lambda build --locked --release --example floor
	@$(MAKE) --no-print-directory $(node_bundle) || { rm -rf $(dir $(node_bundle)); echo "make bench leaves Node.js out: it \
	needs Node.js 18 or newer and npm, and cmake, autoconf, automake, libtool, make and g++ to compile aws-lambda-ric." >&2; }

# Bundled as `sam build` does: minified, CommonJS.
$(node_bundle): dev/bench/node/index.mjs dev/bench/node/package-lock.json
	npm ci --prefix dev/bench/node --no-audit --no-fund --silent
	dev/bench/node/node_modules/.bin/esbuild $< --bundle --minify --platform=node --target=node20 --format=cjs \
	    --log-level=error --outfile=$@

stand-ins:
	@cargo build --locked --quiet --package $(package) --package stand-ins

dev/node_modules/.installed: dev/package-lock.json
	@$(call require,npm,install Node.js 18 or newer)
	npm ci --prefix dev --no-audit --no-fund --silent
	touch $@

$(uv):
	python3 -m venv .venv/uv-0.13.9
	.venv/uv-0.13.9/bin/pip install --quiet --disable-pip-version-check --only-binary :all: uv==0.13.9

# uv.lock has a hash for each wheel.
.venv/%/.installed: uv.lock | $(uv)
	UV_PROJECT_ENVIRONMENT=.venv/$* $(uv) sync --quiet --locked --only-group $*
	touch $@

.tools/%:
	cargo install --locked --debug --quiet --root .tools/$(firstword $(subst /, ,$*)) $(firstword $(subst /, ,$*))
