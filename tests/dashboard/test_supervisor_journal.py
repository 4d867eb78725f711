"""What of the processes' output is shown, and what is written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.supervisor.house import VALKEY_NOISE, WEB_NOISE
from dashboard.supervisor.journal import LAST_SECONDS, BoundedFile, Journal
from dashboard.supervisor.programs import Backoff, ending

KEY = "sk-or-v1-" + "ab12" * 16


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def journal(tmp_path: Path, shown: list[str]) -> Iterator[Journal]:
    journal = Journal("web", file=BoundedFile(tmp_path / "web.log"), say=shown.append, noise=VALKEY_NOISE)
    yield journal
    journal.close()


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23T10:00:00Z [warning  ] readiness changed [dashboard.health] broker=down",
        "2026-11-23T10:00:00Z [error    ] Internal Server Error: /o/acme/keys/ [django.request]",
        '{"event": "readiness changed", "level": "error"}',
        "[2026-11-23 10:00:00 +0000] [41] [CRITICAL] WORKER TIMEOUT (pid:42)",
        "41:M 23 Nov 2026 10:00:00.123 # Fatal error loading the append only file",
        "Traceback (most recent call last):",
        "django.core.exceptions.ImproperlyConfigured: no",
        "CommandError: The web server was not ready",
    ],
)
def test_warnings_and_errors_are_shown_with_the_name(journal: Journal, shown: list[str], line: str) -> None:
    if "ImproperlyConfigured" in line:
        journal.take("Traceback (most recent call last):")
    journal.take(line)
    assert shown[-1] == f"web     | {line}"


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23T10:00:00Z [info     ] pulled [orgadmin.inventory] errors=0 error=''",
        '{"event": "pulled", "level": "info", "error": null}',
        "[2026-11-23 10:00:00 +0000] [41] [INFO] Booting worker with pid: 42",
        "41:M 23 Nov 2026 10:00:00.123 * Ready to accept connections unix",
        "41:M 23 Nov 2026 10:00:00.123 # WARNING Memory overcommit must be enabled! overcommit_memory is 0",
        "celery@host v5 (name)",
    ],
)
def test_the_rest_is_only_written_down(journal: Journal, shown: list[str], tmp_path: Path, line: str) -> None:
    journal.take(line)
    assert shown == []
    assert (tmp_path / "web.log").read_text() == line + "\n"


def test_a_traceback_is_shown_whole_and_the_next_record_is_not(journal: Journal, shown: list[str]) -> None:
    journal.take("2026-11-23T10:00:00Z [error    ] it broke")
    journal.take("Traceback (most recent call last):")
    journal.take('  File "x.py", line 1, in <module>')
    journal.take("ValueError: no")
    journal.take("2026-11-23T10:00:01Z [info     ] next")
    assert len(shown) == 4


def test_a_new_process_is_not_taken_for_the_rest_of_a_traceback(journal: Journal, shown: list[str]) -> None:
    journal.take("Traceback (most recent call last):")
    journal.begin()
    journal.take("a banner")
    assert len(shown) == 1


@pytest.fixture
def web(tmp_path: Path, shown: list[str]) -> Iterator[Journal]:
    journal = Journal("web", file=BoundedFile(tmp_path / "web.log"), say=shown.append, noise=WEB_NOISE)
    yield journal
    journal.close()


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23T10:00:00Z [warning  ] Bad Request: /o/acme/keys/create/ [django.request]",
        "2026-11-23T10:00:00Z [warning  ] Not Found: /o/acme/nonsense/   [django.request]",
        '{"event": "Bad Request: /o/acme/keys/", "level": "warning", "logger": "django.request"}',
        '{"logger": "django.request", "event": "Gone: /sign-in/", "level": "warning"}',
    ],
)
def test_what_a_visitor_got_wrong_is_only_written_down(
    web: Journal, shown: list[str], tmp_path: Path, line: str
) -> None:
    web.take(line)
    assert shown == web.last() == []
    assert (tmp_path / "web.log").read_text() == line + "\n"


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23T10:00:00Z [error    ] Internal Server Error: /o/acme/keys/ [django.request]",
        "2026-11-23T10:00:00Z [error    ] Internal Server Error: /[warning ] [django.request]",
        "2026-11-23T10:00:00Z [warning  ] readiness changed [dashboard.health] broker=down",
        '{"event": "Internal Server Error: /o/", "level": "error", "logger": "django.request"}',
        '{"event": "/\\"level\\": \\"warning\\"", "level": "error", "logger": "django.request"}',
        '{"event": "readiness changed", "level": "warning", "logger": "dashboard.health"}',
    ],
)
def test_what_the_server_got_wrong_is_shown(web: Journal, shown: list[str], line: str) -> None:
    web.take(line)
    assert shown == [f"web     | {line}"]


def test_the_traceback_of_a_visitors_fault_is_not_shown_either(web: Journal, shown: list[str]) -> None:
    web.take("2026-11-23T10:00:00Z [warning  ] Forbidden (Permission denied): /o/acme/ [django.request]")
    web.take("Traceback (most recent call last):")
    web.take("django.core.exceptions.PermissionDenied")
    assert shown == []
    web.take("2026-11-23T10:00:01Z [error    ] it broke")
    assert len(shown) == 1


def test_of_a_dead_process_only_its_last_moments_are_told(tmp_path: Path, shown: list[str]) -> None:
    now = 1000.0
    journal = Journal(
        "valkey", file=BoundedFile(tmp_path / "log"), say=shown.append, noise=VALKEY_NOISE, clock=lambda: now
    )
    journal.take("41:M 23 Nov 2026 10:00:00.123 * Ready to accept connections unix")
    now += LAST_SECONDS + 1
    journal.take(
        "41:M 23 Nov 2026 10:14:00.123 # WARNING Memory overcommit must be enabled! overcommit_memory is 0"
    )
    journal.take("41:M 23 Nov 2026 10:14:00.123 * Background saving started")
    assert [line.partition("* ")[2] for line in journal.last()] == ["Background saving started"]
    now += LAST_SECONDS + 1
    assert journal.last() == []
    journal.close()


def test_a_key_is_neither_shown_nor_written(journal: Journal, shown: list[str], tmp_path: Path) -> None:
    journal.take(f"2026-11-23T10:00:00Z [error    ] refused {KEY}")
    assert KEY not in shown[0]
    assert KEY not in (tmp_path / "web.log").read_text()
    assert KEY not in "".join(journal.last())


@pytest.mark.parametrize(
    "line", ["Password when asked again: var/demo/owner-password.txt", "Mails: var/demo/mail"]
)
def test_where_things_are_is_shown_as_it_is(journal: Journal, shown: list[str], line: str) -> None:
    journal.take(line)
    assert shown == [line]


def test_the_sign_in_link_is_shown_as_it_is_and_never_written(
    journal: Journal, shown: list[str], tmp_path: Path
) -> None:
    journal.take("Sign in: http://127.0.0.1:8000/welcome/abc")
    assert shown == ["Sign in: http://127.0.0.1:8000/welcome/abc"]
    assert (tmp_path / "web.log").read_text() == ""
    assert not journal.last()


def test_everything_is_shown_when_asked_for(tmp_path: Path, shown: list[str]) -> None:
    journal = Journal("web", file=BoundedFile(tmp_path / "web.log"), say=shown.append, everything=True)
    journal.take("2026-11-23T10:00:00Z [info     ] quiet")
    journal.close()
    assert len(shown) == 1


def test_a_log_file_stays_within_its_bounds(tmp_path: Path) -> None:
    file = BoundedFile(tmp_path / "log" / "web.log", limit=1000)
    for number in range(200):
        file.write(f"line {number:04} " + "x" * 20)
    file.close()
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "log").iterdir()}
    assert set(sizes) == {"web.log", "web.log.1"}
    assert max(sizes.values()) < 1100
    assert (
        "line 0199"
        in (tmp_path / "log" / "web.log").read_text() + (tmp_path / "log" / "web.log.1").read_text()
    )


def test_the_waits_double_up_to_half_a_minute() -> None:
    backoff = Backoff()
    assert [backoff.seconds(failures) for failures in range(1, 8)] == [1, 2, 4, 8, 30, 30, 30]
    assert Backoff(patience=9).seconds(6) == 30


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "it ended by itself (exit code 0)"),
        (3, "it failed (exit code 3)"),
        (-15, "it was killed by SIGTERM"),
        (-9, "it was killed by SIGKILL - from outside, often because the machine ran out of memory"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int, words: str) -> None:
    assert ending(code) == words
