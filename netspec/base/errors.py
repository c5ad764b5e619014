"""What is raised towards the user."""

from __future__ import annotations


class UserError(Exception):
    """What was asked for cannot be done, for a reason outside the specs; the message says which."""
