"""`manage.py sandbox`."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from dashboard.management.commands import sandbox as module
from orgadmin.sandbox.app import Options
from orgadmin.sandbox.server import management_key


def run(*arguments: str) -> str:
    out = StringIO()
    command = module.Command(stdout=out)
    parser = command.create_parser("manage.py", "sandbox")
    command.handle(**vars(parser.parse_args(arguments)))
    return out.getvalue()


def test_it_serves_what_it_is_told_and_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(module, "serve", lambda options, **where: served.update(options=options, **where))
    state = tmp_path / "state.json"
    said = run("--port", "9000", "--seed", "8", "--keys", "3", "--members", "2", "--workspaces", "1",
               "--days", "30", "--state", str(state), "--budgets", "absent", "--models", "800",
               "--guardrails", "4")  # fmt: skip
    assert served == {
        "options": Options(
            seed=8,
            keys=3,
            members=2,
            workspaces=1,
            days=30,
            state=state,
            budgets="absent",
            models=800,
            guardrails=4,
        ),
        "host": "127.0.0.1",
        "port": 9000,
    }
    assert "http://127.0.0.1:9000/api/v1" in said
    assert management_key(8) in said
    assert "worth nothing elsewhere" in said


def test_its_defaults_are_those_of_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Options] = []
    monkeypatch.setattr(module, "serve", lambda options, **where: served.append(options))
    run()
    assert served == [Options()]


def test_a_foreign_state_file_is_a_clear_error(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text("{}")
    with pytest.raises(CommandError, match="not a state file"):
        run("--state", str(state))
