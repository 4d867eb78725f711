"""The same form sent twice makes one key."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, Role, User
from orgadmin.inventory.models import Key, Workspace
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.secret import Secret
from tests.conftest import SignIn, person
from tests.keys.conftest import SECRET, key_form, last_entry, log_of, secret_in, sent, text_of
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/keys/create/"
POST = {"method": "POST", "path": "/keys"}


@pytest.fixture(autouse=True)
def only_changes(desk: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.clear_requests()


def test_a_reload_sends_nothing_and_leads_to_the_key(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    form = key_form(synced)
    secret_in(desk.post(CREATE, form))
    again = desk.post(CREATE, form)
    page = text_of(again)
    assert again.status_code == 409
    assert "“checkout-service” was created by the first one, and nothing twice." in page
    assert f"/o/acme/keys/{Key.objects.get(name='checkout-service').hash}/" in page
    assert not SECRET.search(page)
    assert len(sent(sandbox)) == 1
    assert log_of(synced) == [("key.create", "started"), ("key.create", "ok")]


def test_a_second_click_while_the_first_is_under_way_sends_nothing(
    desk: Client, synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, create, second = key_form(synced), upstream.create, []

    def create_while_somebody_clicks(*args: Any, **fields: Any) -> upstream.CreatedKey:
        second.append(desk.post(CREATE, form))
        return create(*args, **fields)

    monkeypatch.setattr(upstream, "create", create_while_somebody_clicks)
    secret_in(desk.post(CREATE, form))
    (clicked,) = second
    assert clicked.status_code == 409
    assert "The first one is still under way." in text_of(clicked)
    assert len(sent(sandbox)) == 1
    assert Key.objects.filter(name="checkout-service").count() == 1


def test_sending_a_failed_form_again_says_why_it_failed(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=403, message="Not on this plan", **POST)
    form = key_form(synced)
    desk.post(CREATE, form)
    page = text_of(desk.post(CREATE, form))
    assert "The first one did not succeed: Not on this plan" in page
    assert len(sent(sandbox)) == 1


def test_a_token_spent_on_another_act_does_not_pass_either(
    desk: Client, synced: Organization, sandbox: RunningSandbox, key: Key
) -> None:
    form = key_form(synced)
    secret_in(desk.post(CREATE, form))
    assert desk.post(f"/o/acme/keys/{key.hash}/rotate/", form).status_code == 409
    assert len(sent(sandbox)) == 1


def test_the_token_of_somebody_else_is_not_theirs_to_spend(
    desk: Client, synced: Organization, sandbox: RunningSandbox, owner: User, sign_in: SignIn
) -> None:
    token = str(uuid.uuid4())
    desk.post(CREATE, key_form(synced, name="of the admin", form_token=token))
    response = sign_in(owner).post(CREATE, key_form(synced, name="of the owner", form_token=token))
    assert response.status_code == 201
    assert "of the admin" not in text_of(response)


def test_a_token_spent_in_another_organization_is_no_obstacle(
    desk: Client, synced: Organization, sandbox: RunningSandbox, admin: User, sign_in: SignIn
) -> None:
    other = Organization.objects.create(
        name="Other",
        slug="other",
        base_url=sandbox.url,
        management_key=Secret(sandbox.sandbox.management_key),
    )
    colleague = person("colleague@house.test", other, Role.ADMIN)
    form = key_form(synced)
    Workspace.objects.create(organization=other, uid=form["workspace"], name="Default", slug="default")
    secret_in(desk.post(CREATE, form))
    assert sign_in(colleague).post("/o/other/keys/create/", form).status_code == 201
    assert last_entry().organization == other
