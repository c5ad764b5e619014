"""What netspec costs: `python -m bench.startup` for whole processes, `python -m bench.inprocess` for work alone."""
