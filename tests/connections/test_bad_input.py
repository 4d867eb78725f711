"""Whatever is typed: a clear message and a 4xx, never a 500, and nothing senseless sent upstream."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgadmin.accounts.models import Organization, User
from orgadmin.connections.forms import (
    ConnectForm,
    DefaultWorkspaceForm,
    InviteForm,
    RenameForm,
    RoleForm,
    TypedForm,
)
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox

ANYTHING = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["", "\x00", "NaN", "-1", "1e999", "<b>", "=1+1", "'; --", "😀" * 60, "x" * 10_000, "\ud800"]
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(("name", "slug", "base_url", "management_key"), ANYTHING)))
def test_the_connect_form_takes_anything(data: dict[str, str]) -> None:
    form = ConnectForm(data)
    if form.is_valid():
        draft = form.draft()
        assert draft.name.strip()
        assert draft.connection.base_url.startswith(("https://", "http://"))
        assert draft.connection.management_key.reveal().isascii()
    else:
        assert all(messages for messages in form.errors.values())


@settings(max_examples=100, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_the_other_forms_take_anything(one: str, two: str, three: str) -> None:
    for form in (
        RenameForm({"name": one}),
        RoleForm({"role": one}),
        InviteForm({"by": one, "email": two, "role": three}),
        InviteForm({"by": "mail", "email": one, "role": "viewer"}),
        DefaultWorkspaceForm({"workspace": one}, workspaces=[("uid", "Name")]),
        TypedForm({"confirmation": one}, word="Acme Research"),
    ):
        form.is_valid()


def test_a_name_is_not_taken_for_another_by_unicode() -> None:
    assert not TypedForm({"confirmation": "Аcme"}, word="Acme").is_valid()
    assert TypedForm({"confirmation": " Acme   Research "}, word="Acme Research").is_valid()


@pytest.mark.parametrize(
    "slug", ["Acme", "a b", "-a", "a-", "a--b", "ä", "a_b", "a/b", "../x", "x" * 51, "settings", "new"]
)
def test_a_short_name_that_is_none(slug: str) -> None:
    form = ConnectForm({"name": "x", "slug": slug, "base_url": "https://a.test", "management_key": "k"})
    assert not form.is_valid()
    assert set(form.errors) == {"slug"}


@pytest.mark.parametrize("slug", ["acme", "a", "7", "acme-2", "x" * 50])
def test_a_good_short_name(slug: str) -> None:
    form = ConnectForm({"name": "x", "slug": slug, "base_url": "https://a.test", "management_key": "k"})
    assert form.is_valid(), form.errors


@pytest.mark.parametrize("key", ["", "two words", "sk-or-v1-ä", "tab\there", "x" * 301, "new\nline"])
def test_a_key_that_is_none_is_never_sent(
    organization: Organization, owner: User, sign_in: SignIn, sandbox: RunningSandbox, key: str
) -> None:
    sandbox.sandbox.clear_requests()
    data = {"base_url": sandbox.url, "management_key": key}
    answer = sign_in(owner).post("/o/acme/settings/rekey/", data)
    assert answer.status_code == 400
    assert sandbox.sandbox.requests().total == 0
    if len(key) > 3:
        assert key not in answer.content.decode()


@pytest.mark.parametrize("number", ["99999999999999999999", "0"])
def test_a_number_there_is_not(organization: Organization, owner: User, sign_in: SignIn, number: str) -> None:
    client = sign_in(owner)
    assert client.post(f"/o/acme/settings/people/{number}/role/", {"role": "viewer"}).status_code == 404
    assert client.post(f"/o/acme/settings/people/{number}/remove/").status_code == 404
    assert client.post(f"/o/acme/settings/people/invitations/{number}/revoke/").status_code == 404
