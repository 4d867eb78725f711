"""A slip of the hand never sends more traces than before, nor other settings than the page promises."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Destination, Key, Workspace
from tests.inventory.pulling import pulled
from tests.observability.conftest import at
from tests.observability.filling import fields_of, new_address, new_form, opened, sent
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def datadog(synced: Organization) -> Destination:
    """It singles out two keys and has two rules."""
    return Destination.objects.select_related("organization").get(organization=synced, type="datadog")


def refused(desk: Client, address: str, form: dict[str, Any], sandbox: RunningSandbox) -> str:
    """What the page says when nothing was sent."""
    sandbox.sandbox.clear_requests()
    response = desk.post(address, form)
    assert response.status_code == 400
    assert sent(sandbox) == []
    return str(response.content.decode())


def test_a_rule_whose_field_was_lost_is_an_error(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    address = at(datadog.uid, "edit")
    form = opened(desk, address)
    fields = [name for name in form if name.startswith("rule-") and name.endswith("field")]
    assert fields, sorted(form)
    form[fields[0]] = [""] * len(form[fields[0]])
    assert "Choose the field that it looks at" in refused(desk, address, form, sandbox)
    values = [name for name in form if name.startswith("rule-") and name.endswith("value")]
    form[values[0]] = [""] * len(form[values[0]])
    assert "Without a rule every trace passes" in refused(desk, address, form, sandbox)


def test_keys_that_were_picked_beside_all_keys_are_asked_about(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    place = Workspace.objects.get(uid=datadog.workspace_uid)
    keys = Key.objects.filter(workspace_uid=place.uid, gone_at=None)
    key = keys.exclude(hash__in=datadog.api_key_hashes or [])[0]
    settings = {"secret-url": "https://hooks.test/x", "api_key_hashes": key.hash}
    form = new_form(desk, place, "webhook", **settings)
    assert "Which is meant?" in refused(desk, new_address(place, "webhook"), form, sandbox)
    address = at(datadog.uid, "edit")
    named = [*(datadog.api_key_hashes or []), key.hash]
    form = {**opened(desk, address), "scope": "all", "api_key_hashes": named}
    assert "Which is meant?" in refused(desk, address, form, sandbox)
    # Those that stood there are left out on purpose.
    desk.post(address, {**form, "api_key_hashes": datadog.api_key_hashes or []})
    assert sent(sandbox) == [{"api_key_hashes": None}]


def test_a_conflict_keeps_what_was_typed_into_the_settings(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    address = at(datadog.uid, "edit")
    form = {**opened(desk, address), "setting-url": "https://api.datadoghq.eu", "sampling": "50"}
    sandbox.sandbox.outside.update_destination(datadog.uid, name="Theirs")
    response = desk.post(address, form)
    assert response.status_code == 409
    assert "https://api.datadoghq.eu" in response.content.decode()
    sandbox.sandbox.clear_requests()
    desk.post(address, fields_of(response.content.decode()))
    assert sent(sandbox) == [{"sampling_rate": 0.5, "config": {"url": "https://api.datadoghq.eu"}}]


def test_a_rate_of_many_digits_stays_unless_it_is_touched(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.update_destination(datadog.uid, sampling_rate=0.33333333)
    Destination.objects.filter(pk=datadog.pk).update(sampling_rate=0.33333333)
    address = at(datadog.uid, "edit")
    form = opened(desk, address)
    sandbox.sandbox.clear_requests()
    assert desk.post(address, {**form, "name": "Renamed"}).status_code == 302
    assert sent(sandbox) == [{"name": "Renamed"}]


def test_a_number_beyond_all_numbers_is_no_json(
    desk: Client, datadog: Destination, sandbox: RunningSandbox
) -> None:
    uid = sandbox.sandbox.outside.create_destination(
        kind="raindrop", name="R", workspace_id=datadog.workspace_uid, config={"size": 1}
    )
    pulled(datadog.organization, "destinations")
    address = at(uid, "edit")
    form = {**opened(desk, address), "secret-config": '{"size": 1e400}'}
    assert "This is not JSON" in refused(desk, address, form, sandbox)


def test_a_password_with_stars_and_dots_is_no_mask(desk: Client, synced: Organization) -> None:
    place = Workspace.objects.filter(organization=synced).order_by("pk")[0]
    settings = {
        "setting-host": "https://click.test:8443",
        "setting-database": "d",
        "setting-username": "u",
        "secret-password": "Pa**w0rd..2026",
    }
    form = new_form(desk, place, "clickhouse", **settings)
    assert desk.post(new_address(place, "clickhouse"), form).status_code == 302
