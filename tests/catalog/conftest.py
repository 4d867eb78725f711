"""The pulls of the catalog, asked at a fixed noon."""

from __future__ import annotations

from tests.usage.conftest import clock, pull, pulled, sandbox

__all__ = ["clock", "pull", "pulled", "sandbox"]
