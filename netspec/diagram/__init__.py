"""The picture of a checked net: what it is made of, how it is laid out in DOT, and how Graphviz draws it."""
