SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
COMMIT_DATE = $(shell TZ=UTC git show -s --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null || echo unknown)
# Go's own stamp fails the build where the folder is another user's, and knows no tag: these three stand for it.
GO_BUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false \
	-ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(COMMIT_DATE)'

# Built on first use, once for each version.
GOLANGCI_LINT := $(CURDIR)/bin/golangci-lint-v2.15.0
GOTESTSUM := bin/gotestsum-v1.13.0

# SQLite is C turned into Go: watching each of its memory accesses makes the tests 16 times as slow and
# says nothing about our code. Only these two packages: the others bring generic code along that ours shares.
NO_RACE := -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false

# Each part of the tests has a name, which stands before its lines.
# Parts run beside each other: a package may take longer than the ten minutes that Go allows it.
GO_TEST := $(GOTESTSUM) --format pkgname -- -timeout=30m
GO_TEST_RACE := $(GO_TEST) -race $(NO_RACE)
# These two draw the longest random histories, and the race detector makes them four times as slow. One history shows
# it what another does: a fifth of them ("-short") run with it, and all of them without.
LONG_HISTORIES := ./internal/api ./internal/upkeep
OTHERS = $$(go list ./... | grep -vxF "$$(go list $(LONG_HISTORIES))")
# The store's own tests know every database; what stands on the store is tested on each in turn.
ON_EVERY_DATABASE := ./internal/ledger ./internal/timeline ./internal/api
# Random histories before and after roll-up and retention: a fifth of them, since each takes a server long.
ROLL_UP_BRIEFLY := -run TestAnswers ./internal/upkeep -rapid.checks=20

# npm writes this file last, when all packages are in place.
NODE_MODULES := ui/node_modules/.package-lock.json
# Folders are listed too: their time changes when a file in them goes away.
UI_SOURCES := $(shell find ui/src ui/public) ui/index.html ui/package.json ui/tsconfig.json ui/vite.config.ts

# Where the demo listens: PORT=8071, or TASKTIDE_LISTEN as everywhere else.
LISTEN := $(if $(PORT),127.0.0.1:$(PORT),$(or $(TASKTIDE_LISTEN),127.0.0.1:8070))

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## Install what building and testing need (as root), or print the line that does
	@scripts/setup.sh go node compiler databases prometheus browser

.PHONY: toolchain
toolchain:
	@scripts/setup.sh go node

$(GOLANGCI_LINT):
	@scripts/announce.sh "Compiling golangci-lint (1 to 5 minutes, once) ..." \
		env GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv bin/golangci-lint $@

$(GOTESTSUM): | toolchain
	@GOBIN=$(CURDIR)/bin go install gotest.tools/gotestsum@v1.13.0
	@mv bin/gotestsum $@

