# Nine targets. Each set-up step leaves a stamp in .stamps/ and runs again only when its sources changed.
.DEFAULT_GOAL := help
.PHONY: help setup run check test e2e bench wheel lock
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON ?= python3
PYTEST_JOBS ?= 2
CARGO := cargo --config 'term.progress.when="never"'
say = @printf '\033[1m==> %s\033[0m\n'
# Ways that the engine takes under load, as counted by bench/pgo.py with this compiler; with another one nothing of it would fit.
profile := $(wildcard media/profile/rustc-$(word 2,$(shell rustc --version 2>/dev/null)).profdata)
engine_build := $(if $(profile),$(if $(word 2,$(CURDIR)),,RUSTFLAGS='$(RUSTFLAGS) -Cprofile-use=$(CURDIR)/$(profile)')) maturin
engine_sources := $(profile) media/Cargo.toml media/Cargo.lock $(shell find media/sfu media/engine media/python -name target -prune -o -type f \( -name '*.rs' -o -name '*.toml' \) -print 2>/dev/null)
web_sources := $(shell find web -name node_modules -prune -o -type f -not -name '*.test.*' -print 2>/dev/null)
sealing_sources := sealing/Cargo.toml sealing/Cargo.lock sealing/pyproject.toml $(shell find sealing/src -type f 2>/dev/null)
has_cargo := $(shell command -v cargo)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.stamps/python: requirements/dev.txt requirements/bootstrap.txt
	$(say) 'Python packages into .venv'
	@mkdir -p .stamps && test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x .venv/bin/uv || python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@uv pip sync -q --compile-bytecode --python .venv/bin/python --require-hashes requirements/dev.txt requirements/bootstrap.txt
	@rm -f .stamps/engine .stamps/sealing && touch $@

.stamps/node: web/package-lock.json .stamps/python
	$(say) 'Packages of the web client'
	@cd web && npm ci --no-audit --no-fund --loglevel=error && touch ../$@

.stamps/web: .stamps/node $(web_sources)
	$(say) 'Web client into src/conclave/static'
	@cd web && npm run --silent build && touch ../$@

.stamps/engine: .stamps/python $(engine_sources)
ifdef has_cargo
	$(say) 'Media engine (Rust): some minutes the first time, seconds later'
	@$(engine_build) develop --uv --release --quiet && touch $@
else
	$(say) 'No cargo here: running without the media engine (CONCLAVE_MEDIA__ENGINE=fake)'
	@echo '$(CURDIR)/src' > "$$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/conclave.pth" && touch $@
endif

.stamps/sealing: .stamps/python $(sealing_sources)
ifdef has_cargo
	$(say) 'Headless member of sealed meetings, for tests (Rust): two minutes the first time'
	@maturin develop --uv --quiet -m sealing/Cargo.toml && touch $@
else
	$(say) 'No cargo here: the tests of sealed meetings cannot run' && exit 1
endif

setup: .stamps/python .stamps/engine .stamps/web ## set up what is stale

run: setup ## serve on http://localhost:8080 and print the operator's link
	@exec python -m conclave serve

check: .stamps/python .stamps/node ## ruff, mypy, import-linter, rustfmt, clippy, and the web client's checks
	$(say) 'Python: ruff, mypy, import-linter'
	@ruff check --quiet . && ruff format --check --quiet . && mypy --no-error-summary && PYTHONPATH=src lint-imports --no-logo
	$(say) 'Rust: rustfmt, clippy'
	@cd media && $(CARGO) fmt --all --check && $(CARGO) clippy --quiet --workspace --all-targets -- -D warnings
	@cd sealing && $(CARGO) fmt --check && $(CARGO) clippy --quiet --all-targets -- -D warnings
	$(say) 'Web: tsc, biome, knip, texts'
	@cd web && npm run --silent check

test: check setup .stamps/sealing ## check, then cargo test, pytest and vitest
	$(say) 'Rust tests'
	@cd media && $(CARGO) test --quiet --workspace
	$(say) 'Web tests'
	@cd web && npm test --silent && npm run --silent size
	$(say) 'Python tests'
	@pytest -q -n $(PYTEST_JOBS) --dist loadgroup -m 'unit or pg or media'

e2e: setup .stamps/sealing ## the running product in headless Chromium (needs Chromium and fonts: apt-get install chromium fonts-dejavu)
	@command -v chromium >/dev/null || { echo 'make e2e needs Chromium: apt-get install chromium fonts-dejavu fonts-noto-core' >&2; exit 1; }
	$(say) 'Browser tests'
	@pytest -q -m browser tests/e2e

bench: setup .stamps/sealing ## measure; results in bench/results
	@cd media && $(CARGO) build --quiet --release -p conclave-load
	@python bench/run.py $(ARGS)

wheel: .stamps/web .stamps/python ## build the wheel into dist/
	$(say) 'Wheel'
	@rm -rf dist && $(engine_build) build --release --quiet --out dist
	@python -c 'import glob, zipfile; names = zipfile.ZipFile(glob.glob("dist/*.whl")[0]).namelist(); assert "conclave/static/index.html" in names, "the web client is missing in the wheel"; assert not any("conclave_sealing" in name for name in names), "the headless member is in the wheel"'
	@ls dist

lock: ## compile the hashed requirements anew
	@uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --upgrade pyproject.toml --extra postgres -o requirements/app.txt
	@uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --upgrade pyproject.toml --extra postgres --group dev -o requirements/dev.txt
