# Every task of the book; `make help` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup book pdf epub links test lint record serve bench speed gpu weights colab pair mutants lock clean

PROFILE ?= $(if $(RESNET_PROFILE),$(RESNET_PROFILE),quick)
PORT ?= 8000
# How long an OpenMP thread spins while it waits. The default is so long that training slows down several
# times on a machine that does something else too; this much costs nothing on one that does not.
export GOMP_SPINCOUNT ?= 10000
PY := .venv/bin/python
STAMP := .venv/.stamp
# tried in this order; `make setup PYTHON=/some/python` takes that one
PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11)
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## make the environment .venv with the pinned versions

# The stamp comes last, so an interrupted set-up is taken up again. An existing .venv is kept where its
# Python still fits: the packages in it are gigabytes.
$(STAMP): pyproject.toml requirements.txt requirements-d2l.txt
	@rm -f $@; \
	if ! $(PY) -c '$(FITS)' 2>/dev/null || ! $(PY) -c 'import pip' 2>/dev/null; then \
	  for python in $(PYTHONS); do \
	    if "$$python" -c '$(FITS)' 2>/dev/null; then found=$$python; break; fi; \
	    seen="$$seen $$python ($$("$$python" --version 2>&1 | head -n 1))"; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "error: this book needs Python 3.11 to 3.13 with venv and ensurepip; found:$$seen." >&2; \
	    echo "       On Debian: apt-get install python3-venv. Or name one: make setup PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making .venv with $$("$$found" --version)"; \
	  "$$found" -m venv --clear .venv; \
	fi
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt
	$(PY) -m pip install --disable-pip-version-check --no-deps -r requirements-d2l.txt
	$(PY) -m pip install --disable-pip-version-check --no-deps -e .
	@touch $@

book: $(STAMP) ## execute the chapters and build the site in _build/html (PROFILE=quick or full)
	@$(PY) -m tools.book build --profile $(PROFILE)

pdf: book ## print the pages to one PDF, _build/html/resnet-book.pdf (needs Chromium or Chrome)
	@$(PY) -m tools.book pdf

epub: book ## the book for e-readers, _build/html/resnet-book.epub
	@$(PY) -m tools.book epub

links: book ## ask every address outside the book whether it is still there (needs a network)
	@$(PY) -m tools.book links

test: lint book ## run everything: lint, unit tests, the chapters' recorded outputs, the site
	$(PY) -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile

lint: $(STAMP) ## ruff and mypy
	$(PY) -m ruff check .
	$(PY) -m mypy

record: $(STAMP) ## rewrite the notebooks' checked outputs and the table of equality
	@$(PY) -m tools.book record
	@$(PY) tests/helpers/equality.py

serve: book ## show the site on this machine (PORT=8000)
	$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

bench: $(STAMP) speed ## time book, tests, networks and training here; writes results/bench-*.json
	@$(PY) -m tools.bench book
	@$(PY) -m tools.bench networks
	@$(PY) -m tools.bench same

# Meant to fit into ten minutes of a GPU (not tried yet), without network if Fashion-MNIST is there.
speed: $(STAMP) ## of these, what is about training: D2L's loop and ours, time to accuracy
	@$(PY) -m tools.bench d2l
	@$(PY) -m tools.bench fast
	@device=$$($(PY) -c 'from resnet.training.devices import pick_device; print(pick_device().type)') && \
	  $(PY) -m resnet bench --record results/bench-speed-$$device.json

gpu: $(STAMP) ## what is to be recorded on a GPU, nine minutes of it (CIFAR=FOLDER of images)
	@$(PY) -m tools.gpu $(if $(CIFAR),--cifar "$(CIFAR)")

weights: $(STAMP) ## train the networks of results/weights (a core-hour or more)
	@$(PY) -m tools.make_weights

colab: book ## try every readers' notebook alone with Colab's packages (PYTHON=python3.13; 5 GB)
	@$(PY) -m tools.trials.colab $(addprefix --python=,$(if $(PYTHON),"$(PYTHON)",python3.13))

pair: $(STAMP) ## try the module with another torch (TORCH=2.14.1 TORCHVISION=0.29.1 PYTHON=python3; 5 GB)
	@$(PY) -m tools.trials.pair $(or $(TORCH),2.14.1) $(or $(TORCHVISION),0.29.1) $(if $(PYTHON),--python="$(PYTHON)")

mutants: $(STAMP) ## break resnet/ and tools/ in thousands of places: do the tests notice? (many hours; resumes)
	@$(PY) -m tools.trials.mutants

lock: $(STAMP) ## remake requirements.txt from pyproject.toml (append LOCK=--upgrade for newer versions)
	$(PY) -m pip install --quiet --disable-pip-version-check uv
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" --extra book --extra test $(LOCK) \
	  pyproject.toml --output-file requirements.txt

clean: ## remove what was built; the environment stays (rm -r .venv removes it)
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
