from __future__ import annotations

import enum
from typing import Final


class Unset(enum.Enum):
    """The value of a change that is not made. `None` cannot say it: upstream reads null as "clear this"."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
