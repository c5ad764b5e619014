"""Weights: what a net holds, how each framework spells it, and the files that it travels in.

The canonical form is a flat mapping from path to array, such as `layer1.0.conv1.kernel`, each array in the language's
order (channels last, kernels as spatial..., in, out); shared weights stand there once.
"""
