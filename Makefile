# Every way in. Each target sets up what it needs and skips what is done; `make help` tells them.
PYTHON ?= python3
# A Python that somebody named is taken as it is; else the faster of python3 and the system's own makes .venv.
ASKED := $(if $(filter file default,$(origin PYTHON)),,--this-python)
export PYTHONUNBUFFERED = 1
# Compiled modules are kept: each of the hundreds of programs that the tests start would compile all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup runtime demo check test soak bench bench-records bench-monitoring screenshots handbook

help:            ## This list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 24

setup:           ## Make .venv, install what is locked, build the pages, find or install Chromium
	@$(PYTHON) tools/setup.py $(ASKED)

runtime:
	@$(PYTHON) tools/setup.py runtime $(ASKED)

demo: runtime    ## Start the seeded clinic on http://localhost:8000 (Ctrl-C stops it)
	@exec .venv/bin/bedside demo

check: setup     ## Format, lint, types, import contracts, dead code: under a minute
	@.venv/bin/python -m tools.check

# What looks at time has the machine to itself; the rest shares the cores, each worker with its own engines. What kills
# engines waits more than it works, so that three share two cores.
test: check      ## Everything CI needs: set-up, checks, all tests but the soak
	@.venv/bin/python -m pytest -m "unit or engine" --numprocesses=auto --maxprocesses=4 --dist=loadfile --durations=10
	@.venv/bin/python -m pytest -m "(journey or conformance) and not alone" --numprocesses=2 --dist=loadfile --durations=10
	@.venv/bin/python -m pytest -m "faults and not alone" --numprocesses=3 --dist=worksteal --durations=10
	@.venv/bin/python -m pytest -m alone --durations=10

soak: setup      ## The slow proofs: kills under load, long runs; and what is generated, generated anew
	@BEDSIDE_DICE=yes .venv/bin/python -m pytest -m "hypothesis and not soak" --numprocesses=auto --maxprocesses=4
	@.venv/bin/python -m pytest -m soak -s --timeout=0

bench: setup     ## The benchmarks, each with its ratio to its limit
	@.venv/bin/python -m bench

bench-records: setup ## The record beside bare asyncpg, in one run
	@.venv/bin/python -m bench records import

bench-monitoring: setup ## Readings from publication to the chart and the alarm, in one run
	@.venv/bin/python -m bench ingest latency processes series alarm waves

screenshots: setup ## Every page at 360 and 1440 px (the wall at 1920), light and dark, into screenshots/
	@.venv/bin/python -m tools.screenshots

handbook: setup  ## Take the handbook's pictures anew, into docs/handbook/pictures, and build it
	@.venv/bin/python -m tools.handbook_pictures
	@.venv/bin/python -m tools.build_handbook
