# make demo    shows the whole way of a sealed file, on this machine
# make test    runs every check and test
# make bench   measures the whole job against one plain ffmpeg; make bench-crypto the AES streams, bench-cost what outputs cost
# make soak    runs 500 small jobs with faults and repeated events and counts what became of each (a quarter of an hour)
# make scale   simulates a large account from measured costs, and writes docs/scale.md
# make crash   kills each function before and after each of its calls, one job a death (make test: several a job)
# make fips    runs the tests of what encrypts with Go's FIPS 140-3 module; part of make test
# make poison  drops the whole corpus of media that are made to hurt; make test a part of it
# make fuzz    fuzzes every parser, each for FUZZTIME (30s)
# make build   builds the command and the functions (TRACES=otlp: with traces); make layer the static ffmpeg
#
# SAM calls the build-<LogicalId> targets. Paths start at this file, since SAM may run it from elsewhere.

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

# Processor that the functions run on: x86_64 or arm64, as in the template's parameter Architecture.
ARCH ?= x86_64
GOARCH_x86_64 := amd64
GOARCH_arm64 := arm64

# TRACES=otlp builds the functions from the module traces, which sends spans to an OpenTelemetry collector.
TRACES ?=

FUNCTIONS := IngestFunction TranscodeFunction AssembleFunction ReconcileFunction
MODULES := ./... ./local/... ./cmd/sealreel/... ./e2e/... ./interop/... ./pkg/aesstream/vectors/...
# What encrypts, decrypts, wraps keys or signs.
CRYPTO := ./pkg/seal ./pkg/aesstream ./pkg/aesstream/vectors ./pkg/envelope ./pkg/work ./pkg/s3store ./pkg/kmskeys ./pkg/vault \
	./pkg/job ./local/kms
lower = $(shell echo $(1) | tr A-Z a-z)
ARTIFACTS_DIR ?= $(ROOT)/build/functions/$(@:build-%=%)

.PHONY: help demo test bench bench-crypto crash bench-cost scale soak poison fuzz fips build layer lint fmt clean prerequisites gofmt vet unit jobs whole-jobs crash-points traces erasing template-check \
	build-FfmpegLayer $(FUNCTIONS:%=build-%)

help:
	@sed -n 's/^# make/make/p' $(ROOT)/Makefile

demo:
	@$(ROOT)/.ci/prerequisites ffmpeg
	cd $(ROOT) && go build -o build/sealreel ./cmd/sealreel
	cd $(ROOT) && build/sealreel demo

test: prerequisites gofmt vet unit jobs traces erasing fips template-check
	@echo "make test: everything passed"

bench:
	@$(ROOT)/.ci/prerequisites ffmpeg
	cd $(ROOT) && go run ./e2e/bench

soak:
	@$(ROOT)/.ci/prerequisites ffmpeg
	cd $(ROOT) && go run ./e2e/soak

scale:
	cd $(ROOT) && go run ./e2e/scale -guide docs/scale.md && sed -n "/written by make scale/,\$$p" docs/scale.md

bench-crypto:
	cd $(ROOT) && go run ./e2e/bench/crypto

bench-cost:
	@$(ROOT)/.ci/prerequisites ffmpeg
	cd $(ROOT) && go run ./e2e/bench -cost

# An hour or so. What came of each file, and a table, are printed.
poison:
	@$(ROOT)/.ci/prerequisites ffmpeg strace
	cd $(ROOT) && go test -count=1 -timeout 4h -run TestPoison -v ./e2e/poison -args -whole

crash:
	@$(ROOT)/.ci/prerequisites ffmpeg
	cd $(ROOT)/e2e/crash && SEALREEL_CRASH=all go test -count=1 -timeout 60m

FUZZTIME ?= 30s

fuzz:
	$(ROOT)/.ci/fuzz $(FUZZTIME)

prerequisites:
	@$(ROOT)/.ci/prerequisites ffmpeg cc strace

gofmt:
	@files=$$(cd $(ROOT) && git ls-files --cached --others --exclude-standard '*.go' | xargs -r gofmt -l); \
	if [ -n "$$files" ]; then echo "gofmt: run make fmt for:" $$files >&2; exit 1; fi
	@echo "gofmt: no finding"

vet:
	cd $(ROOT) && go vet $(MODULES)

# The root's tests include the layout: imports, lengths, comments (layering_test.go).
unit:
	cd $(ROOT) && go test -race -timeout 20m $(filter-out ./e2e/...,$(MODULES))

# Whole jobs run without the race detector, which would watch the embedded AWS alone, and that has tests of its own.
# Crash points, which tell how many they are, wait more than they work: beside the other jobs.
jobs:
	@$(MAKE) --no-print-directory -C $(ROOT) -j2 --output-sync=target whole-jobs crash-points

whole-jobs:
	cd $(ROOT) && go test -p 1 -timeout 25m $$(go list ./e2e/... | grep -v /crash$$)

crash-points:
	cd $(ROOT)/e2e/crash && go test -count=1 -timeout 25m

# The functions with traces, from their own versions: what they need is far from the workspace's.
traces:
	cd $(ROOT)/traces && GOWORK=off go vet ./... && GOWORK=off go test -vet=off ./...

# What pkg/shield does with a toolchain that can erase memory; another has nothing to test.
erasing:
	@if GOEXPERIMENT=runtimesecret go version >/dev/null 2>&1; then \
		cd $(ROOT) && GOEXPERIMENT=runtimesecret go test ./pkg/shield ./pkg/seal && \
		GOEXPERIMENT=runtimesecret go test -run Shield ./pkg/aesstream; \
	else echo "erasing: not run (this toolchain has no runtime/secret)"; fi

# docs/security.md says what this gives, and why it is not fips140=only. The cache of results ignores GODEBUG: -count=1.
fips:
	cd $(ROOT) && GODEBUG=fips140=on go test -count=1 $(CRYPTO)

# Exit code 77 says that the tools are not here; SEALREEL_REQUIRE_CFN makes that a failure.
template-check:
	@if command -v python3 >/dev/null 2>&1; then \
		$(ROOT)/.ci/template-check || [ $$? -eq 77 ]; \
	elif [ -n "$$SEALREEL_REQUIRE_CFN" ]; then \
		echo "template-check: SEALREEL_REQUIRE_CFN is set, but there is no python3" >&2; exit 1; \
	else \
		echo "template-check: not run (no python3)"; \
	fi

lint:
	@command -v golangci-lint >/dev/null 2>&1 || { \
		echo "lint: install golangci-lint 2.x; without it make test checks layout, formatting and go vet" >&2; exit 1; }
	cd $(ROOT) && golangci-lint run $(MODULES)

fmt:
	cd $(ROOT) && git ls-files --cached --others --exclude-standard '*.go' | xargs -r gofmt -w

build: $(FUNCTIONS:%=build-%)
	cd $(ROOT) && go build -o build/sealreel ./cmd/sealreel

# GOWORK=off: a function is built from its module's own versions.
$(FUNCTIONS:%=build-%): build-%Function:
	@case '$(TRACES)' in ''|otlp) ;; *) echo "make: TRACES is '$(TRACES)': otlp, or nothing" >&2; exit 1;; esac
	cd $(ROOT)$(TRACES:otlp=/traces) && GOWORK=off CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH_$(ARCH)) \
		go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w$(TRACES:otlp= -X main.function=$(call lower,$*))' \
		-o $(ARTIFACTS_DIR)/bootstrap $(if $(TRACES),.,./functions/$(call lower,$*))

layer:
	$(ROOT)/layers/ffmpeg/build $(ROOT)/build/ffmpeg $(ARCH)

build-FfmpegLayer: layer
	mkdir -p $(ARTIFACTS_DIR)/bin
	cp $(ROOT)/build/ffmpeg/$(ARCH)/bin/ffmpeg $(ROOT)/build/ffmpeg/$(ARCH)/bin/ffprobe $(ARTIFACTS_DIR)/bin/
	cp -R $(ROOT)/build/ffmpeg/$(ARCH)/licenses $(ARTIFACTS_DIR)/

clean:
	rm -rf $(ROOT)/build $(ROOT)/dist $(ROOT)/.aws-sam
