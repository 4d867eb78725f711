from __future__ import annotations

import hmac
from typing import NoReturn

HIDDEN = "•••"
KEY_PREFIX = "sk-or-v1-"

# Below this length the seven characters a mask shows would be a real part of the secret.
SHORTEST_SHOWN = 24


class Secret:
    """A string that does not show itself.

    `str`, `repr` and formatting give `•••`; only `reveal()` gives the text. It cannot be pickled, so it never
    travels in a task message, a session or a cache, and it cannot be hashed, so it never becomes a dictionary
    key.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: str) -> None:
        self._raw = raw

    def reveal(self) -> str:
        return self._raw

    @staticmethod
    def mask(raw: str) -> str:
        """A label to recognise the key by: `sk-or-v1-0e6…1c96`. Text too short to hide gives `•••`."""
        if len(raw) < SHORTEST_SHOWN:
            return HIDDEN
        start = raw[: len(KEY_PREFIX) + 3] if raw.startswith(KEY_PREFIX) else ""
        return f"{start}…{raw[-4:]}"

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return HIDDEN

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (text.encode("utf-8", "surrogatepass") for text in (self.reveal(), other.reveal()))
        return hmac.compare_digest(ours, theirs)

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret is not pickled or copied: pass it by hand, or encrypted.")
