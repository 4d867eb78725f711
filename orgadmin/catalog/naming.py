"""What a model is called where."""

from __future__ import annotations


def listed_as(slug: str, permaslug: str) -> str:
    """What a guardrail calls a model: the permaslug, and the variant of the slug if it has one."""
    variant = slug.partition(":")[2]
    return f"{permaslug}:{variant}" if variant and ":" not in permaslug else permaslug
