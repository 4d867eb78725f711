"""Which processes the house consists of, and what environment they get."""

from __future__ import annotations

from pathlib import Path

import dj_email_url
import pytest

from dashboard.supervisor.house import House, demo_env, programs, up_env
from dashboard.supervisor.programs import Program


def demo(tmp_path: Path) -> dict[str, str]:
    broker = tmp_path / "valkey.sock"
    return demo_env(data_dir=tmp_path, port=8000, sandbox_port=8787, broker=broker)


def house(tmp_path: Path, *, broker: Path | None, sandbox_port: int | None) -> dict[str, Program]:
    env = {"MARK": "mine"}
    found = programs(
        House(
            data_dir=tmp_path, port=8000, web_socket=7, env=env,
            broker=broker, sandbox_port=sandbox_port,
        )
    )  # fmt: skip
    return {program.name: program for program in found}


def test_the_demo_has_everything_to_itself(tmp_path: Path) -> None:
    env = demo(tmp_path)
    own = {"DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "EMAIL_URL"}
    assert {name for name, value in env.items() if str(tmp_path) in value} == {*own, "DATA_DIR"}
    assert all(env[f"{name}_FILE"] == "" for name in (*own, "SECRET_KEY", "ENCRYPTION_KEYS"))
    assert env["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert env["OPENROUTER_BASE_URL"] == "http://127.0.0.1:8787/api/v1"
    assert env["ALLOW_PRIVATE_BASE_URL"] == "1"


def test_the_demo_writes_mails_where_only_its_owner_reads(tmp_path: Path) -> None:
    parsed = dj_email_url.parse(demo(tmp_path)["EMAIL_URL"])
    assert parsed["EMAIL_BACKEND"] == "django.core.mail.backends.filebased.EmailBackend"
    assert parsed["EMAIL_FILE_PATH"] == str(tmp_path / "mail")
    assert (tmp_path / "mail").stat().st_mode & 0o777 == 0o700


def test_up_leaves_what_is_configured_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWNER_EMAIL", "olivia@house.test")
    monkeypatch.setenv("PUBLIC_URL", "https://dashboard.example.org")
    assert up_env(port=9000) == {
        "PUBLIC_URL": "https://dashboard.example.org",
        "OWNER_EMAIL": "olivia@house.test",
    }
    monkeypatch.delenv("PUBLIC_URL")
    assert up_env(port=9000)["PUBLIC_URL"] == "http://127.0.0.1:9000"


def test_the_demo_has_a_sandbox_and_a_broker_of_its_own(tmp_path: Path) -> None:
    found = house(tmp_path, broker=tmp_path / "valkey.sock", sandbox_port=8787)
    assert list(found) == ["sandbox", "valkey", "prepare", "web", "worker", "beat", "greeting"]
    assert "demo_seed" in found["greeting"].argv


def test_up_with_a_broker_starts_neither_sandbox_nor_valkey(tmp_path: Path) -> None:
    found = house(tmp_path, broker=None, sandbox_port=None)
    assert list(found) == ["prepare", "web", "worker", "beat", "greeting"]
    assert "owner_link" in found["greeting"].argv


def test_the_broker_stops_last_and_the_clock_first(tmp_path: Path) -> None:
    found = house(tmp_path, broker=tmp_path / "valkey.sock", sandbox_port=8787)
    order = sorted(("beat", "web", "worker", "sandbox", "valkey"), key=lambda name: found[name].stop_order)
    assert order == ["beat", "web", "worker", "sandbox", "valkey"]


def test_the_environment_with_its_secrets_is_in_no_repr(tmp_path: Path) -> None:
    found = house(tmp_path, broker=None, sandbox_port=None)
    assert "mine" not in repr(found["web"])
    assert "MARK" not in " ".join(found["web"].argv)
