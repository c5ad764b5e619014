"""What is raised where a model cannot be read."""

from __future__ import annotations

from ..base.errors import UserError


class UnreadModel(UserError):
    """A model cannot be read: the file is damaged, holds no model, or one of a kind that is not read."""
