"""Outlining: which instances share a definition, and what that definition says for all of them."""
