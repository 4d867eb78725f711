"""Django's own advice for a server on the internet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from tests.dashboard.keeping import ROOT


def test_production_settings_leave_django_nothing_to_advise(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    env |= {
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "q7Jd-4zXw_9sVb2KfTn8RgYp5mLc6HxA3eUoWi1ZtSyDkGvNaB0",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "PUBLIC_URL": "https://dashboard.example.org",
        "TRUST_PROXY": "1",
        "CELERY_BROKER_URL": "redis://redis.example.org:6379/0",
        "LOG_FORMAT": "json",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
