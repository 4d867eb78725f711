"""The twin stands alone: neither the web framework nor the client it is there to catch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STRANGERS = "django", "celery", "requests", "orgadmin.openrouter", "dashboard"
LOOK = """
import sys
import orgadmin.sandbox.server
print(*sorted(name for name in sys.modules if name.startswith({strangers!r})))
"""


def test_it_loads_no_stranger() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(strangers=STRANGERS)],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == []
