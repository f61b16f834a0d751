# Everything that a developer does. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Programs that check and generate the code are built from the modules that tools/go.mod pins, into the user's cache.
CACHE   ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/headgate
TOOLS   := $(CACHE)/tools/$(firstword $(shell cksum tools/go.sum))
IMAGE   ?= headgate-controller:dev
GO      ?= go

controller_gen := $(TOOLS)/controller-gen
golangci_lint  := $(TOOLS)/golangci-lint

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: build
build: ## Build the operator and the command line into bin/
	CGO_ENABLED=0 $(GO) build -ldflags '-s -w' -o bin/ ./cmd/...

.PHONY: demo
demo: ## Run the whole story on this machine; KEEP=1 stays up
	$(GO) run ./cmd/headgate demo $(if $(KEEP),--keep)

.PHONY: sandbox
sandbox: ## Start a cluster with a simulated AWS on this machine
	$(GO) run ./cmd/headgate sandbox

.PHONY: corpus
corpus: ## Apply strangers' manifests to a sandbox; CORPUS=DIR takes any folder, ARGS=--update writes the table
	$(GO) run ./cmd/headgate corpus $(if $(CORPUS),$(CORPUS) --folders .,../shared/corpus --expect docs/reference/corpus.md $(ARGS))

.PHONY: test
test: ## Run all tests
	$(GO) run ./test/report

.PHONY: conformance
conformance: ## Run the Gateway API's official suite and write its report into docs/conformance
	$(GO) test ./test/conformance -count 1 -timeout 1h -v -args -write

.PHONY: changes
changes: ## Send requests while plans are applied; PAIRS=500 of configurations, SEED=1
	$(GO) test ./test/traffic -run TestChangesOf -count 1 -timeout 1h -v -args -pairs $(or $(PAIRS),500) -seed $(or $(SEED),1)

.PHONY: crash
crash: ## Kill the operator at every call and every write in the cluster, and let AWS lag behind by 30 s
	$(GO) test ./test/crash -count 1 -timeout 2h -v -args -every

.PHONY: planted
planted: ## Plant bugs and see that the invariants' tests find them; ARGS="--missing", "--only RE"
	$(GO) run ./test/planted $(ARGS)

.PHONY: bench
bench: ## Measure the simulator and the operator; ARGS="--only RE", "--write", "--help"
	$(GO) run ./test/bench $(ARGS)

.PHONY: lint
lint: $(golangci_lint) ## Run all linters
	$(golangci_lint) run --allow-parallel-runners ./...

.PHONY: generate
generate: $(controller_gen) ## Write what is generated: deep copies, CRDs, roles, references
	$(controller_gen) object paths=./apis/...
	rm -f config/crd/*.*.yaml
	$(controller_gen) crd paths=./apis/... output:crd:dir=config/crd
	$(controller_gen) rbac:roleName=headgate-controller paths=./cmd/headgate-controller paths=./controllers/... output:rbac:dir=config/rbac
	$(GO) run ./test/reference

.PHONY: check
check: ## Check that generated files are current, then lint, test and compare what the official suite reports
	@old=$$(mktemp -d) && cp -R apis config docs $$old/ && $(MAKE) --no-print-directory generate && \
	for dir in apis config docs; do \
		diff -r $$old/$$dir $$dir || { echo 'Generated files were not current; now they are: commit them.'; rm -rf $$old; exit 1; }; \
	done; rm -rf $$old
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory test
	$(GO) test ./test/conformance -count 1 -timeout 1h

.PHONY: image
image: ## Build the operator's container image
	docker build -t $(IMAGE) -f config/manager/Dockerfile .

.PHONY: clean
clean: ## Remove what was built in the checkout
	rm -rf bin

$(controller_gen): pkg := sigs.k8s.io/controller-tools/cmd/controller-gen
$(golangci_lint): pkg := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(controller_gen) $(golangci_lint):
	@echo "Building $(@F), once (some minutes for golangci-lint)"
	@mkdir -p $(@D)
	cd tools && CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $@.building $(pkg) && mv $@.building $@
