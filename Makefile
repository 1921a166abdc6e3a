# Every command of this project. `make` lists them.

PHOTO   ?= tests/photos/ref-5323x8000.jpg
PHOTOS  ?= $(PHOTO)
RUNS    ?= 10
EVENT   ?= events/put.json
STACK   ?= photos
PROFILE ?= local
PYTHON  ?= python3
SECONDS ?= 20
COUNT   ?= 600
SEED    ?= 1
# 1: calls wait as they would in AWS.
WAITS   ?=
TARGET  ?=
DIR     ?= tests/photos
PORT    ?= 8080
BATCHES ?= 2
LOAD    ?=
SCALE   ?=
PICTURES ?=
CONFIG  ?= default
MANAGED ?= template-managed.yaml
RELEASE ?= dist
AGAIN   ?=
SOAK_COUNT ?= 2400
PHOTOS_DIR ?=
# Not that of the environment, which other tools set.
PREFIX  :=
BACKFILL_PHOTOS ?= 500
FROM    ?=

VENV := .venv
OPS  := .venv-ops
DEV  := $(VENV)/bin/python -m photos_dev
AWS  := $(DEV).local_aws
SAM  := SAM_CLI_TELEMETRY=0 $(OPS)/bin/sam
# What they build has the same bytes in every folder.
REPRODUCIBLE := $(DEV).dist.reproducible
SAM_BUILD    := SAM_CLI_TELEMETRY=0 $(REPRODUCIBLE) $(OPS)/bin/sam build
# Several, so that the demo's page can choose by the screen.
DEMO_RENDITIONS := thumbnail: scale=0.25 quality=0.9; grid: fit=480; screen: fit=1600
DEPLOY = $(AWS) deploy --stack "$(STACK)" --parameter Architecture=$(ARCHITECTURE)

# Lambda's name for this machine's processor: the functions that are built here must run here.
ARCHITECTURE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
# The target check asks rustup, which not every installation of Rust has.
LAMBDA_BUILD := cargo lambda build --skip-target-check $(if $(filter arm64,$(ARCHITECTURE)),--arm64)
PACKAGES     := target/release-lambda
# Tests and tools are built of the same crates with the same features, once. The programs of the benchmarks need others.
CRATES := --profile $(PROFILE) --workspace --exclude bench --all-features

# cargo-lambda and its linker come first, and every build goes to target/.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/target
# The commands use the local AWS that `make up` starts, whatever the shell's environment says.
unexport AWS_ENDPOINT_URL

.DEFAULT_GOAL := help
# Every target that `make help` lists.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/installed ## Check that this machine has the build's tools, and install those that are missing
$(VENV)/installed: dev/requirements/local.txt dev/pyproject.toml | tools
	@echo "installing the local AWS and cargo-lambda into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@# The file pins all of its dependencies, also those of its build.
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable dev
	@touch $@

.PHONY: tools
tools:
	@$(PYTHON) dev/photos_dev/check_tools.py