# A module of its own, which no part of the program depends on.
bin/otlp-receiver: $(wildcard ui/e2e/otlp/*) | toolchain
	@scripts/announce.sh "Compiling the receiver of traces for the browser tests (1 to 3 minutes, once) ..." \
		go build -C ui/e2e/otlp -buildvcs=false -o $(CURDIR)/$@ .

$(NODE_MODULES): ui/package-lock.json | toolchain
	@scripts/announce.sh "Installing the packages of the page in ui/node_modules (up to a minute) ..." \
		npm --prefix ui ci --loglevel=error --no-fund --no-audit
	@touch $@

ui/dist/index.html: $(NODE_MODULES) $(UI_SOURCES)
	@echo "Building the page (20 to 60 seconds) ..."
	cd ui && npm run --silent build -- --logLevel warn

.PHONY: build
build: toolchain ui/dist/index.html ## Build bin/tasktide, one static binary with the page in it
	@scripts/announce.sh "Compiling bin/tasktide (1 to 3 minutes when nothing of it is cached) ..." \
		env $(GO_BUILD) -o bin/tasktide ./cmd/tasktide

.PHONY: demo
demo: toolchain ## Build, and show made-up runs, one of them live; PORT=8071 takes another port
	@scripts/check-listen.sh "$(LISTEN)"
	@$(MAKE) --no-print-directory build
	@TASKTIDE_LISTEN="$(LISTEN)" bin/tasktide demo

.PHONY: test
test: setup ## Run all tests, and list what was not judged
	@scripts/test.sh

.PHONY: test-go
test-go: test-race test-histories test-mariadb test-postgresql ## Test the Go packages, on every database

.PHONY: test-needs
test-needs:
	@scripts/setup.sh go compiler databases prometheus

.PHONY: test-race
test-race: test-needs $(GOTESTSUM)
	scripts/part.sh race $(GO_TEST_RACE) $(OTHERS)

.PHONY: test-histories
test-histories: test-needs $(GOTESTSUM)
	scripts/part.sh "histories race" $(GO_TEST_RACE) -short $(LONG_HISTORIES)
	scripts/part.sh histories $(GO_TEST) $(LONG_HISTORIES)

.PHONY: test-mariadb test-postgresql
test-mariadb test-postgresql: test-%: test-needs $(GOTESTSUM)
	TASKTIDE_TEST_DATABASE=$* scripts/part.sh $* $(GO_TEST) $(ON_EVERY_DATABASE)
	TASKTIDE_TEST_DATABASE=$* scripts/part.sh "$* roll-up" $(GO_TEST) $(ROLL_UP_BRIEFLY)

.PHONY: test-ui
test-ui: $(NODE_MODULES) ## Check the page's types and test its modules
	cd ui && ../scripts/part.sh page sh -c "npm run --silent typecheck && npm test --silent"

.PHONY: test-e2e
test-e2e: build bin/otlp-receiver ## Test the binary in browsers
	@scripts/setup.sh browser
	cd ui && ../scripts/part.sh browsers npm run --silent test:e2e

.PHONY: test-cold
test-cold: ## Run the README's two commands in an empty clone without caches (up to an hour)
	@scripts/test-cold.sh

.PHONY: test-gestures
test-gestures: build ## Test zoom and pan by hand in browsers, at every pace and with every pause (10 minutes)
	@scripts/setup.sh browser
	cd ui && GESTURES=all npm run test:e2e -- e2e/gestures.test.ts

.PHONY: bench
bench: ## Measure moves, answers and a load, and write docs/benchmarks.md (25 minutes); SIZE=S for a quick look at answers
	@scripts/setup.sh go cplusplus databases
	cd bench && go run . $(if $(SIZE),-parts read -sizes $(SIZE) $(if $(filter X,$(SIZE)),-databases sqlite) -out -)

.PHONY: bench-ui
bench-ui: build ## Measure the page in a browser, and write docs/benchmarks-page.md (10 minutes)
	@scripts/setup.sh browser
	cd ui && npm run --silent bench

.PHONY: lint
lint: $(NODE_MODULES) $(GOLANGCI_LINT) ## Check style, boundaries between packages, and that generated files are fresh
	@scripts/setup.sh compiler
	go mod tidy -diff
	$(GOLANGCI_LINT) run
	cd bench && go mod tidy -diff && $(GOLANGCI_LINT) run --config ../.golangci.yaml
	cd ui/e2e/otlp && go mod tidy -diff && $(GOLANGCI_LINT) run --config ../../../.golangci.yaml
	cd ui && npm run lint && npm run format:check
	scripts/check-generated.sh

.PHONY: fmt
fmt: $(NODE_MODULES) $(GOLANGCI_LINT) ## Format everything
	$(GOLANGCI_LINT) fmt
	cd bench && $(GOLANGCI_LINT) fmt --config ../.golangci.yaml
	cd ui && npm run format

.PHONY: generate
generate: $(NODE_MODULES) ## Make the page's API types from the OpenAPI document, and the table of settings from the flags
	cd ui && npm run generate
	go test ./cmd/tasktide -run TestTheTableOfSettings -update

.PHONY: clean
clean: ## Remove everything that was built or installed here
	rm -rf bin ui/node_modules
	find ui/dist -mindepth 1 ! -name .gitkeep -delete
