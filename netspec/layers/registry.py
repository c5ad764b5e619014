"""The layers by the names that specs have for them. Each class enters itself; `layers.base` knows what they are."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

KINDS: dict[str, Any] = {}
