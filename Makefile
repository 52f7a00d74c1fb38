# make reproduce   install, write figures/ and reports from the records, run every notebook (into build/)
# make measure     install, train and measure what has no record yet of the starts, the baselines and Seq-Masks
# make test        install, then lint, every test and every notebook; what failed is said at the end
# make lab         install, then open JupyterLab on the tour
PYTHON ?= python3
# Large tensors are kept by the allocator instead of being returned to the system each time: 5 to 10 % faster training.
RUN = MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=2147483647 OMP_NUM_THREADS=1 .venv/bin/python -m

.PHONY: reproduce measure test lab

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "reidlib needs Python 3.11 or newer: run make with PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --disable-pip-version-check -r requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

reproduce: .venv/installed
	for world in street campus pair stills; do $(RUN) reidlib render $$world --resolution 128x64 --num-ids 80 \
		--sheet figures/walkers/$$world-128x64.png || exit; done
	$(RUN) reidlib report
	$(RUN) reidlib notebooks

measure: .venv/installed
	for paper in pretraining baseline seqmasks; do $(RUN) reidlib reproduce $$paper || exit; done

test: .venv/installed
	@failed=; \
	echo "== lint"; $(RUN) ruff check . || failed="$$failed lint"; \
	echo "== format"; $(RUN) ruff format --check . || failed="$$failed format"; \
	echo "== tests"; $(RUN) pytest -q -n 2 --dist loadscope || failed="$$failed tests"; \
	echo "== notebooks"; $(RUN) pytest -q -n 2 --dist loadscope --nbval-lax --nbval-current-env \
		--nbval-sanitize-with tests/nbval_sanitize.cfg notebooks || failed="$$failed notebooks"; \
	if [ "$$failed" ]; then echo "make test: failed:$$failed"; exit 1; fi; \
	echo "make test: lint, format, tests and notebooks passed"

lab: .venv/installed
	.venv/bin/jupyter lab notebooks/00_tour.ipynb
