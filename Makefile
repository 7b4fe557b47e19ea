# make demo   recompile, play and verify the sample game     make test   everything the project proves about itself
# make demo-homebrew   the same game as a homebrew program (NRO), against the same reference
# make check  format, lint, types, fast tests                make bench  speed table, all sides in one run
# make compat Debian's programs as ports and under an emulator: docs/compatibility.md
# make fuzz-formats COUNT=1000000 SEED=1   damaged console files: a record or one clear error
# make fuzz-isa SECONDS=600 SEED=1   every instruction against a CPU model, for as long as you like
PYTHON ?= python3
export ZIG_GLOBAL_CACHE_DIR ?= $(CURDIR)/.cache/zig
BIN = .venv/bin
SAMPLE = samples/emberkite

SECONDS ?= 300
SEED ?= 0
COUNT ?= 1000000

# make batch-200    two hundred generated titles as one batch      make test-cluster   a cluster under chaos, and over several hosts
.PHONY: demo demo-homebrew test check bench compat crash batch-200 test-cluster fuzz-isa fuzz-media fuzz-formats fmt lock \
  setup setup-play \
  setup-test sizes clean

demo: setup
	$(BIN)/python $(SAMPLE)/build.py
	$(BIN)/recomp automate --config $(SAMPLE)/automation.toml

# The same game as homebrew: an NRO on the Horizon runtime, against the same reference.
demo-homebrew: setup
	$(BIN)/python $(SAMPLE)/build.py --homebrew
	$(BIN)/recomp automate --config $(SAMPLE)/homebrew.toml

test: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python $(SAMPLE)/build.py
	$(BIN)/pytest -n 2 --dist worksteal

check: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 -m "not slow"

bench: setup-test
	$(BIN)/python tools/bench.py --update
	$(BIN)/python tools/bench_engine.py
	$(BIN)/python tools/bench_media.py

# The console homebrew of the same page: NROS = a folder of NROs, ORACLE = a second emulator, if there is one.
# The retail lane: EXTRACTOR = a hactool or hactoolnet, tried on an image of ours.
compat: setup-test
	@PYTHON=$(PYTHON) tools/setup-compat.sh
	$(BIN)/python tools/compat.py --update
	$(if $(NROS),$(BIN)/python tools/compat_nro.py $(NROS) $(if $(ORACLE),--second $(ORACLE)) --update)
	$(if $(EXTRACTOR),$(BIN)/python tools/compat_xci.py $(notdir $(EXTRACTOR)) $(EXTRACTOR))

# 10,000 damaged media files, each read or refused.
fuzz-media: setup-test
	$(BIN)/python tools/fuzz_media.py --count 10000 --seed $(SEED)

fuzz-isa: setup-test
	$(BIN)/python tools/fuzz_isa.py --seconds $(SECONDS) --seed $(SEED)

fuzz-formats: setup-test
	$(BIN)/python tools/fuzz_formats.py --count $(COUNT) --seed $(SEED)

# A thousand kills at random, then one at each call of a run that changes a file.
crash: setup-test
	$(BIN)/python tools/crash.py 1000
	$(BIN)/python tools/crash.py --every-point

# Two hundred generated titles from end to end, twice.
batch-200: setup-test
	BATCH_TITLES=200 $(BIN)/pytest -s tests/batch/test_generated.py

# A cluster under chaos, one whose artifacts lie on Ceph's S3 gateway, and one over several hosts (network namespaces:
# needs root, and says so without).
test-cluster: setup-test
	$(BIN)/python tools/batch_chaos.py --titles 200 --workers 3 --every 6
	$(BIN)/python tools/batch_chaos.py --titles 40 --workers 2 --every 20 --generated
	$(BIN)/python tools/batch_namespaces.py || [ $$? -eq 3 ]
	tools/setup-cluster.sh
	BATCH_S3=rgw $(BIN)/pytest tests/batch/test_objects.py tests/batch/test_cluster.py tests/batch/rgw_cases.py

fmt:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs `uv`; the lock files carry hashes and no registry address.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-cluster.in -o requirements-cluster.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-test.in -o requirements-test.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements-play.in -o requirements-play.lock

sizes:
	@git ls-files '*.py' '*.c' '*.h' | xargs wc -l | sort -rn | head -12

setup:
	@PYTHON=$(PYTHON) tools/setup.sh

# A window for `recomp play`: SDL by its wheels.
setup-play:
	@PYTHON=$(PYTHON) tools/setup.sh requirements-play.lock

setup-test:
	@PYTHON=$(PYTHON) tools/setup-test.sh

clean:
	rm -rf .venv .cache build samples/*/out samples/*/run*
