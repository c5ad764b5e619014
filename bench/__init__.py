"""What netspec costs: `python -m bench.startup` for whole processes, `python -m bench.inprocess` for work alone.

And what it withstands: `python -m bench.interrupts` aims signals at the moment of writing.
"""
