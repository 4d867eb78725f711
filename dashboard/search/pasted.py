"""Secrets that somebody pastes into the search. They are not looked for, shown or kept: what OpenRouter calls
the hash of a key is the SHA-256 of its secret (FACTS 1.2), and by that the key is found."""

from __future__ import annotations

import hashlib
import re

from orgadmin.openrouter.secret import KEY_PREFIX

# A label has three characters behind the prefix, and dots.
_SECRET = re.compile(rf"{KEY_PREFIX}[0-9a-z]{{8,}}", re.IGNORECASE)


def hash_of_secret(text: str) -> str:
    """The hash of the key whose secret is in the text; "" where nothing in it looks like one."""
    found = _SECRET.search(text)
    return hashlib.sha256(found[0].encode()).hexdigest() if found else ""
