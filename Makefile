# make reproduce   install, run every notebook on the rendered benchmark, write figures/
# make test        install, then every test and every notebook
# make lab         install, then open JupyterLab on the tour
PYTHON ?= python3
# Large tensors are kept by the allocator instead of being returned to the system each time: 5 to 10 % faster training.
RUN = MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=2147483647 OMP_NUM_THREADS=1 .venv/bin/python -m

.PHONY: reproduce test lab

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "reidlib needs Python 3.11 or newer: run make with PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --disable-pip-version-check -r requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

reproduce: .venv/installed
	$(RUN) reidlib reproduce baseline
	$(RUN) reidlib reproduce seqmasks
	for world in street campus pair stills; do $(RUN) reidlib render $$world --resolution 128x64 --num-ids 80 \
		--sheet figures/walkers/$$world-128x64.png || exit; done
	$(RUN) reidlib notebooks

test: .venv/installed
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) pytest -q -n 2 --dist loadscope
	$(RUN) pytest -q -n 2 --dist loadscope --nbval-lax --nbval-current-env \
		--nbval-sanitize-with tests/nbval_sanitize.cfg notebooks

lab: .venv/installed
	.venv/bin/jupyter lab notebooks/00_tour.ipynb
