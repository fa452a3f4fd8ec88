SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
COMMIT_DATE = $(shell TZ=UTC git show -s --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null || echo unknown)
# Go's own stamp fails the build where the folder is another user's, and knows no tag: these three stand for it.
GO_BUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false \
	-ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(COMMIT_DATE)'

# Built on first use, then taken from Go's build cache.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOTESTSUM := go run gotest.tools/gotestsum@v1.13.0

# SQLite is C turned into Go: watching each of its memory accesses makes the tests 16 times as slow and
# says nothing about our code. Only these two packages: the others bring generic code along that ours shares.
NO_RACE := -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false

GO_TEST := $(GOTESTSUM) --format pkgname -- -race $(NO_RACE)
# The store's own tests know every database; what stands on the store is tested on each in turn.
ON_EVERY_DATABASE := ./internal/ledger ./internal/timeline ./internal/api
# Random histories before and after roll-up and retention: a fifth of them, since each takes a server long.
ROLL_UP_BRIEFLY := -run TestAnswers ./internal/upkeep -rapid.checks=20

# npm writes this file last, when all packages are in place.
NODE_MODULES := ui/node_modules/.package-lock.json
# Folders are listed too: their time changes when a file in them goes away.
UI_SOURCES := $(shell find ui/src ui/public) ui/index.html ui/package.json ui/tsconfig.json ui/vite.config.ts

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## Install what building and testing need (as root), or print the line that does
	@scripts/setup.sh go node compiler databases prometheus browser

.PHONY: toolchain
toolchain:
	@scripts/setup.sh go node

$(NODE_MODULES): ui/package-lock.json | toolchain
	cd ui && npm ci --loglevel=error
	@touch $@

ui/dist/index.html: $(NODE_MODULES) $(UI_SOURCES)
	cd ui && npm run build

.PHONY: build
build: toolchain ui/dist/index.html ## Build bin/tasktide, one static binary with the page in it
	$(GO_BUILD) -o bin/tasktide ./cmd/tasktide

.PHONY: demo
demo: build ## Build, and serve a page with a seeded day of history and tasks that run
	bin/tasktide demo

.PHONY: test
test: setup test-go test-ui test-e2e ## Run all tests

.PHONY: test-go
test-go: ## Test the Go packages with the race detector, and list what was skipped
	@scripts/setup.sh go compiler databases prometheus
	$(GO_TEST) ./...
	TASKTIDE_TEST_DATABASE=mariadb $(GO_TEST) $(ON_EVERY_DATABASE)
	TASKTIDE_TEST_DATABASE=postgresql $(GO_TEST) $(ON_EVERY_DATABASE)
	TASKTIDE_TEST_DATABASE=mariadb $(GO_TEST) $(ROLL_UP_BRIEFLY)
	TASKTIDE_TEST_DATABASE=postgresql $(GO_TEST) $(ROLL_UP_BRIEFLY)

.PHONY: test-ui
test-ui: $(NODE_MODULES) ## Check the page's types and test its modules
	cd ui && npm run typecheck && npm test

.PHONY: test-e2e
test-e2e: build ## Test the binary in browsers
	@scripts/setup.sh browser
	cd ui && npm run test:e2e

.PHONY: bench
bench: ## Measure moves, answers and a load, and write docs/benchmarks.md (25 minutes); SIZE=S for a quick look at answers
	@scripts/setup.sh go cplusplus databases
	cd bench && go run . $(if $(SIZE),-parts read -sizes $(SIZE) $(if $(filter X,$(SIZE)),-databases sqlite) -out -)

.PHONY: bench-ui
bench-ui: build ## Measure the page in a browser, and write docs/benchmarks-page.md (10 minutes)
	@scripts/setup.sh browser
	cd ui && npm run --silent bench

.PHONY: lint
lint: $(NODE_MODULES) ## Check style, boundaries between packages, and that generated files are fresh
	@scripts/setup.sh compiler
	go mod tidy -diff
	$(GOLANGCI_LINT) run
	cd bench && go mod tidy -diff && $(GOLANGCI_LINT) run --config ../.golangci.yaml
	cd ui/e2e/otlp && go mod tidy -diff && $(GOLANGCI_LINT) run --config ../../../.golangci.yaml
	cd ui && npm run lint && npm run format:check
	scripts/check-generated.sh

.PHONY: fmt
fmt: $(NODE_MODULES) ## Format everything
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