.PHONY: ops
ops: $(OPS)/installed
$(OPS)/installed: dev/requirements/ops.txt
	@echo "installing the SAM CLI and cfn-lint into $(OPS)"
	@$(PYTHON) -m venv $(OPS)
	@# The file pins all dependencies: pip 23 finds no pins for packages that are required with extras.
	@$(OPS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

# It is built without optimisation: it is built once, and runs for a second.
DENY_VERSION := 0.20.2
$(OPS)/bin/cargo-deny: | ops
	cargo install --quiet cargo-deny --version $(DENY_VERSION) --locked --no-default-features --profile dev \
		--target-dir target/cargo-deny --root $(OPS)
	@rm -rf target/cargo-deny

# With the crates of the tests and tools: whoever has run one of them builds the next in seconds.
build: setup ## Build the functions for the local AWS
	cargo build $(CRATES) --bin thumbnail --bin upload-url
	@for function in thumbnail upload-url; do \
		install -D target/$(PROFILE)/$$function target/lambda/$$function/bootstrap || exit; done

check: setup ops ## Check everything that needs no local AWS, in minutes: format, lints, documentation, unit tests, model
	cargo fmt --all --check
	cargo clippy --workspace --profile $(PROFILE) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --profile $(PROFILE) --no-deps
	cargo test $(CRATES) --lib --bins
	cargo test $(CRATES) --doc
	cargo test $(CRATES) --test golden --test hostile --test mended --test renditions --test wire --test model
	cargo clippy --profile $(PROFILE) --package photo-thumbnail --all-targets -- -D warnings
	$(OPS)/bin/python -m unittest discover --start-directory tests/docs
	$(OPS)/bin/python -m unittest discover --start-directory .github
	$(MAKE) --no-print-directory test-tools

test: check ## Check everything: make check, and the template, the packages, and the functions in the local AWS
	$(MAKE) --no-print-directory deny test-template
	@# Both functions at the same time: SAM, which finds them built, takes one after the other.
	$(REPRODUCIBLE) $(LAMBDA_BUILD) --release
	$(SAM_BUILD) --parameter-overrides Architecture=$(ARCHITECTURE)
	$(OPS)/bin/python -m unittest discover --start-directory tests/package
	$(MAKE) --no-print-directory test-release
	$(AWS) with -- cargo test $(CRATES) --test pipeline
	$(MAKE) --no-print-directory page
	@if $(PYTHON) dev/photos_dev/check_tools.py clients; then $(MAKE) --no-print-directory upload-client; \
		else echo "without the tests of the client for browsers: make test-upload"; fi
	@echo "all checks passed"

second-opinion: build ## Run the tests that need no deployed function against moto, another emulator of AWS
	@$(DEV).second_aws tests -- cargo test $(CRATES) --test pipeline

publish-check: tools ## Build the package of the crate photo-thumbnail as crates.io would get it (asks crates.io)
	cargo publish --dry-run --package photo-thumbnail --all-features

deny: $(OPS)/bin/cargo-deny ## Check licences, versions and sources of the linked crates
	$(OPS)/bin/cargo-deny check licenses bans sources

advisories: $(OPS)/bin/cargo-deny ## Search RustSec's advisories for the linked crates (asks github.com)
	$(OPS)/bin/cargo-deny check advisories

test-template: ops ## Check template.yaml: lint, rights, alarms, resources that outlive the stack
	$(SAM) validate --lint
	$(OPS)/bin/python -m unittest discover --start-directory tests/template

test-tools: setup ## Check the tools of operators and developers: make redrive, make invoke, make cost
	$(VENV)/bin/python -m unittest discover --start-directory tests/tools

generate: setup ## Write what the CDK stack and the Terraform module take from the template
	@$(DEV).dist.clients

test-clients: setup ## Check the packages for Node.js: the CDK stack (needs Node.js 20 or later, and npm)
	@node --eval 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "error: install Node.js 20 or later"; exit 1; }
	for package in clients/*/package.json; do \
		(cd $$(dirname $$package) && npm ci --no-audit --no-fund && npm test) || exit; \
	done

test-page: build ## Check the demo's page in Chromium, with the functions in the local AWS (PICTURES=1 renews those of docs)
	@$(MAKE) --no-print-directory page

# By functions that are built already.
.PHONY: page
page: setup
	cargo build $(CRATES) --bin demo-server
	DEMO_SERVER=target/$(PROFILE)/demo-server DEMO_RENDITIONS="$(DEMO_RENDITIONS)" $(if $(PICTURES),PAGE_PICTURES=docs) \
		$(AWS) with -- $(DEV).browser -m unittest discover --start-directory tests/page

test-upload: build ## Check the client for browsers, in Node.js, in Chromium, and against the local AWS
	@$(MAKE) --no-print-directory upload-client

# Likewise; Node.js 18 is enough.
.PHONY: upload-client
upload-client: setup
	@$(PYTHON) dev/photos_dev/check_tools.py clients
	npm --prefix clients/upload ci --no-audit --no-fund --loglevel=error
	npm --prefix clients/upload/examples/uppy ci --no-audit --no-fund --loglevel=error
	npm --prefix clients/upload run test
	npm --prefix clients/upload run test:browser
	@$(AWS) with -- npm --prefix clients/upload run test:aws

fmt: ## Format the code
	cargo fmt --all

run: build up ## Process a photo in the local AWS, and show its thumbnail and its item (PHOTO=path)
	@$(DEPLOY) > /dev/null
	@$(DEV).stack.run_photo --stack "$(STACK)" "$(PHOTO)"
	@echo
	@echo "The local AWS keeps running. Another photo: make run PHOTO=path. To end it: make stop"

demo: build up ## Serve a page of trips: it uploads photos, and shows them by day and on a map (PORT=8080)
	@$(DEPLOY) --parameter Notices=true "Renditions=$(DEMO_RENDITIONS)" > /dev/null
	cargo build $(CRATES) --bin demo-server
	@$(DEV).stack.demo --stack "$(STACK)" --port "$(PORT)" target/$(PROFILE)/demo-server

load: build up ## Upload batches of 24 large photos to the local AWS, and report on each photo (BATCHES=2 LOAD="--rate 4")
	@$(DEPLOY) > /dev/null
	cargo build $(CRATES) --bin load-test
	@$(AWS) exec -- target/$(PROFILE)/load-test --stack "$(STACK)" --batches $(BATCHES) $(LOAD)

soak: build ## Load the function for minutes, and with many photos at once: nothing may grow or be lost (SOAK_COUNT=2400 WAITS=1)
	@$(AWS) with -- $(DEV).benches.load.soak --photos $(SOAK_COUNT) $(if $(WAITS),--waits)

growth: build ## Measure how the cost of a photo grows with its megapixels and with the photos of its event
	@$(AWS) with -- $(DEV).benches.load.growth

scale: setup ## Simulate on paper how far the system scales, and what breaks first (SCALE="--account 10000")
	@$(DEV).scale $(SCALE)

invoke: build up ## Invoke the function in the local AWS with a sample event (EVENT=path)
	@$(DEPLOY) > /dev/null
	@$(DEV).stack.invoke --stack "$(STACK)" "$(EVENT)"

up: setup ## Start the local AWS
	@$(AWS) up

stop: ## Stop the local AWS, and delete its data
	@if [ -x $(VENV)/bin/python ]; then $(AWS) down; fi

release: setup ## Build the packages for AWS, and show their sizes (ARCHITECTURE=x86_64 or arm64)
	$(REPRODUCIBLE) $(LAMBDA_BUILD) --release --output-format zip --lambda-dir $(PACKAGES)
	@du --apparent-size --human-readable $(PACKAGES)/*/bootstrap.zip

