"""Figures of an elaborated net: costs, receptive fields, the critical path, and what a spec expects of them."""
