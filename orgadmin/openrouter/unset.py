from __future__ import annotations

import enum
from typing import Final


class Unset(enum.Enum):
    """The value of a change that is not made, and of a field that an answer does not have. `None` cannot say
    it: upstream reads null as "clear this" and writes it for "not set". It counts as false.
    """

    UNSET = "unset"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