dist: setup ## Build a release into the folder dist, which needs no compiler to be deployed
	@$(DEV).dist.build dist

dist-check: dist ## Build the release once more elsewhere: it must be the same bytes (AGAIN=folder to keep that build)
	@$(DEV).dist.check $(if $(AGAIN),--folder "$(AGAIN)")

try: ## Process a photo in the local AWS with a release, without a compiler (RELEASE=folder or .tar.gz, PHOTO=path)
	@$(PYTHON) dev/photos_dev/dist/try_release.py --release "$(RELEASE)" "$(PHOTO)"

test-release: setup ops ## Check a release of the functions that make test has built: contents, templates, try
	$(VENV)/bin/python -m unittest discover --start-directory tests/release

measure: release ## Measure size, cold start, CPU time and memory of the release builds
	@$(AWS) with --tls -- $(DEV).benches.measure $(PACKAGES)

latency: release ## Measure how long photos take if each call waits as in AWS, on one core and on two (PHOTOS_DIR=DIR)
	@$(AWS) with -- $(DEV).benches.latency $(if $(PHOTOS_DIR),--photos "$(PHOTOS_DIR)") $(PACKAGES)

cost: release ## Compute the cost of a million photos in AWS for each memory size of the function
	@mkdir -p target/compare
	@$(AWS) with -- $(DEV).benches.load.lambdas pillow sharp pillow-heif pillow-jpeg sharp-jpeg pillow-webp sharp-webp > target/compare/peers.json
	@$(AWS) with --tls -- $(DEV).benches.load.cost --peers target/compare/peers.json $(PACKAGES)

