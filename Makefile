# What people and CI run. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The version in go.mod, by name: a machine may come with an older Go that is set
# not to look for another one.
export GOTOOLCHAIN := go1.27.3

# Every module of the repository, this folder's first, the tools' own not.
MODULES := $(sort $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path './internal/tools/*' -not -path './.*/*')))

# A program that internal/tools/go.mod pins, for whichever module one is in.
TOOL := go tool -modfile='$(CURDIR)/internal/tools/go.mod'

# Versions of HAProxy that must be tested against: one that is missing fails the
# tests under CI and is reported elsewhere. The same as in internal/scripts/haproxy.sh.
export SPOKE_HAPROXY_VERSIONS ?= 2.6 3.0 3.2+

# Tests against real programs are never taken from the cache of earlier results.
TESTFLAGS ?= -count=1 -timeout=10m

# GOTESTSUM runs the tests of packages. Under CI, a test that fails is run once more, as
# its machine may stop for seconds at a time; the log has both runs. A data race, or more
# than ten failures, is not run again.
GOTESTSUM := $(TOOL) gotestsum --format=pkgname-and-test-fails $(if $(CI),--rerun-fails=1 --rerun-fails-run-root-test --rerun-fails-abort-on-data-race)

# each runs a command in every module, and goes on to the next after a failure.
define each
	failed=; for module in $(MODULES); do (cd "$$module" && $(1)) || failed="$$failed $$module"; done; \
	if [ -n "$$failed" ]; then echo "FAILED in$$failed: $@" >&2; exit 1; fi
endef

.PHONY: help
help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Try it: HAProxy, an origin and the ip-reputation agent, until Ctrl-C (RUN_SECONDS=n: tries itself)
	@internal/scripts/run.sh

.PHONY: run-waf
run-waf: ## Try it: HAProxy, an origin and the waf agent with the Core Rule Set, as run does
	@internal/scripts/run.sh waf

.PHONY: run-rate-limit
run-rate-limit: redis ## Try it: HAProxy, an origin, a Redis and the rate-limit agent, as run does
	@internal/scripts/run.sh rate-limit
.PHONY: run-mirror
run-mirror: ## Try it: HAProxy, an origin, a site that gets copies and the mirror agent, as run does
	@internal/scripts/run.sh mirror

.PHONY: run-sso
run-sso: chromium ## Try single sign-on: HAProxy, a provider, two sites and the sso agent (without a terminal: in a browser that it drives)
	@internal/scripts/run-sso.sh

.PHONY: chromium
chromium: ## Get the browser that the tests of package inspect and examples/sso want
	@command -v chromium >/dev/null || internal/scripts/apt.sh chromium

.PHONY: wrk
wrk: ## Get the load generator that tests of service and examples/rate-limit want
	@command -v wrk >/dev/null || internal/scripts/apt.sh wrk

.PHONY: redis
redis: ## Get the Redis that the tests of auth, examples/rate-limit and examples/sso want
	@command -v redis-server >/dev/null || internal/scripts/apt.sh redis-server

.PHONY: slapd
slapd: ## Get the LDAP server that the tests of auth and examples/sso want
	@command -v /usr/sbin/slapd >/dev/null || internal/scripts/apt.sh slapd

.PHONY: screenshots
screenshots: haproxy chromium ## Take the screenshots of the inspect page and of examples/sso for docs/images
	@mkdir -p docs/images
	@cd examples/sso && go test -count=1 -run='^TestChromium$$' . -args -screenshots='$(CURDIR)/docs/images'
	@cd inspect/browsertest && go test -count=1 -run='^TestTour$$' . -args -screenshots='$(CURDIR)/docs/images' -busy=90s

.PHONY: test
test: haproxy chromium redis wrk slapd ## Run all tests, those against real HAProxy included
	@$(call each,$(GOTESTSUM) --packages=./... -- $(TESTFLAGS))
	@$(MAKE) --no-print-directory tap TAPSKIP='^(TestReloads|TestRestarts|TestRestartMatrix|TestConnectionAge|TestLoad)$$'
	@$(MAKE) --no-print-directory fuzz FUZZTIME=2s

.PHONY: test-newest test-all
test-newest: ## Test HAProxy's configuration and the pages against HAProxy 3.4, where it can be had
	@if newest=$$(internal/scripts/haproxy.sh newest); then \
		SPOKE_HAPROXY="$$newest" SPOKE_HAPROXY_VERSIONS=3.4 go test -count=1 ./haproxy/... ./internal/doctest/...; \
	else echo "NOT TESTED with HAProxy 3.4: it cannot be had" >&2; fi

test-all: ## Run the tests against HAProxy 2.2 and 3.4 as well, whose cache is apart
	@versions=$$(internal/scripts/haproxy.sh matrix); SPOKE_HAPROXY="$$versions" $(MAKE) --no-print-directory test

.PHONY: tap
tap: haproxy ## Run the tests of internal/e2e with spoectl tap between HAProxy and each agent (TAPSKIP=pattern: without those)
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	go build -C cmd/spoectl -o "$$dir/spoectl" .; \
	SPOKE_TAP="$$dir/spoectl" $(GOTESTSUM) --packages=./internal/e2e -- $(TESTFLAGS) -skip='$(TAPSKIP)'

.PHONY: check
check: format vet static tidy race ## All that must pass before a commit, besides the tests

.PHONY: race
race: haproxy chromium redis wrk slapd ## Run all tests with the race detector
	@command -v "$$(go env CC)" >/dev/null || internal/scripts/apt.sh gcc libc6-dev
	@$(call each,CGO_ENABLED=1 $(GOTESTSUM) --packages=./... -- -race $(TESTFLAGS))

