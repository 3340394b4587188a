# For users: `make run`. For developers: `make test`. The work is in core/install.

CANDIDATES := python3 python3.11 python3.12 python3.13 python3.14
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
FOUND = $(shell for p in $(CANDIDATES); do $$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && break; done)
INSTALLER = $(or $(PYTHON),$(FOUND),python3)
CHECKS := "ruff format --check ." "ruff check ." "mypy" "python -m pytest"
BROWSERS := chromium chromium-browser google-chrome
UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

CLIENTS := .venv-clients
NPM_LOCK = npm $(if $(LOCK),update,install) --package-lock-only --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved

.PHONY: help run install install-dev test test-fast test-clients bench lock docs clean

help:
	@echo "make run       install what is missing, then serve at http://localhost:5000/"
	@echo "make install   install what is missing into .venv (PYTHON=/path/to/python3.11 chooses the Python,"
	@echo "               BACKEND=cpu|cuda|rocm|vulkan|auto or CMAKE_ARGS=… overrides the detected back end)"
	@echo "make install-dev"
	@echo "               the same, with the tools for tests and benchmarks"
	@echo "make test      install the tools for tests, then check format, lint, types and tests"
	@echo "make test-fast the same without the slow tests, which start the model, a browser or PostgreSQL"
	@echo "make test-clients"
	@echo "               install the clients of OpenAI's API that docs/clients.md lists, and run them against the service"
	@echo "make bench     compare the service with llama-servers under several kinds of work (hours; BENCH='--only chat' is"
	@echo "               shorter), and draw the plots of the README"
	@echo "make lock      update the lock files after a change of pyproject.toml (LOCK=--upgrade for newer versions)"
	@echo "make docs      update the reference of settings in docs/operating.md"
	@echo "make clean     remove .venv and the caches of tools; var/ (conversations, models) stays"

run: install
	@.venv/bin/csps-llm up

install:
	@$(INSTALLER) -m core.install

install-dev:
	@$(INSTALLER) -m core.install --dev

test-fast: export PYTEST_ADDOPTS = -m "not slow"
test test-fast: install-dev
	@for b in $(BROWSERS); do command -v $$b >/dev/null && found=yes; done; [ "$$found" ] || \
		echo "No Chromium here: the tests in a browser will be skipped (Debian: apt install chromium)."
	@failed=; for check in $(CHECKS); do \
		echo "→ $$check"; .venv/bin/$$check || failed="$$failed [$$check]"; \
	done; [ -z "$$failed" ] || { echo "Failed:$$failed"; exit 1; }

test-clients: install-dev $(CLIENTS)/.installed tests/clients/node_modules/.installed
	@.venv/bin/python -m pytest -m clients tests/clients

# Node.js and npm come with the Python packages.
$(CLIENTS)/.installed: tests/clients/requirements.lock
	@echo "Installing the clients in Python"
	@.venv/bin/python -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

tests/clients/node_modules/.installed: tests/clients/package-lock.json $(CLIENTS)/.installed
	@echo "Installing the clients in JavaScript"
	@PATH="$(CURDIR)/$(CLIENTS)/bin:$$PATH" npm ci --prefix tests/clients --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

bench: install-dev
	@.venv/bin/python -m benchmarks.serving $(BENCH)
	@.venv/bin/python -m benchmarks.serving.plots

lock:
	@set -e; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	$(INSTALLER) -m venv "$$tools"; "$$tools/bin/pip" install --quiet uv; \
	export PATH="$$tools/bin:$$PATH" UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	$(UV_COMPILE) $(LOCK) pyproject.toml --extra build -o requirements.lock; \
	$(UV_COMPILE) $(LOCK) pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock; \
	$(UV_COMPILE) --no-config $(LOCK) tests/clients/requirements.in -o tests/clients/requirements.lock; \
	if command -v npm >/dev/null; then cd tests/clients && $(NPM_LOCK); \
	else echo "tests/clients/package-lock.json stays as it is: there is no npm here"; fi

docs: install-dev
	@.venv/bin/python -m core.configuration.settings_reference

clean:
	rm -rf .venv .venv.log $(CLIENTS) tests/clients/node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find core bindings web tests -name __pycache__ -prune -exec rm -rf {} +
