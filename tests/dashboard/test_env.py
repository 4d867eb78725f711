"""What a command finds that is run beside ``make demo`` or ``make up``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.supervisor import premises
from dashboard.supervisor.house import demo_env
from tests.dashboard.keeping import ROOT

SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS")
# Whoever wrote .env meant the real house.
READ = """
import json, os, sys
from pathlib import Path
from dashboard import env
env.BASE_DIR = Path(sys.argv[1])
env.read_files(Path(sys.argv[2]))
print(json.dumps({name: env.env.str(name, "") for name in sys.argv[3:]}))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "clone").mkdir()
    return tmp_path / "clone"


def found(clone: Path, folder: Path, *names: str, **env: str) -> dict[str, str]:
    """What a process of its own reads: the reader adds to its process's environment."""
    command = [sys.executable, "-c", READ, str(clone), str(folder), *names]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"]} | env, stdout=subprocess.PIPE, check=True
    )
    values: dict[str, str] = json.loads(done.stdout)
    return values


def test_beside_the_demo_nothing_leads_to_the_real_house(clone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "it's ${HERE} #1"
    premises.settle(folder, "demo")
    premises.make_secrets(folder, missing=SECRETS)
    started = demo_env(data_dir=folder, port=8123, sandbox_port=8787, broker=folder / "valkey.sock")
    premises.remember(folder, started)
    real = dict.fromkeys((*started, *SECRETS, "DATABASE_URL_FILE"), "real")
    (clone / ".env").write_text("".join(f"{name}=real\n" for name in real))
    for env in ({}, real):
        values = found(clone, folder, *real, **env)
        assert values.pop("SECRET_KEY") == premises.stored_secrets(folder)["SECRET_KEY"]
        assert values.pop("ENCRYPTION_KEYS") == premises.stored_secrets(folder)["ENCRYPTION_KEYS"]
        assert values == started
    assert (folder / "started.env").stat().st_mode & 0o777 == 0o600


def test_beside_up_the_configuration_comes_first_and_then_the_last_start(clone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    premises.settle(folder, "up")
    premises.remember(folder, {"PUBLIC_URL": "http://127.0.0.1:8124", "OWNER_EMAIL": "olivia@house.test"})
    assert found(clone, folder, "PUBLIC_URL") == {"PUBLIC_URL": "http://127.0.0.1:8124"}
    (clone / ".env").write_text("PUBLIC_URL=https://dashboard.example.org\n")
    both = {"PUBLIC_URL": "https://dashboard.example.org", "OWNER_EMAIL": "olivia@house.test"}
    assert found(clone, folder, *both) == both
    assert found(clone, folder, "OWNER_EMAIL", OWNER_EMAIL="new@house.test") == {
        "OWNER_EMAIL": "new@house.test"
    }


def test_the_next_start_forgets_the_last_one(clone: Path, tmp_path: Path) -> None:
    premises.remember(tmp_path, {"PUBLIC_URL": "http://127.0.0.1:8124"})
    premises.forget(tmp_path)
    premises.forget(tmp_path)
    assert found(clone, tmp_path, "PUBLIC_URL") == {"PUBLIC_URL": ""}