.PHONY: format
format: ## List files that gofmt would change
	@unformatted=$$($$(go env GOROOT)/bin/gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "Not as gofmt has it (make fmt does it):" >&2; echo "$$unformatted" >&2; exit 1; fi

.PHONY: vet
vet: ## go vet
	@$(call each,go vet ./...)

.PHONY: static
static: ## staticcheck
	@$(call each,$(TOOL) staticcheck ./...)

.PHONY: tidy
tidy: ## Fail if go mod tidy would change go.mod or go.sum
	@$(call each,go mod tidy -diff)
	@cd internal/tools && go mod tidy -diff

.PHONY: fmt
fmt: ## Format all Go files and tidy all modules
	@$$(go env GOROOT)/bin/gofmt -w .
	@$(call each,go mod tidy)
	@cd internal/tools && go mod tidy

.PHONY: lint
lint: ## golangci-lint and shellcheck, where they are installed
	@if command -v golangci-lint >/dev/null; then $(call each,golangci-lint run --config='$(CURDIR)/.golangci.yml' ./...); \
	else echo "NOT RUN: golangci-lint (version 2) is not installed" >&2; fi
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run internal/scripts/*.sh; \
	else echo "NOT RUN: shellcheck is not installed" >&2; fi

.PHONY: bench
bench: ## Measure: Go benchmarks, then package spoe against the floor, which writes docs/performance.md (BENCH=pattern: those Go benchmarks alone)
	@$(call each,go test -run='^$$' -bench='$(or $(BENCH),.)' -benchmem $(BENCHFLAGS) ./...)
ifndef BENCH
	@internal/scripts/haproxy.sh
	@command -v wrk >/dev/null || internal/scripts/apt.sh wrk
	@go run -C internal/bench . -write
endif

.PHONY: service-reloads
service-reloads: haproxy ## Reload an agent's configuration 100 times under load: no request without a verdict
	@command -v wrk >/dev/null || internal/scripts/apt.sh wrk
	@cd service && SPOKE_SERVICE_RELOADS=100 go test -count=1 -v -timeout=10m -run '^TestReloadUnderLoad$$' .

.PHONY: restarts
restarts: haproxy ## Restart agents under load, ten times in each of 72 settings, and write what was lost into RESTARTS=file (takes an hour)
	@SPOKE_RESTART_MATRIX='$(abspath $(or $(RESTARTS),restarts.md))' go test -count=1 -v -timeout=0 -run='^TestRestartMatrix$$' ./internal/e2e

.PHONY: bench-rate-limit
bench-rate-limit: redis ## Measure the rate-limit agent with Redis and without, and write the figures into its README
	@cd examples/rate-limit && go test -count=1 -v -timeout=10m -run '^TestFigures$$' . -args -figures=README.md

.PHONY: rate-limit-long
rate-limit-long: haproxy redis wrk ## Hold three agents against one limit for 30 s, then kill their Redis ten times under load
	@cd examples/rate-limit && SPOKE_RATELIMIT_SECONDS=30 SPOKE_RATELIMIT_KILLS=10 go test -count=1 -v -timeout=10m -run '^(TestFleetIsExact|TestRedisIsKilled)$$' .

.PHONY: bench-waf
bench-waf: haproxy ## Measure examples/waf through HAProxy with wrk; writes the table in its README
	@command -v wrk >/dev/null || internal/scripts/apt.sh wrk
	@cd examples/waf && go test -run '^$$' -bench '^BenchmarkWAF$$' -benchtime 1x . -args -figures

.PHONY: crs
crs: haproxy ## Send the Core Rule Set's whole regression suite through HAProxy to examples/waf; writes the table in its README
	@cd examples/waf && go test -count=1 -v -timeout=20m -run '^TestSuite$$' . -args -suite

.PHONY: agents-cost
agents-cost: ## Measure the CPU time of the examples' agents for a question (N=200000 of them)
	@internal/scripts/agents-cost.sh

.PHONY: mirror-copies
mirror-copies: haproxy ## Compare a site and its mirror byte by byte, and times with a mirror that hangs (N=10000 requests through each HAProxy)
	@cd examples/mirror && SPOKE_MIRROR_REQUESTS=$(or $(N),10000) go test -count=1 -v -timeout=30m -run '^(TestCopiesAreEqual|TestMirrorHangs)$$' .

.PHONY: fuzz
fuzz: ## Run each fuzz test for a while (FUZZTIME=30s, FUZZ=pattern)
	@$(call each,'$(CURDIR)/internal/scripts/fuzz.sh' '$(or $(FUZZTIME),30s)' '$(or $(FUZZ),.)')

.PHONY: mutate
mutate: ## Change a package place by place and list the changes that its tests miss (PKG=./codec N=60 SEED=1; TESTS=./spoe,./spoe/spoetest/conformance: by the tests of these packages)
	@go run ./internal/mutate -n $(or $(N),60) -seed $(or $(SEED),1) $(if $(TESTS),-tests $(TESTS)) $(or $(PKG),./codec)

.PHONY: stress
stress: ## Run random schedules against an agent with the race detector (STRESS=1h), each ACK held against its NOTIFY
	@SPOKE_STRESS='$(or $(STRESS),1h)' CGO_ENABLED=1 go test -race -count=1 -timeout=0 -v -run=TestStress ./internal/stress

.PHONY: cover
cover: haproxy ## Run all tests of this module and show what they cover
	@profile=$$(mktemp); trap 'rm -f "$$profile"' EXIT; \
	go test $(TESTFLAGS) -coverpkg=./... -coverprofile="$$profile" ./... && go tool cover -func="$$profile" | tail -n 1

.PHONY: golden
golden: haproxy ## Capture codec's golden frames anew, from every HAProxy
	@go test -count=1 ./internal/capture -write

.PHONY: api
api: ## Write the API listings in internal/house/testdata/api anew
	@go test -count=1 ./internal/house -run='^TestAPI$$' -write

.PHONY: haproxy
haproxy: ## Get the versions of HAProxy that the tests want
	@internal/scripts/haproxy.sh

.PHONY: clean
clean: ## Remove what Go's build and test caches and the HAProxy cache hold
	@go clean -testcache -fuzzcache
	@cache="$${SPOKE_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/spoke}"; rm -rf "$$cache/haproxy" "$$cache/haproxy-more"