bench: setup ## Compare cost and quality with other thumbnailers (PHOTOS="a.jpg b.jpg" RUNS=10)
	@$(DEV).benches.peers.run --profile $(PROFILE) --runs $(RUNS) $(PHOTOS)
	@$(MAKE) --no-print-directory bench-heic

bench-heic: setup ## Compare cost and quality of a HEIC's thumbnail with libheif and other thumbnailers (RUNS=10)
	@$(DEV).benches.peers.heic --runs $(RUNS)

bench-renditions: setup ## Compare the cost of three renditions with that of the thumbnail alone, here and in other thumbnailers (PHOTOS="a.jpg b.jpg" RUNS=10)
	@$(DEV).benches.peers.renditions --profile $(PROFILE) --runs $(RUNS) $(PHOTOS)

bench-check: release ## Say what is slower or larger than the committed figures (UPDATE=1 replaces them)
	@$(AWS) with --tls -- $(DEV).benches.peers.check --profile $(PROFILE) $(if $(UPDATE),--update) $(PACKAGES)

quality: setup ## Compare renditions of one decoding with each made alone, and measure what each further one costs (PHOTOS="a.jpg b.jpg" RUNS=10)
	cargo build --profile $(PROFILE) --package bench --bin renditions
	@target/$(PROFILE)/renditions quality $(PHOTOS)
	@echo
	@target/$(PROFILE)/renditions cost $(RUNS) $(PHOTOS)

bench-stages: tools ## Measure each stage of a photo: header, EXIF, decode, resize, orient, encode
	cargo bench --profile $(PROFILE) --package photo-thumbnail --bench stages

bench-pins: setup ## Update the pins of the thumbnailers that make bench and make load-compare install
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --no-python-downloads --universal --python-version 3.10 --upgrade --generate-hashes \
		--no-header --no-annotate dev/requirements/peers.in --output-file dev/requirements/peers.txt
	npm install --prefix dev/photos_dev/benches/peers --package-lock-only --omit-lockfile-registry-resolved --save-exact sharp@latest
	npm install --prefix dev/photos_dev/benches/load --package-lock-only --omit-lockfile-registry-resolved --save-exact \
		sharp@latest @aws-sdk/client-s3@latest @aws-sdk/client-dynamodb@latest exif-reader@latest

load-compare: build ## Compare the cost of a batch of 24 photos in a server, behind RabbitMQ, and in Lambda functions (PHOTOS_DIR=DIR)
	@$(AWS) with -- $(DEV).benches.load.run $(if $(PHOTOS_DIR),--photos "$(PHOTOS_DIR)")

figures: release ops ## Measure all figures of README and docs anew, in some 90 minutes on a quiet machine (PHOTOS_DIR=DIR FROM=cost)
	@$(DEV).benches.figures $(if $(PHOTOS_DIR),--photos "$(PHOTOS_DIR)") $(if $(FROM),--from "$(FROM)")
	@$(OPS)/bin/python -m unittest discover --start-directory tests/docs -p test_figures.py

fuzz: setup ## Feed damaged photos to every decoder (TARGET=jpeg SECONDS=20)
	@$(VENV)/bin/python photo/fuzz/run.py --tools $(VENV) --seconds $(SECONDS) $(TARGET)

faults: build ## Make every call to AWS fail in every way, and count the photos by outcome (COUNT=600 SEED=1 WAITS=1)
	@$(AWS) with -- $(DEV).faults.run --count $(COUNT) --seed $(SEED) $(if $(WAITS),--waits)

exif-check: setup ## Compare the facts of the photos below DIR with exiftool's (DIR=path)
	cargo build $(CRATES) --example facts
	@$(DEV).exif_check target/$(PROFILE)/examples/facts "$(DIR)"

heic-check: setup ## Compare thumbnails and facts of the HEICs below DIR with libheif's and exiftool's (DIR=path)
	cargo build --profile $(PROFILE) --package bench --bin heic
	cargo build $(CRATES) --example facts
	@$(DEV).heic_check target/$(PROFILE)/heic target/$(PROFILE)/examples/facts "$(DIR)"

strip-check: setup ## Read share copies of the photos below DIR with exiftool: none may tell its place (DIR=path)
	cargo build $(CRATES) --example stripped
	@$(DEV).strip_check target/$(PROFILE)/examples/stripped "$(DIR)"

# SAM would build for minutes, and then miss the name of a stack.
.PHONY: config
config:
	@grep --quiet '^\[$(CONFIG)\.' samconfig.toml || { echo "error: samconfig.toml has no tables [$(CONFIG).…]"; exit 1; }

deploy: config setup ops ## Build the functions and deploy them to AWS (CONFIG=default, dev or prod of samconfig.toml)
	$(SAM_BUILD) --config-env $(CONFIG)
	$(SAM) deploy --config-env $(CONFIG) $(if $(filter default,$(CONFIG)),--guided)

managed-template: setup ## Write a variant of template.yaml for Lambda Managed Instances (MANAGED=template-managed.yaml)
	@$(DEV).stack.managed_instances "$(MANAGED)"

destroy: config ops ## Delete the stack from AWS; originals and table stay (CONFIG=default, dev or prod)
	$(SAM) delete --config-env $(CONFIG)

logs: ops ## Follow the functions' logs in AWS (STACK=photos)
	$(SAM) logs --stack-name "$(STACK)" --tail

invoke-remote: ops ## Invoke the function in AWS with an event (STACK=photos EVENT=path)
	$(SAM) remote invoke ThumbnailFunction --stack-name "$(STACK)" --event-file $(EVENT)

redrive: setup ## Try every message of a stack's dead-letter queue once more (STACK=photos)
	@$(DEV).stack.redrive --stack "$(STACK)"

backfill: setup ## Make the renditions of photos that are in a stack's bucket already (STACK=photos PREFIX= DRY_RUN=1 DIRECT=1 LOCAL=1 RESTART=1)
	@$(if $(LOCAL),$(AWS) exec --) $(DEV).stack.backfill --stack "$(STACK)" $(if $(PREFIX),--prefix "$(PREFIX)") \
		$(if $(DRY_RUN),--dry-run) $(if $(DIRECT),--direct) $(if $(RESTART),--restart)

backfill-check: build ## Backfill many small photos in the local AWS, with an interruption and a change of settings (BACKFILL_PHOTOS=500)
	BACKFILL_PHOTOS=$(BACKFILL_PHOTOS) $(AWS) with -- cargo test $(CRATES) --test pipeline backfill:: -- --nocapture

requirements: setup ## Update the pins of local.in, try.in, ops.in, faults.in, heic.in, second.in and browser.in in dev/requirements
	$(VENV)/bin/python -m pip install --quiet uv
	for name in local try ops faults heic second browser; do \
		$(VENV)/bin/uv pip compile --quiet --no-python-downloads --universal --python-version 3.10 --upgrade --generate-hashes \
			--no-header --no-annotate dev/requirements/$$name.in --output-file dev/requirements/$$name.txt || exit; \
	done

clean: stop ## Stop the local AWS, and remove everything that was built and installed
	rm -rf target $(VENV) $(OPS) .local .aws-sam out dist
	rm -rf clients/upload/build clients/upload/node_modules clients/upload/examples/uppy/node_modules
