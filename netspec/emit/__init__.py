"""Emitters: a checked net in, text out. They do not know one another."""
