"""What a spec means: a tree of instances over tables of values, and walks over it."""
