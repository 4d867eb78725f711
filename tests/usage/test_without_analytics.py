"""An account that OpenRouter refuses analytics."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from orgadmin.accounts.models import Organization, User
from orgadmin.usage import history
from orgadmin.usage.models import DaySum, HistoryPart, Source
from orgadmin.usage.outlook import behind
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import held
from tests.usage.test_import import HEADING, row
from tests.usage.upstream import ago, assert_rolled_up

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", [403, 404])
def test_an_account_without_analytics_has_the_history_of_activity(
    synced: Organization,
    sandbox: RunningSandbox,
    pulled: Pull,
    tmp_path: Path,
    viewer: User,
    sign_in: SignIn,
    status: int,
) -> None:
    """It is said, asked again once a day, nothing is kept by halves, and older days can be imported."""
    pulled("activity")
    before = held(synced.pk)
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/analytics/query", times=1)
    sandbox.sandbox.fault(kind="status", status=status, path="/analytics/query", times=50)
    run = pulled("history")
    assert held(synced.pk) == before
    assert_rolled_up(synced)
    assert not HistoryPart.objects.exists()
    synced.refresh_from_db()
    assert synced.is_connected
    assert history.due(synced, run.created_at) == run.created_at + timedelta(days=1)
    assert behind(synced).passed == 0, "today is not known"
    browser = sign_in(viewer)
    for address in ("sync/", "", "spend/?range=today"):
        page: Any = browser.get(f"/o/acme/{address}")
        assert page.status_code == 200, address
    assert "does not offer analytics to this account" in browser.get("/o/acme/sync/").content.decode()
    assert "does not offer analytics to this account" in browser.get("/o/acme/").content.decode()

    file = tmp_path / "use.csv"
    day = ago(NOON.date(), 100)
    file.write_text(f"{HEADING}\n{row(day=day.isoformat(), usage_usd='1.5')}\n")
    call_command("import_activity", str(file), organization="acme", stdout=StringIO())
    assert DaySum.objects.get(organization=synced, day=day).source == Source.IMPORT

    sandbox.sandbox.clear_faults()
    pulled("history")
    synced.refresh_from_db()
    assert synced.capabilities["analytics"] is True
    assert DaySum.objects.get(organization=synced, day=day).source == Source.IMPORT
    assert DaySum.objects.filter(organization=synced, source=Source.ANALYTICS).exists()
